//! What requests of chats and completions have in common.

use collegium_serve::{Request, Sampling, Stop};

use super::random;
use crate::wire::Params;
use crate::{ApiError, Served};

/// Most of the likeliest tokens that are returned.
const MOST_LOGPROBS: usize = 20;

pub(super) fn request(
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

/// New tokens of a request that is for nothing else.
pub(super) fn some_tokens(max_tokens: usize) -> Result<(), ApiError> {
    if max_tokens > 0 {
        return Ok(());
    }
    let message =
        "`max_tokens` is 0; it must be at least 1, or 0 for completions with `echo` or `prompt_logprobs`";
    Err(ApiError::field("max_tokens", message))
}

/// How many of the likeliest tokens a field asks for.
pub(super) fn at_most(name: &str, top: Option<usize>) -> Result<(), ApiError> {
    match top {
        Some(top) if top > MOST_LOGPROBS => {
            let message = format!("`{name}` is {top}; it must be at most {MOST_LOGPROBS}");
            Err(ApiError::field(name, message))
        }
        _ => Ok(()),
    }
}
