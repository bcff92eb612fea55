//! What a front end says to the engine and what it hears back.

use std::sync::Arc;

/// One prompt, to be continued `n` times.
#[derive(Clone)]
pub struct Request {
    /// The tokens to continue; at least one.
    pub prompt: Vec<u32>,
    /// How many samples, each continued on its own.
    pub n: usize,
    /// Most new tokens of a sample; with 0 the prompt alone is computed.
    pub max_tokens: usize,
    /// A sample does not end by a stop token or a stop string before it has this many new tokens.
    pub min_tokens: usize,
    /// How tokens are picked.
    pub sampling: Sampling,
    /// What ends a sample.
    pub stop: Stop,
    /// Log-probabilities with every token: of the token and of this many of the likeliest.
    pub logprobs: Option<usize>,
    /// The same for the tokens of the prompt, before the first new one.
    pub prompt_logprobs: Option<usize>,
    /// A limit on the tokens of a chain of thought.
    pub thinking: Option<Thinking>,
    /// Which tokens may come, for constrained output.
    pub mask: Option<Arc<dyn MaskSource>>,
}

impl Request {
    /// Greedy, up to `max_tokens` tokens, one sample.
    pub fn greedy(prompt: Vec<u32>, max_tokens: usize) -> Self {
        Self {
            prompt,
            n: 1,
            max_tokens,
            min_tokens: 0,
            sampling: Sampling::default(),
            stop: Stop::default(),
            logprobs: None,
            prompt_logprobs: None,
            thinking: None,
            mask: None,
        }
    }
}

/// How tokens are picked. The default is greedy.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 picks the likeliest token.
    pub temperature: f64,
    /// Only this many of the likeliest; 0 for all.
    pub top_k: usize,
    /// Only the likeliest that together have this probability (Holtzman et al., 1904.09751).
    pub top_p: f64,
    /// Only tokens at least this likely, relative to the likeliest (Nguyen et al., 2407.01082).
    pub min_p: f64,
    /// Divides positive and multiplies negative logits of tokens seen in the prompt or the sample (Keskar et al., 1909.05858); 1 is off.
    pub repetition_penalty: f64,
    /// Taken off the logits of tokens that the sample holds.
    pub presence_penalty: f64,
    /// Taken off the logits of tokens for each time that the sample holds them.
    pub frequency_penalty: f64,
    /// Fixes the draws: the same seed and sample number draw alike whatever else runs.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            seed: 0,
        }
    }
}

/// What ends a sample besides its length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stop {
    /// Any of these tokens; it is not part of the text.
    pub tokens: Vec<u32>,
    /// Any of these texts; neither it nor what follows is given out. Needs an engine with a tokenizer.
    pub strings: Vec<String>,
    /// Goes on after the model's own end-of-document token.
    pub ignore_eos: bool,
}

/// A hard limit on a chain of thought: when it is used up, the closing tokens are forced.
#[derive(Clone, Debug, PartialEq)]
pub struct Thinking {
    /// The token that opens it; `None` where the prompt has opened it already.
    pub open: Option<u32>,
    /// The tokens that close it.
    pub close: Vec<u32>,
    /// Most tokens in between. Where `max_tokens` would leave less than an eighth of itself for the answer, the limit is lower.
    pub budget: usize,
}

/// Makes the mask of each sample of a request.
pub trait MaskSource: Send + Sync {
    /// The mask of a new sample.
    fn start(&self) -> Box<dyn TokenMask>;
}

/// Which tokens a sample may have next.
pub trait TokenMask: Send {
    /// Sets the logits of forbidden tokens to minus infinity.
    fn apply(&mut self, logits: &mut [f32]);
    /// Hears which token was taken.
    fn advance(&mut self, token: u32);
    /// Whether nothing may follow: the sample ends.
    fn is_finished(&self) -> bool;
}

/// What a caller hears. Events of a sample come in order; those of several samples are interleaved.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The tokens of the prompt with their log-probabilities, where they were asked for: once, before everything else. The first token has none.
    Prompt(Vec<Scored>),
    /// One more token.
    Token(Token),
    /// A sample ended; nothing more of it follows.
    Finished {
        /// Which sample, from 0.
        sample: usize,
        /// Why.
        reason: Finish,
        /// The token that ended it, where one did: it is no part of the text. With its log-probability where those are asked for.
        end: Option<Scored>,
        /// Text that was held back and is now certain.
        text: String,
        /// Tokens so far.
        usage: Usage,
    },
    /// The whole request failed in the engine; nothing more follows.
    Failed(String),
}

/// A token and how likely it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The token.
    pub id: u32,
    /// Natural logarithm of the model's probability of the token, before penalties, temperature and masks.
    pub logprob: Option<f32>,
    /// Its place among all tokens, 1 for the likeliest; 0 where there is no log-probability.
    pub rank: usize,
    /// The likeliest tokens with their log-probabilities, the likeliest first.
    pub top: Vec<(u32, f32)>,
}

/// One token of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Which sample, from 0.
    pub sample: usize,
    /// The token.
    pub scored: Scored,
    /// Text that became certain: often a word, sometimes nothing; always empty without a tokenizer.
    pub text: String,
}

/// Why a sample ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// A stop token, a stop string, the end of the document, or the end of a constraint.
    Stop,
    /// `max_tokens`.
    Length,
}

/// Tokens of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub prompt_tokens: usize,
    /// Of those, how many were in the cache already.
    pub cached_tokens: usize,
    /// Of this sample.
    pub completion_tokens: usize,
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Something in it cannot be.
    #[error("`{name}` is {given}; it must be {required}")]
    Value {
        /// The field.
        name: &'static str,
        /// What it is.
        given: String,
        /// What it may be.
        required: String,
    },
    /// Prompt and new tokens do not fit.
    #[error(
        "the prompt has {prompt} tokens and max_tokens is {max_tokens}; together they may have {context}: shorten the prompt or lower \
         max_tokens"
    )]
    Context {
        /// Tokens of the prompt.
        prompt: usize,
        /// New tokens asked for.
        max_tokens: usize,
        /// Tokens there is room for.
        context: usize,
    },
    /// Too many requests wait.
    #[error("{waiting} requests wait already, the most there may be; try again later")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// The engine has ended.
    #[error("the engine has stopped; start it again")]
    Stopped,
}
