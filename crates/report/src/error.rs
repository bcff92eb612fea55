//! The ways reading or writing a run's records can fail.

use std::{io, path::PathBuf};

/// Why a run's records could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The operating system refused a file operation.
    #[error(
        "{path}: cannot {action}: {source}; check that the folder exists, is writable and its disk is not full"
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb phrase ("create the file").
        action: &'static str,
        /// The system's own message.
        source: io::Error,
    },
    /// A new run would overwrite an earlier one.
    #[error(
        "{path}: this run folder already holds metrics; resume the run, or give the new run another folder"
    )]
    AlreadyExists {
        /// The metrics file found.
        path: PathBuf,
    },
    /// The folder holds no metrics.
    #[error("{path}: no such file; a run folder holds `metrics.jsonl`, give the folder that `train` printed")]
    NoMetrics {
        /// The metrics file looked for.
        path: PathBuf,
    },
    /// A line that is not the torn last one does not parse.
    #[error("{path}:{line}: not a metrics record: {source}; remove or repair this line")]
    BadRecord {
        /// The metrics file.
        path: PathBuf,
        /// Line number, from one.
        line: usize,
        /// What the JSON parser said.
        source: serde_json::Error,
    },
    /// A plot of a kind that is not written.
    #[error("{path}: a plot is written as .svg or .html; give the file one of these extensions")]
    PlotExtension {
        /// The file asked for.
        path: PathBuf,
    },
    /// A record could not be written as JSON.
    #[error("step {step}: record cannot be written as JSON: {source}")]
    Encode {
        /// The record's step.
        step: u64,
        /// What the JSON writer said.
        source: serde_json::Error,
    },
}

/// Attaches path and action to an I/O error.
pub(crate) trait IoContext<T> {
    fn at(self, path: impl Into<PathBuf>, action: &'static str) -> Result<T, ReportError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, path: impl Into<PathBuf>, action: &'static str) -> Result<T, ReportError> {
        self.map_err(|source| ReportError::Io { path: path.into(), action, source })
    }
}
