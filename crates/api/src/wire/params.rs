//! What chat and completions have in common.

use std::collections::HashMap;

use serde::Deserialize;
use utoipa::ToSchema;

/// A value or several.
#[derive(Clone, Debug, Deserialize, PartialEq, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// How tokens are picked and when a sample ends.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Params {
    /// Samples.
    pub n: Option<usize>,
    /// 0 is greedy.
    pub temperature: Option<f64>,
    /// Only the likeliest tokens that have this probability together.
    pub top_p: Option<f64>,
    /// Only so many of the likeliest; 0 or -1 for all.
    pub top_k: Option<i64>,
    /// Only tokens at least this likely, relative to the likeliest.
    pub min_p: Option<f64>,
    /// Above 1, tokens that were seen come less.
    pub repetition_penalty: Option<f64>,
    /// Taken off tokens that are there.
    pub presence_penalty: Option<f64>,
    /// Taken off tokens for each time they are there.
    pub frequency_penalty: Option<f64>,
    /// Added to the logits of tokens, by their ids as text.
    pub logit_bias: Option<HashMap<String, f32>>,
    /// The same seed gives the same text whatever else runs.
    pub seed: Option<i64>,
    /// Texts that end a sample.
    pub stop: Option<OneOrMany>,
    /// Tokens that end a sample.
    #[serde(default)]
    pub stop_token_ids: Vec<u32>,
    /// Goes on after the end-of-text token.
    #[serde(default)]
    pub ignore_eos: bool,
    /// A sample does not end before it has so many tokens.
    #[serde(default)]
    pub min_tokens: usize,
    /// Sends text as it comes, as server-sent events.
    #[serde(default)]
    pub stream: bool,
    /// What a stream holds besides.
    pub stream_options: Option<StreamOptions>,
    /// What the text must be.
    pub response_format: Option<ResponseFormat>,
    /// The same, as vLLM names it.
    pub structured_outputs: Option<Structured>,
    /// Makes so many samples and returns one whose answer most of them agree on (self-consistency). The answer is the last `\boxed{...}`, else the last line.
    pub vote: Option<usize>,
    /// Most tokens of a chain of thought.
    pub thinking_budget: Option<usize>,
}

/// What a stream holds besides its text.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
pub struct StreamOptions {
    /// A last piece with the counts of tokens.
    #[serde(default)]
    pub include_usage: bool,
}

/// What the text must be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Anything.
    Text,
    /// An object of JSON.
    JsonObject,
    /// JSON of a schema.
    JsonSchema {
        /// Which.
        json_schema: SchemaFormat,
    },
}

/// A schema with its name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct SchemaFormat {
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    /// The schema.
    pub schema: serde_json::Value,
}

/// A constraint on the text; one of these.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Structured {
    /// JSON of this schema.
    pub json: Option<serde_json::Value>,
    /// Matches this.
    pub regex: Option<String>,
    /// Is one of these.
    pub choice: Option<Vec<String>>,
    /// Follows this grammar, as Lark writes it.
    pub grammar: Option<String>,
}
