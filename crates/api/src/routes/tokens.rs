//! `/tokenize` and `/detokenize`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::{Body, aside, read};
use crate::prepare::{chat_prompt, unreadable};
use crate::wire::{ChatRequest, DetokenizeReply, DetokenizeRequest, TokenizeReply, TokenizeRequest};
use crate::{ApiError, App};

/// Tokens of a text or a chat.
pub async fn tokenize(State(app): State<Arc<App>>, body: Body) -> Result<Json<TokenizeReply>, ApiError> {
    let body: TokenizeRequest = read(body)?;
    app.check_model(body.model.as_deref())?;
    let worker = app.clone();
    let tokens = aside(move || {
        let tokenizer = &worker.served.tokenizer;
        match (body.prompt, body.messages) {
            (Some(text), None) if body.add_special_tokens => tokenizer.encode(&text).map_err(unreadable),
            (Some(text), None) => tokenizer.encode_spelled(&text).map_err(unreadable),
            (None, Some(messages)) => {
                let chat = ChatRequest { messages, ..ChatRequest::default() };
                chat_prompt(&worker.served, &chat, &body.tools).map(|p| p.1)
            }
            _ => Err(ApiError::bad("give either `prompt` or `messages`")),
        }
    })
    .await?;
    let max_model_len = app.served.engine.limits().context;
    Ok(Json(TokenizeReply { count: tokens.len(), max_model_len, tokens }))
}

/// The text of tokens.
pub async fn detokenize(State(app): State<Arc<App>>, body: Body) -> Result<Json<DetokenizeReply>, ApiError> {
    let body: DetokenizeRequest = read(body)?;
    let text = app.served.tokenizer.decode(&body.tokens);
    let prompt = text.map_err(|e| ApiError::field("tokens", e.to_string()))?;
    Ok(Json(DetokenizeReply { prompt }))
}
