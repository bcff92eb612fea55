//! Queries, keys and values of hidden states, before attention mixes them: each projected by itself, or on packed weights all by one matrix.

use collegium_hlo::{Value, dim};

use super::packing::Matrix;
use super::slab::QKV;
use super::{Builder, Shape};
use crate::config::QkNorm;
use crate::layers::Rotation;

/// The queries of the tokens as attention takes them, {batch, seq, head, head_dim}.
pub(super) fn queries<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    rotation: Rotation<'g>,
) -> Value<'g> {
    rotation.apply(heads(b, shape, attention_input(b, shape, hidden), "q"))
}

/// What is projected: `hidden` {token, hidden}, normalised.
pub(super) fn attention_input<'g>(b: &Builder<'g>, shape: &Shape<'_>, hidden: Value<'g>) -> Value<'g> {
    b.norm(hidden, "input_layernorm.weight", "hidden", shape.config.rms_norm_eps)
}

/// Queries, keys or values (`name` is q, k or v) of the input of attention, before they are turned: {batch, seq, head or kv_head, head_dim}.
pub(super) fn heads<'g>(b: &Builder<'g>, shape: &Shape<'_>, x: Value<'g>, name: &str) -> Value<'g> {
    let c = shape.config;
    let (role, count) = if name == "q" { ("head", c.num_heads) } else { ("kv_head", c.num_kv_heads) };
    let out = ("feature", count * c.head_dim);
    let bias = c.attention_bias.qkv.then(|| b.weight(&format!("self_attn.{name}_proj.bias"), &[out]));
    let weight = format!("self_attn.{name}_proj.weight");
    let y = b.linear(x, Matrix { name: &weight, out, inner: ("hidden", c.hidden_size) }, bias);
    let normed = |y, over| match name {
        "v" => y,
        _ => b.norm(y, &format!("self_attn.{name}_norm.weight"), over, c.rms_norm_eps),
    };
    let y = if c.qk_norm == QkNorm::WholeProjection { normed(y, "feature") } else { y };
    let y = c.clip_qkv.map_or(y, |limit| {
        let bound = |v: f64| y.graph().scalar(y.dtype(), v);
        y.max(bound(-limit)).min(bound(limit))
    });
    let y = y
        .split("token", &[dim("batch", shape.batch), dim("seq", shape.seq)])
        .split("feature", &[dim(role, count), dim("head_dim", c.head_dim)]);
    if c.qk_norm == QkNorm::PerHead { normed(y, "head_dim") } else { y }
}

/// Norms of the heads of queries and keys, {head_dim}, and what is added to their mean squares.
pub(super) type HeadNorms<'g> = Option<([Value<'g>; 2], f32)>;

/// Queries, keys and values of the tokens side by side, {token, feature}, and the norms that their heads still need.
pub(super) fn packed_qkv<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
) -> (Value<'g>, HeadNorms<'g>) {
    let c = shape.config;
    let (queries, keys) = (c.num_heads * c.head_dim, c.num_kv_heads * c.head_dim);
    let sizes = [("q", queries), ("k", keys), ("v", keys)];
    let out = ("feature", queries + 2 * keys);
    let inner = ("hidden", c.hidden_size);
    let matrix = Matrix { name: QKV, out, inner };
    let norm = b.norm_around("input_layernorm.weight", inner, c.rms_norm_eps);
    let mut qkv = b.packed_product(hidden, matrix, hidden.dtype(), norm);
    if c.attention_bias.qkv {
        let bias = |(n, size)| b.weight(&format!("self_attn.{n}_proj.bias"), &[("feature", size)]);
        qkv = qkv + Value::concat(&sizes.map(bias), "feature");
    }
    if c.qk_norm == QkNorm::WholeProjection {
        let [q, k, v] = b.pieces(qkv, "feature", sizes.map(|s| s.1));
        let norm = |y, n: &str| b.norm(y, &format!("self_attn.{n}_norm.weight"), "feature", c.rms_norm_eps);
        qkv = Value::concat(&[norm(q, "q"), norm(k, "k"), v], "feature");
    }
    if let Some(limit) = c.clip_qkv {
        let bound = |v: f64| qkv.graph().scalar(qkv.dtype(), v);
        qkv = qkv.max(bound(-limit)).min(bound(limit));
    }
    let norms = (c.qk_norm == QkNorm::PerHead).then(|| {
        let weight = |n: &str| b.weight(&format!("self_attn.{n}_norm.weight"), &[("head_dim", c.head_dim)]);
        (["q", "k"].map(weight), c.rms_norm_eps as f32)
    });
    (qkv, norms)
}

/// [`queries`] on packed weights: {token, head, head_dim}, turned by `rotation` {token, half}.
pub(super) fn packed_queries<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    rotation: Rotation<'g>,
) -> Value<'g> {
    let c = shape.config;
    let (qkv, norms) = packed_qkv(b, shape, hidden);
    let heads = [dim("head", c.num_heads), dim("head_dim", c.head_dim)];
    let q = qkv.slice("feature", 0, c.num_heads * c.head_dim).split("feature", &heads);
    rotation.apply(norms.map_or(q, |([weight, _], eps)| q.rms_norm_rows(weight, eps)))
}
