//! What makes a layout or a plan impossible.

/// Why there is no such layout or plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BalanceError {
    /// Homes would be uneven.
    #[error("{experts} experts do not divide over {ranks} ranks; use one of {} expert-parallel ranks", valid.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Uneven {
        /// Experts of a layer.
        experts: usize,
        /// Ranks of a group.
        ranks: usize,
        /// Group sizes that divide the experts.
        valid: Vec<usize>,
    },
    /// Counts that are not whole numbers, or do not add up: the router's values were not finite.
    #[error(
        "rank {rank} counts {counted} routed rows where it has {expected}; the router's scores are not finite"
    )]
    Counts {
        /// Which rank.
        rank: usize,
        /// Sum of its counts.
        counted: String,
        /// Tokens times choices.
        expected: usize,
    },
}
