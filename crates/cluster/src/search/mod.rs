//! The search for a layout: every legal combination of degrees, with bounds that cut only what cannot be among the best.
//!
//! Order of the cuts: memory (closed form once layers are priced), then a lower bound: the seconds of products and attention of the fullest
//! stage, which no expert layout, sharding or schedule changes. A first coarse pass gives the incumbent that bounds are held against; it is
//! fixed before the full pass, so the counts and the answer are the same on any number of threads. What the bound cuts is slower
//! than the last of the list kept. The closed form that prices layouts is itself a bound of the simulation, which goes down the list until no layout
//! after it can be faster; at the list's end, the distance from its last says by how much another layout could still be.

mod space;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::ClusterError;
use crate::layout::{Layout, Sharding, Software};
use crate::step::{Estimate, Pricer};
use crate::stragglers::Balanced;

use space::Branch;
pub use space::divisors;

/// Layouts kept by the bound, of which as many are simulated as could still be the fastest.
const KEPT: usize = 256;
/// Layouts that are simulated at once.
const ROUND: usize = 16;
/// Layouts that an answer lists.
const LISTED: usize = 8;

/// What the search may choose.
#[derive(Clone, Debug)]
pub struct Space {
    /// Ranks of the cluster.
    pub ranks: usize,
    /// Sequences of a step.
    pub batch: usize,
    /// Only what the trainer runs today: data and expert parallelism.
    pub trainable_only: bool,
    /// Only degrees that are powers of two (Neuron).
    pub powers_only: bool,
    /// What clones bring by expert degree, where routing was replayed; else the software's own imbalance.
    pub balance: BTreeMap<usize, Vec<Balanced>>,
}

/// A layout with its prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// The layout.
    pub layout: Layout,
    /// The prediction.
    pub estimate: Estimate,
}

/// What a search found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// The fastest that fit, best first.
    pub best: Vec<Candidate>,
    /// The one that needs the least memory, fitting or not.
    pub smallest: Option<Candidate>,
    /// Combinations of degrees that divide as they must.
    pub legal: u64,
    /// Of those, priced.
    pub priced: u64,
    /// Of those, too large for memory.
    pub too_large: u64,
    /// Of those, cut by the bound.
    pub bounded: u64,
    /// Share of the best step that a layout which was not simulated could save at most; 0 certifies the best.
    pub gap: f64,
}

impl Found {
    fn merge(mut self, other: Self) -> Self {
        self.best.extend(other.best);
        self.best.sort_by(|a, b| {
            a.estimate.step.total_cmp(&b.estimate.step).then_with(|| a.layout.cmp(&b.layout))
        });
        self.best.truncate(KEPT);
        self.smallest = [self.smallest, other.smallest].into_iter().flatten().min_by(|a, b| {
            let memory = |c: &Candidate| c.estimate.memory.total();
            memory(a).total_cmp(&memory(b)).then_with(|| a.layout.cmp(&b.layout))
        });
        self.legal += other.legal;
        self.priced += other.priced;
        self.too_large += other.too_large;
        self.bounded += other.bounded;
        self
    }

    /// Takes a candidate into account where a rank has `limit` bytes, and `room` on its host.
    fn offer(&mut self, candidate: Candidate, limit: f64, room: f64) {
        let memory = candidate.estimate.memory.total();
        if candidate.estimate.memory.host > room {
            self.too_large += 1;
            return;
        }
        if self.smallest.as_ref().is_none_or(|s| memory < s.estimate.memory.total()) {
            self.smallest = Some(candidate);
        }
        if memory > limit {
            self.too_large += 1;
            return;
        }
        let at = self
            .best
            .partition_point(|b| (b.estimate.step, b.layout) < (candidate.estimate.step, candidate.layout));
        if at < KEPT {
            self.best.insert(at, candidate);
            self.best.truncate(KEPT);
        }
    }
}

impl Space {
    /// The software as it runs one layout.
    pub fn software_of(&self, layout: &Layout, software: &Software) -> Software {
        let mut own = *software;
        let replayed = self.balance.get(&layout.expert);
        if let Some(b) = replayed.and_then(|b| b.iter().find(|b| b.clones == layout.clones)) {
            (own.imbalance, own.cloned, own.clone_slots) = (b.imbalance, b.cloned, b.slots);
        }
        own.reduce_every_micro_batch = matches!(layout.sharding, Sharding::Gradients | Sharding::Weights);
        own
    }

    /// Simulates what the bound has left, best first, until none that is left can be faster, and says how far the best may be from the best of all.
    fn finish(
        &self,
        pricer: &Pricer<'_>,
        software: &Software,
        mut found: Found,
    ) -> Result<Found, ClusterError> {
        let bounds = std::mem::take(&mut found.best);
        let mut played: Vec<Candidate> = Vec::new();
        let mut fastest = f64::INFINITY;
        for round in bounds.chunks(ROUND) {
            if round[0].estimate.step >= fastest {
                break;
            }
            let play = |c: &Candidate| {
                let own = self.software_of(&c.layout, software);
                Ok(Candidate { estimate: pricer.simulate(&c.layout, &own)?, ..*c })
            };
            played.extend(round.par_iter().map(play).collect::<Result<Vec<_>, ClusterError>>()?);
            fastest = played.iter().map(|c| c.estimate.step).fold(fastest, f64::min);
        }
        // Where the list is full, what is not on it is no faster than its last.
        let others = match bounds.get(played.len()) {
            Some(next) => Some(next),
            None => bounds.get(KEPT - 1),
        };
        let gap = others.map_or(0.0, |c| (1.0 - c.estimate.step / fastest).max(0.0));
        let mut found = found.merge(Found { best: played, ..Found::default() });
        found.gap = gap;
        found.best.truncate(LISTED);
        Ok(found)
    }

    fn explore(
        &self,
        pricer: &Pricer<'_>,
        software: &Software,
        branch: Branch,
        incumbent: f64,
        coarse: bool,
    ) -> Result<Found, ClusterError> {
        let mut found = Found::default();
        let layouts = self.layouts(branch, pricer, coarse);
        found.legal = layouts.len() as u64;
        let Some(first) = layouts.first() else { return Ok(found) };
        if pricer.least_step(first, software)? > incumbent {
            found.bounded = found.legal;
            return Ok(found);
        }
        let limit = pricer.rank().room();
        let room = pricer.room_on_host().unwrap_or(0.0);
        for layout in layouts {
            let estimate = pricer.price(&layout, &self.software_of(&layout, software))?;
            found.priced += 1;
            found.offer(Candidate { layout, estimate }, limit, room);
        }
        Ok(found)
    }

    /// The best layouts.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn search(&self, pricer: &Pricer<'_>, software: &Software) -> Result<Found, ClusterError> {
        let branches = self.branches(pricer);
        let pass = |incumbent: f64, coarse: bool, some: &[Branch]| {
            some.par_iter()
                .map(|b| self.explore(pricer, software, *b, incumbent, coarse))
                .try_reduce(Found::default, |a, b| Ok(a.merge(b)))
        };
        let first: Vec<Branch> = branches.iter().copied().filter(|b| b.micro_batch <= 2).collect();
        let coarse = pass(f64::INFINITY, true, &first)?;
        let incumbent = coarse.best.get(KEPT - 1).map_or(f64::INFINITY, |c| c.estimate.step);
        let mut found = pass(incumbent, false, &branches)?;
        // Coarse layouts are among the full ones, unless the bound cut their branch after they made the list.
        if found.smallest.is_none() {
            found.smallest = coarse.smallest;
        }
        self.finish(pricer, software, found)
    }

    /// Prices every layout of the space twice on one thread, without bounds: how many there are, and the seconds of the second pass,
    /// when every layer's price is known.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn speed(&self, pricer: &Pricer<'_>, software: &Software) -> Result<(usize, f64), ClusterError> {
        let all: Vec<Layout> =
            self.branches(pricer).into_iter().flat_map(|b| self.layouts(b, pricer, false)).collect();
        let pass =
            || all.iter().try_for_each(|l| pricer.price(l, software).map(std::hint::black_box).map(|_| ()));
        pass()?;
        let started = std::time::Instant::now();
        pass()?;
        Ok((all.len(), started.elapsed().as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sizes;
    use crate::schedule::Schedule;
    use crate::step::case::Case;

    #[test]
    fn clones_cost_their_weights_and_are_chosen_where_they_bring_more() {
        let sizes = Sizes {
            hidden: 1024,
            heads: 8,
            kv_heads: 8,
            head_dim: 128,
            expert_intermediate: 4096,
            ..Sizes::SMALL
        };
        let case = Case::new(sizes);
        let (pricer, software) = (case.pricer(4096), case.software());
        let best = |home: f64| {
            let none = Balanced { imbalance: home, ..Balanced::default() };
            let one = Balanced { clones: 1, imbalance: 1.0, cloned: 1.0, slots: 1.0 };
            let balance = BTreeMap::from([(8, vec![none, one])]);
            let space = Space { ranks: 8, batch: 64, trainable_only: true, powers_only: false, balance };
            let all: Vec<Layout> =
                space.branches(&pricer).into_iter().flat_map(|b| space.layouts(b, &pricer, false)).collect();
            let price = |l: &Layout| pricer.price(l, &space.software_of(l, &software)).unwrap();
            let of =
                |clones: usize| all.iter().copied().find(|l| l.expert == 8 && l.clones == clones).unwrap();
            let (without, with) = (price(&of(0)), price(&of(1)));
            assert!(with.parts.expert > without.parts.expert && with.memory.weights > without.memory.weights);
            let fastest =
                all.iter().filter(|l| l.expert == 8).min_by(|a, b| price(a).step.total_cmp(&price(b).step));
            fastest.unwrap().clones
        };
        assert_eq!((best(1.0), best(2.0)), (0, 1));
    }

    #[test]
    fn experts_are_cut_more_often_and_less_often_than_attention() {
        let case = Case::new(Sizes::SMALL);
        let pricer = case.pricer(256);
        let of = |trainable_only| {
            let balance = BTreeMap::new();
            let space = Space { ranks: 8, batch: 64, trainable_only, powers_only: false, balance };
            let branches = space.branches(&pricer).into_iter();
            branches.flat_map(|b| space.layouts(b, &pricer, false)).collect::<Vec<Layout>>()
        };
        let all = of(false);
        for (tensor, expert_tensor) in [(1, 1), (1, 4), (4, 1), (4, 4), (2, 4)] {
            let mut found =
                all.iter().filter(|l| (l.tensor, l.expert_tensor) == (tensor, expert_tensor) && l.expert > 1);
            assert!(found.next().is_some(), "{tensor} {expert_tensor}");
        }
        assert!(all.iter().all(|l| l.is_consistent() && l.expert_tensor <= 8));
        assert!(of(true).iter().all(|l| !l.has_separate_meshes()));
    }

    #[test]
    fn a_price_is_never_above_what_is_played_where_layers_do_not_divide() {
        // 11 layers on 2, 4 and 8 stages.
        let sizes = Sizes { layers: 11, ..Sizes::SMALL };
        let case = Case::new(sizes);
        let (pricer, software) = (case.pricer(256), case.software());
        let balance = BTreeMap::new();
        let space = Space { ranks: 8, batch: 64, trainable_only: false, powers_only: false, balance };
        for branch in space.branches(&pricer).into_iter().filter(|b| b.pipeline > 1) {
            for layout in space.layouts(branch, &pricer, false) {
                let own = space.software_of(&layout, &software);
                let least = pricer.price(&layout, &own).unwrap().step;
                let step = pricer.simulate(&layout, &own).unwrap().step;
                assert!(least <= step * (1.0 + 1e-9), "{layout:?}: {least} {step}");
            }
        }
    }

    #[test]
    fn the_bounded_search_finds_what_pricing_everything_finds() {
        let case = Case::new(Sizes::SMALL);
        let (pricer, software) = (case.pricer(256), case.software());
        let space = Space {
            ranks: 8,
            batch: 32,
            trainable_only: false,
            powers_only: false,
            balance: BTreeMap::new(),
        };
        let found = space.search(&pricer, &software).unwrap();
        let all = space
            .branches(&pricer)
            .into_iter()
            .map(|b| space.explore(&pricer, &software, b, f64::INFINITY, false).unwrap())
            .fold(Found::default(), Found::merge);
        let all = space.finish(&pricer, &software, all).unwrap();
        assert_eq!((&found.best, found.gap), (&all.best, all.gap));
        assert_eq!(found.best.len(), LISTED);
        let mut fastest = f64::INFINITY;
        for branch in space.branches(&pricer) {
            for layout in space.layouts(branch, &pricer, false) {
                // Ends on top are for the published runs of 1F1B that put them there.
                let plain = layout.schedule == Schedule::OneForwardOneBackward;
                for ends_on_top in [false, true].into_iter().take(1 + usize::from(plain)) {
                    let own = Software { ends_on_top, ..space.software_of(&layout, &software) };
                    let (bound, played) =
                        (pricer.price(&layout, &own).unwrap(), pricer.simulate(&layout, &own).unwrap());
                    let (least, step) = (bound.step, played.step);
                    assert!(least <= step * (1.0 + 1e-9) && step < 1.5 * least, "{layout:?}: {least} {step}");
                    assert!((played.parts.total() - step).abs() < 1e-9 * step);
                    if !ends_on_top && played.memory.host <= pricer.room_on_host().unwrap_or(0.0) {
                        fastest = fastest.min(step);
                    }
                }
            }
        }
        // All of them fit on the device.
        assert_eq!((found.gap, found.best[0].estimate.step), (0.0, fastest), "certified");
        assert_eq!(found.legal, all.legal);
        assert_eq!(found.priced + found.bounded, found.legal);
        assert!(found.best.iter().all(|c| c.layout.ranks() == 8 && c.layout.batch() == 32));
        let again = space.search(&pricer, &software).unwrap();
        assert_eq!((again.best, again.priced), (found.best, found.priced), "any number of threads");
    }
}
