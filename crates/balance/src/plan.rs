//! A plan for one micro-batch of one layer.

use collegium_core::{ExpertId, RankId};

use crate::{Counts, Layout};

/// Which slots hold which experts, and how many rows of each source and expert each rank processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    layout: Layout,
    num_experts: usize,
    /// `[source][expert][rank]`
    rows: Vec<u32>,
}

impl Plan {
    /// Every row goes to its expert's only slot.
    ///
    /// # Panics
    /// If an expert of `counts` has no slot in `layout`: layouts hold every expert.
    pub fn homes(layout: &Layout, counts: &Counts) -> Self {
        let (ranks, experts) = (layout.num_ranks(), counts.num_experts());
        let mut rows = vec![0; ranks * experts * ranks];
        for expert in 0..experts {
            let home = (0..ranks).find(|&r| layout.slots(RankId::from(r)).contains(&ExpertId::from(expert)));
            let home = home.expect("a layout has a home for every expert");
            for source in 0..ranks {
                rows[(source * experts + expert) * ranks + home] = counts.rows(source, expert);
            }
        }
        Self { layout: layout.clone(), num_experts: experts, rows }
    }

    /// The slots.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of experts.
    pub fn num_experts(&self) -> usize {
        self.num_experts
    }

    /// Rows of `expert` that go from `source` to `rank`.
    pub fn rows(&self, source: usize, expert: usize, rank: usize) -> u32 {
        self.rows[(source * self.num_experts + expert) * self.layout.num_ranks() + rank]
    }

    /// Rows that every rank processes.
    pub fn loads(&self) -> Vec<u64> {
        let ranks = self.layout.num_ranks();
        let load = |rank| {
            (0..ranks)
                .flat_map(|s| (0..self.num_experts).map(move |e| (s, e)))
                .map(|(s, e)| u64::from(self.rows(s, e, rank)))
                .sum()
        };
        (0..ranks).map(load).collect()
    }

    /// Load of the fullest rank over the mean: 1 is perfect balance.
    pub fn max_over_mean(&self) -> f64 {
        let loads = self.loads();
        let total: u64 = loads.iter().sum();
        let max = loads.iter().max().copied().unwrap_or(0);
        if total == 0 { 1.0 } else { max as f64 * loads.len() as f64 / total as f64 }
    }

    /// Rows of the fullest pair of source and rank.
    pub fn pair_rows(&self) -> usize {
        let ranks = self.layout.num_ranks();
        let pair =
            |s: usize, d: usize| (0..self.num_experts).map(|e| self.rows(s, e, d) as usize).sum::<usize>();
        (0..ranks).flat_map(|s| (0..ranks).map(move |d| (s, d))).map(|(s, d)| pair(s, d)).max().unwrap_or(0)
    }

    /// Rows of every slot of a rank, over all sources.
    pub fn slot_rows(&self, rank: usize) -> Vec<usize> {
        let slots = self.layout.slots(RankId::from(rank));
        let rows =
            |e: &ExpertId| (0..self.layout.num_ranks()).map(|s| self.rows(s, e.index(), rank) as usize).sum();
        slots.iter().map(rows).collect()
    }

    /// Blocks of `block` rows that the fullest rank needs; a slot's last block may be partly empty.
    pub fn blocks(&self, block: usize) -> usize {
        (0..self.layout.num_ranks())
            .map(|r| self.slot_rows(r).iter().map(|n| n.div_ceil(block)).sum())
            .max()
            .unwrap_or(0)
    }
}
