//! Variables that plugins read when they start.

use std::ffi::OsStr;

use crate::PjrtError;

/// Sets variables that are not set yet, before a plugin is loaded.
///
/// Changing the environment is safe only while no other thread reads it, and C code reads it without a lock. So this
/// works while the process has one thread, and is an error that names the variable afterwards.
pub fn set_defaults(variables: &[(&str, &str)]) -> Result<(), PjrtError> {
    let missing = variables.iter().filter(|(name, _)| std::env::var_os(name).is_none());
    for &(name, value) in missing {
        if num_threads() != Some(1) {
            return Err(PjrtError::Environment { name: name.into(), value: value.into() });
        }
        // SAFETY: this is the only thread, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var(OsStr::new(name), OsStr::new(value)) };
    }
    Ok(())
}

/// Threads of this process; `None` where the system does not tell.
fn num_threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_threads_running_only_variables_already_set_pass() {
        // The test harness runs tests on threads of their own.
        assert!(set_defaults(&[("PATH", "/nowhere")]).is_ok());
        assert_ne!(std::env::var_os("PATH").as_deref(), Some(OsStr::new("/nowhere")));
        let error = set_defaults(&[("COLLEGIUM_TEST_UNSET", "1")]).unwrap_err();
        assert!(
            error.to_string().starts_with("environment variable COLLEGIUM_TEST_UNSET must be \"1\""),
            "{error}"
        );
    }
}
