#![doc = include_str!("../README.md")]

mod atomic;
mod error;
mod log;
mod record;
mod tensorboard;
mod units;
mod writer;

pub use error::ReportError;
pub use log::RunLog;
pub use record::{EvalRecord, Record, SolveRecord, StepRecord};
pub use tensorboard::EventWriter;
pub use writer::{METRICS_FILE, RunWriter};
