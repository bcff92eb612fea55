//! What is wrong with a trace.

use std::path::{Path, PathBuf};

/// A trace that cannot be read or written: which file, what is wrong, and what was expected.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct TraceError {
    path: PathBuf,
    what: String,
}

impl TraceError {
    pub(super) fn new(path: &Path, what: impl ToString) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }
}
