//! Step, loop, optimizer, checkpoints.

pub mod bench;
pub mod config;
pub mod engine;
mod error;
mod init;

pub use error::TrainError;
pub use init::RandomInit;
