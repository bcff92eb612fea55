#![doc = include_str!("../README.md")]

mod budget;
pub mod bytes;
mod drafts;
mod error;
pub mod handle;
pub mod pages;
mod read_rate;
pub mod request;
pub mod runner;
pub mod sampling;
mod scheduler;
mod sequence;
mod weights;

pub use budget::Budget;
pub use error::ServeError;
pub use handle::{Handle, Limits, Stats};
pub use read_rate::memory_read_rate;
pub use request::{Event, Finish, Refusal, Request, Sampling, Scored, Stop, Thinking, Token, Usage};
pub use runner::{Balance, Balanced, MOST_DEVICES, Runner, Types};
pub use scheduler::{MOST_GUESSES, MOST_ROWS};

/// Bytes at the end of `text` that `word` begins with, short of all of it: what must be held back while it may become `word`.
pub fn beginning(text: &str, word: &str) -> usize {
    (1..word.len()).rev().find(|&n| word.is_char_boundary(n) && text.ends_with(&word[..n])).unwrap_or(0)
}
