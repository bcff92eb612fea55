//! What runs in the next step. All sequences that decode run, and prompts come a few layers further beside them ([`reading`]), so a decoding
//! sequence never waits for a long prompt. Where pages run out, the youngest sequence gives its own back and is computed again later. Where it
//! pays, further rows compute guesses at their next tokens.

mod compact;
mod reading;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use collegium_data::Tokenizer;
use collegium_model::programs::PAGE;

use crate::ServeError;
use crate::drafts::{Texts, Times};
use crate::handle::{Limits, Stats};
use crate::pages::Pages;
use crate::request::Event;
use crate::runner::{Runner, Unit};
use crate::sequence::{Job, Sequence};
use reading::{Pace, Reading};

/// Sizes of a step of sequences that decode, with guesses behind them, and of a pass of pages of prompts: few, so that few programs are compiled.
pub(crate) const ROWS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
pub(crate) const CHUNKS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Most sequences of a rank that run at once.
pub const MOST_ROWS: usize = 16;

/// Pages of a prompt that a rank would have to compute weigh as much as a sequence that runs on it already.
const NEIGHBOUR: usize = 16;

/// Most guesses that a step has room for.
pub const MOST_GUESSES: usize = ROWS[ROWS.len() - 1] - 1;

/// All sequences, and the model that advances them.
pub struct Scheduler<'t> {
    runner: Runner,
    /// By rank.
    pages: Vec<Pages>,
    tokenizer: Option<&'t Tokenizer>,
    /// Tokens that end a document.
    ends: Vec<u32>,
    /// Tokens from here on are never picked.
    num_tokens: usize,
    /// Oldest first.
    running: Vec<Sequence<'t>>,
    waiting: VecDeque<Sequence<'t>>,
    reading: Option<Reading>,
    pace: Pace,
    /// Time for prompts after a step of sequences that decode, in times of that step.
    stall: f64,
    /// Most guesses for a sequence.
    drafts: usize,
    /// Answers that have ended, for guesses.
    past: Texts,
    times: Times,
    stats: Stats,
}

/// Tokens of a sequence in a step: which sequence, from which token, how many.
#[derive(Clone, Copy)]
struct Piece {
    sequence: usize,
    first: usize,
    len: usize,
    /// Whether it is a guess, the one behind the sequence's tokens by this many.
    guess: Option<usize>,
}

impl<'t> Scheduler<'t> {
    /// Nothing runs yet.
    pub fn new(runner: Runner, tokenizer: Option<&'t Tokenizer>, limits: &Limits) -> Self {
        let config = runner.config();
        let end = tokenizer.map(Tokenizer::end_of_document);
        Self {
            ends: config.eos_token_id.into_iter().chain(end).collect(),
            num_tokens: tokenizer.map_or(config.vocab_size, Tokenizer::vocab_size),
            pages: (0..runner.ranks()).map(|_| Pages::new(limits.cache_pages)).collect(),
            runner,
            tokenizer,
            running: Vec::new(),
            waiting: VecDeque::new(),
            reading: None,
            pace: Pace::default(),
            stall: limits.stall as f64 / 100.0,
            drafts: limits.drafts,
            past: Texts::new(if limits.drafts > 0 { limits.past } else { 0 }),
            times: Times::default(),
            stats: Stats::default(),
        }
    }

    /// Takes a request in.
    pub fn add(&mut self, job: &Arc<Job>) {
        let how = (self.drafts, self.runner.budget());
        let samples = (0..job.request.n).map(|sample| Sequence::new(job, sample, self.tokenizer, how));
        self.waiting.extend(samples);
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// How things are.
    pub fn stats(&self) -> Stats {
        Stats {
            running: self.running.len(),
            waiting: self.waiting.len(),
            ranks: self.pages.len(),
            pages: self.pages.iter().map(Pages::total).sum(),
            pages_in_use: self.pages.iter().map(Pages::in_use).sum(),
            pages_cached: self.pages.iter().map(Pages::held_by_tree_alone).sum(),
            page_bytes: self.runner.page_bytes(),
            balanced: self.runner.balanced(),
            ..self.stats
        }
    }

    /// One step. A step that fails fails all requests that run or wait; the engine goes on with an empty cache.
    pub fn step(&mut self) {
        self.drop_abandoned();
        self.admit();
        let done = self.compact().and_then(|()| {
            let started = Instant::now();
            let rows = self.rows();
            self.decode(&rows)?;
            self.read((!rows.is_empty()).then(|| self.stall * started.elapsed().as_secs_f64()))
        });
        if let Err(error) = done {
            self.fail(&error.to_string());
        }
    }

    fn drop_abandoned(&mut self) {
        self.waiting.retain(|s| !s.is_abandoned());
        let gone: Vec<usize> =
            (0..self.running.len()).filter(|&at| self.running[at].is_abandoned()).collect();
        for at in gone.into_iter().rev() {
            self.release(at);
        }
    }

    /// Takes the sequence out of those that run and gives its pages back.
    fn release(&mut self, at: usize) -> Sequence<'t> {
        let mut sequence = self.running.remove(at);
        self.reading = self.reading.take().and_then(|reading| reading.without(at));
        let pages = &mut self.pages[sequence.rank];
        sequence.pages.drain(..).for_each(|page| pages.give(page));
        // Siblings must not wait for one that is gone.
        sequence.job.settle(sequence.rank);
        sequence
    }

    /// Lets those that wait begin, in the order they came, while there are pages for what they hold.
    fn admit(&mut self) {
        while let Some((at, rank)) = self.next() {
            let mut sequence = self.waiting.remove(at).expect("it was just found");
            sequence.rank = rank;
            sequence.job.begin(rank);
            sequence.pages = self.pages[rank].find(&sequence.tokens[..sequence.reusable()]);
            sequence.computed = sequence.pages.len() * PAGE;
            sequence.cached.get_or_insert(sequence.computed.min(sequence.job.request.prompt.len()));
            self.running.push(sequence);
        }
    }

    /// The first of those that wait that may begin, and where. Who finds no room anywhere lets nobody overtake.
    fn next(&self) -> Option<(usize, usize)> {
        for (at, sequence) in self.waiting.iter().enumerate() {
            let rank = self.rank_for(sequence)?;
            if sequence.job.is_ready(rank) {
                return Some((at, rank));
            }
        }
        None
    }

    /// The rank where a sequence costs least: pages of its prompt that are not in the cache there, and sequences that run there already, which it would
    /// keep waiting to its end.
    fn rank_for(&self, sequence: &Sequence<'_>) -> Option<usize> {
        let needed = sequence.places.pages_for(sequence.tokens.len());
        let running = |rank: usize| self.running.iter().filter(|s| s.rank == rank).count();
        let has_room = |rank: &usize| {
            let (running, available) = (running(*rank), self.pages[*rank].available());
            running < MOST_ROWS && (running == 0 || available >= needed + running)
        };
        let cost = |rank: &usize| {
            let is_shared = sequence.job.has_begun(*rank);
            let known = || self.pages[*rank].known(&sequence.tokens[..sequence.reusable()]);
            let missing = if is_shared { 0 } else { needed - known() };
            missing + NEIGHBOUR * running(*rank)
        };
        let mut ranks = (0..self.pages.len()).filter(has_room);
        // A lone rank needs no choice.
        if self.pages.len() == 1 { ranks.next() } else { ranks.min_by_key(cost) }
    }

    /// Rows of the next step, with pages for all of them; those of a rank stand together, in the order of ranks.
    fn rows(&mut self) -> Vec<Piece> {
        let mut rows = Vec::new();
        let mut at = 0;
        while at < self.running.len() {
            let (job, sample) = (self.running[at].job.clone(), self.running[at].sample);
            if self.running[at].remaining() == 1 && self.secure(at, 1) {
                rows.push(Piece { sequence: at, first: self.running[at].computed, len: 1, guess: None });
            }
            // Where one gave its pages back itself, another stands in its place. Younger ones that had to are behind it.
            at += usize::from(self.running.get(at).is_some_and(|s| s.is((&job, sample))));
        }
        rows.sort_by_key(|row| self.running[row.sequence].rank);
        self.with_guesses(rows)
    }

    /// Rows with guesses behind those of each sequence, where they pay and no page must be taken from another.
    fn with_guesses(&mut self, rows: Vec<Piece>) -> Vec<Piece> {
        // Where prompts wait, the time that guesses take is better spent on them.
        if self.drafts == 0 || self.running.iter().any(|sequence| sequence.remaining() > 1) {
            return rows;
        }
        let chances: Vec<_> = rows.iter().map(|row| self.running[row.sequence].guess(&self.past)).collect();
        // Each rank has as many rows as the fullest, so it shares out its own.
        let by_rank = rows.chunk_by(|a, b| self.running[a.sequence].rank == self.running[b.sequence].rank);
        let mut chances = &chances[..];
        let mut shares = Vec::new();
        for rows in by_rank {
            let (own, others) = chances.split_at(rows.len());
            shares.extend(self.times.share(own));
            chances = others;
        }
        let mut all = Vec::new();
        for (row, guesses) in rows.into_iter().zip(shares) {
            all.push(row);
            self.running[row.sequence].guesses.truncate(guesses);
            let sequence = &self.running[row.sequence];
            let needed = (sequence.places.place(row.first) + 1 + guesses).div_ceil(PAGE);
            let missing = needed.saturating_sub(sequence.pages.len());
            if missing > self.pages[sequence.rank].available() || !self.secure(row.sequence, 1 + guesses) {
                self.running[row.sequence].guesses.clear();
                continue;
            }
            self.stats.drafted += guesses as u64;
            let behind = |guess| Piece { first: row.first + 1 + guess, guess: Some(guess), ..row };
            all.extend((0..guesses).map(behind));
        }
        all
    }

    /// Pages for the next `len` tokens of a sequence, if need be those of younger ones of its rank, which run no more then; whether it has them and still
    /// runs.
    fn secure(&mut self, at: usize, len: usize) -> bool {
        let needed = (self.running[at].places.place(self.running[at].computed) + len).div_ceil(PAGE);
        let rank = self.running[at].rank;
        while self.running[at].pages.len() < needed {
            if let Some(page) = self.pages[rank].take() {
                self.running[at].pages.push(page);
                continue;
            }
            let youngest = self.running.iter().rposition(|s| s.rank == rank).expect("it is one of them");
            let mut sequence = self.release(youngest);
            sequence.restart();
            self.waiting.push_front(sequence);
            self.stats.preemptions += 1;
            if youngest == at {
                return false;
            }
        }
        true
    }

    /// Takes all sequences that decode one token further.
    fn decode(&mut self, rows: &[Piece]) -> Result<(), ServeError> {
        if rows.is_empty() {
            return Ok(());
        }
        let most = self.most_of_a_rank(rows);
        let room = fit(&ROWS, most);
        self.count(rows, room * self.pages.len());
        let Self { running, runner, .. } = self;
        let units: Vec<Unit<'_>> = rows.iter().map(|row| unit(running, row)).collect();
        let started = Instant::now();
        let logits = runner.decode(&units, room)?;
        self.count_decode(rows, most, started.elapsed());
        self.take(rows, &logits);
        Ok(())
    }

    /// Pieces of the rank that has most.
    fn most_of_a_rank(&self, pieces: &[Piece]) -> usize {
        let by_rank = pieces.chunk_by(|a, b| self.running[a.sequence].rank == self.running[b.sequence].rank);
        by_rank.map(<[Piece]>::len).max().unwrap_or(0)
    }

    /// Notes what a step of sequences that decode, up to `most` on a rank, took and read. Rows of one sequence read its pages together.
    fn count_decode(&mut self, rows: &[Piece], most: usize, took: Duration) {
        let own = rows.iter().filter(|row| row.guess.is_none());
        let pages = own.map(|row| self.running[row.sequence].places.place(row.first) / PAGE + 1).sum();
        self.times.note(most, took);
        self.stats.decode_ns += took.as_nanos() as u64;
        self.stats.decode_bytes += self.runner.bytes_of_decode(rows.len(), pages);
    }

    fn count(&mut self, pieces: &[Piece], room: usize) {
        let used: usize = pieces.iter().map(|piece| piece.len).sum();
        self.stats.steps += 1;
        self.stats.tokens += used as u64;
        self.stats.padding += (room - used) as u64;
    }

    /// Notes what is computed now, and takes the next token of every sequence that has all its tokens in the cache, from the `logits` {piece, vocab};
    /// those of other pieces are not read. A guess counts where it is the token that was taken before it.
    fn take(&mut self, pieces: &[Piece], logits: &[f32]) {
        let vocab = self.runner.config().vocab_size;
        let mut ended = Vec::new();
        for (place, piece) in pieces.iter().enumerate() {
            let sequence = &mut self.running[piece.sequence];
            let is_right = |guess: usize| sequence.tokens.get(piece.first) == Some(&sequence.guesses[guess]);
            if ended.contains(&piece.sequence) || piece.guess.is_some_and(|guess| !is_right(guess)) {
                continue;
            }
            self.stats.accepted += u64::from(piece.guess.is_some());
            sequence.computed = piece.first + piece.len;
            let known = sequence.places.sharable(sequence.computed);
            if known / PAGE > piece.first / PAGE {
                self.pages[sequence.rank].keep(&sequence.tokens[..known], &mut sequence.pages);
            }
            if sequence.remaining() > 0 {
                continue;
            }
            sequence.job.settle(sequence.rank);
            let own = &logits[place * vocab..][..vocab];
            let before = sequence.tokens.len();
            if advance(sequence, own, self.num_tokens, &self.ends) {
                ended.push(piece.sequence);
            }
            self.stats.generated += (sequence.tokens.len() - before) as u64;
        }
        for piece in pieces.iter().filter(|piece| piece.guess.is_none()) {
            let sequence = &mut self.running[piece.sequence];
            sequence.judge(sequence.computed - (piece.first + 1));
        }
        ended.sort_unstable();
        for at in ended.into_iter().rev() {
            self.keep_whole(at);
            let sequence = self.release(at);
            self.past.add(sequence.text());
        }
    }

    fn fail(&mut self, why: &str) {
        for sequence in self.running.drain(..).chain(self.waiting.drain(..)) {
            sequence.job.events.send(Event::Failed(why.to_string())).ok();
        }
        self.reading = None;
        self.pages.iter_mut().for_each(|pages| *pages = Pages::new(pages.total() + 1));
        // Where the device is gone for good, the next step says so again.
        self.runner.clear().ok();
    }
}

/// A piece as the device takes it.
fn unit<'a>(running: &'a [Sequence<'_>], piece: &Piece) -> Unit<'a> {
    let sequence = &running[piece.sequence];
    let tokens = match piece.guess {
        Some(guess) => &sequence.guesses[guess..=guess],
        None => &sequence.tokens[piece.first..piece.first + piece.len],
    };
    let place = sequence.places.place(piece.first);
    Unit { rank: sequence.rank, tokens, position: piece.first, place, pages: &sequence.pages }
}

/// Takes the next token of a sequence; whether it has ended. What panics here, a mask above all, ends its own request alone.
fn advance(sequence: &mut Sequence<'_>, logits: &[f32], known: usize, ends: &[u32]) -> bool {
    let job = sequence.job.clone();
    catch_unwind(AssertUnwindSafe(|| sequence.advance(logits, known, ends))).unwrap_or_else(|_| {
        job.events.send(Event::Failed("this request met an error in the engine; others go on".into())).ok();
        true
    })
}

/// The smallest size of a ladder that holds `len`.
pub(crate) fn fit(ladder: &[usize], len: usize) -> usize {
    *ladder.iter().find(|&&size| size >= len).expect("plans stay within the ladders")
}
