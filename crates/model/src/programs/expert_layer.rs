//! The experts of one layer: dispatch, grouped products, combine.

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{ForwardBackward, Graph, GraphError, dim, split};

use super::{Builder, Shape, named};
use crate::config::MoeConfig;
use crate::layers::{Addressing, EXPERT_AXIS, ExpertWeights, Transport, experts};

/// Forward and backward for plans that fit `bucket`, in blocks of `block` rows.
///
/// Inputs: `mixed`, `normed` {token, hidden}, `gates`, `choices` {token, choice}, the tables `first`, `offset`
/// {expert, rank}, `block_slot`, and with more than one rank `row_source`, `cell_target`; weights `gate`, `up`, `down` with a leading
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
    let ranks = shape.mesh.size(EXPERT_AXIS).unwrap_or(1);
    let (token, hidden, choice) = (shape.token(), shape.hidden(), dim("choice", moe.top_k));
    let mixed = b.input("mixed", shape.dtype, &[token, hidden]);
    let normed = b.input("normed", shape.dtype, &[token, hidden]);
    let gates = b.input("gates", DType::F32, &[token, choice]);
    let choices = b.input("choices", DType::I32, &[token, choice]);
    let table = [dim("expert", moe.num_experts), dim("rank", ranks)];
    let transport = if ranks == 1 {
        Transport::Local
    } else {
        Transport::AllToAll {
            row_source: b.input("row_source", DType::I32, &[dim("row", bucket.blocks * block)]),
            cell_target: b.input("cell_target", DType::I32, &[dim("cell", ranks * bucket.places)]),
        }
    };
    let how = Addressing {
        first: b.input("first", DType::F32, &table),
        offset: b.input("offset", DType::F32, &table),
        places: bucket.places,
        block_slot: b.input("block_slot", DType::I32, &[dim("block", bucket.blocks)]),
        transport,
    };
    let (d, f) = (("hidden", hidden.size), ("intermediate", moe.intermediate));
    let weights = ExpertWeights {
        gate: b.weight("gate", &[("slot", bucket.slots), f, d]),
        up: b.weight("up", &[("slot", bucket.slots), f, d]),
        down: b.weight("down", &[("slot", bucket.slots), d, f]),
    };
    let out = graph.scope("experts", || mixed + experts(normed, gates, choices, &weights, &how));
    let cotangent = b.input("d.hidden_out", shape.dtype, &[token, hidden]);
    let gradients = b.gradients(&[(out, cotangent)], &[("normed", normed), ("gates", gates)]);
    split("experts", &[("hidden_out", out)], &[cotangent], &named(&gradients), shape.residuals)
}
