//! `lpt`: the heaviest experts first, and what a rank has no room for spills to the least loaded rank.
//!
//! After LLEP (Salesforce, 2601.17111). Nothing is done while the fullest rank is below [`START`] times the mean. Otherwise experts
//! are taken in order of load. An expert keeps as many rows at home as the home has room for below [`FULL`] times the mean;
//! the rest spills, in chunks, to the rank with the least load, counting what its own experts will still bring. Chunks of fewer rows
//! than a clone is worth stay at home.

use std::cmp::Reverse;

use collegium_core::{ExpertId, RankId};

use super::{Policy, Setting};
use crate::{BalanceError, Counts, Layout, Plan, Share, home_rows::HomeRows};

/// Least-loaded spill of the micro-batch; homes stay.
pub struct Lpt;

/// Imbalance at which it starts (LLEP's lambda).
const START: f64 = 1.3;
/// Load at which a rank counts as full, by the mean (LLEP's alpha).
const FULL: f64 = 1.0;

impl Policy for Lpt {
    fn name(&self) -> &'static str {
        "lpt"
    }

    fn summary(&self) -> &'static str {
        "homes stay; heaviest experts spill to the least loaded ranks (after LLEP)"
    }

    fn plans_micro_batches(&self) -> bool {
        true
    }

    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        _previous: Option<&Plan>,
        setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        let homes = HomeRows::even(layout, &counts.by_expert());
        if crate::max_over_mean(&homes.loads) < START {
            return Plan::new(layout, counts, homes.shares(layout));
        }
        Plan::new(layout, counts, Spill::new(layout, homes, setting).run())
    }
}

/// The spilling under way.
struct Spill<'a> {
    layout: &'a Layout,
    setting: &'a Setting,
    homes: HomeRows,
    /// Load of every rank: assigned so far, and its own experts still to come.
    loads: Vec<u64>,
    clones: Vec<Vec<ExpertId>>,
    spilled: Vec<Share>,
    full: u64,
}

impl<'a> Spill<'a> {
    fn new(layout: &'a Layout, homes: HomeRows, setting: &'a Setting) -> Self {
        let loads = homes.loads.clone();
        let mean = loads.iter().sum::<u64>() as f64 / loads.len() as f64;
        let clones = vec![Vec::new(); loads.len()];
        Self { layout, setting, homes, loads, clones, spilled: Vec::new(), full: (FULL * mean).ceil() as u64 }
    }

    fn run(mut self) -> Vec<Share> {
        let slots = |r: usize| (0..self.homes.rows[r].len()).map(move |slot| (r, slot));
        let mut order: Vec<(usize, usize)> = (0..self.loads.len()).flat_map(slots).collect();
        order.sort_by_key(|&(rank, slot)| Reverse(self.homes.rows[rank][slot]));
        order.into_iter().for_each(|(rank, slot)| self.spill(rank, slot));
        let mut shares = self.homes.shares(self.layout);
        shares.append(&mut self.spilled);
        shares
    }

    /// Sends what is above the full mark of a rank, as far as it is of this slot, to the least loaded ranks.
    fn spill(&mut self, home: usize, slot: usize) {
        let expert = self.layout.slots(RankId::from(home))[slot];
        while self.loads[home] > self.full {
            let own = u64::from(self.homes.rows[home][slot]);
            let over = (self.loads[home] - self.full).min(own);
            let open = (0..self.loads.len()).filter(|&r| self.may_take(r, home, expert));
            let Some(rank) = open.min_by_key(|&r| self.loads[r]) else { break };
            let chunk = over.min(self.full.saturating_sub(self.loads[rank]));
            let near = self.setting.topology.same_node(RankId::from(rank), RankId::from(home));
            if (chunk as f64) < self.setting.cost.break_even_rows(near).max(1.0) {
                break;
            }
            self.homes.rows[home][slot] -= chunk as u32;
            self.loads[home] -= chunk;
            self.loads[rank] += chunk;
            self.clones[rank].push(expert);
            self.spilled.push(Share { expert, rank: RankId::from(rank), rows: chunk as u32 });
        }
    }

    fn may_take(&self, rank: usize, home: usize, expert: ExpertId) -> bool {
        rank != home
            && self.clones[rank].len() < self.setting.limits.max_clones
            && !self.clones[rank].contains(&expert)
            && !self.layout.slots(RankId::from(rank)).contains(&expert)
    }
}
