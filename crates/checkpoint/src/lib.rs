#![doc = include_str!("../README.md")]

mod directory;
mod dtype;
mod error;
mod header;
mod nearest;
mod pairs;
mod publish;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use directory::{Checkpoint, CheckpointDir};
pub use error::CheckpointError;
pub use publish::write_file;
pub use reader::{SafetensorsReader, TensorInfo};
pub use writer::SafetensorsWriter;
