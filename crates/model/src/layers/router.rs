//! Top-k softmax router (Shazeer et al., 1701.06538; as in Mixtral, Qwen3-MoE and OLMoE).
//!
//! `p = softmax(x Wᵀ)` in f32 over all experts; the k experts with the largest `p + bias` are chosen, and weighted by `p`,
//! renormalised over the choice where the family says so. `bias` {expert} only steers the choice (loss-free balancing,
//! Wang et al., 2408.15664). The sums from which the host computes the auxiliary losses are outputs, their gradients are
//! inputs of the backward half: so a loss over all layers, ranks and micro-batches needs no program that spans them.
//!
//! Neuron-safe: no sort; the k largest are found one after another, ties go to the lower expert, as in `torch.topk` on
//! distinct values.

use collegium_core::DType;
use collegium_hlo::{Value, dim};

/// What the router decides and what the losses need.
#[derive(Clone, Copy)]
pub struct Routing<'g> {
    /// Weight of every choice, {token, choice} f32.
    pub gates: Value<'g>,
    /// Expert of every choice, {token, choice} i32.
    pub experts: Value<'g>,
    /// How many choices fell on each expert, {expert} f32 (exact below 2^24).
    pub counts: Value<'g>,
    /// Sum over tokens of the probabilities, {expert} f32.
    pub probability_sum: Value<'g>,
    /// Sum over tokens of the squared log-sum-exp of the logits (z-loss; Zoph et al., 2202.08906), a scalar f32.
    pub z_sum: Value<'g>,
}

/// Routes `x` {token, hidden} by `weight` {expert, hidden} and `bias` {expert} f32 to `top_k` experts. Choices and gates are those of serving
/// ([`Value::route`]), to the bit.
#[track_caller]
pub fn route<'g>(
    x: Value<'g>,
    weight: Value<'g>,
    bias: Value<'g>,
    top_k: usize,
    normalise: bool,
) -> Routing<'g> {
    let (gates, experts) = x.route(weight, bias, top_k, normalise);
    let routing = route_to(x, weight, experts, normalise);
    Routing { gates: gates.with_gradient_of(routing.gates), ..routing }
}

/// [`route`], but to the experts `choices` {token, choice} i32, whatever the router thinks: for benchmarks, and to replay a routing.
#[track_caller]
pub fn route_to<'g>(x: Value<'g>, weight: Value<'g>, choices: Value<'g>, normalise: bool) -> Routing<'g> {
    let logits = x.convert(DType::F32).dot(weight.convert(DType::F32), &["hidden"]);
    let probabilities = logits.softmax("expert");
    let along = dim("expert", probabilities.size("expert"));
    let hits: Vec<Value<'g>> = (0..choices.size("choice"))
        .map(|at| choices.index("choice", at).one_hot(along, DType::F32))
        .collect();
    let gate = |&hit: &Value<'g>| {
        let gate = (probabilities * hit).sum(&["expert"]);
        gate.reshape(&[gate.shape().dims[0], dim("choice", 1)])
    };
    let gates = Value::concat(&hits.iter().map(gate).collect::<Vec<_>>(), "choice");
    let gates = if normalise { gates / gates.sum(&["choice"]) } else { gates };
    let hits = hits.iter().skip(1).fold(hits[0], |sum, &hit| sum + hit);
    let z = logits.log_sum_exp("expert");
    Routing {
        gates,
        experts: choices,
        counts: hits.sum(&["token"]),
        probability_sum: probabilities.sum(&["token"]),
        z_sum: (z * z).sum(&["token"]),
    }
}
