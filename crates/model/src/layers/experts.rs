//! The experts of a rank's slots, and what transports share.

use collegium_core::DType;
use collegium_hlo::{Inverse, Value, dim};

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

/// Gated feed-forward of every row in its block's slot, times the row's `scale` {row} where there is one: {row, hidden} to {row, hidden}. The scale is applied before the last
/// product, so that its gradient needs no results of experts, which then need not be kept.
pub fn expert_rows<'g>(
    rows: Value<'g>,
    scale: Option<Value<'g>>,
    weights: &ExpertWeights<'g>,
    block_slot: Value<'g>,
) -> Value<'g> {
    let product = |x: Value<'g>, weights, over| x.grouped_dot_as(weights, block_slot, over, rows.dtype());
    let (gate, up) = (product(rows, weights.gate, "hidden"), product(rows, weights.up, "hidden"));
    let inner = gate.swiglu(up, scale, rows.dtype());
    product(inner, weights.down, "intermediate")
}

/// Sum over a token's choices of gate times expert, {token, hidden}, for few tokens on a lone rank whose slots are the experts: every choice is a
/// block of its own, in the order of the tokens, so nothing is addressed and only the weights of chosen experts are read.
#[track_caller]
pub fn picked_experts<'g>(routed: &Routed<'g>) -> Value<'g> {
    let dims = routed.choices.shape().dims;
    let rows = routed.x.broadcast(&[dims[0], dims[1], routed.x.shape().dims[1]]);
    let slots = routed.choices.merge(&["token", "choice"], "block");
    let [rows, gates] = [rows, routed.gates].map(|v| v.merge(&["token", "choice"], "row"));
    let parts = expert_rows(rows, Some(gates), &routed.weights, slots).split("row", &dims);
    parts.convert(DType::F32).sum(&["choice"]).convert(routed.x.dtype())
}

/// An inverse with one reader.
pub(super) fn single<'g>(reader: Value<'g>, mask: Value<'g>) -> Inverse<'g> {
    let dims = [reader.shape().dims[0], dim("reader", 1)];
    Inverse { readers: reader.reshape(&dims), mask: mask.reshape(&dims), fan: "reader" }
}
