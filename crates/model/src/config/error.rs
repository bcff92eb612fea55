//! What makes a model description unusable.

use crate::family;

/// Why there is no such model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}; give the path of a Hugging Face config.json")]
    Read {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Text that is no JSON object.
    #[error("{path} is no model configuration: {why}; give the path of a Hugging Face config.json")]
    Json {
        /// Which file.
        path: String,
        /// What the parser says.
        why: String,
    },
    /// A family there is none of.
    #[error(
        "{path}: model_type \"{family}\" is {}; supported are {}",
        if *planned { "not yet supported" } else { "unknown" },
        family::names().join(", ")
    )]
    UnknownFamily {
        /// Which file.
        path: String,
        /// The `model_type` given.
        family: String,
        /// Whether it is to come.
        planned: bool,
    },
    /// Values that cannot be, or are not supported.
    #[error("{path} cannot be used:\n  {}", problems.join("\n  "))]
    Config {
        /// Which file.
        path: String,
        /// Everything that is wrong.
        problems: Vec<String>,
    },
}
