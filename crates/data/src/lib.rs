#![doc = include_str!("../README.md")]

mod batch;
pub mod corpus;
mod error;
mod file;
mod rng;
mod tokenizer;

pub use batch::{Batch, BatchStream, NO_TARGET, StreamState};
pub use error::DataError;
pub use tokenizer::{StreamDecoder, Tokenizer};
