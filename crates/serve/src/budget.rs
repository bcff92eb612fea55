//! A fixed cache for sequences that think for long: what such a sequence wrote has a budget, and where it is full the tokens that are worth least go
//! (R-KV; Cai et al., 2505.24133; the score is [`retention`](collegium_model::layers::retention)).
//!
//! ```text
//! place   0             fixed                  budget          full
//!         ┃ prompt, whole ┃ what was kept        ┃ written since ┃     full: the best of what lies behind `fixed` is moved up to the budget
//! ```
//!
//! Prompts stay whole: their pages are shared by prefix and never change. The pages behind them are a sequence's own, so rows move within them and
//! nobody else sees it. Keys are turned by a token's position in its text, which stays; only its place in the cache changes, and [`Places`] alone knows that
//! the two differ.

use std::ops::Range;

use collegium_model::config::ModelConfig;
use collegium_model::programs::PAGE;

use crate::ServeError;

/// Most pages that are written before the cache is brought back to its budget, as in the source; fewer where the budget is small.
const MOST_BUFFER: usize = 8;

/// How much of what a sequence writes stays in its cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Pages that stay.
    pages: usize,
}

impl Budget {
    /// So many tokens, of whole pages.
    ///
    /// # Errors
    /// Fewer than two pages, one of which is that of the newest tokens, or a part of a page.
    pub fn new(tokens: usize) -> Result<Self, ServeError> {
        if tokens < 2 * PAGE || !tokens.is_multiple_of(PAGE) {
            let required = format!("a multiple of {PAGE} from {} on", 2 * PAGE);
            return Err(ServeError::Limit { name: "cache_budget", given: tokens, required });
        }
        Ok(Self { pages: tokens / PAGE })
    }

    /// Whether it goes with a model and so many devices.
    ///
    /// # Errors
    /// A model with sliding windows, or several devices.
    pub fn check(self, config: &ModelConfig, devices: usize) -> Result<(), ServeError> {
        let windows = config.layers.iter().map(|layer| layer.sliding_window).enumerate();
        if let Some((layer, window)) = { windows }.find_map(|(at, window)| Some((at, window?))) {
            return Err(ServeError::Window { layer, window });
        }
        if devices > 1 { Err(ServeError::BudgetDevices(devices)) } else { Ok(()) }
    }

    /// Pages that stay.
    pub fn pages(self) -> usize {
        self.pages
    }

    /// Pages of the region from which tokens are dropped: those that stay, and what is written before the next time.
    pub fn region(self) -> usize {
        self.pages + (self.pages / 2).clamp(1, MOST_BUFFER)
    }

    /// The places of a region that stay, in their order: those of the newest page, and of the others the best by their `scores`, the older of equals.
    pub(crate) fn choose(self, scores: &[f32]) -> Vec<i32> {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        order.truncate((self.pages - 1) * PAGE);
        order.sort_unstable();
        order.into_iter().chain(scores.len()..scores.len() + PAGE).map(|place| place as i32).collect()
    }
}

/// Where the tokens of a sequence are in its cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    budget: Option<Budget>,
    /// Tokens of the prompt.
    prompt: usize,
    /// Tokens that were dropped, all of them behind the prompt and before what is yet to be computed.
    dropped: usize,
}

impl Places {
    /// Nothing was dropped.
    pub fn new(budget: Option<Budget>, prompt: usize) -> Self {
        Self { budget, prompt, dropped: 0 }
    }

    /// The place of a token that is not computed yet, or of the newest page: how many places those before it take.
    pub fn place(&self, token: usize) -> usize {
        token - self.dropped
    }

    /// The pages of the sequence from which tokens are dropped: all behind the last page of its prompt.
    pub fn region(&self) -> Option<Range<usize>> {
        let fixed = self.prompt.div_ceil(PAGE);
        self.budget.map(|budget| fixed..fixed + budget.region())
    }

    /// How many tokens may be computed behind the first `computed` before some must be dropped.
    pub fn room(&self, computed: usize) -> usize {
        self.region().map_or(usize::MAX, |region| region.end * PAGE - self.place(computed))
    }

    /// Pages that `tokens` tokens take, and one for the next.
    pub fn pages_for(&self, tokens: usize) -> usize {
        (tokens / PAGE + 1).min(self.region().map_or(usize::MAX, |region| region.end))
    }

    /// Tokens of the first `tokens` whose pages others may use while it runs, or it those of others: all where nothing is ever dropped.
    pub fn sharable(&self, tokens: usize) -> usize {
        if self.budget.is_some() { tokens.min(self.prompt) } else { tokens }
    }

    /// Whether the cache has all of its text.
    pub fn is_whole(&self) -> bool {
        self.dropped == 0
    }

    /// Tokens were dropped from a full region: the sequence's pages from here on are free.
    pub fn compact(&mut self) -> usize {
        let (region, budget) = self.region().zip(self.budget).expect("only a region gets full");
        let kept = region.start + budget.pages();
        self.dropped += (region.end - kept) * PAGE;
        kept
    }

    /// It is computed again from its first token.
    pub fn restart(&mut self) {
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_of_whole_pages() {
        for tokens in [0, 16, 31, 33] {
            let error = Budget::new(tokens).unwrap_err().to_string();
            assert!(
                error.contains(&format!("is {tokens}; it must be a multiple of 16 from 32 on")),
                "{error}"
            );
        }
        let regions = [32, 128, 256, 1024, 4096].map(|tokens| Budget::new(tokens).unwrap().region() * PAGE);
        assert_eq!(regions, [48, 192, 384, 1152, 4224]);
    }

    #[test]
    fn the_best_stay_in_their_order_and_the_newest_in_any_case() {
        let budget = Budget::new(32).unwrap();
        let mut scores = vec![0.0; 32];
        (0..32).step_by(2).for_each(|at| scores[at] = 1.0 + at as f32);
        let evens = (0..32).step_by(2);
        assert_eq!(budget.choose(&scores), evens.chain(32..48).collect::<Vec<i32>>());
        // Of equals the older, and what is no number is worth something or nothing but never a panic.
        assert_eq!(budget.choose(&[0.0; 32]), (0..16).chain(32..48).collect::<Vec<i32>>());
        assert_eq!(budget.choose(&[f32::NAN; 32]).len(), 32);
    }

    #[test]
    fn places_stay_within_the_region_whatever_is_computed() {
        let mut places = Places::new(Some(Budget::new(32).unwrap()), 21);
        assert_eq!((places.region(), places.sharable(40), places.room(0)), (Some(2..5), 21, 80));
        let mut computed = 0;
        for _ in 0..10 {
            computed += places.room(computed);
            assert_eq!((places.place(computed), places.room(computed)), (80, 0));
            assert_eq!(places.compact(), 4);
            assert_eq!((places.place(computed), places.room(computed)), (64, 16));
        }
        assert!(!places.is_whole() && places.pages_for(1000) == 5 && places.pages_for(10) == 1);
        places.restart();
        assert!(places.is_whole() && places.place(computed) == computed);
        let free = Places::new(None, 21);
        assert_eq!((free.place(70), free.sharable(70), free.pages_for(70)), (70, 70, 5));
    }
}
