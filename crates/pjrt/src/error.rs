//! One error for the room. *Unsupported* is apart from *failed*, so that callers may fall back.

use std::path::PathBuf;

use collegium_core::DType;

/// What went wrong between us and a plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PjrtError {
    /// The file cannot be opened as a shared library.
    #[error("plugin {}: cannot be loaded: {reason}; check that the file is complete and was built for this machine", path.display())]
    Load {
        /// The plugin's file.
        path: PathBuf,
        /// The dynamic loader's own words.
        reason: String,
    },
    /// The library is no PJRT plugin.
    #[error("plugin {}: {problem}; give the path of a PJRT plugin", path.display())]
    NotAPlugin {
        /// The plugin's file.
        path: PathBuf,
        /// What is missing.
        problem: String,
    },
    /// The plugin speaks a version of the API that we do not.
    #[error("plugin {}: speaks PJRT API {major}.{minor}, needed is 0.{} or a later 0.x; install another version of the plugin", path.display(), crate::plugin::OLDEST_MINOR)]
    Version {
        /// The plugin's file.
        path: PathBuf,
        /// Reported major version.
        major: i32,
        /// Reported minor version.
        minor: i32,
    },
    /// The plugin lacks a function, or has it and answers that it is not implemented.
    #[error("{function}: not supported by this plugin: {reason}")]
    Unsupported {
        /// The C function or extension.
        function: &'static str,
        /// The plugin's words, or what is missing.
        reason: String,
    },
    /// The plugin reports a failure.
    #[error("{function}: {code:?}: {message}")]
    Plugin {
        /// The C function that failed; for asynchronous work, the one that reported it.
        function: &'static str,
        /// The plugin's code.
        code: ErrorCode,
        /// The plugin's own message.
        message: String,
    },
    /// A buffer of an element type that no program of ours has.
    #[error("element type {0} of PJRT has no counterpart here; convert it inside the program")]
    ElementType(u32),
    /// Bytes do not fill a tensor.
    #[error("upload of {dtype}{dims:?}: {required} bytes required, {given} given")]
    DataSize {
        /// Element type.
        dtype: DType,
        /// Size of each dim.
        dims: Vec<usize>,
        /// Bytes the shape takes.
        required: usize,
        /// Bytes that came.
        given: usize,
    },
    /// No such device.
    #[error(
        "device {index}: the client has {available}; number devices from 0 or create the client with more"
    )]
    Device {
        /// Position asked for.
        index: usize,
        /// Number of devices.
        available: usize,
    },
    /// Compile options that contradict each other.
    #[error(
        "compile options: {replicas} replicas x {partitions} partitions need {required} devices, {given} given"
    )]
    Assignment {
        /// Number of replicas.
        replicas: usize,
        /// Number of partitions.
        partitions: usize,
        /// Their product.
        required: usize,
        /// Devices listed.
        given: usize,
    },
    /// Argument lists do not fit the executable.
    #[error("executing `{program}`: {problem}")]
    Arguments {
        /// Name of the program.
        program: String,
        /// What does not fit.
        problem: String,
    },
    /// A custom-call handler cannot be registered.
    #[error("custom call `{name}`: {problem}")]
    Handler {
        /// Target name.
        name: &'static str,
        /// Why not.
        problem: String,
    },
    /// Variables a plugin reads at start cannot be set any more.
    #[error(
        "environment variable {name} must be {value:?} before the plugin starts, and other threads run already; set it in the shell"
    )]
    Environment {
        /// The variable.
        name: String,
        /// The value wanted.
        value: String,
    },
}

impl PjrtError {
    /// Whether the plugin cannot do this at all, as opposed to having failed at it.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Unsupported { .. })
    }
}

/// Kinds of failure, as `absl::StatusCode` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ErrorCode {
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl ErrorCode {
    /// The code with this number; `Unknown` for numbers absl does not have.
    pub(crate) fn from_raw(code: u32) -> Self {
        const CODES: [ErrorCode; 16] = [
            ErrorCode::Cancelled,
            ErrorCode::Unknown,
            ErrorCode::InvalidArgument,
            ErrorCode::DeadlineExceeded,
            ErrorCode::NotFound,
            ErrorCode::AlreadyExists,
            ErrorCode::PermissionDenied,
            ErrorCode::ResourceExhausted,
            ErrorCode::FailedPrecondition,
            ErrorCode::Aborted,
            ErrorCode::OutOfRange,
            ErrorCode::Unimplemented,
            ErrorCode::Internal,
            ErrorCode::Unavailable,
            ErrorCode::DataLoss,
            ErrorCode::Unauthenticated,
        ];
        (code as usize).checked_sub(1).and_then(|i| CODES.get(i)).copied().unwrap_or(Self::Unknown)
    }
}
