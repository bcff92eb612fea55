//! A body becomes requests of the engine.

mod chat;
mod completion;
mod keep;
mod mask;
mod request;

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use collegium_serve::Request;

use crate::ApiError;
use crate::tools::Tools;
pub use chat::{chat, chat_prompt};
pub use completion::completion;
pub use keep::Keep;

/// What a body asks for.
pub struct Prepared {
    /// One for each prompt.
    pub requests: Vec<Request>,
    /// Which samples are returned.
    pub keep: Keep,
    /// Whether the prompt has opened a chain of thought.
    pub is_open: bool,
    /// What goes before the text of each prompt's samples, where it is asked for.
    pub echoes: Vec<Option<String>>,
    /// With how many of the likeliest tokens log-probabilities are returned.
    pub logprobs: Option<usize>,
    /// The same for `prompt_logprobs`.
    pub prompt_logprobs: Option<usize>,
    /// What a chat may call.
    pub tools: Option<Arc<Tools>>,
    /// Whether it is a stream.
    pub stream: bool,
    /// Whether the stream ends with the counts of tokens.
    pub include_usage: bool,
}

/// A number that nobody can foresee, from what the standard library seeds its hash tables with.
pub fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// A text without its tokens.
pub fn unreadable(error: impl std::fmt::Display) -> ApiError {
    ApiError::field("prompt", format!("the text does not become tokens: {error}"))
}
