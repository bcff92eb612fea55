//! The bodies that are read and written, as OpenAI names them, with what vLLM adds. The OpenAPI document is made from these types.

mod completions;
mod messages;
mod params;
mod reply;

pub use completions::{ChatRequest, CompletionRequest, DetokenizeRequest, Prompt, TokenizeRequest};
pub use messages::{Content, EarlierCall, EarlierFunction, Message, Part};
pub use params::{OneOrMany, Params, ResponseFormat, SchemaFormat, StreamOptions, Structured};
pub use reply::*;
