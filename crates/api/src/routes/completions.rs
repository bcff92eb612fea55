//! `/v1/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use collegium_serve::Scored;

use super::stream::{Write, stream};
use super::{Body, Head, aside, read};
use crate::answer::{Answer, Piece, Sample, completion_logprobs, prompt_logprobs};
use crate::prepare::{self, Keep, Prepared};
use crate::votes::{likeliest, majority};
use crate::wire::{CompletionChoice, CompletionLogprobs, CompletionRequest, Reply, UsageBody, VoteBody};
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
        return Ok(stream(running, Chunks::new(app, head, prepared)));
    }
    let (samples, usage) = running.collect().await?;
    Ok(Json(head.reply(OBJECT, choices(&app, &samples, &prepared), Some(usage))).into_response())
}

/// The samples of each prompt that are kept.
fn choices(app: &App, samples: &[Sample], prepared: &Prepared) -> Vec<CompletionChoice> {
    let each = prepared.requests[0].n;
    let tokenizer = &app.served.tokenizer;
    let mut out = Vec::new();
    for (of_prompt, echo) in samples.chunks(each).zip(&prepared.echoes) {
        let (kept, vote) = kept(of_prompt, prepared.keep);
        let echo = echo.as_deref();
        let prompt = Before { echo, prompt: &of_prompt[0].prompt };
        for sample in kept {
            let own = sample.tokens.iter().chain(&sample.end);
            let before = prompt.choice(app, prepared, out.len());
            let logprobs = prepared.logprobs.map(|top| {
                let own = completion_logprobs(tokenizer, own, top, characters(echo));
                join(before.logprobs.unwrap_or_default(), own)
            });
            out.push(CompletionChoice {
                text: before.text + &sample.content,
                logprobs,
                finish_reason: sample.finish,
                vote: vote.clone(),
                ..before
            });
        }
    }
    out
}

/// What is returned of a prompt.
struct Before<'a> {
    echo: Option<&'a str>,
    prompt: &'a [Scored],
}

impl Before<'_> {
    /// The beginning of sample `index`.
    fn choice(&self, app: &App, prepared: &Prepared, index: usize) -> CompletionChoice {
        let tokenizer = &app.served.tokenizer;
        let top = prepared.logprobs.filter(|_| self.echo.is_some());
        CompletionChoice {
            index,
            text: self.echo.unwrap_or_default().into(),
            logprobs: top.map(|top| completion_logprobs(tokenizer, self.prompt, top, 0)),
            prompt_logprobs: prepared.prompt_logprobs.map(|top| prompt_logprobs(tokenizer, self.prompt, top)),
            ..CompletionChoice::default()
        }
    }
}

fn characters(echo: Option<&str>) -> usize {
    echo.map_or(0, |e| e.chars().count())
}

fn join(mut first: CompletionLogprobs, then: CompletionLogprobs) -> CompletionLogprobs {
    first.tokens.extend(then.tokens);
    first.token_logprobs.extend(then.token_logprobs);
    first.top_logprobs.extend(then.top_logprobs);
    first.text_offset.extend(then.text_offset);
    first
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
    app: Arc<App>,
    head: Head,
    prepared: Prepared,
    /// Characters of each sample so far.
    lengths: Vec<usize>,
}

impl Chunks {
    fn new(app: Arc<App>, head: Head, prepared: Prepared) -> Self {
        let each = prepared.requests[0].n;
        let lengths =
            prepared.echoes.iter().flat_map(|e| std::iter::repeat_n(characters(e.as_deref()), each));
        Self { app, head, lengths: lengths.collect(), prepared }
    }

    fn line(&self, choice: CompletionChoice) -> Reply<CompletionChoice> {
        self.head.reply(OBJECT, vec![choice], None)
    }

    /// The beginnings of the samples of a prompt.
    fn beginnings(&self, prompt: usize, scored: &[Scored]) -> Vec<Reply<CompletionChoice>> {
        let each = self.prepared.requests[0].n;
        let before = Before { echo: self.prepared.echoes[prompt].as_deref(), prompt: scored };
        let indices = prompt * each..(prompt + 1) * each;
        indices.map(|index| self.line(before.choice(&self.app, &self.prepared, index))).collect()
    }
}

impl Write for Chunks {
    type Line = Reply<CompletionChoice>;

    fn first(&mut self) -> Vec<Reply<CompletionChoice>> {
        let prepared = &self.prepared;
        // Where a prompt's tokens are scored, its text waits for them.
        let is_due =
            |at: &usize| prepared.echoes[*at].is_some() && prepared.requests[*at].prompt_logprobs.is_none();
        let due = (0..prepared.requests.len()).filter(is_due);
        due.flat_map(|at| self.beginnings(at, &[])).collect()
    }

    fn piece(&mut self, piece: Piece) -> Vec<Reply<CompletionChoice>> {
        if !piece.prompt.is_empty() {
            return self.beginnings(piece.index / self.prepared.requests[0].n, &piece.prompt);
        }
        let tokens: Vec<Scored> = piece.token.into_iter().chain(piece.end).collect();
        if piece.content.is_empty() && piece.finish.is_none() && tokens.is_empty() {
            return Vec::new();
        }
        let offset = self.lengths[piece.index];
        self.lengths[piece.index] += piece.content.chars().count();
        let top = self.prepared.logprobs.filter(|_| !tokens.is_empty());
        let choice = CompletionChoice {
            index: piece.index,
            text: piece.content,
            logprobs: top.map(|top| completion_logprobs(&self.app.served.tokenizer, &tokens, top, offset)),
            finish_reason: piece.finish,
            ..CompletionChoice::default()
        };
        vec![self.line(choice)]
    }

    fn last(&mut self, usage: UsageBody) -> Option<Reply<CompletionChoice>> {
        self.prepared.include_usage.then(|| self.head.reply(OBJECT, Vec::new(), Some(usage)))
    }
}
