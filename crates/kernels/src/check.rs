//! Checks of sizes that kernels share.

use crate::ArgumentError;

/// Number of elements of these dims; none if it is more than memory can hold.
pub(crate) fn elements(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))
}

/// That a slice has as many elements as its dims say.
pub(crate) fn length(
    kernel: &'static str,
    name: &'static str,
    given: usize,
    dims: &[usize],
) -> Result<(), ArgumentError> {
    match elements(dims) {
        Some(required) if required == given => Ok(()),
        required => Err(ArgumentError::Memory {
            kernel,
            name,
            required: required.unwrap_or(usize::MAX),
            given: format!("{given} for dims {dims:?}"),
        }),
    }
}
