//! Recorded routing: what a planner is tried on without a device.
//!
//! Two kinds. A [`Trace`] has the experts of every token, so any layout can be replayed on it. [`RankLoads`] have only
//! the rows that each rank received under the system that was recorded: balance of those ranks can be replayed, but neither
//! another layout nor another number of ranks.

mod error;
mod rank_loads;
mod routing;

use std::path::Path;

pub use error::TraceError;
pub use rank_loads::{Iteration, RankLoads};
pub use routing::{Trace, TraceLayer};

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Recording {
    /// Experts of every token (`.safetensors`).
    Routing(Trace),
    /// Rows of every rank (`.csv`), one for each method and model in the file.
    RankLoads(Vec<RankLoads>),
}

/// Reads a file of either kind, told by its extension. `num_experts` is for files that do not say it.
///
/// # Errors
/// A file that cannot be read, or is not what its extension says; the error names the tensor or the line.
pub fn read(path: &Path, num_experts: Option<usize>) -> Result<Recording, TraceError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("safetensors") => Trace::read(path, num_experts).map(Recording::Routing),
        Some("csv") => RankLoads::read(path).map(Recording::RankLoads),
        _ => Err(TraceError::new(
            path,
            "has neither extension .safetensors (experts of every token) nor .csv (rows of every rank)",
        )),
    }
}

/// A file's name without folder and extension: what tables call it.
fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}
