//! Events of the engine become texts: pieces of a stream, or whole samples.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use collegium_data::Tokenizer;
use collegium_serve::{Event, Finish, Scored, Usage};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Sleep;

use crate::metrics::Timer;
use crate::prepare::Prepared;
use crate::server::App;
use crate::tools::{CallPiece, Reader};
use crate::wire::{
    CachedTokens, ChatLogprobs, CompletionLogprobs, PromptLogprob, PromptLogprobs, TokenLogprob, TopLogprob,
    UsageBody,
};
use crate::{ApiError, Split};

/// What is new of a sample.
#[derive(Default)]
pub struct Piece {
    /// Prompt times samples, plus the sample.
    pub index: usize,
    /// Of its chain of thought.
    pub thought: String,
    /// Of its answer.
    pub content: String,
    /// Of what it calls.
    pub calls: Vec<CallPiece>,
    /// Its newest token, where log-probabilities are asked for.
    pub token: Option<Scored>,
    /// All tokens of its prompt, where theirs are: before everything else, and for all samples of the prompt at once.
    pub prompt: Vec<Scored>,
    /// The token that ended it, where one did and log-probabilities are asked for.
    pub end: Option<Scored>,
    /// Why it ended, if it has.
    pub finish: Option<&'static str>,
}

/// The answer to a body while it comes. Dropping it cancels what still runs.
pub struct Answer {
    parts: Vec<UnboundedReceiver<Event>>,
    splits: Vec<Split>,
    readers: Vec<Option<Reader>>,
    samples: usize,
    /// Samples that have not ended.
    left: usize,
    next: usize,
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
            readers: (0..left).map(|_| prepared.tools.clone().map(Reader::new)).collect(),
            parts,
            samples,
            left,
            next: 0,
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
                // A mark of calls may be a token that texts leave out.
                let mark = self.readers[index].as_ref().map_or("", |reader| reader.mark(token.scored.id));
                let (thought, content) = self.splits[index].push(&(token.text + mark));
                let (content, calls) = self.calls(index, content);
                let token = Some(token.scored).filter(is_known);
                Ok(Piece { index, thought, content, calls, token, ..Piece::default() })
            }
            Event::Prompt(prompt) => Ok(Piece { index: place(0), prompt, ..Piece::default() }),
            Event::Finished { sample, reason, end, text, usage } => {
                let index = place(sample);
                let (mut thought, mut content) = self.splits[index].push(&text);
                let (more_thought, more_content) = self.splits[index].finish();
                thought += &more_thought;
                content += &more_content;
                let (mut content, calls) = self.calls(index, content);
                let reader = self.readers[index].as_mut();
                let has_calls = reader.is_some_and(|reader| {
                    content += &reader.finish();
                    reader.has_calls()
                });
                self.count(sample, usage);
                self.left -= 1;
                if self.left == 0 {
                    self.timer.finish();
                }
                let finish = match reason {
                    Finish::Stop if has_calls => "tool_calls",
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                };
                let end = end.filter(is_known);
                Ok(Piece { index, thought, content, calls, end, finish: Some(finish), ..Piece::default() })
            }
            Event::Failed(why) => Err(ApiError::engine(why)),
        }
    }

    /// What of new content is text, and what calls.
    fn calls(&mut self, index: usize, content: String) -> (String, Vec<CallPiece>) {
        match &mut self.readers[index] {
            Some(reader) => reader.push(&content),
            None => (content, Vec::new()),
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
            sample.calls.extend(piece.calls);
            sample.tokens.extend(piece.token);
            sample.prompt.extend(piece.prompt);
            sample.end = piece.end.or(sample.end.take());
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
    /// What it calls.
    pub calls: Vec<CallPiece>,
    /// Its tokens, where log-probabilities are asked for.
    pub tokens: Vec<Scored>,
    /// Those of its prompt, where theirs are and it is the prompt's first sample.
    pub prompt: Vec<Scored>,
    /// The token that ended it, where one did and log-probabilities are asked for.
    pub end: Option<Scored>,
    /// Why it ended.
    pub finish: Option<&'static str>,
}

impl Sample {
    /// Log-probabilities of its tokens alone.
    pub fn bare_logprobs(&self) -> Vec<f32> {
        self.tokens.iter().filter_map(|t| t.logprob).collect()
    }
}

fn is_known(token: &Scored) -> bool {
    token.logprob.is_some()
}

/// Texts of tokens, one by one.
fn text(tokenizer: &Tokenizer, id: u32) -> String {
    tokenizer.decode(&[id]).unwrap_or_default()
}

/// As chats have them.
pub fn chat_logprobs(tokenizer: &Tokenizer, tokens: &[Scored]) -> ChatLogprobs {
    let top = |&(id, logprob): &(u32, f32)| {
        let token = text(tokenizer, id);
        TopLogprob { bytes: token.clone().into_bytes(), token, logprob }
    };
    let one = |scored: &Scored| {
        let token = text(tokenizer, scored.id);
        Some(TokenLogprob {
            bytes: token.clone().into_bytes(),
            token,
            logprob: scored.logprob?,
            top_logprobs: scored.top.iter().map(top).collect(),
        })
    };
    ChatLogprobs { content: tokens.iter().filter_map(one).collect() }
}

/// As completions have them, with `top` of the likeliest, for tokens that begin at character `offset` of the text.
pub fn completion_logprobs<'t>(
    tokenizer: &Tokenizer,
    tokens: impl IntoIterator<Item = &'t Scored>,
    top: usize,
    mut offset: usize,
) -> CompletionLogprobs {
    let mut out = CompletionLogprobs::default();
    for scored in tokens {
        let token = text(tokenizer, scored.id);
        out.text_offset.push(offset);
        offset += token.chars().count();
        // The likeliest come first, and stay where another has the same text.
        let mut by_text = BTreeMap::new();
        for &(id, logprob) in scored.top.iter().take(top) {
            by_text.entry(text(tokenizer, id)).or_insert(logprob);
        }
        out.top_logprobs.push(scored.logprob.map(|_| by_text));
        out.token_logprobs.push(scored.logprob);
        out.tokens.push(token);
    }
    out
}

/// As vLLM has those of prompts: each token and `top` of the likeliest, by number.
pub fn prompt_logprobs(tokenizer: &Tokenizer, prompt: &[Scored], top: usize) -> PromptLogprobs {
    let entry = |id: u32, rank: usize, logprob: f32| {
        (id, PromptLogprob { logprob, rank, decoded_token: text(tokenizer, id) })
    };
    let one = |scored: &Scored| {
        let own = entry(scored.id, scored.rank, scored.logprob?);
        let top = scored.top.iter().take(top).zip(1..).map(|(&(id, l), rank)| entry(id, rank, l));
        // The token itself comes last: among equals its rank is its own.
        Some(top.chain([own]).collect())
    };
    prompt.iter().map(one).collect()
}
