//! Step, loop, optimizer, checkpoints.

pub mod config;
pub mod engine;
mod error;

pub use error::TrainError;
