//! Which tokens may come: what the text must follow, and biases.

use std::sync::Arc;

use collegium_serve::request::MaskSource;
use serde_json::json;

use crate::grammar::{AfterThinking, Bias, Constraint};
use crate::wire::{Params, ResponseFormat};
use crate::{ApiError, Served};

/// Constraints, of which one may be that of `calls`, and biases; constraints hold from behind the tokens `close`, where there are any.
pub(super) fn mask(
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
pub(super) fn constraint(params: &Params) -> Result<Option<Constraint>, ApiError> {
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
