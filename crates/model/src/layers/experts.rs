//! The experts of a rank's slots, and what transports share.

use collegium_core::DType;
use collegium_hlo::{Links, Value, dim};

use super::transport::Routed;

/// Weights of the slots of one rank.
#[derive(Clone, Copy)]
pub struct ExpertWeights<'g> {
    /// {slot, intermediate, hidden}
    pub gate: Value<'g>,
    /// {slot, intermediate, hidden}
    pub up: Value<'g>,
    /// {slot, hidden, intermediate}
    pub down: Value<'g>,
}

/// Gated feed-forward of the rows of `given` that `links` lead to, each in its block's slot, times the row's `scale` {row} where there is one: {row, hidden}.
#[track_caller]
pub fn expert_rows<'g>(
    given: Value<'g>,
    links: Links<'g>,
    scale: Option<Value<'g>>,
    weights: &ExpertWeights<'g>,
    block_slot: Value<'g>,
) -> Value<'g> {
    given.expert_rows(links, scale, [weights.gate, weights.up, weights.down], block_slot)
}

/// Sum over a token's choices of gate times expert, {token, hidden}, for few tokens on a lone rank whose slots are the experts: every choice is a
/// block of its own, in the order of the tokens, so nothing is addressed and only the weights of chosen experts are read.
#[track_caller]
pub fn picked_experts<'g>(routed: &Routed<'g>) -> Value<'g> {
    let dims = routed.choices.shape().dims;
    let row = dim("row", dims[0].size * dims[1].size);
    let numbers = routed.x.graph().iota(DType::I32, &[row], "row");
    let links = Links { index: numbers.reshape(&[row, dim("reader", 1)]), inverse: numbers.reshape(&dims) };
    let slots = routed.choices.merge(&["token", "choice"], "block");
    let gates = routed.gates.merge(&["token", "choice"], "row");
    let parts = expert_rows(routed.x, links, Some(gates), &routed.weights, slots).split("row", &dims);
    parts.convert(DType::F32).sum(&["choice"]).convert(routed.x.dtype())
}
