//! Bodies of replies.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// An error.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// It.
    pub error: ErrorDetail,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// In words, with the remedy.
    pub message: String,
    /// Its kind.
    pub r#type: String,
    /// Which field.
    pub param: Option<String>,
    /// A word for programs.
    pub code: Option<String>,
}

/// Tokens of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct UsageBody {
    /// Of all prompts.
    pub prompt_tokens: usize,
    /// Of all samples.
    pub completion_tokens: usize,
    /// Together.
    pub total_tokens: usize,
    /// Of the prompts, what was in the cache.
    pub prompt_tokens_details: CachedTokens,
}

/// Of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct CachedTokens {
    /// How many were in the cache.
    pub cached_tokens: usize,
}

/// An answer, or a piece of one, whose samples are [`ChatChoice`]s or [`CompletionChoice`]s.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reply<C> {
    /// Names the answer.
    pub id: String,
    /// `chat.completion`, `chat.completion.chunk` or `text_completion`.
    pub object: &'static str,
    /// Seconds since 1970.
    pub created: u64,
    /// The model.
    pub model: String,
    /// One for each sample of each prompt.
    pub choices: Vec<C>,
    /// Tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageBody>,
    /// Of the tokens of a chat's prompt, where `prompt_logprobs` asks. Completions have theirs in the choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_logprobs: Option<PromptLogprobs>,
}

/// By place in the prompt, then by the token's number; `null` for the first, which nothing is before.
pub type PromptLogprobs = Vec<Option<BTreeMap<u32, PromptLogprob>>>;

/// A sample of a chat, or a piece of one.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ChatChoice {
    /// Which sample.
    pub index: usize,
    /// All of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<ReplyMessage>,
    /// What is new of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<ReplyMessage>,
    /// Log-probabilities.
    pub logprobs: Option<ChatLogprobs>,
    /// `stop`, `length` or `tool_calls`, once it has ended.
    pub finish_reason: Option<&'static str>,
    /// How the vote went, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote: Option<VoteBody>,
}

/// How a vote went.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VoteBody {
    /// What won.
    pub answer: String,
    /// How many samples gave it.
    pub votes: usize,
    /// Of how many.
    pub of: usize,
}

/// What the model says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ReplyMessage {
    /// `assistant`; in a stream, in the first piece only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The chain of thought before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// What it calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
}

/// A call, or a piece of one: then the first piece has all but arguments, the others nothing but them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ToolCall {
    /// In a stream, which call of the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its name, for the message that answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<&'static str>,
    /// What is called.
    pub function: CalledFunction,
}

/// What is called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct CalledFunction {
    /// The function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its arguments as JSON, or more of them.
    pub arguments: String,
}

/// Log-probabilities of a chat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ChatLogprobs {
    /// One for each token, those of a chain of thought included.
    pub content: Vec<TokenLogprob>,
}

/// Of a token.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TokenLogprob {
    /// Its text.
    pub token: String,
    /// Natural logarithm of its probability, before penalties and temperature.
    pub logprob: f32,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Of the likeliest.
    pub top_logprobs: Vec<TopLogprob>,
}

/// Of one of the likeliest tokens.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TopLogprob {
    /// Its text.
    pub token: String,
    /// As above.
    pub logprob: f32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A sample, or a piece of one.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct CompletionChoice {
    /// Prompt times samples, plus the sample.
    pub index: usize,
    /// The text.
    pub text: String,
    /// Log-probabilities.
    pub logprobs: Option<CompletionLogprobs>,
    /// Of the tokens of the prompt, where `prompt_logprobs` asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_logprobs: Option<PromptLogprobs>,
    /// `stop` or `length`, once it has ended.
    pub finish_reason: Option<&'static str>,
    /// How the vote went, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote: Option<VoteBody>,
}

/// Log-probabilities of a completion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct CompletionLogprobs {
    /// Texts of the tokens.
    pub tokens: Vec<String>,
    /// Theirs; `null` for the first of a prompt, which nothing is before.
    pub token_logprobs: Vec<Option<f32>>,
    /// Of the likeliest, by text; of several with one text, the likeliest.
    pub top_logprobs: Vec<Option<BTreeMap<String, f32>>>,
    /// Where each token begins in the text, in characters.
    pub text_offset: Vec<usize>,
}

/// How likely a token was at its place in the prompt.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PromptLogprob {
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// Its place among all tokens, 1 for the likeliest.
    pub rank: usize,
    /// Its text.
    pub decoded_token: String,
}

/// The models.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelList {
    /// `list`.
    pub object: &'static str,
    /// One.
    pub data: Vec<ModelBody>,
}

/// A model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelBody {
    /// Its name.
    pub id: String,
    /// `model`.
    pub object: &'static str,
    /// Since when it is served, in seconds since 1970.
    pub created: u64,
    /// `collegium`.
    pub owned_by: &'static str,
    /// Most tokens of prompt and answer together.
    pub max_model_len: usize,
}

/// Tokens of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenizeReply {
    /// How many.
    pub count: usize,
    /// Most there may be.
    pub max_model_len: usize,
    /// They.
    pub tokens: Vec<u32>,
}

/// The text of tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DetokenizeReply {
    /// It.
    pub prompt: String,
}
