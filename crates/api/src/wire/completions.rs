//! Bodies of requests.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Message, Params};

/// A body of `/v1/chat/completions`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ChatRequest {
    /// The model's name; may be left out.
    #[serde(default)]
    pub model: Option<String>,
    /// The chat so far.
    pub messages: Vec<Message>,
    /// Most new tokens; without, all that the context has room for.
    #[serde(default, alias = "max_tokens")]
    pub max_completion_tokens: Option<usize>,
    /// Whether log-probabilities are returned.
    #[serde(default)]
    pub logprobs: bool,
    /// Of how many of the likeliest tokens besides, up to 20.
    #[serde(default)]
    pub top_logprobs: usize,
    /// Log-probabilities of the prompt's tokens by their numbers, with so many of the likeliest, up to 20, as vLLM returns them: beside the choices, and
    /// never in a stream.
    #[serde(default)]
    pub prompt_logprobs: Option<usize>,
    /// How long the model may think: `none`, `minimal`, `low`, `medium`, `high` or `xhigh`: 0, 0, 20, 50, 80 or 95 % of the new tokens.
    #[serde(default)]
    pub reasoning_effort: Option<String>,
    /// Names for the chat template, such as `enable_thinking`.
    #[serde(default)]
    pub chat_template_kwargs: Option<serde_json::Map<String, serde_json::Value>>,
    /// Continues the last message instead of answering it.
    #[serde(default)]
    pub continue_final_message: bool,
    /// Functions that may be called, as OpenAI has them. They go to the chat template as they are.
    #[serde(default)]
    pub tools: Vec<serde_json::Value>,
    /// `none`, `auto` (as without), `required`, or a function that must be called: `{"type": "function", "function": {"name": ..}}`.
    #[serde(default)]
    pub tool_choice: Option<serde_json::Value>,
    /// Whether an answer may have several calls, as without.
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    /// The rest.
    #[serde(flatten)]
    pub params: Params,
}

/// A body of `/v1/completions`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CompletionRequest {
    /// The model's name; may be left out.
    #[serde(default)]
    pub model: Option<String>,
    /// What to continue.
    pub prompt: Prompt,
    /// Most new tokens; with `echo` or `prompt_logprobs` there may be none.
    #[serde(default = "sixteen")]
    pub max_tokens: usize,
    /// Log-probabilities, with so many of the likeliest tokens, up to 20.
    #[serde(default)]
    pub logprobs: Option<usize>,
    /// Makes so many samples and returns the `n` likeliest.
    #[serde(default)]
    pub best_of: Option<usize>,
    /// Whether the text begins with the prompt, and the log-probabilities with those of its tokens.
    #[serde(default)]
    pub echo: bool,
    /// Log-probabilities of the prompt's tokens by their numbers, with so many of the likeliest, up to 20, as vLLM returns them.
    #[serde(default)]
    pub prompt_logprobs: Option<usize>,
    /// Text behind what is to be filled in; not supported.
    #[serde(default)]
    pub suffix: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub params: Params,
}

fn sixteen() -> usize {
    16
}

/// A prompt or several, as text or as tokens.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Prompt {
    /// A text.
    Text(String),
    /// Tokens.
    Tokens(Vec<u32>),
    /// Texts.
    Texts(Vec<String>),
    /// Several of tokens.
    TokenLists(Vec<Vec<u32>>),
}

/// A body of `/tokenize`: a prompt or messages.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct TokenizeRequest {
    /// The model's name; may be left out.
    #[serde(default)]
    pub model: Option<String>,
    /// A text.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Whether the tokenizer adds its special tokens to the text.
    #[serde(default = "yes")]
    pub add_special_tokens: bool,
    /// A chat.
    #[serde(default)]
    pub messages: Option<Vec<Message>>,
    /// Functions that it may call.
    #[serde(default)]
    pub tools: Vec<serde_json::Value>,
}

fn yes() -> bool {
    true
}

/// A body of `/detokenize`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct DetokenizeRequest {
    /// The tokens.
    pub tokens: Vec<u32>,
}
