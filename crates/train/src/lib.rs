//! Training, evaluation and generation: the engine that runs a model on its devices, the loop around it, and what they read
//! and leave behind.

pub mod adapt;
pub mod bench;
pub mod config;
pub mod engine;
mod error;
pub mod feed;
mod init;
pub mod layer;
mod sampling;
mod saver;
mod schedule;
pub mod setup;
pub mod snapshot;
pub mod solve;
pub mod tax;
mod trainer;
pub mod verify;

pub use error::TrainError;
pub use init::RandomInit;
pub use sampling::Sampler;
pub use schedule::learning_rate;
pub use trainer::{BUCKETS_FILE, Ending, Trainer};
