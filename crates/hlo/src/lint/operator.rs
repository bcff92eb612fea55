//! Which StableHLO operators the Neuron compiler is known to take: those that AWS's own emitters send to it, and those that
//! production users do. Whatever an operation here lowers to must be among them; a new operation is refused until
//! somebody has seen it compile.

use super::rule::{Found, each};
use super::{Severity, Target};
use crate::{Op, Program, Unary};

/// Emitted by AWS's NKIPy (2026).
const SAFE: &str = "add subtract multiply divide power maximum minimum and or xor not compare select negate abs \
    exponential log sqrt sine cosine tanh ceil floor sign atan2 convert constant iota broadcast_in_dim reshape transpose \
    slice concatenate pad reduce dot_general gather scatter dynamic_update_slice all_gather all_reduce reduce_scatter \
    all_to_all";
/// Used in production by transformers-neuronx, ZML, or AXLearn and JAX.
const USED: &str = "rsqrt logistic log_plus_one exponential_minus_one clamp reverse remainder dynamic_slice \
    collective_permute optimization_barrier while replica_id";

pub(super) fn operator(program: &Program, _: Target) -> Found {
    let known = |name: &str| SAFE.split_whitespace().chain(USED.split_whitespace()).any(|k| k == name);
    each(program, Severity::Error, |node| {
        let unknown = lowered(&node.op).split_whitespace().find(|name| !known(name))?;
        let instead = match node.op {
            Op::Unary(Unary::IsFinite) => "compare the absolute value with infinity (`less`)",
            _ => "write it with other operations",
        };
        Some(format!("`{unknown}` is not known to compile; {instead}"))
    })
}

/// StableHLO operators that an operation becomes.
fn lowered(op: &Op) -> &'static str {
    match op {
        Op::Parameter { .. } | Op::Rename | Op::StopGradient => "",
        Op::Constant(_) | Op::Literal(_) => "constant",
        Op::RankId => "replica_id convert",
        Op::Unary(op) => op.name(),
        Op::Binary(op) => op.name(),
        Op::Barrier => "optimization_barrier",
        Op::Broadcast => "broadcast_in_dim",
        Op::Pad { .. } => "constant pad",
        Op::Concat { .. } => "concatenate",
        Op::DynamicUpdate { .. } => "dynamic_update_slice",
        Op::Reduce { .. } => "constant reduce",
        Op::Dot { .. } => "dot_general",
        Op::Take { .. } => "gather",
        Op::ScatterAdd { .. } => "constant scatter",
        Op::GroupedDot { .. } => "while dynamic_slice minimum reshape dot_general dynamic_update_slice",
        Op::GroupedOuter => "while dynamic_slice minimum reshape dot_general add dynamic_update_slice",
        Op::RingShift { .. } => "collective_permute",
        Op::Composite { .. } => "custom_call",
        Op::Iota { .. }
        | Op::Compare(_)
        | Op::Select
        | Op::Convert
        | Op::Bitcast
        | Op::Transpose
        | Op::Reshape
        | Op::Slice { .. }
        | Op::Reverse { .. }
        | Op::DynamicSlice { .. }
        | Op::AllReduce { .. }
        | Op::AllGather { .. }
        | Op::ReduceScatter { .. }
        | Op::AllToAll { .. } => op.name(),
    }
}
