//! One sample on its way: its tokens, its pages, and everything that decides its next token and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use collegium_data::{StreamDecoder, Tokenizer};
use tokio::sync::mpsc::UnboundedSender;

use crate::beginning;
use crate::budget::{Budget, Places};
use crate::drafts::{Drafts, Texts};
use crate::pages::PageId;
use crate::request::{Event, Finish, Request, Scored, Thinking, Token, TokenMask, Usage};
use crate::sampling::{Picker, score};

/// A request that was taken, shared by its samples.
pub struct Job {
    /// What was asked.
    pub request: Request,
    /// Where events go; closed when the caller has gone.
    pub events: UnboundedSender<Event>,
    /// A bit for each rank on which a sample has begun, so that the prompt will be in its cache,
    begun: AtomicU64,
    /// and for each on which it is, so that others may begin there.
    computed: AtomicU64,
}

impl Job {
    /// A request that nobody has begun.
    pub fn new(request: Request, events: UnboundedSender<Event>) -> Self {
        Self { request, events, begun: AtomicU64::new(0), computed: AtomicU64::new(0) }
    }

    /// A sample begins on a rank.
    pub fn begin(&self, rank: usize) {
        self.begun.fetch_or(1 << rank, Ordering::Relaxed);
    }

    /// Whether one did.
    pub fn has_begun(&self, rank: usize) -> bool {
        self.begun.load(Ordering::Relaxed) & (1 << rank) != 0
    }

    /// The rank has the prompt in its cache, or nobody is left who would put it there.
    pub fn settle(&self, rank: usize) {
        self.computed.fetch_or(1 << rank, Ordering::Relaxed);
    }

    /// Whether a sample may begin on a rank now: others wait for the prompt of the first one there, which they share.
    pub fn is_ready(&self, rank: usize) -> bool {
        !self.has_begun(rank) || self.computed.load(Ordering::Relaxed) & (1 << rank) != 0
    }
}

/// One sample.
pub struct Sequence<'t> {
    /// Its request.
    pub job: Arc<Job>,
    /// The rank that has its pages, once it runs.
    pub rank: usize,
    /// Its number in the request.
    pub sample: usize,
    /// Prompt and new tokens.
    pub tokens: Vec<u32>,
    /// How many of them are in the cache.
    pub computed: usize,
    /// Where they are there.
    pub places: Places,
    /// Its pages.
    pub pages: Vec<PageId>,
    /// Tokens of the prompt that were in the cache when it began.
    pub cached: Option<usize>,
    /// Guesses at what comes behind `tokens`, for the step that runs.
    pub guesses: Vec<u32>,
    /// The first tokens of the prompt with their log-probabilities, where they are asked for and until the caller has them.
    scores: Option<Vec<Scored>>,
    drafts: Drafts,
    picker: Picker,
    mask: Option<Box<dyn TokenMask>>,
    decoder: Option<StreamDecoder<'t>>,
    /// Text that may be the beginning of a stop string.
    held: String,
    thought: Thought,
}

/// Where a chain of thought is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Thought {
    /// Not begun, or there is none to be limited.
    Outside,
    /// So many tokens long.
    Inside(usize),
    /// So many closing tokens were forced.
    Closing(usize),
    /// Closed.
    Over,
}

impl<'t> Sequence<'t> {
    /// A sample that has not begun.
    pub fn new(
        job: &Arc<Job>,
        sample: usize,
        tokenizer: Option<&'t Tokenizer>,
        (drafts, budget): (usize, Option<Budget>),
    ) -> Self {
        let request = &job.request;
        let thought = match &request.thinking {
            Some(Thinking { open: None, .. }) => Thought::Inside(0),
            _ => Thought::Outside,
        };
        // One of the samples speaks for all. Nothing is before the first token.
        let is_scored = sample == 0 && request.prompt_logprobs.is_some();
        let first = request.prompt.first().filter(|_| is_scored);
        Self {
            job: job.clone(),
            rank: 0,
            sample,
            tokens: request.prompt.clone(),
            computed: 0,
            places: Places::new(budget, request.prompt.len()),
            pages: Vec::new(),
            cached: None,
            guesses: Vec::new(),
            scores: first.map(|&id| vec![unscored(id)]),
            drafts: Drafts::new(drafts, request.prompt.len() + request.max_tokens),
            picker: Picker::new(&request.sampling, sample, &request.prompt),
            mask: request.mask.as_ref().map(|m| m.start()),
            decoder: tokenizer.map(Tokenizer::stream_decoder),
            held: String::new(),
            thought,
        }
    }

    /// Its pages are gone: it is to be computed from its first token again.
    pub fn restart(&mut self) {
        self.computed = 0;
        self.places.restart();
    }

    /// Whether it is that sample of that request.
    pub fn is(&self, (job, sample): (&Arc<Job>, usize)) -> bool {
        self.sample == sample && Arc::ptr_eq(&self.job, job)
    }

    /// Whether nobody listens any more.
    pub fn is_abandoned(&self) -> bool {
        self.job.events.is_closed()
    }

    /// Tokens that are not in the cache yet; at least one while it runs.
    pub fn remaining(&self) -> usize {
        self.tokens.len() - self.computed
    }

    /// How many of its tokens may come from the cache. The last is computed in any case, as its logits are wanted; so is every token behind which the
    /// log-probability of the next is wanted.
    pub fn reusable(&self) -> usize {
        self.places.sharable(self.scores.as_ref().map_or(self.tokens.len(), Vec::len) - 1)
    }

    /// Whether log-probabilities of the prompt's tokens are still to be found.
    pub fn is_scoring(&self) -> bool {
        self.scores.as_ref().is_some_and(|known| known.len() < self.job.request.prompt.len())
    }

    /// Scores tokens of the prompt by `logits` {token, vocab} behind those from `first` on, of which the tokenizer has the first `known`.
    pub fn score(&mut self, first: usize, logits: &[f32], (vocab, known): (usize, usize)) {
        let request = &self.job.request;
        let (Some(scores), Some(top)) = (&mut self.scores, request.prompt_logprobs) else { return };
        for (behind, logits) in (first..).zip(logits.chunks_exact(vocab)) {
            if let Some(&next) = request.prompt.get(behind + 1).filter(|_| scores.len() == behind + 1) {
                scores.push(score(logits, known, next, top));
            }
        }
    }

    /// Guesses tokens for the next step, never more than it may still have: the chance of each to be right with all before it. `past` are
    /// finished texts of others.
    pub fn guess(&mut self, past: &Texts) -> Vec<f64> {
        let left = (self.job.request.max_tokens - self.new_tokens()).min(self.places.room(self.computed));
        let left = left.saturating_sub(1);
        let (guesses, chances) = self.drafts.guess(&self.tokens, past, left);
        self.guesses = guesses;
        chances.to_vec()
    }

    /// Forgets the guesses, of which so many were right.
    pub fn judge(&mut self, right: usize) {
        self.drafts.learn(self.guesses.len(), right);
        self.guesses.clear();
    }

    /// What others may learn from it once it has ended: its new tokens, behind some that say where they begin.
    pub fn text(&self) -> &[u32] {
        const BEFORE: usize = 8;
        &self.tokens[self.job.request.prompt.len().saturating_sub(BEFORE)..]
    }

    fn new_tokens(&self) -> usize {
        self.tokens.len() - self.job.request.prompt.len()
    }

    /// Takes the next token from the logits behind the last one, of which the tokenizer has the first `known`, and tells the caller; whether the sample
    /// has ended.
    pub fn advance(&mut self, logits: &[f32], known: usize, ends: &[u32]) -> bool {
        let job = self.job.clone();
        let request = &job.request;
        if let Some(scores) = self.scores.take() {
            job.events.send(Event::Prompt(scores)).ok();
        }
        if request.max_tokens == 0 {
            self.finish(Finish::Length, None);
            return true;
        }
        let Some((id, is_forced)) = self.next_token(&logits[..known.min(logits.len())], ends) else {
            self.finish(Finish::Stop, None);
            return true;
        };
        let scored = request.logprobs.map_or_else(|| unscored(id), |top| score(logits, known, id, top));
        let may_end = self.new_tokens() >= request.min_tokens && !is_forced;
        if may_end && self.is_end(id, ends) {
            self.finish(Finish::Stop, Some(scored));
            return true;
        }
        self.tokens.push(id);
        self.picker.note(id);
        self.think(id);
        if let Some(mask) = &mut self.mask {
            mask.advance(id);
        }
        let (text, stopped) = self.text_of(id);
        // A caller that has gone is noticed before the next step.
        job.events.send(Event::Token(Token { sample: self.sample, scored, text })).ok();
        let done = self.mask.as_ref().is_some_and(|m| m.is_finished());
        let reason = match () {
            () if stopped || done => Finish::Stop,
            () if self.new_tokens() >= request.max_tokens => Finish::Length,
            () => return false,
        };
        self.finish(reason, None);
        true
    }

    fn is_end(&self, id: u32, ends: &[u32]) -> bool {
        let stop = &self.job.request.stop;
        stop.tokens.contains(&id) || (!stop.ignore_eos && ends.contains(&id))
    }

    /// The next token and whether it was forced; none where the mask leaves none.
    fn next_token(&mut self, logits: &[f32], ends: &[u32]) -> Option<(u32, bool)> {
        if let Some(id) = self.forced() {
            return Some((id, true));
        }
        let job = self.job.clone();
        let mut logits = logits.to_vec();
        if let Some(mask) = &mut self.mask {
            mask.apply(&mut logits);
        }
        if self.new_tokens() < job.request.min_tokens {
            for &end in job.request.stop.tokens.iter().chain(ends) {
                if let Some(l) = logits.get_mut(end as usize) {
                    *l = f32::NEG_INFINITY;
                }
            }
        }
        self.picker.pick(&mut logits).map(|id| (id, false))
    }

    /// The closing token that is due.
    fn forced(&self) -> Option<u32> {
        let request = &self.job.request;
        let thinking = request.thinking.as_ref()?;
        let answer = (request.max_tokens / 8).max(1);
        let most = request.max_tokens.saturating_sub(answer + thinking.close.len());
        match self.thought {
            // What is before the chain of thought counts too: the room for the answer is what must be left.
            Thought::Inside(used) if used >= thinking.budget || self.new_tokens() >= most => {
                thinking.close.first().copied()
            }
            Thought::Closing(given) => thinking.close.get(given).copied(),
            _ => None,
        }
    }

    /// Follows the chain of thought past a token.
    fn think(&mut self, id: u32) {
        let forced = self.forced();
        let Some(thinking) = &self.job.request.thinking else { return };
        self.thought = match self.thought {
            Thought::Outside if thinking.open == Some(id) => Thought::Inside(0),
            Thought::Inside(_) if self.ends_with(&thinking.close) => Thought::Over,
            Thought::Inside(_) if forced == Some(id) => Thought::Closing(1),
            Thought::Inside(used) => Thought::Inside(used + 1),
            Thought::Closing(given) if given + 1 >= thinking.close.len() => Thought::Over,
            Thought::Closing(given) => Thought::Closing(given + 1),
            other => other,
        };
    }

    fn ends_with(&self, close: &[u32]) -> bool {
        self.tokens[self.job.request.prompt.len()..].ends_with(close)
    }

    /// The text that `id` makes certain, and whether a stop string was met.
    fn text_of(&mut self, id: u32) -> (String, bool) {
        let Some(decoder) = &mut self.decoder else { return (String::new(), false) };
        // Tokens beyond the tokenizer are never picked.
        self.held.push_str(&decoder.push(id).unwrap_or_default());
        if self.new_tokens() >= self.job.request.min_tokens && self.cut_at_stop() {
            // What the decoder holds back is behind the stop string.
            self.decoder = None;
            return (std::mem::take(&mut self.held), true);
        }
        let stops = &self.job.request.stop.strings;
        let waiting = stops.iter().map(|s| beginning(&self.held, s)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - waiting);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// Takes a stop string and what follows off the text that is held; whether there was one.
    fn cut_at_stop(&mut self) -> bool {
        let stops = &self.job.request.stop.strings;
        let found = stops.iter().filter_map(|s| self.held.find(s.as_str())).min();
        found.into_iter().for_each(|at| self.held.truncate(at));
        found.is_some()
    }

    fn finish(&mut self, reason: Finish, end: Option<Scored>) {
        if let Some(decoder) = self.decoder.take() {
            self.held.push_str(&decoder.finish().unwrap_or_default());
            self.cut_at_stop();
        }
        let text = std::mem::take(&mut self.held);
        let usage = Usage {
            prompt_tokens: self.job.request.prompt.len(),
            cached_tokens: self.cached.unwrap_or(0),
            completion_tokens: self.new_tokens(),
        };
        self.job.events.send(Event::Finished { sample: self.sample, reason, end, text, usage }).ok();
    }
}

/// A token whose log-probability is not known.
fn unscored(id: u32) -> Scored {
    Scored { id, logprob: None, rank: 0, top: Vec::new() }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::request::Stop;

    /// What the caller sees when the model wants the bytes of `text` and then 256.
    fn told(request: Request, text: &str) -> (String, Vec<u32>, Finish) {
        let (events, mut heard) = mpsc::unbounded_channel();
        let job = Arc::new(Job::new(request, events));
        let tokenizer = Tokenizer::bytes();
        let mut sequence = Sequence::new(&job, 0, Some(&tokenizer), (0, None));
        for wanted in text.bytes().map(usize::from).chain([256; 64]) {
            let mut logits = vec![0.0; 257];
            logits[wanted] = 9.0;
            if sequence.advance(&logits, 257, &[256]) {
                break;
            }
        }
        let (mut said, mut ids) = (String::new(), Vec::new());
        while let Ok(event) = heard.try_recv() {
            match event {
                Event::Token(token) => {
                    said.push_str(&token.text);
                    ids.push(token.scored.id);
                }
                Event::Finished { text, reason, .. } => return (said + &text, ids, reason),
                Event::Prompt(_) => {}
                Event::Failed(why) => panic!("{why}"),
            }
        }
        panic!("it never ended")
    }

    #[test]
    fn a_stop_string_and_what_follows_is_not_given_out() {
        let stop = |s: &str| Stop { strings: vec![s.into()], ..Stop::default() };
        let request = |s: &str| Request { stop: stop(s), ..Request::greedy(vec![1], 40) };
        assert_eq!(told(request("END"), "one EN END two").0, "one EN ");
        assert_eq!(
            told(request("END"), "one EN"),
            ("one EN".into(), b"one EN".map(u32::from).into(), Finish::Stop)
        );
        assert_eq!(
            told(Request::greedy(vec![1], 3), "abcd"),
            ("abc".into(), vec![97, 98, 99], Finish::Length)
        );
    }

    #[test]
    fn min_tokens_holds_the_end_off() {
        let request = Request { min_tokens: 4, ..Request::greedy(vec![1], 40) };
        assert_eq!(told(request, "ab").1.len(), 4);
    }

    #[test]
    fn a_thinking_budget_forces_the_close_and_leaves_room_for_the_answer() {
        let thinking = |budget| Some(Thinking { open: None, close: vec![b'<'.into(), b'>'.into()], budget });
        let request = |budget, max| Request { thinking: thinking(budget), ..Request::greedy(vec![1], max) };
        assert_eq!(told(request(3, 40), "abcdefgh").0, "abc<>fgh");
        assert_eq!(told(request(90, 16), "abcdefghijklmnopqrst").0, "abcdefghijkl<>op");
        assert_eq!(told(request(5, 40), "a<>bcdefgh").0, "a<>bcdefgh");
    }
}
