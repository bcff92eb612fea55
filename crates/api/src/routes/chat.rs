//! `/v1/chat/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::stream::{Write, stream};
use super::{Body, Head, aside, read};
use crate::answer::{Answer, Piece, Sample, chat_logprobs};
use crate::prepare::{self, Keep, Prepared};
use crate::votes::majority;
use crate::wire::{ChatChoice, ChatRequest, Reply, ReplyMessage, UsageBody};
use crate::{ApiError, App};

/// Answers a chat.
pub async fn chat(State(app): State<Arc<App>>, body: Body) -> Result<Response, ApiError> {
    let chat: ChatRequest = read(body)?;
    app.check_model(chat.model.as_deref())?;
    let worker = app.clone();
    let prepared = aside(move || prepare::chat(&worker.served, &chat)).await?;
    let running = Answer::begin(&app, &prepared)?;
    let head = Head::new(&app, "chatcmpl");
    if prepared.stream {
        return Ok(stream(running, Chunks::new(app, head, &prepared)));
    }
    let (samples, usage) = running.collect().await?;
    let choices = choices(&app, samples, &prepared);
    Ok(Json(head.reply("chat.completion", choices, Some(usage))).into_response())
}

fn choices(app: &App, samples: Vec<Sample>, prepared: &Prepared) -> Vec<ChatChoice> {
    if prepared.keep != Keep::Vote {
        return samples.into_iter().enumerate().map(|(i, s)| choice(app, i, s, prepared)).collect();
    }
    // A sample that was cut off has no answer of its own.
    let complete = |s: &Sample| s.finish == Some("stop");
    let texts: Vec<&str> =
        samples.iter().map(|s| if complete(s) { s.content.as_str() } else { "" }).collect();
    let (winner, won) = majority(&texts);
    let sample = samples[winner].clone();
    vec![ChatChoice { vote: Some(won), ..choice(app, 0, sample, prepared) }]
}

fn choice(app: &App, index: usize, sample: Sample, prepared: &Prepared) -> ChatChoice {
    let thought = (!sample.thought.is_empty()).then_some(sample.thought);
    let message =
        ReplyMessage { role: Some("assistant"), content: Some(sample.content), reasoning_content: thought };
    ChatChoice {
        index,
        message: Some(message),
        logprobs: prepared.logprobs.map(|_| chat_logprobs(&app.served.tokenizer, &sample.tokens)),
        finish_reason: sample.finish,
        ..ChatChoice::default()
    }
}

/// Writes pieces.
struct Chunks {
    app: Arc<App>,
    head: Head,
    samples: usize,
    has_logprobs: bool,
    include_usage: bool,
}

impl Chunks {
    fn new(app: Arc<App>, head: Head, prepared: &Prepared) -> Self {
        Self {
            app,
            head,
            samples: prepared.requests[0].n,
            has_logprobs: prepared.logprobs.is_some(),
            include_usage: prepared.include_usage,
        }
    }

    fn line(&self, choice: ChatChoice) -> Reply<ChatChoice> {
        self.head.reply("chat.completion.chunk", vec![choice], None)
    }
}

impl Write for Chunks {
    type Line = Reply<ChatChoice>;

    fn first(&mut self) -> Vec<Reply<ChatChoice>> {
        let delta =
            ReplyMessage { role: Some("assistant"), content: Some(String::new()), reasoning_content: None };
        let choice = |index| ChatChoice { index, delta: Some(delta.clone()), ..ChatChoice::default() };
        (0..self.samples).map(|index| self.line(choice(index))).collect()
    }

    fn piece(&mut self, piece: Piece) -> Vec<Reply<ChatChoice>> {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let delta =
            ReplyMessage { role: None, content: text(piece.content), reasoning_content: text(piece.thought) };
        if delta == ReplyMessage::default() && piece.finish.is_none() && piece.token.is_none() {
            return Vec::new();
        }
        let token = piece.token.filter(|_| self.has_logprobs);
        let choice = ChatChoice {
            index: piece.index,
            delta: Some(delta),
            logprobs: token.map(|token| chat_logprobs(&self.app.served.tokenizer, &[token])),
            finish_reason: piece.finish,
            ..ChatChoice::default()
        };
        vec![self.line(choice)]
    }

    fn last(&mut self, usage: UsageBody) -> Option<Reply<ChatChoice>> {
        self.include_usage.then(|| self.head.reply("chat.completion.chunk", Vec::new(), Some(usage)))
    }
}
