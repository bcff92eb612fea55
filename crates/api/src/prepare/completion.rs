//! Completions.

use super::keep::{likeliest, vote};
use super::mask::mask;
use super::request::{at_most, request, some_tokens};
use super::{Keep, Prepared, unreadable};
use crate::wire::{CompletionRequest, Prompt};
use crate::{ApiError, Served};

/// Most prompts of a body.
const MOST_PROMPTS: usize = 128;

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
