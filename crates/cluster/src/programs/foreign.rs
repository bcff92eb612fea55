//! Layers that the trainer does not have yet, built from its own layer functions so that they can be priced.

use collegium_core::DType;
use collegium_hlo::{Dim, ForwardBackward, Graph, GraphError, Name, Value, dim, gradient, split};
use collegium_model::config::FeedForward;
use collegium_model::layers::{self, Attention, Rotation};
use collegium_model::programs::Shape;

use crate::model::Latent;

/// A graph from {token, hidden} to {token, hidden}, with the weights it asked for.
struct Layer<'g> {
    graph: &'g Graph,
    dtype: DType,
    weights: Vec<(String, Value<'g>)>,
}

impl<'g> Layer<'g> {
    fn weight(&mut self, name: &str, dims: &[(Name, usize)]) -> Value<'g> {
        let dims: Vec<Dim> = dims.iter().map(|&(n, s)| dim(n, s)).collect();
        let value = self.graph.parameter(format!("{name}.weight"), self.dtype, &dims);
        self.weights.push((format!("{name}.weight"), value));
        value
    }
}

/// Forward and backward of a layer of one output, with gradients of all weights in f32.
fn halves<'g>(
    name: &str,
    shape: &Shape<'_>,
    layer: Layer<'g>,
    hidden: Value<'g>,
    outputs: &[(&str, Value<'g>)],
) -> Result<ForwardBackward, GraphError> {
    let pairs: Vec<(Value<'g>, Value<'g>)> = outputs
        .iter()
        .map(|(n, v)| (*v, layer.graph.parameter(format!("d.{n}"), v.dtype(), &v.shape().dims)))
        .collect();
    let wrt: Vec<Value<'g>> = std::iter::once(hidden).chain(layer.weights.iter().map(|w| w.1)).collect();
    let found = gradient(&pairs, &wrt);
    let mut named = vec![("d.hidden".to_string(), found[0])];
    named.extend(
        layer.weights.iter().zip(&found[1..]).map(|(w, g)| (format!("d.{}", w.0), g.convert(DType::F32))),
    );
    let named: Vec<(&str, Value<'g>)> = named.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    let cotangents: Vec<Value<'g>> = pairs.iter().map(|p| p.1).collect();
    split(name, outputs, &cotangents, &named, shape.residuals)
}

fn token(shape: &Shape<'_>) -> Dim {
    dim("token", shape.batch * shape.seq)
}

/// Multi-head latent attention as in training: queries, keys and values are projected up to full heads (DeepSeek-V2, 2405.04434,
/// section 2.1). `hidden` {token, hidden} to `mixed`; 4 · tokens · seq · heads · (key + value size) / 2 FLOPs beside the projections.
///
/// # Errors
/// Sizes that do not fit together.
pub fn latent_attention(shape: &Shape<'_>, latent: &Latent) -> Result<ForwardBackward, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let c = shape.config;
    let (d, heads, eps) = (c.hidden_size, c.num_heads, c.rms_norm_eps);
    let mut layer = Layer { graph: &graph, dtype: shape.dtype, weights: Vec::new() };
    let hidden = graph.parameter("hidden", shape.dtype, &[token(shape), dim("hidden", d)]);
    let places = [dim("batch", shape.batch), dim("seq", shape.seq)];
    let segments = graph.parameter("segments", DType::I32, &places);
    let half = [places[0], places[1], dim("half", latent.rotated_dim / 2)];
    let [cos, sin] = ["cos", "sin"].map(|n| graph.parameter(n, DType::F32, &half));
    let rotation = Rotation { cos, sin };
    let x = layers::rms_norm(hidden, layer.weight("input_layernorm", &[("hidden", d)]), eps);
    let key_dim = latent.plain_dim + latent.rotated_dim;
    let q = match latent.query_rank {
        0 => layers::linear(
            x,
            layer.weight("q", &[("feature", heads * key_dim), ("hidden", d)]),
            None,
            "hidden",
        ),
        rank => {
            let a = layers::linear(x, layer.weight("q_a", &[("rank", rank), ("hidden", d)]), None, "hidden");
            let a = layers::rms_norm(a, layer.weight("q_a_norm", &[("rank", rank)]), eps);
            layers::linear(
                a,
                layer.weight("q_b", &[("feature", heads * key_dim), ("rank", rank)]),
                None,
                "rank",
            )
        }
    };
    let q = q.split("token", &places).split("feature", &[dim("head", heads), dim("head_dim", key_dim)]);
    let q_plain = q.slice("head_dim", 0, latent.plain_dim);
    let q_turned = rotation.apply(q.slice("head_dim", latent.plain_dim, key_dim));
    let q = Value::concat(&[q_plain, q_turned], "head_dim");
    let rank = latent.kv_rank;
    let kv = layers::linear(
        x,
        layer.weight("kv_a", &[("feature", rank + latent.rotated_dim), ("hidden", d)]),
        None,
        "hidden",
    );
    let low = kv.slice("feature", 0, rank).rename(&[("feature", "rank")]);
    let low = layers::rms_norm(low, layer.weight("kv_a_norm", &[("rank", rank)]), eps);
    let turned = kv
        .slice("feature", rank, rank + latent.rotated_dim)
        .split("token", &places)
        .split("feature", &[dim("kv_head", 1), dim("head_dim", latent.rotated_dim)]);
    let turned = rotation.apply(turned).reshape(&[places[0], places[1], dim("head_dim", latent.rotated_dim)]);
    let both = latent.plain_dim + latent.value_dim;
    let kv =
        layers::linear(low, layer.weight("kv_b", &[("feature", heads * both), ("rank", rank)]), None, "rank")
            .split("token", &places)
            .split("feature", &[dim("kv_head", heads), dim("head_dim", both)]);
    let shared =
        turned.broadcast(&[places[0], places[1], dim("kv_head", heads), dim("head_dim", latent.rotated_dim)]);
    let k = Value::concat(&[kv.slice("head_dim", 0, latent.plain_dim), shared], "head_dim");
    let v = kv.slice("head_dim", latent.plain_dim, both);
    let how = Attention { segments, window: None, cache: None };
    // Attention has one head size for keys and values: values are padded, and the caller takes off what the padding's products add.
    let v = v.pad("head_dim", 0, key_dim - latent.value_dim);
    let (mixed, _) = layers::attention(q, k, v, &how);
    let mixed = mixed.slice("head_dim", 0, latent.value_dim);
    let mixed = mixed.merge(&["head", "head_dim"], "feature").merge(&["batch", "seq"], "token");
    let out = layer.weight("o", &[("hidden", d), ("feature", heads * latent.value_dim)]);
    let mixed = hidden + layers::linear(mixed, out, None, "feature");
    halves("latent_attention", shape, layer, hidden, &[("mixed", mixed)])
}

/// What follows attention: norm and dense feed-forward, or norm and router.
///
/// # Errors
/// Sizes that do not fit together.
pub fn feed_forward(shape: &Shape<'_>, what: &FeedForward) -> Result<ForwardBackward, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let c = shape.config;
    let d = c.hidden_size;
    let mut layer = Layer { graph: &graph, dtype: shape.dtype, weights: Vec::new() };
    let hidden = graph.parameter("hidden", shape.dtype, &[token(shape), dim("hidden", d)]);
    let norm = layer.weight("post_attention_layernorm", &[("hidden", d)]);
    let x = layers::rms_norm(hidden, norm, c.rms_norm_eps);
    match what {
        FeedForward::Dense { intermediate } => {
            let [gate, up] = ["gate", "up"]
                .map(|n| (layer.weight(n, &[("intermediate", *intermediate), ("hidden", d)]), None));
            let down = (layer.weight("down", &[("hidden", d), ("intermediate", *intermediate)]), None);
            let out = hidden + layers::feed_forward(x, gate, up, down);
            halves("feed_forward", shape, layer, hidden, &[("hidden_out", out)])
        }
        FeedForward::Moe(moe) => {
            let weight = layer.weight("router", &[("expert", moe.num_experts), ("hidden", d)]);
            let bias = graph.parameter("router_bias", DType::F32, &[dim("expert", moe.num_experts)]);
            let routing = layers::route(x, weight, bias, moe.top_k, moe.norm_topk_prob);
            halves("router", shape, layer, hidden, &[("normed", x), ("gates", routing.gates)])
        }
    }
}
