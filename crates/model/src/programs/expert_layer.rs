//! The experts of one layer: dispatch, grouped products, combine.

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{ForwardBackward, Graph, GraphError, dim, split};

use super::{Builder, Shape, TransportKind, named};
use crate::config::MoeConfig;
use crate::layers::{Addressing, ExpertWeights, Intervals, Transport, experts};

/// Forward and backward for plans that fit `bucket`, in blocks of `block` rows.
///
/// Inputs: `mixed`, `normed` {token, hidden}, `gates`, `choices` {token, choice}, the tables `first`, `offset`
/// {expert, rank}, `block_slot`, and with more than one rank those of the transport (`row_source` and `cell_target`, or `low`, `high`
/// and `start` {source, expert}); weights `gate`, `up`, `down` with a leading
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
    let ranks = shape.expert_ranks();
    let (token, hidden, choice) = (shape.token(), shape.hidden(), dim("choice", moe.top_k));
    let mixed = b.input("mixed", shape.dtype, &[token, hidden]);
    let normed = b.input("normed", shape.dtype, &[token, hidden]);
    let gates = b.input("gates", DType::F32, &[token, choice]);
    let choices = b.input("choices", DType::I32, &[token, choice]);
    let table = [dim("expert", moe.num_experts), dim("rank", ranks)];
    let how = Addressing {
        first: b.input("first", DType::F32, &table),
        offset: b.input("offset", DType::F32, &table),
        places: bucket.places,
        block_slot: b.input("block_slot", DType::I32, &[dim("block", bucket.blocks)]),
        transport: transport(&b, shape, moe, bucket, block),
        sent_as: shape.sent_as(),
    };
    let weights = slot_weights(&b, shape, moe, bucket.slots);
    let out =
        graph.scope("experts", || mixed + shape.shuffled(experts(normed, gates, choices, &weights, &how)));
    let cotangent = b.input("d.hidden_out", shape.dtype, &[token, hidden]);
    let gradients = b.gradients(&[(out, cotangent)], &[("normed", normed), ("gates", gates)]);
    split("experts", &[("hidden_out", out)], &[cotangent], &named(&gradients), shape.residuals)
}

/// The tables of the transport, as inputs.
fn transport<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    bucket: Bucket,
    block: usize,
) -> Transport<'g> {
    let (ranks, rows) = (shape.expert_ranks(), bucket.blocks * block);
    if ranks == 1 {
        return Transport::Local;
    }
    match shape.exchange.transport {
        TransportKind::AllToAll => Transport::AllToAll {
            row_source: b.input("row_source", DType::I32, &[dim("row", rows)]),
            cell_target: b.input("cell_target", DType::I32, &[dim("cell", ranks * bucket.places)]),
        },
        TransportKind::AllGather => {
            let table = [dim("source", ranks), dim("expert", moe.num_experts)];
            let [low, high, start] = ["low", "high", "start"].map(|name| b.input(name, DType::F32, &table));
            Transport::AllGather { own: Intervals { low, high, start }, rows }
        }
    }
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
