#![doc = include_str!("../README.md")]

mod drafts;
mod error;
pub mod handle;
pub mod pages;
pub mod request;
pub mod runner;
pub mod sampling;
mod scheduler;
mod sequence;

pub use error::ServeError;
pub use handle::{Handle, Limits, Stats};
pub use request::{Event, Finish, Refusal, Request, Sampling, Stop, Thinking, Token, Usage};
pub use runner::Runner;
pub use scheduler::MOST_ROWS;
