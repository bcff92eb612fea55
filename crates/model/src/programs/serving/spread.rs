//! A sparse layer whose experts are spread over devices: every device routes its own tokens, the host plans from their counts as it does in
//! training, and rows go to their experts with their gates, and back, through the trainer's dispatch ([`served_experts`]). So a token has the bits that
//! one device would give it.
//!
//! Weights never change here, so experts stay at home. A plan's clones lie in slots of their own behind the homes, and [`lent`] writes them there.

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{Links, Name, Packed, Value, dim};

use crate::config::MoeConfig;
use crate::layers::transport::{AllToAll, Transport};
use crate::layers::{expert_rows, group_axes, served_experts};
use crate::programs::block::{packed_experts, packed_router, router};
use crate::programs::expert_layer::slot_weights;
use crate::programs::{Builder, Shape};

/// What the router of `mixed` {token, hidden} gives, by name.
pub(super) fn routed<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    mixed: Value<'g>,
) -> Vec<(String, Value<'g>)> {
    let [normed, gates, choices] = if b.is_natural() {
        let (normed, routing) = router(b, shape, mixed, moe);
        [normed, routing.gates, routing.experts]
    } else {
        packed_router(b, shape, mixed, moe)
    };
    let number = |n: f64| b.graph.scalar(DType::I32, n);
    let used = b.input("used", DType::I32, &[shape.token()]).greater(number(0.0));
    let choices = used.broadcast(&choices.shape().dims).select(choices, number(-1.0));
    let hits = choices.one_hot(dim("expert", moe.num_experts), DType::F32);
    let counts = hits.sum(&["choice"]).sum(&["token"]);
    let all =
        [("mixed", mixed), ("normed", normed), ("gates", gates), ("choices", choices), ("counts", counts)];
    all.map(|(name, value)| (name.to_string(), value)).to_vec()
}

/// `mixed` and what the experts in the bucket's slots give, {token, hidden}.
pub(super) fn experts<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    (bucket, block): (Bucket, usize),
) -> Value<'g> {
    let (token, hidden, choice) = (shape.token(), shape.hidden(), dim("choice", moe.top_k));
    let [mixed, x] = ["mixed", "normed"].map(|name| b.input(name, shape.dtype, &[token, hidden]));
    let gates = b.input("gates", DType::F32, &[token, choice]);
    let choices = b.input("choices", DType::I32, &[token, choice]);
    let sizes = shape.sizes(moe, bucket, block);
    let tables: Vec<_> = AllToAll.inputs(&sizes).iter().map(|t| b.input(t.name, t.dtype, &t.dims)).collect();
    let how = AllToAll::addressing(&tables, &sizes, shape.sent_as()).with_gaps();
    let natural = b.is_natural().then(|| slot_weights(b, shape, moe, bucket.slots));
    let compute = |cells: Value<'g>, links: Links<'g>, gates: Value<'g>| match &natural {
        Some(weights) => expert_rows(cells, links, Some(gates), weights, how.block_slot),
        None => packed_rows(b, moe, bucket.slots, (cells.gathered_sum(links), gates), how.block_slot),
    };
    mixed + served_experts([x, gates, choices], &how, compute)
}

/// Rows {row, hidden} with their gates {row}, each by the expert of its own slot.
fn packed_rows<'g>(
    b: &Builder<'g>,
    moe: &MoeConfig,
    slots: usize,
    (rows, gates): (Value<'g>, Value<'g>),
    row_slot: Value<'g>,
) -> Value<'g> {
    let places = [dim("token", rows.size("row")), dim("choice", 1)];
    let number = |n: f64| b.graph.scalar(DType::I32, n);
    // A row that nobody sent has the slot behind the last one.
    let slot = row_slot.less(number(slots as f64)).select(row_slot, number(-1.0)).reshape(&places);
    let gates = gates.reshape(&places);
    let rows = rows.rename(&[("row", "token")]);
    packed_experts(b, moe, slots, [rows, gates, slot], None).rename(&[("token", "row")])
}

/// Slots of a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LendRoom {
    /// Of homes and clones.
    pub slots: usize,
    /// The last of them, that experts of other ranks are written to.
    pub clones: usize,
}

/// The weights of experts with those in the last slots that other ranks sent.
pub(super) fn lent<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    LendRoom { slots, clones }: LendRoom,
) -> Vec<(String, Value<'g>)> {
    let (rank, clone) = (dim("rank", shape.expert_ranks()), dim("clone", clones));
    let send = b.input("send", DType::I32, &[rank, clone]);
    let source = b.input("source", DType::I32, &[clone]);
    let number = |n: f64| b.graph.scalar(DType::I32, n);
    let comes = source.at_least(number(0.0));
    let place = b.graph.iota(DType::I32, &[clone], "clone");
    let arrived = source.max(number(0.0)) * number(clones as f64) + place;
    let weights = expert_weights(b, shape, moe, slots).into_iter();
    // Slices, since a gather of whole experts is no copy to the CPU's compiler but a loop over their elements.
    let written = weights.map(|(name, weight)| {
        let own = (0..rank.size * clones).map(|at| {
            let slot = send.index("rank", at / clones).index("clone", at % clones);
            weight.dynamic_slice("slot", slot, 1).rename(&[("slot", "sent")])
        });
        let sent = Value::concat(&own.collect::<Vec<_>>(), "sent").split("sent", &[rank, clone]);
        let sent = sent.all_to_all("rank", group_axes(&shape.mesh)).merge(&["rank", "clone"], "slot");
        let now = (0..clones).fold(weight, |weight, at| {
            let slot = slots - clones + at;
            let before = weight.slice("slot", slot, slot + 1);
            let expert = sent.dynamic_slice("slot", arrived.index("clone", at), 1);
            let comes = comes.index("clone", at).broadcast(&before.shape().dims);
            weight.dynamic_update("slot", comes.select(expert, before), number(slot as f64))
        });
        (format!("{name}_out"), now)
    });
    written.collect()
}

/// The weights of experts in `slots`, and their scales, by name.
fn expert_weights<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    slots: usize,
) -> Vec<(String, Value<'g>)> {
    const NAMES: [Name; 3] = ["gate", "up", "down"];
    if b.is_natural() {
        let weights = slot_weights(b, shape, moe, slots);
        return NAMES.map(String::from).into_iter().zip([weights.gate, weights.up, weights.down]).collect();
    }
    let (hidden, inside) = (shape.config.hidden_size, moe.intermediate);
    let sizes = [(inside, hidden), (inside, hidden), (hidden, inside)];
    let all = NAMES.into_iter().zip(sizes).flat_map(|(name, sizes)| {
        let Packed { values, scales } = b.packed(name, Some(slots), sizes);
        let scales = scales.map(|scales| (format!("{name}.scales"), scales));
        std::iter::once((name.to_string(), values)).chain(scales)
    });
    all.collect()
}
