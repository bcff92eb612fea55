//! The experts of one layer: dispatch, grouped products, combine.

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{ForwardBackward, Graph, GraphError, dim, split};

use super::{Builder, Shape, named};
use crate::config::MoeConfig;
use crate::layers::{ExpertWeights, Routed};

/// Forward and backward for plans that fit `bucket`, in blocks of `block` rows.
///
/// Inputs: `mixed`, `normed` {token, hidden}, `gates`, `choices` {token, choice}, the tables of the transport
/// ([`inputs`](crate::layers::Transport::inputs)); weights `gate`, `up`, `down` with a leading
/// slot dim. Output: `hidden_out` = `mixed` + experts. The cotangent of `mixed` is that of `hidden_out`, so it is no output.
///
/// # Errors
/// A configuration whose sizes do not fit together.
pub fn expert_layer(
    shape: &Shape<'_>,
    moe: &MoeConfig,
    bucket: Bucket,
    block: usize,
) -> Result<ForwardBackward, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let (token, hidden, choice) = (shape.token(), shape.hidden(), dim("choice", moe.top_k));
    let mixed = b.input("mixed", shape.dtype, &[token, hidden]);
    let x = b.input("normed", shape.dtype, &[token, hidden]);
    let gates = b.input("gates", DType::F32, &[token, choice]);
    let choices = b.input("choices", DType::I32, &[token, choice]);
    let (transport, sizes) = (shape.transport(), shape.sizes(moe, bucket, block));
    let tables: Vec<_> = transport.inputs(&sizes).iter().map(|t| b.input(t.name, t.dtype, &t.dims)).collect();
    let weights = slot_weights(&b, shape, moe, bucket.slots);
    let routed = Routed { x, gates, choices, weights, sent_as: shape.sent_as() };
    let out = graph.scope("experts", || mixed + shape.shuffled(transport.experts(&routed, &tables, &sizes)));
    let cotangent = b.input("d.hidden_out", shape.dtype, &[token, hidden]);
    let mut gradients = b.gradients(&[(out, cotangent)], &[("normed", x), ("gates", gates)]);
    // Compilers tend to compute in the order of the outputs: those of `down` first, which let go of the most.
    gradients.reverse();
    split("experts", &[("hidden_out", out)], &[cotangent], &named(&gradients), shape.residuals)
}

/// The weights in a rank's slots.
pub(super) fn slot_weights<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    slots: usize,
) -> ExpertWeights<'g> {
    let (slot, d, f) =
        (("slot", slots), ("hidden", shape.config.hidden_size), ("intermediate", moe.intermediate));
    ExpertWeights {
        gate: b.weight("gate", &[slot, f, d]),
        up: b.weight("up", &[slot, f, d]),
        down: b.weight("down", &[slot, d, f]),
    }
}
