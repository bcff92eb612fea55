//! What makes a layout or a plan impossible.

use collegium_core::{ExpertId, RankId};

/// Why there is no such layout or plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BalanceError {
    /// Nothing to lay out.
    #[error("a layout of {experts} experts on {ranks} ranks; give at least one of each")]
    Empty {
        /// Experts of a layer.
        experts: usize,
        /// Ranks of a group.
        ranks: usize,
    },
    /// An expert that the layer does not have.
    #[error("rank {rank} holds expert {expert}, but a layer has experts 0 to {}", experts - 1)]
    NoSuchExpert {
        /// The expert.
        expert: ExpertId,
        /// Where it was put.
        rank: RankId,
        /// Experts of a layer.
        experts: usize,
    },
    /// Two slots of a rank with the same expert.
    #[error("expert {expert} has two slots on rank {rank}; a second copy serves on another rank only")]
    Twice {
        /// The expert.
        expert: ExpertId,
        /// The rank.
        rank: RankId,
    },
    /// An expert on no rank: its rows would be dropped.
    #[error("expert {expert} has no home in the layout; give every expert at least one home slot")]
    Homeless {
        /// The expert.
        expert: ExpertId,
    },
    /// Counts that are no table of sources and experts.
    #[error("{numbers} counts are no whole number of sources with {experts} experts each")]
    Shape {
        /// Experts of a layer.
        experts: usize,
        /// Numbers given.
        numbers: usize,
    },
    /// Counts are 32 bits wide.
    #[error(
        "{rows} rows in one micro-batch of a layer; at most 4294967295 can be planned, use smaller micro-batches"
    )]
    TooManyRows {
        /// Rows counted.
        rows: u64,
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
    /// Counts and layout are of different groups or layers.
    #[error("counts are of {counted} (ranks, experts), the layout of {laid_out}")]
    Mismatch {
        /// Ranks and experts of the counts.
        counted: String,
        /// Ranks and experts of the layout.
        laid_out: String,
    },
    /// A plan that would drop rows, invent rows, or use a slot that does not exist. Nothing was sent to a device.
    #[error("the plan is wrong and was not run: {what}; please report this with the counts")]
    Plan {
        /// The first thing that is wrong.
        what: String,
    },
    /// Nodes with different numbers of ranks.
    #[error("{ranks} ranks do not divide over {nodes} nodes; use one of {} nodes", list(valid))]
    Nodes {
        /// Ranks of a group.
        ranks: usize,
        /// Nodes asked for.
        nodes: usize,
        /// Numbers of nodes that divide the ranks.
        valid: Vec<usize>,
    },
    /// More slots than memory has room for.
    #[error(
        "{slots} slots of {:.1} MB need {:.1} MB, {:.1} MB more than there is; {fit} slots fit: allow fewer clones or spare slots",
        *slot_bytes as f64 / 1e6, *slots as f64 * *slot_bytes as f64 / 1e6, *missing as f64 / 1e6
    )]
    Memory {
        /// Slots of a rank.
        slots: usize,
        /// Bytes of each.
        slot_bytes: u64,
        /// Bytes that are missing.
        missing: u64,
        /// Slots that fit.
        fit: usize,
    },
    /// A trace that is too short.
    #[error("{tokens} tokens to plan for {ranks} ranks; use at most {tokens} ranks, or a longer trace")]
    FewTokens {
        /// Tokens there are.
        tokens: usize,
        /// Ranks asked for.
        ranks: usize,
    },
    /// No second trace of the same model to plan on.
    #[error("planning on another domain needs a second trace with {needed}; given: {given}")]
    OtherDomain {
        /// What the trace at hand has.
        needed: String,
        /// What the other has.
        given: String,
    },
    /// Rank loads say nothing about other numbers of ranks.
    #[error(
        "rank loads of {recorded} ranks cannot be replayed on {asked}: they do not say which experts the rows are for"
    )]
    RecordedRanks {
        /// Ranks in the recording.
        recorded: usize,
        /// Ranks asked for.
        asked: usize,
    },
    /// A name that is no machine.
    #[error("no machine `{name}`; the machines are {}", valid.join(", "))]
    Machine {
        /// What was asked for.
        name: String,
        /// What there is.
        valid: Vec<&'static str>,
    },
    /// A name that is no policy.
    #[error("no balancing policy `{name}`; the policies are {}", valid.join(", "))]
    Policy {
        /// What was asked for.
        name: String,
        /// What there is.
        valid: Vec<&'static str>,
    },
}

fn list(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
