//! The endpoints.

mod chat;
mod completions;
mod operations;
mod stream;
mod tokens;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, http};
use serde::de::DeserializeOwned;
use tower_http::catch_panic::CatchPanicLayer;

use crate::metrics::Reply;
use crate::server::now;
use crate::wire::{self, UsageBody};
use crate::{ApiError, App};

/// A body before it is read.
pub(crate) type Body = Result<Bytes, BytesRejection>;

/// All endpoints of a service.
pub fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/v1/chat/completions", post(chat::chat))
        .route("/v1/completions", post(completions::completions))
        .route("/v1/models", get(operations::models))
        .route("/v1/models/{*name}", get(operations::model))
        .route("/tokenize", post(tokens::tokenize))
        .route("/detokenize", post(tokens::detokenize))
        .route_layer(from_fn_with_state(app.clone(), guard));
    let open = Router::new()
        .route("/", get(operations::page))
        .route("/health", get(operations::health))
        .route("/ready", get(operations::ready))
        .route("/metrics", get(operations::metrics))
        .route("/openapi.json", get(operations::openapi));
    guarded
        .merge(open)
        .fallback(unknown)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(app.clone(), count))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(app.options.body_bytes))
        .with_state(app)
}

/// Lets only those in that have a key.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.options.keys.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Counts replies.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    // Paths that are not ours are one, so that nobody can fill the memory with names.
    let path = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_string();
    let response = next.run(request).await;
    let reply = Reply { path, status: response.status().as_u16() };
    app.metrics.replies.get_or_create(&reply).inc();
    response
}

async fn unknown(uri: http::Uri) -> ApiError {
    let message = format!("there is no {}; /openapi.json lists what there is", uri.path());
    ApiError::new(StatusCode::NOT_FOUND, message)
}

async fn not_so(method: http::Method, uri: http::Uri) -> ApiError {
    let message = format!("{} does not take {method}; /openapi.json says what it takes", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

/// A failure of ours that concerns one request.
fn own_fault() -> ApiError {
    ApiError::engine("this request met an error in the server; others go on")
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    own_fault().into_response()
}

/// What all pieces of an answer have in common.
pub(crate) struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    /// Of a new answer, whose name begins with `prefix`.
    pub(crate) fn new(app: &App, prefix: &str) -> Self {
        Self { id: app.id(prefix), created: now(), model: app.served.name.clone() }
    }

    pub(crate) fn reply<C>(
        &self,
        object: &'static str,
        choices: Vec<C>,
        usage: Option<UsageBody>,
    ) -> wire::Reply<C> {
        let Self { id, created, model } = self;
        let (id, created, model) = (id.clone(), *created, model.clone());
        wire::Reply { id, object, created, model, choices, usage, prompt_logprobs: None }
    }
}

/// A body as what it must be.
pub(crate) fn read<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    let bytes = body.map_err(|e| ApiError::new(e.status(), e.body_text()))?;
    serde_json::from_slice(&bytes)
        .map_err(|e| ApiError::bad(format!("the body is not what this endpoint takes: {e}")))
}

/// Work that takes the processor, off the threads that wait for sockets. A panic in it fails this request alone.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| own_fault())?
}
