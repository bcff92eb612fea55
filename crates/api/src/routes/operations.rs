//! What those who run a service ask for, and the chat page.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use utoipa::OpenApi;

use crate::wire::{ModelBody, ModelList};
use crate::{ApiError, App, wire};

/// The chat page: one file, no network besides this service.
const PAGE: &str = include_str!("../page.html");

fn body(app: &App) -> ModelBody {
    ModelBody {
        id: app.served.name.clone(),
        object: "model",
        created: app.began,
        owned_by: "collegium",
        max_model_len: app.served.engine.limits().context,
    }
}

/// The model, as a list.
pub async fn models(State(app): State<Arc<App>>) -> Json<ModelList> {
    Json(ModelList { object: "list", data: vec![body(&app)] })
}

/// The model of a name.
pub async fn model(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<ModelBody>, ApiError> {
    app.check_model(Some(&name))?;
    Ok(Json(body(&app)))
}

/// The chat page.
pub async fn page() -> Html<&'static str> {
    Html(PAGE)
}

/// Whether the process lives.
pub async fn health() -> StatusCode {
    StatusCode::OK
}

/// Whether requests should come here.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_closing.load(Ordering::Relaxed) {
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down").into_response();
    }
    StatusCode::OK.into_response()
}

/// Counts and times.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.metrics.text(&app.served.engine.stats());
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The OpenAPI document.
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Collegium", description = "OpenAI's chat and completions, with what vLLM adds to them."),
    components(schemas(
        wire::ChatRequest,
        wire::Reply<wire::ChatChoice>,
        wire::CompletionRequest,
        wire::Reply<wire::CompletionChoice>,
        wire::ErrorBody,
        wire::ModelList,
        wire::ModelBody,
        wire::TokenizeRequest,
        wire::TokenizeReply,
        wire::DetokenizeRequest,
        wire::DetokenizeReply
    )),
    paths(
        paths::chat,
        paths::completions,
        paths::models,
        paths::model,
        paths::tokenize,
        paths::detokenize,
        paths::health,
        paths::ready,
        paths::metrics
    )
)]
struct Document;

/// The endpoints as the document says them.
mod paths {
    #![allow(dead_code)]
    use crate::wire::*;

    /// Answers a chat; a stream of chat.completion.chunk where `stream` is set.
    #[utoipa::path(post, path = "/v1/chat/completions", request_body = ChatRequest, responses((status = 200, body = Reply<ChatChoice>), (status = "4XX", body = ErrorBody)))]
    fn chat() {}
    /// Continues prompts.
    #[utoipa::path(post, path = "/v1/completions", request_body = CompletionRequest, responses((status = 200, body = Reply<CompletionChoice>), (status = "4XX", body = ErrorBody)))]
    fn completions() {}
    /// The model, as a list.
    #[utoipa::path(get, path = "/v1/models", responses((status = 200, body = ModelList)))]
    fn models() {}
    /// The model of a name.
    #[utoipa::path(get, path = "/v1/models/{name}", params(("name" = String, Path)), responses((status = 200, body = ModelBody), (status = 404, body = ErrorBody)))]
    fn model() {}
    /// Tokens of a text or a chat.
    #[utoipa::path(post, path = "/tokenize", request_body = TokenizeRequest, responses((status = 200, body = TokenizeReply)))]
    fn tokenize() {}
    /// The text of tokens.
    #[utoipa::path(post, path = "/detokenize", request_body = DetokenizeRequest, responses((status = 200, body = DetokenizeReply)))]
    fn detokenize() {}
    /// Whether the process lives.
    #[utoipa::path(get, path = "/health", responses((status = 200)))]
    fn health() {}
    /// Whether requests should come here.
    #[utoipa::path(get, path = "/ready", responses((status = 200), (status = 503, body = ErrorBody)))]
    fn ready() {}
    /// Counts and times, as Prometheus reads them.
    #[utoipa::path(get, path = "/metrics", responses((status = 200, body = String)))]
    fn metrics() {}
}
