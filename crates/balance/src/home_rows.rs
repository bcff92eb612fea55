//! How many rows each home slot holds before any clone is made.

use collegium_core::{ExpertId, RankId};

use crate::{Layout, Share};

/// Rows by rank and home slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HomeRows {
    pub rows: Vec<Vec<u32>>,
    /// By rank.
    pub loads: Vec<u64>,
}

impl HomeRows {
    /// Homes of one expert share evenly.
    pub fn even(layout: &Layout, load: &[u64]) -> Self {
        let ranks = (0..layout.num_ranks()).map(RankId::from);
        let rows: Vec<Vec<u32>> =
            ranks.map(|r| layout.slots(r).iter().map(|&e| even(layout, load, e, r)).collect()).collect();
        let loads = rows.iter().map(|rows| rows.iter().map(|&n| u64::from(n)).sum()).collect();
        Self { rows, loads }
    }

    /// The rows as shares of a plan.
    pub fn shares(&self, layout: &Layout) -> Vec<Share> {
        let mut shares = Vec::with_capacity(layout.num_experts() + layout.num_ranks());
        for (rank, rows) in self.rows.iter().enumerate() {
            let rank = RankId::from(rank);
            let slots = layout.slots(rank).iter().zip(rows);
            shares.extend(slots.map(|(&expert, &rows)| Share { expert, rank, rows }));
        }
        shares
    }
}

/// The even part of one home. Whose turn it is to take one row more depends on the expert, so that it is not always the
/// first rank's.
fn even(layout: &Layout, load: &[u64], expert: ExpertId, rank: RankId) -> u32 {
    let homes = layout.homes(expert);
    let rows = load[expert.index()];
    if homes.len() == 1 {
        return rows as u32;
    }
    let at = homes.binary_search(&rank).expect("the layout says that the rank is a home");
    let (each, more) = (rows / homes.len() as u64, rows % homes.len() as u64);
    (each + u64::from((((at + expert.index()) % homes.len()) as u64) < more)) as u32
}
