//! One transformer layer up to its experts: attention, then the router of a sparse layer or the whole feed-forward of a dense one.

use collegium_core::DType;
use collegium_hlo::{ForwardBackward, Graph, GraphError, Name, Program, Value, dim, split};

use super::packing::Matrix;
use super::projections::{HeadNorms, attention_input, heads, packed_qkv};
use super::{Builder, Shape, named};
use crate::config::{FeedForward, LayerConfig, MoeConfig};
use crate::layers::{Attention, Cache, Rotation, Routing, attention, route, route_to};

/// Forward and backward of `layer`.
///
/// Inputs: `hidden` {token, hidden}, `segments` {batch, seq}, `cos` and `sin` {batch, seq, half} (see
/// [`Rotation`]), for a sparse layer `router_bias` {expert} (or `forced` {token, choice} i32, where routing is forced), weights.
/// Outputs of a dense layer: `hidden_out`. Of a sparse one: `mixed` (after attention), `normed` (input of the experts),
/// `gates`, `choices`, `counts`, `probability_sum`, `z_sum` (see [`Routing`]).
///
/// # Errors
/// A configuration whose sizes do not fit together.
pub fn block(shape: &Shape<'_>, layer: &LayerConfig) -> Result<ForwardBackward, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let hidden = b.input("hidden", shape.dtype, &[shape.token(), shape.hidden()]);
    let places = [dim("batch", shape.batch), dim("seq", shape.seq)];
    let segments = b.input("segments", DType::I32, &places);
    let rotation = rotation(&b, shape);
    let how = Attention { segments, window: layer.sliding_window, cache: None };
    let (mixed, _) = graph.scope("self_attn", || attend(&b, shape, hidden, rotation, &how));
    let outputs = match &layer.feed_forward {
        FeedForward::Dense { intermediate } => {
            vec![("hidden_out", graph.scope("mlp", || dense(&b, shape, mixed, *intermediate)))]
        }
        FeedForward::Moe(moe) => graph.scope("router", || sparse_outputs(&b, shape, mixed, moe)),
    };
    let differentiable: Vec<_> = outputs.iter().filter(|(n, _)| !["choices", "counts"].contains(n)).collect();
    let pairs: Vec<_> = differentiable
        .iter()
        .map(|(n, v)| (*v, b.input(&format!("d.{n}"), v.dtype(), &v.shape().dims)))
        .collect();
    let gradients = b.gradients(&pairs, &[("hidden", hidden)]);
    let cotangents: Vec<Value<'_>> = pairs.iter().map(|p| p.1).collect();
    split("block", &outputs, &cotangents, &named(&gradients), shape.residuals)
}

/// Forward only, with a key-value cache of `context` places: as [`block`], with inputs `cache.keys`, `cache.values`
/// {batch, context, kv_head, head_dim}, `cache.segments` {batch, context} and `cache.start` (i32 scalar), and the new keys and
/// values as outputs of the same names with `_out`.
///
/// # Errors
/// A configuration whose sizes do not fit together.
pub fn generation_block(
    shape: &Shape<'_>,
    layer: &LayerConfig,
    context: usize,
) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let hidden = b.input("hidden", shape.dtype, &[shape.token(), shape.hidden()]);
    let places = [dim("batch", shape.batch), dim("seq", shape.seq)];
    let segments = b.input("segments", DType::I32, &places);
    let rotation = rotation(&b, shape);
    let (batch, place) = (dim("batch", shape.batch), dim("context", context));
    let c = shape.config;
    let kept = [batch, place, dim("kv_head", c.num_kv_heads), dim("head_dim", c.head_dim)];
    let cache = Cache {
        keys: b.input("cache.keys", shape.dtype, &kept),
        values: b.input("cache.values", shape.dtype, &kept),
        start: b.input("cache.start", DType::I32, &[]),
        segments: b.input("cache.segments", DType::I32, &[batch, place]),
    };
    let how = Attention { segments, window: layer.sliding_window, cache: Some(cache) };
    let (mixed, updated) = attend(&b, shape, hidden, rotation, &how);
    let mut outputs = match &layer.feed_forward {
        FeedForward::Dense { intermediate } => vec![("hidden_out", dense(&b, shape, mixed, *intermediate))],
        FeedForward::Moe(moe) => sparse_outputs(&b, shape, mixed, moe),
    };
    outputs.retain(|(n, _)| !["probability_sum", "z_sum"].contains(n));
    outputs.extend(updated.iter().flat_map(|(k, v)| [("cache.keys_out", *k), ("cache.values_out", *v)]));
    graph
        .finish("generation_block", &outputs)?
        .donate("cache.keys", "cache.keys_out")?
        .donate("cache.values", "cache.values_out")
}

/// The rotary embedding of the tokens.
pub(super) fn rotation<'g>(b: &Builder<'g>, shape: &Shape<'_>) -> Rotation<'g> {
    let dims = [dim("batch", shape.batch), dim("seq", shape.seq), dim("half", shape.config.head_dim / 2)];
    let [cos, sin] = ["cos", "sin"].map(|name| b.input(name, DType::F32, &dims));
    Rotation { cos, sin }
}

/// `hidden + o(attention(norm(hidden)))`, {token, hidden}, and the updated cache.
#[allow(clippy::type_complexity)]
pub(super) fn attend<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    rotation: Rotation<'g>,
    how: &Attention<'g>,
) -> (Value<'g>, Option<(Value<'g>, Value<'g>)>) {
    attend_with(b, shape, hidden, rotation, |q, k, v| attention(q, k, v, how))
}

/// [`attend`] with any attention: `mix` makes {batch, seq, head, head_dim} of queries, keys and values, and what else it likes.
pub(super) fn attend_with<'g, T>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    rotation: Rotation<'g>,
    mix: impl FnOnce(Value<'g>, Value<'g>, Value<'g>) -> (Value<'g>, T),
) -> (Value<'g>, T) {
    let x = attention_input(b, shape, hidden);
    let [q, k] = ["q", "k"].map(|name| rotation.apply(heads(b, shape, x, name)));
    let v = heads(b, shape, x, "v");
    let (mixed, cache) = mix(q, k, v);
    let mixed = mixed.merge(&["head", "head_dim"], "feature").merge(&["batch", "seq"], "token");
    (with_attention_output(b, shape, hidden, mixed), cache)
}

/// `hidden` and the output projection of attention.
fn with_attention_output<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    mixed: Value<'g>,
) -> Value<'g> {
    let c = shape.config;
    let (d, queries) = (c.hidden_size, c.num_heads * c.head_dim);
    let bias = c.attention_bias.output.then(|| b.weight("self_attn.o_proj.bias", &[("hidden", d)]));
    let out = Matrix { name: "self_attn.o_proj.weight", out: ("hidden", d), inner: ("feature", queries) };
    b.linear_onto(hidden, mixed, out, bias)
}

/// [`attend_with`] on packed weights, where queries, keys and values are one matrix: one call, and one pass over memory. `mix` is given all of them
/// side by side, {token, feature}, before they are turned.
pub(super) fn packed_attention<'g, T>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    mix: impl FnOnce(Value<'g>, HeadNorms<'g>) -> (Value<'g>, T),
) -> (Value<'g>, T) {
    let (qkv, norms) = packed_qkv(b, shape, hidden);
    let (mixed, kept) = mix(qkv, norms);
    (with_attention_output(b, shape, hidden, mixed), kept)
}

/// Input of the feed-forward part.
fn post_norm<'g>(b: &Builder<'g>, shape: &Shape<'_>, mixed: Value<'g>) -> Value<'g> {
    let c = shape.config;
    b.norm(mixed, "post_attention_layernorm.weight", "hidden", c.rms_norm_eps)
}

/// `mixed` and its gated feed-forward (SwiGLU; Shazeer, 2002.05202): `down(silu(gate x) · up x)`, {token, hidden}.
pub(super) fn dense<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    mixed: Value<'g>,
    intermediate: usize,
) -> Value<'g> {
    let (inner, width) = (("intermediate", intermediate), ("hidden", shape.config.hidden_size));
    let bias = |name: &str, out: (Name, usize)| {
        shape.config.mlp_bias.then(|| b.weight(&format!("mlp.{name}_proj.bias"), &[out]))
    };
    let x = post_norm(b, shape, mixed);
    let [gate, up] = ["gate", "up"].map(|name| {
        let matrix = Matrix { name: &format!("mlp.{name}_proj.weight"), out: inner, inner: width };
        b.linear(x, matrix, bias(name, inner))
    });
    let down = Matrix { name: "mlp.down_proj.weight", out: width, inner };
    b.linear_onto(mixed, gate.swiglu(up, x.dtype()), down, bias("down", width))
}

/// Input of the experts, {token, hidden}, and which of them each token chose.
pub(super) fn router<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    mixed: Value<'g>,
    moe: &MoeConfig,
) -> (Value<'g>, Routing<'g>) {
    let experts = dim("expert", moe.num_experts);
    let normed = shape.shuffled(post_norm(b, shape, mixed));
    let weight = router_weight(b, shape, moe);
    if shape.forced_routing {
        let choices = b.input("forced", DType::I32, &[normed.shape().dims[0], dim("choice", moe.top_k)]);
        return (normed, route_to(normed, weight, choices, moe.norm_topk_prob));
    }
    let bias = b.input("router_bias", DType::F32, &[experts]);
    (normed, route(normed, weight, bias, moe.top_k, moe.norm_topk_prob))
}

/// {expert, hidden}
fn router_weight<'g>(b: &Builder<'g>, shape: &Shape<'_>, moe: &MoeConfig) -> Value<'g> {
    b.weight("router.weight", &[("expert", moe.num_experts), ("hidden", shape.config.hidden_size)])
}

/// Input of the experts {token, hidden}, and gates and choices {token, choice}, where weights are packed.
pub(super) fn packed_router<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    mixed: Value<'g>,
    moe: &MoeConfig,
) -> [Value<'g>; 3] {
    let c = shape.config;
    let norm = b.weight("post_attention_layernorm.weight", &[("hidden", c.hidden_size)]);
    let weight = router_weight(b, shape, moe);
    // Nothing is added to what experts of a checkpoint score; balancing by a bias is of training.
    let bias = b.graph.full(DType::F32, &[dim("expert", moe.num_experts)], 0.0);
    mixed.normed_route((norm, c.rms_norm_eps as f32), weight, bias, (moe.top_k, moe.norm_topk_prob))
}

/// What the packed experts in `slots` give for the choices of `x` {token, hidden}, times their gates, {token, hidden}; added to `onto`, if it is given.
pub(super) fn packed_experts<'g>(
    b: &Builder<'g>,
    moe: &MoeConfig,
    slots: usize,
    [x, gates, choices]: [Value<'g>; 3],
    onto: Option<Value<'g>>,
) -> Value<'g> {
    let (hidden, inside) = (x.size("hidden"), moe.intermediate);
    let weights = [("gate", (inside, hidden)), ("up", (inside, hidden)), ("down", (hidden, inside))]
        .map(|(name, sizes)| b.packed(name, Some(slots), sizes));
    x.packed_experts((gates, choices), weights, inside, onto)
}

fn sparse_outputs<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    mixed: Value<'g>,
    moe: &MoeConfig,
) -> Vec<(&'static str, Value<'g>)> {
    let (normed, routing) = router(b, shape, mixed, moe);
    let Routing { gates, experts, counts, probability_sum, z_sum } = routing;
    vec![
        ("mixed", mixed),
        ("normed", normed),
        ("gates", gates),
        ("choices", experts),
        ("counts", counts),
        ("probability_sum", probability_sum),
        ("z_sum", z_sum),
    ]
}
