//! A body becomes requests of the engine.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use collegium_serve::request::MaskSource;
use collegium_serve::{Refusal, Request, Sampling, Stop, Thinking};
use serde_json::{Value as Json, json};

use crate::grammar::{AfterThinking, Bias, Constraint};
use crate::template::Turn;
use crate::thinking::budget;
use crate::tools::Tools;
use crate::wire::{ChatRequest, CompletionRequest, Params, Prompt, ResponseFormat};
use crate::{ApiError, Served};

/// Most of the likeliest tokens that are returned.
const MOST_LOGPROBS: usize = 20;
/// Most prompts of a body.
const MOST_PROMPTS: usize = 128;

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

/// Which samples are returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// All.
    All,
    /// So many of the likeliest.
    Likeliest(usize),
    /// One whose answer most agree on.
    Vote,
}

/// A number that nobody can foresee, from what the standard library seeds its hash tables with.
pub fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The text and the tokens of a chat.
///
/// # Errors
/// Messages that the template refuses.
pub fn chat_prompt(
    served: &Served,
    chat: &ChatRequest,
    tools: &[Json],
) -> Result<(String, Vec<u32>), ApiError> {
    if chat.messages.is_empty() {
        return Err(ApiError::field("messages", "`messages` is empty; at least one is needed"));
    }
    let turn = Turn {
        enable_thinking: matches!(chat.reasoning_effort.as_deref(), Some("none" | "minimal"))
            .then_some(false),
        continue_final: chat.continue_final_message,
        tools,
        more: chat.chat_template_kwargs.as_ref(),
    };
    let text = served.template.render(&chat.messages, &turn)?;
    let tokenizer = &served.tokenizer;
    // A template spells its special tokens; without one, the text is a document's beginning as any other.
    let tokens = match served.template.is_given() {
        true => tokenizer.encode_spelled(&text),
        false => tokenizer.encode(&text),
    };
    Ok((text, tokens.map_err(unreadable)?))
}

/// A text without its tokens.
pub fn unreadable(error: impl std::fmt::Display) -> ApiError {
    ApiError::field("prompt", format!("the text does not become tokens: {error}"))
}

/// A chat.
///
/// # Errors
/// What cannot be served, by its field.
pub fn chat(served: &Served, chat: &ChatRequest) -> Result<Prepared, ApiError> {
    let tools = Tools::of(chat, &served.template, &served.tokenizer)?;
    let known = if tools.is_some() { &chat.tools[..] } else { &[] };
    let (text, prompt) = chat_prompt(served, chat, known)?;
    let context = served.engine.limits().context;
    let room = context.saturating_sub(prompt.len());
    if room == 0 {
        return Err(Refusal::Context { prompt: prompt.len(), max_tokens: 1, context }.into());
    }
    let max_tokens = chat.max_completion_tokens.unwrap_or(room);
    some_tokens(max_tokens)?;
    let is_open = served.tags.as_ref().is_some_and(|t| t.is_open_after(&text));
    let thinking = thinking(served, chat, is_open, max_tokens)?;
    let logprobs = chat.logprobs.then_some(chat.top_logprobs);
    at_most("top_logprobs", logprobs)?;
    at_most("prompt_logprobs", chat.prompt_logprobs)?;
    if chat.params.stream && chat.prompt_logprobs.is_some() {
        let message = "`prompt_logprobs` of a chat do not come in a stream; leave `stream` out";
        return Err(ApiError::field("prompt_logprobs", message));
    }
    let mut request = request(served, &chat.params, prompt, max_tokens, logprobs)?;
    request.prompt_logprobs = chat.prompt_logprobs;
    // A constraint is on the answer, not on the thoughts before it.
    let tags = served.tags.as_ref().filter(|_| thinks(served, chat, is_open));
    let close = tags.and_then(|t| served.tokenizer.encode_spelled(&t.close).ok());
    // Where the model is free to call or not, a constraint on its text stands before the functions' schemas.
    let has_other = constraint(&chat.params)?.is_some();
    let calls = tools.as_ref().filter(|tools| tools.is_forced() || !has_other).and_then(Tools::constraint);
    request.mask = mask(served, &chat.params, calls, close)?;
    request.thinking = thinking;
    let mut keep = Keep::All;
    vote(&chat.params, &mut request, &mut keep)?;
    Ok(Prepared {
        requests: vec![request],
        keep,
        is_open,
        echoes: vec![None],
        logprobs,
        prompt_logprobs: chat.prompt_logprobs,
        tools: tools.map(Arc::new),
        stream: chat.params.stream,
        include_usage: chat.params.stream_options.is_some_and(|o| o.include_usage),
    })
}

/// New tokens of a request that is for nothing else.
fn some_tokens(max_tokens: usize) -> Result<(), ApiError> {
    if max_tokens > 0 {
        return Ok(());
    }
    let message =
        "`max_tokens` is 0; it must be at least 1, or 0 for completions with `echo` or `prompt_logprobs`";
    Err(ApiError::field("max_tokens", message))
}

/// Whether an answer begins with a chain of thought.
fn thinks(served: &Served, chat: &ChatRequest, is_open: bool) -> bool {
    let off = matches!(chat.reasoning_effort.as_deref(), Some("none" | "minimal"))
        || chat
            .chat_template_kwargs
            .as_ref()
            .is_some_and(|k| k.get("enable_thinking") == Some(&json!(false)));
    is_open || (served.tags.is_some() && served.template.is_given() && !off)
}

/// The limit on a chain of thought. A model that thinks always has one, so that there is room for an answer.
fn thinking(
    served: &Served,
    chat: &ChatRequest,
    is_open: bool,
    max_tokens: usize,
) -> Result<Option<Thinking>, ApiError> {
    let effort = match chat.reasoning_effort.as_deref() {
        None => None,
        Some(effort) => Some(budget(effort, max_tokens).ok_or_else(|| {
            let known = "none, minimal, low, medium, high or xhigh";
            ApiError::field(
                "reasoning_effort",
                format!("`reasoning_effort` is {effort:?}; it must be {known}"),
            )
        })?),
    };
    let Some(tags) = &served.tags else { return Ok(None) };
    let budget = chat.params.thinking_budget.or(effort).unwrap_or(max_tokens);
    Ok(tags.limit(&served.tokenizer, is_open, budget))
}

/// A completion.
///
/// # Errors
/// What cannot be served, by its field.
pub fn completion(served: &Served, body: &CompletionRequest) -> Result<Prepared, ApiError> {
    if body.suffix.as_ref().is_some_and(|s| !s.is_empty()) {
        return Err(ApiError::field("suffix", "`suffix` is not supported; leave it out"));
    }
    if !body.echo && body.prompt_logprobs.is_none() {
        some_tokens(body.max_tokens)?;
    }
    at_most("prompt_logprobs", body.prompt_logprobs)?;
    let of_prompts = body.logprobs.filter(|_| body.echo).max(body.prompt_logprobs);
    let encode = |text: &String| served.tokenizer.encode(text).map_err(unreadable);
    let prompts = match &body.prompt {
        Prompt::Text(text) => vec![encode(text)?],
        Prompt::Tokens(tokens) => vec![tokens.clone()],
        Prompt::Texts(texts) => texts.iter().map(encode).collect::<Result<_, _>>()?,
        Prompt::TokenLists(lists) => lists.clone(),
    };
    if prompts.is_empty() || prompts.len() > MOST_PROMPTS {
        let message = format!("`prompt` has {} prompts; it may have 1 to {MOST_PROMPTS}", prompts.len());
        return Err(ApiError::field("prompt", message));
    }
    at_most("logprobs", body.logprobs)?;
    let mut keep = Keep::All;
    let echoes = prompts
        .iter()
        .map(|p| body.echo.then(|| served.tokenizer.decode(p).map_err(unreadable)).transpose())
        .collect::<Result<_, _>>()?;
    let mut requests = Vec::new();
    for prompt in prompts {
        let mut request = request(served, &body.params, prompt, body.max_tokens, body.logprobs)?;
        request.prompt_logprobs = of_prompts;
        request.mask = mask(served, &body.params, None, None)?;
        vote(&body.params, &mut request, &mut keep)?;
        if let Some(best_of) = body.best_of {
            likeliest(best_of, &body.params, &mut request, &mut keep)?;
        }
        requests.push(request);
    }
    Ok(Prepared {
        requests,
        keep,
        is_open: false,
        echoes,
        logprobs: body.logprobs,
        prompt_logprobs: body.prompt_logprobs,
        tools: None,
        stream: body.params.stream,
        include_usage: body.params.stream_options.is_some_and(|o| o.include_usage),
    })
}

/// Turns `vote` into samples.
fn vote(params: &Params, request: &mut Request, keep: &mut Keep) -> Result<(), ApiError> {
    let Some(samples) = params.vote else { return Ok(()) };
    if params.stream || params.n.is_some_and(|n| n != 1) {
        let message = "`vote` returns one answer, once all samples are there; leave `n` and `stream` out";
        return Err(ApiError::field("vote", message));
    }
    request.n = samples;
    *keep = Keep::Vote;
    Ok(())
}

/// Turns `best_of` into samples.
fn likeliest(
    best_of: usize,
    params: &Params,
    request: &mut Request,
    keep: &mut Keep,
) -> Result<(), ApiError> {
    let n = params.n.unwrap_or(1);
    if best_of < n || (best_of > n && (params.stream || params.vote.is_some())) {
        let message =
            format!("`best_of` is {best_of}; it must be at least `n` ({n}), without `stream` and `vote`");
        return Err(ApiError::field("best_of", message));
    }
    if best_of > n {
        request.n = best_of;
        // Samples are ranked by them.
        request.logprobs.get_or_insert(0);
        *keep = Keep::Likeliest(n);
    }
    Ok(())
}

fn request(
    served: &Served,
    params: &Params,
    prompt: Vec<u32>,
    max_tokens: usize,
    logprobs: Option<usize>,
) -> Result<Request, ApiError> {
    let mut ends = params.stop_token_ids.clone();
    if !params.ignore_eos {
        ends.extend(&served.defaults.ends);
    }
    Ok(Request {
        prompt,
        n: params.n.unwrap_or(1),
        max_tokens,
        min_tokens: params.min_tokens,
        sampling: sampling(served, params)?,
        stop: Stop {
            tokens: ends,
            strings: params.stop.clone().map(|s| s.into_vec()).unwrap_or_default(),
            ignore_eos: params.ignore_eos,
        },
        logprobs,
        prompt_logprobs: None,
        thinking: None,
        mask: None,
    })
}

/// How many of the likeliest tokens a field asks for.
fn at_most(name: &str, top: Option<usize>) -> Result<(), ApiError> {
    match top {
        Some(top) if top > MOST_LOGPROBS => {
            let message = format!("`{name}` is {top}; it must be at most {MOST_LOGPROBS}");
            Err(ApiError::field(name, message))
        }
        _ => Ok(()),
    }
}

fn sampling(served: &Served, params: &Params) -> Result<Sampling, ApiError> {
    let defaults = &served.defaults;
    let top_k = match params.top_k {
        None => defaults.top_k.unwrap_or(0),
        Some(-1) => 0,
        Some(k) => usize::try_from(k).map_err(|_| {
            ApiError::field("top_k", format!("`top_k` is {k}; it must be 0 or more, or -1 for all"))
        })?,
    };
    Ok(Sampling {
        temperature: params.temperature.or(defaults.temperature).unwrap_or(1.0),
        top_k,
        top_p: params.top_p.or(defaults.top_p).unwrap_or(1.0),
        min_p: params.min_p.or(defaults.min_p).unwrap_or(0.0),
        repetition_penalty: params.repetition_penalty.or(defaults.repetition_penalty).unwrap_or(1.0),
        presence_penalty: params.presence_penalty.unwrap_or(0.0),
        frequency_penalty: params.frequency_penalty.unwrap_or(0.0),
        seed: params.seed.map_or_else(random, |s| s as u64),
    })
}

/// Constraints, of which one may be that of `calls`, and biases; constraints hold from behind the tokens `close`, where there are any.
fn mask(
    served: &Served,
    params: &Params,
    calls: Option<Constraint>,
    close: Option<Vec<u32>>,
) -> Result<Option<Arc<dyn MaskSource>>, ApiError> {
    let mut mask = match (constraint(params)?, calls) {
        (Some(_), Some(_)) => {
            let message = "`tool_choice` asks for calls and nothing else; leave other constraints out";
            return Err(ApiError::field("tool_choice", message));
        }
        (text, None) => text.map(|c| served.grammars.compile(c)).transpose()?,
        (None, Some(calls)) => {
            let mask = served.grammars.compile(calls);
            Some(mask.map_err(|e| ApiError { param: Some("tools".into()), ..e })?)
        }
    };
    if let (Some(inner), Some(close)) = (&mask, close) {
        mask = Some(Arc::new(AfterThinking { inner: inner.clone(), close }));
    }
    let Some(bias) = params.logit_bias.as_ref().filter(|b| !b.is_empty()) else { return Ok(mask) };
    let mut pairs = Vec::new();
    for (token, &bias) in bias {
        let id: u32 = token.parse().map_err(|_| {
            ApiError::field(
                "logit_bias",
                format!("`logit_bias` names {token:?}; it must be a token's number"),
            )
        })?;
        if !(-100.0..=100.0).contains(&bias) {
            let message = format!("`logit_bias` of token {id} is {bias}; it must be from -100 to 100");
            return Err(ApiError::field("logit_bias", message));
        }
        pairs.push((id, bias));
    }
    Ok(Some(Arc::new(Bias { bias: Arc::new(pairs), then: mask })))
}

/// What the text must follow; at most one thing.
fn constraint(params: &Params) -> Result<Option<Constraint>, ApiError> {
    let mut all = Vec::new();
    match &params.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => all.push(Constraint::Schema(json!({"type": "object"}))),
        Some(ResponseFormat::JsonSchema { json_schema }) => {
            all.push(Constraint::Schema(json_schema.schema.clone()));
        }
    }
    if let Some(s) = &params.structured_outputs {
        all.extend(s.json.clone().map(Constraint::Schema));
        all.extend(s.regex.clone().map(Constraint::Regex));
        all.extend(s.choice.clone().map(Constraint::Choice));
        all.extend(s.grammar.clone().map(Constraint::Grammar));
    }
    if all.len() > 1 {
        return Err(ApiError::field("response_format", "several constraints are given; give one"));
    }
    Ok(all.pop())
}
