//! One transformer layer up to its experts: attention, then the router of a sparse layer or the whole feed-forward of a dense one.

use collegium_core::DType;
use collegium_hlo::{ForwardBackward, Graph, GraphError, Name, Program, Value, dim, split};

use super::{Builder, Shape, named};
use crate::config::{FeedForward, LayerConfig, MoeConfig, QkNorm};
use crate::layers::{
    Attention, Cache, Rotation, Routing, attention, feed_forward, linear, rms_norm, route, route_to,
};

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
    let c = shape.config;
    let d = c.hidden_size;
    let x = rms_norm(hidden, b.weight("input_layernorm.weight", &[("hidden", d)]), "hidden", c.rms_norm_eps);
    let project = |name: &'static str, features: usize| {
        let weight =
            b.weight(&format!("self_attn.{name}_proj.weight"), &[("feature", features), ("hidden", d)]);
        let bias = c
            .attention_bias
            .qkv
            .then(|| b.weight(&format!("self_attn.{name}_proj.bias"), &[("feature", features)]));
        let y = linear(x, weight, bias, "hidden");
        let y = match c.qk_norm {
            QkNorm::WholeProjection if name != "v" => {
                let weight = b.weight(&format!("self_attn.{name}_norm.weight"), &[("feature", features)]);
                rms_norm(y, weight, "feature", c.rms_norm_eps)
            }
            _ => y,
        };
        c.clip_qkv.map_or(y, |limit| {
            let bound = |v: f64| y.graph().scalar(y.dtype(), v);
            y.max(bound(-limit)).min(bound(limit))
        })
    };
    let heads = |y: Value<'g>, name: &str, count: usize, role: &'static str| {
        let y = y
            .split("token", &[dim("batch", shape.batch), dim("seq", shape.seq)])
            .split("feature", &[dim(role, count), dim("head_dim", c.head_dim)]);
        match c.qk_norm {
            QkNorm::PerHead if name != "v" => {
                let weight = b.weight(&format!("self_attn.{name}_norm.weight"), &[("head_dim", c.head_dim)]);
                rms_norm(y, weight, "head_dim", c.rms_norm_eps)
            }
            _ => y,
        }
    };
    let q = rotation.apply(heads(project("q", c.num_heads * c.head_dim), "q", c.num_heads, "head"));
    let k = rotation.apply(heads(project("k", c.num_kv_heads * c.head_dim), "k", c.num_kv_heads, "kv_head"));
    let v = heads(project("v", c.num_kv_heads * c.head_dim), "v", c.num_kv_heads, "kv_head");
    let (mixed, cache) = mix(q, k, v);
    let mixed = mixed.merge(&["head", "head_dim"], "feature").merge(&["batch", "seq"], "token");
    let weight = b.weight("self_attn.o_proj.weight", &[("hidden", d), ("feature", c.num_heads * c.head_dim)]);
    let bias = c.attention_bias.output.then(|| b.weight("self_attn.o_proj.bias", &[("hidden", d)]));
    (hidden + linear(mixed, weight, bias, "feature"), cache)
}

/// Input of the feed-forward part.
fn post_norm<'g>(b: &Builder<'g>, shape: &Shape<'_>, mixed: Value<'g>) -> Value<'g> {
    let c = shape.config;
    let weight = b.weight("post_attention_layernorm.weight", &[("hidden", c.hidden_size)]);
    rms_norm(mixed, weight, "hidden", c.rms_norm_eps)
}

pub(super) fn dense<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    mixed: Value<'g>,
    intermediate: usize,
) -> Value<'g> {
    let (inner, width) = (("intermediate", intermediate), ("hidden", shape.config.hidden_size));
    let projection = |name: &str, out: (Name, usize), from: (Name, usize)| {
        let bias = shape.config.mlp_bias.then(|| b.weight(&format!("mlp.{name}_proj.bias"), &[out]));
        (b.weight(&format!("mlp.{name}_proj.weight"), &[out, from]), bias)
    };
    let [gate, up] = ["gate", "up"].map(|name| projection(name, inner, width));
    mixed + feed_forward(post_norm(b, shape, mixed), gate, up, projection("down", width, inner))
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
    let weight =
        b.weight("router.weight", &[("expert", moe.num_experts), ("hidden", shape.config.hidden_size)]);
    if shape.forced_routing {
        let choices = b.input("forced", DType::I32, &[normed.shape().dims[0], dim("choice", moe.top_k)]);
        return (normed, route_to(normed, weight, choices, moe.norm_topk_prob));
    }
    let bias = b.input("router_bias", DType::F32, &[experts]);
    (normed, route(normed, weight, bias, moe.top_k, moe.norm_topk_prob))
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
