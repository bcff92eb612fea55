//! A client of any OpenAI-compatible service.

use std::collections::VecDeque;

use serde_json::Value as Json;

/// Why a service gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It is not reached, or the connection broke.
    #[error("{url}: {source}; is the server up?")]
    Http {
        /// Whom.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stream was over too soon.
    #[error("the stream ended before the prompt beside it was read; let it have more new tokens")]
    Ended,
    /// It refused.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Whom.
        url: String,
        /// Of the reply.
        status: u16,
        /// What it says.
        message: String,
    },
}

/// A client of one service.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Client {
    /// Of the service at `base` (without `/v1`).
    pub fn new(base: &str, key: Option<String>) -> Self {
        let base = base.trim_end_matches('/').trim_end_matches("/v1").to_string();
        Self { http: reqwest::Client::new(), base, key }
    }

    /// The name of its first model.
    ///
    /// # Errors
    /// A service that is not there or refuses.
    pub async fn model(&self) -> Result<String, ClientError> {
        let url = format!("{}/v1/models", self.base);
        let reply = self.send(&url, self.http.get(&url)).await?;
        let models: Json = reply.json().await.map_err(|e| broken(&url, e))?;
        Ok(models["data"][0]["id"].as_str().unwrap_or_default().to_string())
    }

    /// The answer to `body` at `path`, as it comes. `stream` is set in the body.
    ///
    /// # Errors
    /// A service that is not there or refuses.
    pub async fn stream(&self, path: &str, mut body: Json) -> Result<Lines, ClientError> {
        body["stream"] = true.into();
        let url = format!("{}{path}", self.base);
        let reply = self.send(&url, self.http.post(&url).json(&body)).await?;
        Ok(Lines { url, reply, held: Vec::new(), ready: VecDeque::new() })
    }

    async fn send(
        &self,
        url: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let reply = request.send().await.map_err(|e| broken(url, e))?;
        let status = reply.status();
        if status.is_success() {
            return Ok(reply);
        }
        let text = reply.text().await.unwrap_or_default();
        let body: Json = serde_json::from_str(&text).unwrap_or_default();
        let message = body["error"]["message"].as_str().unwrap_or(&text).to_string();
        Err(ClientError::Refused { url: url.into(), status: status.as_u16(), message })
    }
}

fn broken(url: &str, error: reqwest::Error) -> ClientError {
    // The innermost cause says what the layers above only hint at.
    let mut source: Box<dyn std::error::Error + Send + Sync> = error.without_url().into();
    let mut cause = source.source();
    let mut last = None;
    while let Some(inner) = cause {
        last = Some(inner.to_string());
        cause = inner.source();
    }
    if let Some(last) = last {
        source = last.into();
    }
    ClientError::Http { url: url.into(), source }
}

/// The bodies of server-sent events.
pub struct Lines {
    url: String,
    reply: reqwest::Response,
    held: Vec<u8>,
    ready: VecDeque<String>,
}

impl Lines {
    /// The next body; `None` at the end.
    ///
    /// # Errors
    /// A connection that breaks, or an error within the stream.
    pub async fn next(&mut self) -> Result<Option<Json>, ClientError> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                if text == "[DONE]" {
                    return Ok(None);
                }
                let body: Json = serde_json::from_str(&text).unwrap_or_default();
                if let Some(message) = body["error"]["message"].as_str() {
                    let message = message.to_string();
                    return Err(ClientError::Refused { url: self.url.clone(), status: 200, message });
                }
                return Ok(Some(body));
            }
            match self.reply.chunk().await.map_err(|e| broken(&self.url, e))? {
                None => return Ok(None),
                Some(bytes) => self.take(&bytes),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        while let Some(end) = self.held.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.held.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(data) = line.trim_end().strip_prefix("data:") {
                self.ready.push_back(data.trim_start().to_string());
            }
        }
    }
}
