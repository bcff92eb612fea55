//! How the C library's allocator treats big blocks, which is where a CPU plugin's buffers come from.

/// Asks the allocator to keep freed memory for the next buffer instead of giving it back to the system. By default every big block
/// is mapped anew, and the system clears each of its pages again at every step. One arena, so that what one thread frees serves
/// another. Has an effect with glibc; whoever set `MALLOC_MMAP_MAX_`, `MALLOC_TRIM_THRESHOLD_` or `MALLOC_ARENA_MAX` is left alone.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (option, value, variable) in [
        (libc::M_MMAP_MAX, 0, "MALLOC_MMAP_MAX_"),
        (libc::M_TRIM_THRESHOLD, -1, "MALLOC_TRIM_THRESHOLD_"),
        (libc::M_ARENA_MAX, 1, "MALLOC_ARENA_MAX"),
    ] {
        if std::env::var_os(variable).is_none() {
            // SAFETY: mallopt takes two integers, locks the allocator itself, and refuses what it does not know.
            unsafe { libc::mallopt(option, value) };
        }
    }
}
