//! `exact`: every rank processes the same number of rows, give or take one, with at most as many clones as ranks have homes.
//!
//! The construction is Vose's alias table (1991) with ranks as bins. Give every rank a target, the mean. While some rank is
//! below: take one, `s`, and a rank above its target, `l`. `l` gives `s` exactly what `s` lacks, from its own homes, largest first;
//! each expert so given is a clone on `s`. `s` is finished. If `l` is now below its target, it waits to be filled like any other.
//!
//! - It ends, exactly balanced: every turn finishes one rank, and while one is below its target another is above.
//! - `l` can give what `s` lacks: that is at most the target, and `l` holds more than the target.
//! - A rank is filled once, by one rank. A rank gives only before it is filled, so what it gives are homes of its own: at
//!   most `m` experts where it has `m` homes. Hence at most `m` clones.
//!
//! None of this depends on which `l` is taken, so the choice is free: one whose clone is there already and that stays above its target, then one on the node
//! of `s`, then one that needs a single clone, then the fullest. O(ranks x (ranks + m)).

use std::collections::BinaryHeap;

use collegium_core::{ExpertId, RankId};

use super::{Policy, Setting, waterfill};
use crate::{BalanceError, Counts, Layout, Plan, Share, Topology, home_rows::HomeRows};

/// Exact balance of the micro-batch; homes stay.
pub struct Exact;

impl Policy for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn summary(&self) -> &'static str {
        "homes stay; clones give every rank the same number of rows, within one"
    }

    fn plans_micro_batches(&self) -> bool {
        true
    }

    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        previous: Option<&Plan>,
        setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        plan(counts, layout, previous, Rules::exact(setting))
    }
}

/// What the construction keeps to. With no clone limit, no ceiling and clones of one row, the result is exact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub topology: Topology,
    /// Most clones of a rank.
    pub max_clones: usize,
    /// Ranks are relieved only while one is above this load.
    pub ceiling: u64,
    /// Fewest rows that a clone is made for, with a home on its node.
    pub near_rows: u64,
    /// Fewest rows that a clone is made for, without.
    pub far_rows: u64,
}

impl Rules {
    /// No tolerance and no price.
    pub fn exact(setting: &Setting) -> Self {
        let Setting { topology, limits, .. } = *setting;
        Self { topology, max_clones: limits.max_clones, ceiling: 0, near_rows: 1, far_rows: 1 }
    }
}

/// The plan under `rules`, after rows are levelled over the homes that there are.
pub(super) fn plan(
    counts: &Counts,
    layout: &Layout,
    previous: Option<&Plan>,
    rules: Rules,
) -> Result<Plan, BalanceError> {
    let homes = waterfill::filled(layout, &counts.by_expert());
    Plan::new(layout, counts, exchange(homes, layout, previous, rules).shares(layout))
}

/// What became of the home rows, and the clones.
pub(super) struct Exchanged {
    pub homes: HomeRows,
    pub clones: Vec<Share>,
}

impl Exchanged {
    /// All rows as shares.
    pub fn shares(mut self, layout: &Layout) -> Vec<Share> {
        let mut shares = self.homes.shares(layout);
        shares.append(&mut self.clones);
        shares
    }
}

/// Runs the construction on home rows.
pub(super) fn exchange(homes: HomeRows, layout: &Layout, previous: Option<&Plan>, rules: Rules) -> Exchanged {
    Exchange::new(homes, layout, previous, rules).run()
}

/// The construction under way.
struct Exchange<'a> {
    layout: &'a Layout,
    previous: Option<&'a Plan>,
    rules: Rules,
    homes: HomeRows,
    targets: Vec<u64>,
    /// Ranks below their targets: the most deficient first, then the lowest.
    small: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    /// Ranks above their targets.
    large: Vec<usize>,
    /// Rows of the fullest home slot, by rank.
    fullest: Vec<u32>,
    clones: Vec<Share>,
}

impl<'a> Exchange<'a> {
    fn new(homes: HomeRows, layout: &'a Layout, previous: Option<&'a Plan>, rules: Rules) -> Self {
        let targets = targets(&homes.loads);
        let mut small = BinaryHeap::with_capacity(targets.len());
        let mut large = Vec::with_capacity(targets.len());
        for (rank, (&load, &target)) in homes.loads.iter().zip(&targets).enumerate() {
            if load < target {
                small.push((target - load, std::cmp::Reverse(rank)));
            } else if load > target {
                large.push(rank);
            }
        }
        let fullest = homes.rows.iter().map(|rows| rows.iter().max().copied().unwrap_or(0)).collect();
        let clones = Vec::with_capacity(2 * targets.len());
        Self { layout, previous, rules, homes, targets, small, large, fullest, clones }
    }

    fn run(mut self) -> Exchanged {
        while let Some((need, std::cmp::Reverse(rank))) = self.small.pop() {
            if !self.large.iter().any(|&l| self.homes.loads[l] > self.rules.ceiling) {
                break;
            }
            if let Some(at) = self.donor(rank, need) {
                self.fill(rank, need, at);
            }
        }
        Exchanged { homes: self.homes, clones: self.clones }
    }

    /// Position in `large` of the best rank to fill `rank`, if one may.
    fn donor(&self, rank: usize, need: u64) -> Option<usize> {
        let mut best = (0, 0);
        for (at, &l) in self.large.iter().enumerate() {
            let worth = self.worth(l, rank, need);
            // The lowest of equals, in whatever order the large ranks are.
            if worth > best.0 || (worth == best.0 && worth > 0 && l < self.large[best.1]) {
                best = (worth, at);
            }
        }
        (best.0 > 0).then_some(best.1)
    }

    /// How good a donor is, 0 for one that may not give: its excess, under what counts more.
    fn worth(&self, donor: usize, rank: usize, need: u64) -> u64 {
        let load = self.homes.loads[donor];
        let near = self.rules.topology.same_node(RankId::from(donor), RankId::from(rank));
        let fewest = if near { self.rules.near_rows } else { self.rules.far_rows };
        let fullest = u64::from(self.fullest[donor]);
        if need.min(fullest) < fewest || load <= self.rules.ceiling {
            return 0;
        }
        let excess = load - self.targets[donor];
        let exists = excess >= need && self.has_clone_of(rank, donor);
        excess | u64::from(fullest >= need) << 32 | u64::from(near) << 33 | u64::from(exists) << 34
    }

    /// Whether the plan before had a clone on `rank` that `donor` still holds rows for.
    fn has_clone_of(&self, rank: usize, donor: usize) -> bool {
        let Some(previous) = self.previous else { return false };
        let clones = previous.clones(RankId::from(rank));
        !clones.is_empty() && self.layout.slots(RankId::from(donor)).iter().any(|e| clones.contains(e))
    }

    /// Moves `need` rows, or as many as the rules let, from the donor at that place of `large`.
    fn fill(&mut self, rank: usize, need: u64, at: usize) {
        let donor = self.large[at];
        let near = self.rules.topology.same_node(RankId::from(donor), RankId::from(rank));
        let fewest = if near { self.rules.near_rows } else { self.rules.far_rows };
        let (mut lack, mut clones) = (need, 0);
        for slot in self.in_order(rank, donor) {
            let expert = self.layout.slots(RankId::from(donor))[slot];
            let home = self.home_slot(rank, expert);
            let rows = lack.min(u64::from(self.homes.rows[donor][slot]));
            let allowed = home.is_some() || (clones < self.rules.max_clones && rows >= fewest);
            if rows == 0 || !allowed {
                continue;
            }
            lack -= rows;
            self.homes.rows[donor][slot] -= rows as u32;
            match home {
                Some(slot) => self.homes.rows[rank][slot] += rows as u32,
                None => {
                    self.clones.push(Share { expert, rank: RankId::from(rank), rows: rows as u32 });
                    clones += 1;
                }
            }
        }
        self.homes.loads[rank] += need - lack;
        self.homes.loads[donor] -= need - lack;
        self.fullest[donor] = self.homes.rows[donor].iter().max().copied().unwrap_or(0);
        self.sort_in(at);
    }

    /// Slots of the donor in the order in which they give: those that cost no new clone first, then the fullest.
    fn in_order(&self, rank: usize, donor: usize) -> Vec<usize> {
        let slots = self.layout.slots(RankId::from(donor));
        let clones = self.previous.map_or(&[][..], |p| p.clones(RankId::from(rank)));
        let mut order: Vec<usize> = (0..slots.len()).collect();
        order.sort_by_key(|&slot| {
            let free = self.home_slot(rank, slots[slot]).is_some();
            let rows = self.homes.rows[donor][slot];
            (!free, !clones.contains(&slots[slot]), std::cmp::Reverse(rows))
        });
        order
    }

    fn home_slot(&self, rank: usize, expert: ExpertId) -> Option<usize> {
        self.layout.slots(RankId::from(rank)).iter().position(|&e| e == expert)
    }

    /// Takes a donor that is no longer above its target from the large ranks.
    fn sort_in(&mut self, at: usize) {
        let donor = self.large[at];
        let (load, target) = (self.homes.loads[donor], self.targets[donor]);
        if load <= target {
            self.large.swap_remove(at);
        }
        if load < target {
            self.small.push((target - load, std::cmp::Reverse(donor)));
        }
    }
}

/// The mean for every rank; rows that do not divide stay with the fullest, so that the fewest move.
fn targets(loads: &[u64]) -> Vec<u64> {
    let (total, ranks) = (loads.iter().sum::<u64>(), loads.len() as u64);
    let mut order: Vec<usize> = (0..loads.len()).collect();
    order.sort_by_key(|&rank| std::cmp::Reverse(loads[rank]));
    let mut targets = vec![total / ranks; loads.len()];
    order.iter().take((total % ranks) as usize).for_each(|&rank| targets[rank] += 1);
    targets
}
