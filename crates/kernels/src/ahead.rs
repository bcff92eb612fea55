//! Asking for memory before it is read: where what is read next does not lie behind what is read now, or begins another page of memory, the processor
//! does not look ahead by itself.

/// A line of the cache, in bytes.
const LINE: usize = 64;

/// Asks for the line that lies `ahead` bytes behind `from`; where nothing lies there, nothing happens.
#[inline(always)]
pub(crate) fn ask<T>(from: *const T, ahead: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, for which no address is wrong; every processor of the kind has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast::<i8>().wrapping_add(ahead)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, ahead);
}

/// Asks for all of `values`.
#[inline(always)]
pub(crate) fn ask_all<T>(values: &[T]) {
    for at in (0..size_of_val(values)).step_by(LINE) {
        ask(values.as_ptr(), at);
    }
}
