//! Forward and backward of a whole micro-batch as one program, for devices on which every execution with a collective has a
//! fixed price (Neuron: 1 to 3 ms). Plans are made ahead, from earlier counts; the program makes its tables itself
//! ([`place`]) and says what room they would have needed. Nothing is committed here: the caller looks at that first, and runs
//! a micro-batch that did not fit again with more room.

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{Graph, GraphError, Name, Program, Value, dim};

use super::block::{attend, dense, rotation, router};
use super::ends::{embedded, loss};
use super::expert_layer::slot_weights;
use super::{Builder, Shape, named};
use crate::config::{FeedForward, LayerConfig, MoeConfig};
use crate::layers::{self, Attention, PlanAhead, Room, Routed, Routing, place};

/// The room that every expert layer of the program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FusedShape {
    /// Slots, rows of a pair, blocks.
    pub bucket: Bucket,
    /// Rows of a block.
    pub block: usize,
}

/// The whole micro-batch.
///
/// Inputs: `tokens`, `targets`, `segments` {batch, seq}, `cos`, `sin`, `loss_scale`, `aux_weight`, `z_weight` (scalars),
/// `member` {rank} f32; weights `embed`, `norm`, `lm_head`, and behind `layers.<n>.` those of a block and of its experts'
/// slots, `router_bias`, `below` {expert, rank} and `slots` {slot, expert} (see [`PlanAhead`]).
/// Outputs: `loss` (scaled cross-entropy), `aux`, `z` (this rank's parts, not weighted), `d.<weight>` of every weight, and behind
/// `layers.<n>.` of every sparse layer `counts` {expert}, `choices` {token, choice} and `need` {need} (see [`layers::Placed`]).
///
/// # Errors
/// A configuration whose sizes do not fit together.
pub fn fused(shape: &Shape<'_>, how: FusedShape) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let inputs = Inputs::new(&b, shape);
    let mut hidden = embedded(&b, shape);
    let mut outputs: Vec<(String, Value<'_>)> = Vec::new();
    let mut routings = Vec::new();
    for (index, layer) in shape.config.layers.iter().enumerate() {
        let prefix = format!("layers.{index}.");
        let made =
            graph.scope(&prefix, || b.within(&prefix, || one_layer(&b, shape, layer, &inputs, hidden, how)));
        hidden = made.hidden;
        if let Some((routing, need)) = made.routing {
            outputs.push((format!("{prefix}counts"), routing.counts));
            outputs.push((format!("{prefix}choices"), routing.experts));
            outputs.push((format!("{prefix}need"), need));
            routings.push(routing);
        }
    }
    let loss = loss(&b, shape, hidden, inputs.loss_scale);
    let (aux, z) = router_losses(&routings, &graph);
    let total = loss + aux * inputs.aux_weight + z * inputs.z_weight;
    outputs.extend([("loss".to_string(), loss), ("aux".to_string(), aux), ("z".to_string(), z)]);
    outputs.extend(b.gradients(&[(total, graph.scalar(DType::F32, 1.0))], &[]));
    graph.finish("fused", &named(&outputs))
}

/// What all layers read.
struct Inputs<'g> {
    segments: Value<'g>,
    rotation: layers::Rotation<'g>,
    member: Value<'g>,
    loss_scale: Value<'g>,
    aux_weight: Value<'g>,
    z_weight: Value<'g>,
}

impl<'g> Inputs<'g> {
    fn new(b: &Builder<'g>, shape: &Shape<'_>) -> Self {
        let ranks = shape.expert_ranks();
        let scalar = |name: &str| b.input(name, DType::F32, &[]);
        Self {
            segments: b.input("segments", DType::I32, &[dim("batch", shape.batch), dim("seq", shape.seq)]),
            rotation: rotation(b, shape),
            member: b.input("member", DType::F32, &[dim("rank", ranks)]),
            loss_scale: scalar("loss_scale"),
            aux_weight: scalar("aux_weight"),
            z_weight: scalar("z_weight"),
        }
    }
}

/// The output of a layer, and of a sparse one the routing and the room it needs.
struct LayerOut<'g> {
    hidden: Value<'g>,
    routing: Option<(Routing<'g>, Value<'g>)>,
}

fn one_layer<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    layer: &LayerConfig,
    inputs: &Inputs<'g>,
    hidden: Value<'g>,
    how: FusedShape,
) -> LayerOut<'g> {
    let attention = Attention { segments: inputs.segments, window: layer.sliding_window, cache: None };
    let (mixed, _) = attend(b, shape, hidden, inputs.rotation, &attention);
    match &layer.feed_forward {
        FeedForward::Dense { intermediate } => {
            LayerOut { hidden: dense(b, shape, mixed, *intermediate), routing: None }
        }
        FeedForward::Moe(moe) => {
            let (normed, routing) = router(b, shape, mixed, moe);
            let (added, need) = experts(b, shape, moe, normed, &routing, inputs.member, how);
            LayerOut { hidden: mixed + added, routing: Some((routing, need)) }
        }
    }
}

fn experts<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    normed: Value<'g>,
    routing: &Routing<'g>,
    member: Value<'g>,
    how: FusedShape,
) -> (Value<'g>, Value<'g>) {
    let (expert, slot) = (dim("expert", moe.num_experts), dim("slot", how.bucket.slots));
    let plan = PlanAhead {
        below: b.input("below", DType::F32, &[expert, member.shape().dims[0]]),
        slots: b.input("slots", DType::F32, &[slot, expert]),
        member,
    };
    let room = Room { places: how.bucket.places, blocks: how.bucket.blocks, block: how.block };
    let placed = place(routing.counts, &plan, room, shape.sent_as());
    let weights = slot_weights(b, shape, moe, how.bucket.slots);
    let sent_as = shape.sent_as();
    let routed = Routed { x: normed, gates: routing.gates, choices: routing.experts, weights, sent_as };
    let out = layers::experts(&routed, &placed.addressing);
    (shape.shuffled(out), placed.need)
}

/// This rank's parts of the load-balancing loss (over all layers, as in `transformers`; Fedus et al., 2101.03961, eq. 4 to 6) and of
/// the z-loss. The shares of the choices are those of all ranks and have no gradient.
fn router_losses<'g>(routings: &[Routing<'g>], g: &'g Graph) -> (Value<'g>, Value<'g>) {
    let zero = g.scalar(DType::F32, 0.0);
    let Some(first) = routings.first() else { return (zero, zero) };
    let axes: Vec<Name> = g.mesh().axes().iter().map(|a| a.0).collect();
    let experts = routings.iter().map(|r| r.counts.size("expert")).max().unwrap_or(0);
    let total = |of: &dyn Fn(&Routing<'g>) -> Value<'g>| {
        let padded = |r: &Routing<'g>| {
            let x = of(r);
            x.pad("expert", 0, experts - x.size("expert"))
        };
        routings.iter().skip(1).map(padded).fold(padded(first), |sum, x| sum + x)
    };
    let tokens = first.gates.size("token") * g.mesh().num_devices();
    let rows = (tokens * routings.len()) as f64;
    let shares = (total(&|r| r.counts).all_reduce(&axes) / rows).stop_gradient();
    let mean = total(&|r| r.probability_sum) / rows;
    let z = routings.iter().skip(1).fold(first.z_sum, |sum, r| sum + r.z_sum) / rows;
    ((shares * mean).sum(&["expert"]) * experts as f64, z)
}
