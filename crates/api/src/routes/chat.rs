//! `/v1/chat/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::stream::{Write, stream};
use super::{Body, Head, aside, read};
use crate::answer::{Answer, Piece, Sample, chat_logprobs, prompt_logprobs};
use crate::prepare::{self, Keep, Prepared};
use crate::tools::CallPiece;
use crate::votes::majority;
use crate::wire::{CalledFunction, ChatChoice, ChatRequest, Reply, ReplyMessage, ToolCall, UsageBody};
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
    let of_prompt = |top| prompt_logprobs(&app.served.tokenizer, &samples[0].prompt, top);
    let prompt_logprobs = prepared.prompt_logprobs.map(of_prompt);
    let choices = choices(&app, samples, &prepared);
    let reply = Reply { prompt_logprobs, ..head.reply("chat.completion", choices, Some(usage)) };
    Ok(Json(reply).into_response())
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
    let calls = calls(sample.calls);
    let has_content = !sample.content.is_empty() || calls.is_empty();
    let message = ReplyMessage {
        role: Some("assistant"),
        content: has_content.then_some(sample.content),
        reasoning_content: thought,
        tool_calls: calls,
    };
    ChatChoice {
        index,
        message: Some(message),
        logprobs: prepared.logprobs.map(|_| chat_logprobs(&app.served.tokenizer, &sample.tokens)),
        finish_reason: sample.finish,
        ..ChatChoice::default()
    }
}

/// Whole calls of their pieces.
fn calls(pieces: Vec<CallPiece>) -> Vec<ToolCall> {
    let mut calls: Vec<ToolCall> = Vec::new();
    for piece in pieces {
        match piece {
            CallPiece::Begin { id, name } => calls.push(beginning(id, name)),
            CallPiece::Arguments(more) => {
                calls.last_mut().expect("a call begins first").function.arguments += &more;
            }
        }
    }
    calls
}

/// A call without its arguments.
fn beginning(id: String, name: String) -> ToolCall {
    let function = CalledFunction { name: Some(name), arguments: String::new() };
    ToolCall { index: None, id: Some(id), r#type: Some("function"), function }
}

/// Writes pieces.
struct Chunks {
    app: Arc<App>,
    head: Head,
    /// Calls of each sample so far.
    calls: Vec<usize>,
    has_logprobs: bool,
    include_usage: bool,
}

impl Chunks {
    fn new(app: Arc<App>, head: Head, prepared: &Prepared) -> Self {
        Self {
            app,
            head,
            calls: vec![0; prepared.requests[0].n],
            has_logprobs: prepared.logprobs.is_some(),
            include_usage: prepared.include_usage,
        }
    }

    /// A piece of a call of sample `index`.
    fn call(&mut self, index: usize, piece: CallPiece) -> ToolCall {
        let calls = &mut self.calls[index];
        match piece {
            CallPiece::Begin { id, name } => {
                *calls += 1;
                ToolCall { index: Some(*calls - 1), ..beginning(id, name) }
            }
            CallPiece::Arguments(arguments) => ToolCall {
                index: Some(*calls - 1),
                function: CalledFunction { name: None, arguments },
                ..ToolCall::default()
            },
        }
    }

    fn call_line(&self, index: usize, call: ToolCall) -> Reply<ChatChoice> {
        let delta = ReplyMessage { tool_calls: vec![call], ..ReplyMessage::default() };
        self.line(ChatChoice { index, delta: Some(delta), ..ChatChoice::default() })
    }

    fn line(&self, choice: ChatChoice) -> Reply<ChatChoice> {
        self.head.reply("chat.completion.chunk", vec![choice], None)
    }
}

impl Write for Chunks {
    type Line = Reply<ChatChoice>;

    fn first(&mut self) -> Vec<Reply<ChatChoice>> {
        let delta =
            ReplyMessage { role: Some("assistant"), content: Some(String::new()), ..ReplyMessage::default() };
        let choice = |index| ChatChoice { index, delta: Some(delta.clone()), ..ChatChoice::default() };
        (0..self.calls.len()).map(|index| self.line(choice(index))).collect()
    }

    fn piece(&mut self, piece: Piece) -> Vec<Reply<ChatChoice>> {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let delta = ReplyMessage {
            content: text(piece.content),
            reasoning_content: text(piece.thought),
            ..ReplyMessage::default()
        };
        let index = piece.index;
        let calls: Vec<ToolCall> = piece.calls.into_iter().map(|call| self.call(index, call)).collect();
        let mut lines: Vec<_> = calls.into_iter().map(|call| self.call_line(index, call)).collect();
        if delta == ReplyMessage::default() && piece.finish.is_none() && piece.token.is_none() {
            return lines;
        }
        let token = piece.token.filter(|_| self.has_logprobs);
        let choice = ChatChoice {
            index,
            delta: Some(delta),
            logprobs: token.map(|token| chat_logprobs(&self.app.served.tokenizer, &[token])),
            finish_reason: piece.finish,
            ..ChatChoice::default()
        };
        // Content comes before the calls of the same piece, and the reason of the end behind all.
        let at = if choice.finish_reason.is_some() { lines.len() } else { 0 };
        lines.insert(at, self.line(choice));
        lines
    }

    fn last(&mut self, usage: UsageBody) -> Option<Reply<ChatChoice>> {
        self.include_usage.then(|| self.head.reply("chat.completion.chunk", Vec::new(), Some(usage)))
    }
}
