#![doc = include_str!("../README.md")]

mod atomic;
pub mod compare;
mod error;
pub mod html;
mod log;
pub mod panels;
mod progress;
mod record;
mod summary;
mod tensorboard;
mod units;
mod writer;

pub use error::ReportError;
pub use log::RunLog;
pub use progress::Progress;
pub use record::{CheckpointRecord, EvalRecord, Record, SolveRecord, StepRecord};
pub use summary::{CheckpointSummary, Summary, summary};
pub use writer::{METRICS_FILE, RunWriter};
