//! Events of the engine become texts: pieces of a stream, or whole samples.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use collegium_data::Tokenizer;
use collegium_serve::{Event, Finish, Token, Usage};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Sleep;

use crate::metrics::Timer;
use crate::prepare::Prepared;
use crate::server::App;
use crate::wire::{CachedTokens, ChatLogprobs, CompletionLogprobs, TokenLogprob, TopLogprob, UsageBody};
use crate::{ApiError, Split};

/// What is new of a sample.
pub struct Piece {
    /// Prompt times samples, plus the sample.
    pub index: usize,
    /// Of its chain of thought.
    pub thought: String,
    /// Of its answer.
    pub content: String,
    /// Of its newest token, where asked for.
    pub logprob: Option<TokenLogprob>,
    /// Why it ended, if it has.
    pub finish: Option<&'static str>,
}

/// The answer to a body while it comes. Dropping it cancels what still runs.
pub struct Answer {
    parts: Vec<UnboundedReceiver<Event>>,
    splits: Vec<Split>,
    samples: usize,
    /// Samples that have not ended.
    left: usize,
    next: usize,
    tokenizer: Arc<Tokenizer>,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
    usage: UsageBody,
    timer: Timer,
}

impl Answer {
    /// Hands the requests to the engine.
    ///
    /// # Errors
    /// What the engine refuses; then none of them runs.
    pub fn begin(app: &App, prepared: &Prepared) -> Result<Self, ApiError> {
        let timer = app.metrics.timer();
        let tokenizer = &app.served.tokenizer;
        let parts = prepared
            .requests
            .iter()
            .map(|r| app.served.engine.submit(r.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let samples = prepared.requests[0].n;
        let left = samples * parts.len();
        let tags = &app.served.tags;
        Ok(Self {
            splits: (0..left).map(|_| Split::new(tags.clone(), prepared.is_open)).collect(),
            parts,
            samples,
            left,
            next: 0,
            tokenizer: tokenizer.clone(),
            limit: app.options.timeout,
            deadline: Box::pin(tokio::time::sleep(app.options.timeout)),
            usage: UsageBody::default(),
            timer,
        })
    }

    /// What comes next; `None` when all samples have ended.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, ApiError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(ApiError::timeout(self.limit.as_secs()))));
        }
        // In turns, so that no prompt starves the others.
        for turn in 0..self.parts.len() {
            let at = (self.next + turn) % self.parts.len();
            match self.parts[at].poll_recv(cx) {
                Poll::Ready(Some(event)) => {
                    self.next = at + 1;
                    return Poll::Ready(Some(self.piece(at, event)));
                }
                // A part whose samples have all ended is closed too.
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
        if self.parts.iter().all(|p| p.is_closed() && p.is_empty()) {
            return Poll::Ready(Some(Err(ApiError::engine("the engine ended before the answer did"))));
        }
        Poll::Pending
    }

    /// What comes next.
    ///
    /// # Errors
    /// A failure of the engine, or the time limit.
    pub async fn next(&mut self) -> Option<Result<Piece, ApiError>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// Tokens so far.
    pub fn usage(&self) -> UsageBody {
        self.usage
    }

    fn piece(&mut self, part: usize, event: Event) -> Result<Piece, ApiError> {
        let place = |sample: usize| part * self.samples + sample;
        match event {
            Event::Token(token) => {
                self.timer.token();
                let index = place(token.sample);
                let logprob = logprob(&self.tokenizer, &token);
                let (thought, content) = self.splits[index].push(&token.text);
                Ok(Piece { index, thought, content, logprob, finish: None })
            }
            Event::Finished { sample, reason, text, usage } => {
                let index = place(sample);
                let (mut thought, mut content) = self.splits[index].push(&text);
                let (more_thought, more_content) = self.splits[index].finish();
                thought += &more_thought;
                content += &more_content;
                self.count(sample, usage);
                self.left -= 1;
                if self.left == 0 {
                    self.timer.finish();
                }
                let finish = match reason {
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                };
                Ok(Piece { index, thought, content, logprob: None, finish: Some(finish) })
            }
            Event::Failed(why) => Err(ApiError::engine(why)),
        }
    }

    fn count(&mut self, sample: usize, usage: Usage) {
        // Samples share their prompt.
        if sample == 0 {
            self.usage.prompt_tokens += usage.prompt_tokens;
            let CachedTokens { cached_tokens } = self.usage.prompt_tokens_details;
            self.usage.prompt_tokens_details.cached_tokens = cached_tokens + usage.cached_tokens;
        }
        self.usage.completion_tokens += usage.completion_tokens;
        self.usage.total_tokens = self.usage.prompt_tokens + self.usage.completion_tokens;
    }

    /// Waits for all of it: every sample, in order.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<(Vec<Sample>, UsageBody), ApiError> {
        let mut samples: Vec<Sample> = (0..self.left).map(|_| Sample::default()).collect();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            let sample = &mut samples[piece.index];
            sample.thought += &piece.thought;
            sample.content += &piece.content;
            sample.logprobs.extend(piece.logprob);
            sample.finish = piece.finish.or(sample.finish);
        }
        Ok((samples, self.usage))
    }
}

/// A whole sample.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Its chain of thought.
    pub thought: String,
    /// Its answer.
    pub content: String,
    /// Of its tokens, where asked for.
    pub logprobs: Vec<TokenLogprob>,
    /// Why it ended.
    pub finish: Option<&'static str>,
}

impl Sample {
    /// Log-probabilities of its tokens alone.
    pub fn bare_logprobs(&self) -> Vec<f32> {
        self.logprobs.iter().map(|l| l.logprob).collect()
    }
}

fn logprob(tokenizer: &Tokenizer, token: &Token) -> Option<TokenLogprob> {
    let text = |id: u32| tokenizer.decode(&[id]).unwrap_or_default();
    let top = |&(id, logprob): &(u32, f32)| {
        let token = text(id);
        TopLogprob { bytes: token.clone().into_bytes(), token, logprob }
    };
    token.logprob.map(|logprob| {
        let own = text(token.id);
        TokenLogprob {
            bytes: own.clone().into_bytes(),
            token: own,
            logprob,
            top_logprobs: token.top.iter().map(top).collect(),
        }
    })
}

/// As chats have them.
pub fn chat_logprobs(has: bool, all: Vec<TokenLogprob>) -> Option<ChatLogprobs> {
    has.then_some(ChatLogprobs { content: all })
}

/// As completions have them, for tokens that begin at character `offset` of the text.
pub fn completion_logprobs(
    has: bool,
    all: Vec<TokenLogprob>,
    mut offset: usize,
) -> Option<CompletionLogprobs> {
    let mut out = CompletionLogprobs::default();
    for token in all {
        out.text_offset.push(offset);
        offset += token.token.chars().count();
        let top: BTreeMap<String, f32> =
            token.top_logprobs.into_iter().map(|t| (t.token, t.logprob)).collect();
        out.top_logprobs.push(top);
        out.token_logprobs.push(token.logprob);
        out.tokens.push(token.token);
    }
    has.then_some(out)
}
