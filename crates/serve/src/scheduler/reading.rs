//! Prompts on their way through the model. A pass takes some pages of prompts through it layer by layer. Beside sequences that decode, it goes only so many
//! layers further after each of their steps as fit in a share of such a step's time: so the gaps between their tokens stay short, while the weights of a
//! layer are still read once for all tokens of the pass (layered prefill, Lee et al. 2025). A step that mixed them with a few tokens of a
//! prompt would read nearly all experts for those few.

use std::time::Instant;

use collegium_model::programs::PAGE;

use super::{CHUNKS, Piece, Scheduler, fit, unit};
use crate::ServeError;
use crate::runner::{Pass, Unit};

/// A pass that runs.
pub(super) struct Reading {
    pass: Pass,
    pieces: Vec<Piece>,
    /// Pages that each rank has room for.
    room: usize,
}

impl Reading {
    /// What is left of it when the sequence at `gone` is taken out of those that run: nothing if it was part of the pass, whose pages others may have from now on.
    pub(super) fn without(mut self, gone: usize) -> Option<Self> {
        for piece in &mut self.pieces {
            match piece.sequence.cmp(&gone) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return None,
                std::cmp::Ordering::Greater => piece.sequence -= 1,
            }
        }
        Some(self)
    }
}

/// Seconds that a layer takes, for each of [`CHUNKS`]: the longest of the last ones.
#[derive(Default)]
pub(super) struct Pace([Option<f64>; CHUNKS.len()]);

impl Pace {
    /// Notes what a layer took. What it took before is forgotten slowly, as those that decode feel the longest.
    fn note(&mut self, size: usize, seconds: f64) {
        let before = self.0[size].unwrap_or(0.0);
        self.0[size] = Some(seconds.max(0.98 * before));
    }

    /// Seconds that a layer takes, or at most takes as far as is known: more pages take longer, but twice as many at most twice as long.
    fn expected(&self, size: usize) -> f64 {
        let Self(known) = self;
        let larger = known[size..].iter().flatten().next();
        let smaller = known[..size]
            .iter()
            .zip(CHUNKS)
            .filter_map(|(seconds, chunks)| Some((*seconds)? / chunks as f64));
        let smaller = { smaller }.next_back().map(|each| each * CHUNKS[size] as f64);
        known[size]
            .unwrap_or_else(|| larger.copied().into_iter().chain(smaller).fold(f64::INFINITY, f64::min))
    }

    /// The most pages whose layers take no longer than this; at least one.
    fn pages_within(&self, seconds: f64) -> usize {
        let fits = (0..CHUNKS.len()).rev().find(|&size| self.expected(size) <= seconds);
        CHUNKS[fits.unwrap_or(0)]
    }
}

impl Scheduler<'_> {
    /// Takes prompts further: to the end of a pass, or as many layers as are thought to fit in `seconds`, but one in any case. The head behind the last one
    /// counts as a layer.
    pub(super) fn read(&mut self, seconds: Option<f64>) -> Result<(), ServeError> {
        let started = Instant::now();
        let begun = match self.reading.take() {
            None => {
                let most = CHUNKS[CHUNKS.len() - 1];
                self.begin(seconds.map_or(most, |seconds| self.pace.pages_within(seconds)))?
            }
            begun => begun,
        };
        let Some(mut reading) = begun else { return Ok(()) };
        let size = CHUNKS.iter().position(|&chunks| chunks == reading.room).expect("a size of the ladder");
        loop {
            if reading.pass.is_through() {
                return self.end(&reading);
            }
            let before = started.elapsed().as_secs_f64();
            self.runner.advance(&mut reading.pass)?;
            let after = started.elapsed().as_secs_f64();
            self.pace.note(size, after - before);
            if seconds.is_some_and(|seconds| after + self.pace.expected(size) > seconds) {
                self.reading = Some(reading);
                return Ok(());
            }
        }
    }

    /// Embeds at most `most` pages of prompts on each rank.
    fn begin(&mut self, most: usize) -> Result<Option<Reading>, ServeError> {
        let pieces = self.pieces(most);
        if pieces.is_empty() {
            return Ok(None);
        }
        let room = fit(&CHUNKS, self.most_of_a_rank(&pieces));
        self.count(&pieces, room * PAGE * self.pages.len());
        let Self { running, runner, .. } = self;
        let units: Vec<Unit<'_>> = pieces.iter().map(|piece| unit(running, piece)).collect();
        Ok(Some(Reading { pass: runner.begin(&units, room)?, pieces, room }))
    }

    /// What the next pass reads, by rank: as many pages of each prompt, more of longer ones where shorter ones leave room, and of the oldest prompts
    /// where there are more than pages.
    fn pieces(&mut self, most: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for rank in 0..self.pages.len() {
            let of_rank = |at: &usize| self.running[*at].rank == rank && self.running[*at].remaining() > 1;
            let mut prompts: Vec<usize> = (0..self.running.len()).filter(of_rank).take(most).collect();
            prompts.sort_by_key(|&at| self.running[at].remaining());
            // Younger ones may have to give their pages back meanwhile, and those behind them move up.
            let prompts: Vec<_> =
                prompts.iter().map(|&at| (self.running[at].job.clone(), self.running[at].sample)).collect();
            let mut left = most;
            for (before, (job, sample)) in prompts.iter().enumerate() {
                let Some(at) = self.running.iter().position(|s| s.is((job, *sample))) else { continue };
                let room = left / (prompts.len() - before) * PAGE;
                let sequence = &self.running[at];
                let len = sequence.remaining().min(room).min(sequence.places.room(sequence.computed));
                if self.secure(at, len) {
                    left -= len.div_ceil(PAGE);
                    pieces.push((job.clone(), *sample, len));
                }
            }
        }
        let mut all = Vec::new();
        for (job, sample, len) in pieces {
            let Some(at) = self.running.iter().position(|s| s.is((&job, sample))) else { continue };
            let first = self.running[at].computed;
            let page =
                |from| Piece { sequence: at, first: first + from, len: PAGE.min(len - from), guess: None };
            all.extend((0..len).step_by(PAGE).map(page));
        }
        all
    }

    /// Takes what a pass through all layers gives.
    fn end(&mut self, reading: &Reading) -> Result<(), ServeError> {
        let ends = |piece: &Piece| piece.first + piece.len == self.running[piece.sequence].tokens.len();
        let logits =
            if reading.pieces.iter().any(ends) { self.runner.logits(&reading.pass)? } else { Vec::new() };
        self.score(reading)?;
        self.take(&reading.pieces, &logits);
        Ok(())
    }

    /// Takes the head over the pages of prompts whose log-probabilities are wanted.
    fn score(&mut self, reading: &Reading) -> Result<(), ServeError> {
        let is_wanted = |piece: &Piece| self.running[piece.sequence].is_scoring();
        if !reading.pieces.iter().any(is_wanted) {
            return Ok(());
        }
        let vocab = self.runner.config().vocab_size;
        let hidden = reading.pass.hidden()?;
        let mut pages = vec![0; hidden.len()];
        for piece in &reading.pieces {
            let rank = self.running[piece.sequence].rank;
            let page = pages[rank];
            pages[rank] += 1;
            if self.running[piece.sequence].is_scoring() {
                let logits = self.runner.page_logits(&hidden[rank], page)?;
                let own = &logits[..piece.len * vocab];
                self.running[piece.sequence].score(piece.first, own, (vocab, self.num_tokens));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_bounds_what_it_does_not_know_by_what_it_does() {
        let mut pace = Pace::default();
        assert_eq!(pace.pages_within(1.0), 1, "nothing is known");
        pace.note(1, 0.5);
        // Two pages took half a second: one takes no longer, four take at most twice as long.
        assert_eq!([0, 1, 2].map(|size| pace.expected(size)), [0.5, 0.5, 1.0]);
        assert_eq!((pace.pages_within(1.0), pace.pages_within(0.9), pace.pages_within(0.1)), (4, 2, 1));
        // What was measured counts, and a faster turn is believed slowly.
        pace.note(2, 0.6);
        pace.note(2, 0.1);
        assert_eq!(pace.expected(2), 0.98 * 0.6);
    }
}
