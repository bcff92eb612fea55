//! What a client hears when something is wrong, shaped as OpenAI's errors.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use collegium_serve::Refusal;

use crate::wire::{ErrorBody, ErrorDetail};

/// An error with its status.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// Of the reply.
    pub status: StatusCode,
    /// What is wrong, and the remedy.
    pub message: String,
    /// Which field.
    pub param: Option<String>,
    /// A word for programs.
    pub code: Option<&'static str>,
}

impl ApiError {
    /// With this status and nothing but a message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None, code: None }
    }

    /// A body that cannot be served.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A field that cannot be served.
    pub fn field(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: Some(name.into()), ..Self::bad(message) }
    }

    /// With a word for programs.
    pub fn coded(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// The engine failed while it answered.
    pub fn engine(why: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, why).coded("engine_error")
    }

    /// The answer took too long.
    pub fn timeout(seconds: u64) -> Self {
        let message = format!(
            "the answer was not complete after {seconds} s, the limit of this server (--timeout); ask for fewer tokens"
        );
        Self::new(StatusCode::GATEWAY_TIMEOUT, message).coded("timeout")
    }

    /// As it is sent.
    pub fn body(&self) -> ErrorBody {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        ErrorBody {
            error: ErrorDetail {
                message: self.message.clone(),
                r#type: kind.into(),
                param: self.param.clone(),
                code: self.code.map(Into::into),
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut reply = (self.status, Json(self.body())).into_response();
        let headers = reply.headers_mut();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        reply
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Value { name, .. } => Self::field(name, message),
            Refusal::Context { .. } => Self::field("max_tokens", message).coded("context_length_exceeded"),
            Refusal::Busy { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, message).coded("rate_limit_exceeded")
            }
            Refusal::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, message).coded("engine_stopped"),
        }
    }
}
