//! Sequences whose caches are full to their budgets.

use collegium_model::programs::PAGE;

use super::Scheduler;
use crate::ServeError;
use crate::runner::Unit;

impl Scheduler<'_> {
    /// Brings the caches that are full back to their budgets. What was read of other prompts goes on behind it: only pages that are a sequence's own change.
    pub(super) fn compact(&mut self) -> Result<(), ServeError> {
        for sequence in &mut self.running {
            if sequence.places.room(sequence.computed) > 0 {
                continue;
            }
            let first = sequence.computed - PAGE;
            let newest = Unit {
                rank: sequence.rank,
                tokens: &sequence.tokens[first..sequence.computed],
                position: first,
                place: sequence.places.place(first),
                pages: &sequence.pages,
            };
            let region = sequence.places.region().expect("it is full");
            self.runner.compact(&newest, &sequence.pages[region])?;
            let kept = sequence.places.compact();
            let pages = &mut self.pages[sequence.rank];
            sequence.pages.drain(kept..).for_each(|page| pages.give(page));
            self.stats.compactions += 1;
        }
        Ok(())
    }

    /// Puts the pages of a sequence that ends into the tree, which while it ran had those of its prompt alone if there is a budget; not where tokens were dropped, as its
    /// pages do not hold its text then.
    pub(super) fn keep_whole(&mut self, at: usize) {
        let sequence = &mut self.running[at];
        if self.runner.budget().is_some() && sequence.places.is_whole() {
            self.pages[sequence.rank].keep(&sequence.tokens[..sequence.computed], &mut sequence.pages);
        }
    }
}
