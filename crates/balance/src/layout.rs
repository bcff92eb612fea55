//! Which experts have their homes on which rank.

use collegium_core::{ExpertId, RankId};

use crate::BalanceError;

/// Home slots of every rank of an expert-parallel group and the experts in them.
///
/// Any assignment in which every expert has a home: ranks may hold different numbers of experts, and an expert may have a
/// home on several ranks (copies), but not twice on one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// By rank, in slot order.
    slots: Vec<Vec<ExpertId>>,
    /// By expert, ascending.
    homes: Vec<Vec<RankId>>,
}

impl Layout {
    /// The layout with these experts in the home slots of each rank.
    ///
    /// # Errors
    /// No rank, an expert out of range, an expert twice on one rank, or an expert without a home.
    pub fn new(num_experts: usize, slots: Vec<Vec<ExpertId>>) -> Result<Self, BalanceError> {
        if slots.is_empty() || num_experts == 0 {
            return Err(BalanceError::Empty { experts: num_experts, ranks: slots.len() });
        }
        let mut homes: Vec<Vec<RankId>> = vec![Vec::new(); num_experts];
        for (rank, experts) in slots.iter().enumerate() {
            for &expert in experts {
                let rank = RankId::from(rank);
                let Some(home) = homes.get_mut(expert.index()) else {
                    return Err(BalanceError::NoSuchExpert { expert, rank, experts: num_experts });
                };
                if home.last() == Some(&rank) {
                    return Err(BalanceError::Twice { expert, rank });
                }
                home.push(rank);
            }
        }
        match homes.iter().position(Vec::is_empty) {
            Some(expert) => Err(BalanceError::Homeless { expert: ExpertId::from(expert) }),
            None => Ok(Self { slots, homes }),
        }
    }

    /// Neighbours together: rank 0 has the first experts. Where the experts do not divide, the first ranks have one more.
    ///
    /// # Errors
    /// No ranks or no experts.
    pub fn contiguous(ranks: usize, experts: usize) -> Result<Self, BalanceError> {
        let first = |r: usize| r * (experts / ranks) + r.min(experts % ranks);
        Self::new(
            experts,
            (0..ranks).map(|r| (first(r)..first(r + 1)).map(ExpertId::from).collect()).collect(),
        )
    }

    /// Ranks of the group.
    pub fn num_ranks(&self) -> usize {
        self.slots.len()
    }

    /// Number of experts.
    pub fn num_experts(&self) -> usize {
        self.homes.len()
    }

    /// Home slots of the rank that has most.
    pub fn num_slots(&self) -> usize {
        self.slots.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Experts in the home slots of a rank, in slot order.
    pub fn slots(&self, rank: RankId) -> &[ExpertId] {
        &self.slots[rank.index()]
    }

    /// Ranks that an expert has a home on, ascending; never empty.
    pub fn homes(&self, expert: ExpertId) -> &[RankId] {
        &self.homes[expert.index()]
    }
}
