#![doc = include_str!("../README.md")]

mod batch;
mod batches;
pub mod corpus;
mod error;
mod file;
mod prefetch;
mod rng;
mod rows;
mod source;
mod tokenizer;
mod tokens;

pub use batch::{Batch, BatchStream, NO_TARGET, StreamState};
pub use batches::{SequentialBatches, TokenBatches};
pub use error::DataError;
pub use prefetch::Prefetch;
pub use source::{Documents, Sources};
pub use tokenizer::{StreamDecoder, Tokenizer, special_token};
pub use tokens::{Progress, Split, TokenFile, TokenView};
