//! Which expert has its home on which rank.

use collegium_core::{ExpertId, RankId};

use crate::BalanceError;

/// Slots of every rank of an expert-parallel group and the experts in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    slots: Vec<Vec<ExpertId>>,
}

impl Layout {
    /// Expert `e` of `experts` on rank `e / (experts / ranks)`: neighbours together.
    ///
    /// # Errors
    /// Where the experts do not divide over the ranks.
    pub fn contiguous(ranks: usize, experts: usize) -> Result<Self, BalanceError> {
        if ranks == 0 || !experts.is_multiple_of(ranks) {
            let valid = (1..=experts).filter(|r| experts.is_multiple_of(*r)).collect();
            return Err(BalanceError::Uneven { experts, ranks, valid });
        }
        let each = experts / ranks;
        Ok(Self {
            slots: (0..ranks).map(|r| (r * each..(r + 1) * each).map(ExpertId::from).collect()).collect(),
        })
    }

    /// Ranks of the group.
    pub fn num_ranks(&self) -> usize {
        self.slots.len()
    }

    /// Slots of the rank that has most.
    pub fn num_slots(&self) -> usize {
        self.slots.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Experts in the slots of a rank, in slot order.
    pub fn slots(&self, rank: RankId) -> &[ExpertId] {
        &self.slots[rank.index()]
    }
}
