//! Why a case could not be run (a wrong result is no error but a finding).

use collegium_hlo::GraphError;
use collegium_runtime::RuntimeError;

/// A case that did not get as far as a result.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// Its graph is wrong.
    #[error("case `{case}` does not build: {source}")]
    Build {
        /// The case.
        case: String,
        /// Why.
        source: GraphError,
    },
    /// The backend refuses it.
    #[error("case `{case}` does not run on `{backend}`: {source}")]
    Run {
        /// The case.
        case: String,
        /// The backend.
        backend: String,
        /// Why.
        source: Box<RuntimeError>,
    },
}
