//! What can be wrong with the arguments of a kernel.

use collegium_core::DType;

/// Arguments that do not fit a kernel or each other. The message names the kernel and the argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Another number of operands or results.
    #[error("{kernel}: takes {required} {what}, got {given}; emit the call with {required}")]
    Count {
        /// Name of the kernel.
        kernel: &'static str,
        /// Operands or results.
        what: &'static str,
        /// How many the kernel takes.
        required: usize,
        /// How many came.
        given: usize,
    },
    /// An element type the kernel does not have.
    #[error("{kernel}: `{name}` must hold {required}, got {given}; convert it in the program")]
    DType {
        /// Name of the kernel.
        kernel: &'static str,
        /// The argument.
        name: &'static str,
        /// Element types the kernel has.
        required: String,
        /// Element type that came.
        given: DType,
    },
    /// Dims that do not fit the kernel or another argument.
    #[error("{kernel}: `{name}` must be {required}, got {given}")]
    Dims {
        /// Name of the kernel.
        kernel: &'static str,
        /// The argument.
        name: &'static str,
        /// Dims that would fit.
        required: String,
        /// Dims that came.
        given: String,
    },
    /// Memory that is not that of its dims: too short, too long or not aligned.
    #[error("{kernel}: `{name}` must be {required} elements in aligned memory, got {given}")]
    Memory {
        /// Name of the kernel.
        kernel: &'static str,
        /// The argument.
        name: &'static str,
        /// Elements by its dims.
        required: usize,
        /// What came instead.
        given: String,
    },
    /// An attribute that is missing or has a value without meaning.
    #[error("{kernel}: attribute `{name}` must be {required}, got {given}")]
    Attribute {
        /// Name of the kernel.
        kernel: &'static str,
        /// The attribute.
        name: &'static str,
        /// Values it may have.
        required: &'static str,
        /// The value that came.
        given: String,
    },
}

impl From<ArgumentError> for String {
    fn from(error: ArgumentError) -> Self {
        error.to_string()
    }
}
