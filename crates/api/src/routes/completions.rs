//! `/v1/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::stream::{Write, stream};
use super::{Body, Head, aside, read};
use crate::answer::{Answer, Piece, Sample, completion_logprobs};
use crate::prepare::{self, Keep, Prepared};
use crate::votes::{likeliest, majority};
use crate::wire::{CompletionChoice, CompletionRequest, Reply, UsageBody, VoteBody};
use crate::{ApiError, App};

/// What replies are.
const OBJECT: &str = "text_completion";

/// Continues prompts.
pub async fn completions(State(app): State<Arc<App>>, body: Body) -> Result<Response, ApiError> {
    let body: CompletionRequest = read(body)?;
    app.check_model(body.model.as_deref())?;
    let worker = app.clone();
    let prepared = aside(move || prepare::completion(&worker.served, &body)).await?;
    let running = Answer::begin(&app, &prepared)?;
    let head = Head::new(&app, "cmpl");
    if prepared.stream {
        return Ok(stream(running, Chunks::new(head, prepared)));
    }
    let (samples, usage) = running.collect().await?;
    Ok(Json(head.reply(OBJECT, choices(samples, &prepared), Some(usage))).into_response())
}

/// The samples of each prompt that are kept.
fn choices(samples: Vec<Sample>, prepared: &Prepared) -> Vec<CompletionChoice> {
    let each = prepared.requests[0].n;
    let mut out = Vec::new();
    for (of_prompt, echo) in samples.chunks(each).zip(&prepared.echoes) {
        let (kept, vote) = kept(of_prompt, prepared.keep);
        for sample in kept {
            let logprobs = sample.logprobs.clone();
            out.push(CompletionChoice {
                index: out.len(),
                text: format!("{echo}{}", sample.content),
                logprobs: completion_logprobs(prepared.has_logprobs, logprobs, echo.chars().count()),
                finish_reason: sample.finish,
                vote: vote.clone(),
            });
        }
    }
    out
}

fn kept(samples: &[Sample], keep: Keep) -> (Vec<&Sample>, Option<VoteBody>) {
    match keep {
        Keep::All => (samples.iter().collect(), None),
        Keep::Likeliest(n) => {
            let logprobs: Vec<Vec<f32>> = samples.iter().map(Sample::bare_logprobs).collect();
            (likeliest(&logprobs).into_iter().take(n).map(|i| &samples[i]).collect(), None)
        }
        Keep::Vote => {
            let texts: Vec<&str> = samples.iter().map(|s| s.content.as_str()).collect();
            let (winner, won) = majority(&texts);
            (vec![&samples[winner]], Some(won))
        }
    }
}

/// Writes pieces.
struct Chunks {
    head: Head,
    prepared: Prepared,
    /// Characters of each sample so far.
    lengths: Vec<usize>,
}

impl Chunks {
    fn new(head: Head, prepared: Prepared) -> Self {
        let each = prepared.requests[0].n;
        let lengths = prepared.echoes.iter().flat_map(|e| std::iter::repeat_n(e.chars().count(), each));
        Self { head, lengths: lengths.collect(), prepared }
    }
}

impl Write for Chunks {
    type Line = Reply<CompletionChoice>;

    fn first(&mut self) -> Vec<Reply<CompletionChoice>> {
        let each = self.prepared.requests[0].n;
        let echoes = self.prepared.echoes.iter().enumerate().filter(|e| !e.1.is_empty());
        let choices = echoes.flat_map(|(prompt, echo)| {
            (0..each).map(move |sample| CompletionChoice {
                index: prompt * each + sample,
                text: echo.clone(),
                ..CompletionChoice::default()
            })
        });
        choices.map(|choice| self.head.reply(OBJECT, vec![choice], None)).collect()
    }

    fn piece(&mut self, piece: Piece) -> Option<Reply<CompletionChoice>> {
        if piece.content.is_empty() && piece.finish.is_none() && piece.logprob.is_none() {
            return None;
        }
        let offset = self.lengths[piece.index];
        self.lengths[piece.index] += piece.content.chars().count();
        let has = piece.logprob.is_some() && self.prepared.has_logprobs;
        let choice = CompletionChoice {
            index: piece.index,
            text: piece.content,
            logprobs: completion_logprobs(has, piece.logprob.into_iter().collect(), offset),
            finish_reason: piece.finish,
            vote: None,
        };
        Some(self.head.reply(OBJECT, vec![choice], None))
    }

    fn last(&mut self, usage: UsageBody) -> Option<Reply<CompletionChoice>> {
        self.prepared.include_usage.then(|| self.head.reply(OBJECT, Vec::new(), Some(usage)))
    }
}
