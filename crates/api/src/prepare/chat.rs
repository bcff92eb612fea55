//! Chats.

use std::sync::Arc;

use collegium_serve::{Refusal, Thinking};
use serde_json::{Value as Json, json};

use super::keep::vote;
use super::mask::{constraint, mask};
use super::request::{at_most, request, some_tokens};
use super::{Keep, Prepared, unreadable};
use crate::template::Turn;
use crate::thinking::budget;
use crate::tools::Tools;
use crate::wire::ChatRequest;
use crate::{ApiError, Served};

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
