//! The way to the engine's thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};

use collegium_data::Tokenizer;
use collegium_model::programs::PAGE;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::ServeError;
use crate::request::{Event, Refusal, Request, Sampling};
use crate::runner::{Balanced, Runner};
use crate::scheduler::{MOST_GUESSES, Scheduler};
use crate::sequence::Job;

/// Most tokens of ended answers.
const MOST_PAST: usize = 1 << 28;

/// Most percent of a step that prompts may take after it.
const MOST_STALL: usize = 100_000;

/// What the engine has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pages of the cache of each rank ([`PAGE`] tokens each), one of them reserved.
    pub cache_pages: usize,
    /// Most tokens of a sequence, prompt and new ones together.
    pub context: usize,
    /// Most samples that wait.
    pub waiting: usize,
    /// Most samples of a request.
    pub samples: usize,
    /// Most tokens that are guessed ahead for a sequence; 0 for none.
    pub drafts: usize,
    /// Tokens of ended answers from which guesses are made beside those from a sequence's own text, 40 bytes each; 0 for none.
    pub past: usize,
    /// Time for prompts after a step of sequences that decode, in percent of that step. More makes prompts faster and the gaps of others longer.
    pub stall: usize,
}

impl Limits {
    /// Usual room for tokens of ended answers.
    pub const PAST: usize = 1 << 18;
    /// Usual time for prompts beside sequences that decode, in percent of a step.
    pub const STALL: usize = 85;

    /// Room for `sequences` of `context` tokens, 1,000 waiting samples, 128 samples of a request, as many drafts as a step holds, [`PAST`](Self::PAST) and
    /// [`STALL`](Self::STALL).
    pub fn new(sequences: usize, context: usize) -> Self {
        Self {
            cache_pages: sequences * context.div_ceil(PAGE) + 1,
            context,
            waiting: 1000,
            samples: 128,
            drafts: MOST_GUESSES,
            past: Self::PAST,
            stall: Self::STALL,
        }
    }

    /// # Errors
    /// A limit that cannot be.
    pub fn check(&self) -> Result<(), ServeError> {
        let least = self.context.div_ceil(PAGE) + 1;
        let limit = |name, given, required: String| Err(ServeError::Limit { name, given, required });
        match self {
            _ if self.context < 2 => limit("context", self.context, "at least 2".into()),
            _ if self.cache_pages < least => {
                limit("cache_pages", self.cache_pages, format!("at least {least}, for one sequence"))
            }
            _ if self.samples == 0 => limit("samples", 0, "at least 1".into()),
            _ if self.stall > MOST_STALL => limit("stall", self.stall, format!("at most {MOST_STALL}")),
            _ if self.past > MOST_PAST => limit("past", self.past, format!("at most {MOST_PAST}")),
            _ => Ok(()),
        }
    }
}

/// How the engine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Samples that run.
    pub running: usize,
    /// Samples that wait.
    pub waiting: usize,
    /// Devices.
    pub ranks: usize,
    /// Pages of the caches of all ranks.
    pub pages: usize,
    /// Of those, how many sequences use, each counted once.
    pub pages_in_use: usize,
    /// And how many are kept for what may come.
    pub pages_cached: usize,
    /// Bytes of a page in all layers.
    pub page_bytes: usize,
    /// Steps so far.
    pub steps: u64,
    /// Tokens that were computed.
    pub tokens: u64,
    /// Tokens of steps that were computed for nothing.
    pub padding: u64,
    /// Tokens that were given out.
    pub generated: u64,
    /// How often a sequence was sent back.
    pub preemptions: u64,
    /// How often a sequence's cache was brought back to its budget.
    pub compactions: u64,
    /// The most pages that sequences used at once, of [`pages_in_use`](Self::pages_in_use) after every step.
    pub pages_peak: usize,
    /// Tokens that were guessed ahead.
    pub drafted: u64,
    /// Of those, how many were right.
    pub accepted: u64,
    /// Nanoseconds of the steps of sequences that decode, without what prompts took behind them.
    pub decode_ns: u64,
    /// Bytes of weights and cache that those steps read ([`bytes`](crate::bytes) says what is counted).
    pub decode_bytes: u64,
    /// What the balancer did, on several ranks.
    pub balanced: Balanced,
}

/// The way to the engine: cloned freely, used from any thread. The engine ends when the last one is gone and its work is done.
#[derive(Clone)]
pub struct Handle {
    jobs: Sender<Arc<Job>>,
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    vocab_size: usize,
    has_tokenizer: bool,
    stats: Mutex<Stats>,
    /// Samples that were handed in and that the engine's thread has not seen yet.
    unseen: AtomicUsize,
}

impl Handle {
    /// Starts the engine's thread. `tokenizer` makes text of tokens; without one there is none.
    ///
    /// # Errors
    /// A limit that cannot be, or a system without threads.
    pub fn start(
        runner: Runner,
        tokenizer: Option<Arc<Tokenizer>>,
        limits: Limits,
    ) -> Result<Self, ServeError> {
        limits.check()?;
        let (jobs, inbox) = channel();
        let shared = Arc::new(Shared {
            limits,
            vocab_size: runner.config().vocab_size,
            has_tokenizer: tokenizer.is_some(),
            // What does not change is known before the first step.
            stats: Mutex::new(Stats {
                pages: runner.ranks() * (limits.cache_pages - 1),
                ranks: runner.ranks(),
                page_bytes: runner.page_bytes(),
                ..Stats::default()
            }),
            unseen: AtomicUsize::new(0),
        });
        let seen = shared.clone();
        let work = move || serve(Scheduler::new(runner, tokenizer.as_deref(), &limits), &inbox, &seen);
        std::thread::Builder::new().name("engine".into()).spawn(work).map_err(ServeError::Thread)?;
        Ok(Self { jobs, shared })
    }

    /// Hands a request in. Events come through the receiver; dropping it cancels the request.
    ///
    /// # Errors
    /// A request that cannot be served, now or at all.
    pub fn submit(&self, request: Request) -> Result<UnboundedReceiver<Event>, Refusal> {
        self.check(&request)?;
        let unseen = self.shared.unseen.fetch_add(request.n, Ordering::Relaxed);
        let waiting = self.stats().waiting + unseen;
        if waiting >= self.shared.limits.waiting {
            self.shared.unseen.fetch_sub(request.n, Ordering::Relaxed);
            return Err(Refusal::Busy { waiting });
        }
        let (events, receiver) = unbounded_channel();
        self.jobs.send(Arc::new(Job::new(request, events))).map_err(|_| Refusal::Stopped)?;
        Ok(receiver)
    }

    /// How the engine was after its last step.
    pub fn stats(&self) -> Stats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine has room for.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    fn check(&self, r: &Request) -> Result<(), Refusal> {
        let Limits { context, samples, .. } = self.shared.limits;
        let count = |name, given: usize, most: usize| {
            demand((1..=most).contains(&given), name, given, format!("from 1 to {most}"))
        };
        demand(!r.prompt.is_empty(), "prompt", "empty", "at least one token".into())?;
        count("n", r.n, samples)?;
        demand(
            r.min_tokens <= r.max_tokens,
            "min_tokens",
            r.min_tokens,
            format!("at most max_tokens ({})", r.max_tokens),
        )?;
        if r.prompt.len().saturating_add(r.max_tokens) > context {
            return Err(Refusal::Context { prompt: r.prompt.len(), max_tokens: r.max_tokens, context });
        }
        let vocab = self.shared.vocab_size;
        let thinking = r.thinking.iter().flat_map(|t| t.close.iter().copied().chain(t.open));
        let named = [("prompt", r.prompt.clone()), ("thinking", thinking.collect())];
        for (name, tokens) in named {
            if let Some(token) = tokens.into_iter().find(|&t| t as usize >= vocab) {
                demand(false, name, format!("token {token}"), format!("of tokens below {vocab}"))?;
            }
        }
        demand(
            r.thinking.as_ref().is_none_or(|t| !t.close.is_empty()),
            "thinking.close",
            "empty",
            "at least one token".into(),
        )?;
        for (name, top) in [("logprobs", r.logprobs), ("prompt_logprobs", r.prompt_logprobs)] {
            demand(top <= Some(vocab), name, top.unwrap_or(0), format!("at most {vocab}"))?;
        }
        demand(r.stop.strings.iter().all(|s| !s.is_empty()), "stop", "an empty text", "text".into())?;
        demand(
            r.stop.strings.is_empty() || self.shared.has_tokenizer,
            "stop",
            "text",
            "tokens: this engine has no tokenizer".into(),
        )?;
        check_sampling(&r.sampling)
    }
}

fn demand(holds: bool, name: &'static str, given: impl ToString, required: String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Value { name, given: given.to_string(), required }) }
}

fn check_sampling(s: &Sampling) -> Result<(), Refusal> {
    let is = |name, value: f64, holds: bool, required: &str| demand(holds, name, value, required.into());
    let share = |x: f64| (0.0..=1.0).contains(&x);
    let finite = "a finite number";
    is("temperature", s.temperature, s.temperature.is_finite() && s.temperature >= 0.0, "0 or more")?;
    is("top_p", s.top_p, share(s.top_p) && s.top_p > 0.0, "above 0 and at most 1")?;
    is("min_p", s.min_p, share(s.min_p), "from 0 to 1")?;
    let repetition = s.repetition_penalty;
    is("repetition_penalty", repetition, repetition.is_finite() && repetition > 0.0, "above 0")?;
    is("presence_penalty", s.presence_penalty, s.presence_penalty.is_finite(), finite)?;
    is("frequency_penalty", s.frequency_penalty, s.frequency_penalty.is_finite(), finite)
}

/// The engine's thread: steps while there is work, and waits where there is none.
fn serve(mut scheduler: Scheduler<'_>, inbox: &Receiver<Arc<Job>>, shared: &Shared) {
    let mut is_open = true;
    let take = |scheduler: &mut Scheduler<'_>, job: &Arc<Job>| {
        scheduler.add(job);
        shared.unseen.fetch_sub(job.request.n, Ordering::Relaxed);
    };
    while is_open || !scheduler.is_idle() {
        if scheduler.is_idle() {
            match inbox.recv() {
                Ok(job) => take(&mut scheduler, &job),
                Err(_) => return,
            }
        }
        loop {
            match inbox.try_recv() {
                Ok(job) => take(&mut scheduler, &job),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_open = false;
                    break;
                }
            }
        }
        scheduler.step();
        let mut stats = shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let now = scheduler.stats();
        *stats = Stats { pages_peak: stats.pages_peak.max(now.pages_in_use), ..now };
    }
}
