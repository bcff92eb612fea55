//! Which tokens of a cache are worth keeping (R-KV; Cai et al., 2505.24133): those that the newest tokens attend to and that no later token repeats.
//!
//! `score = λ · importance - (1 - λ) · redundancy`, each a distribution over the places of a key-value head, and the mean over heads.
//!
//! - importance: softmax over the candidates of `q · k / sqrt(head_dim)`, of the largest query of the heads that share the key; the mean over the newest
//!   tokens; the largest among the [`POOLED`] neighbours.
//! - redundancy: softmax over all places of the mean cosine of a key with all others, where each key leaves out the last of those that are nearer to it than
//!   [`NEAR`]: so of keys that say the same the newest stays.
//!
//! | | dims | |
//! | --- | --- | --- |
//! | queries | {token, head, head_dim} | of the newest tokens, whose keys are the last ones |
//! | keys | {place, kv_head, head_dim} | as they lie in the cache: normed and turned |
//! | result | {place} f32 | of all places but those of the newest tokens, which stay in any case |
//!
//! In f32. Cost: about 2 · places² · kv_heads · head_dim FLOPs.
//!
//! From the source it departs in two points: tokens are kept for all heads of a layer together, because a page holds them together, and a key without near ones leaves none out (the
//! authors' program leaves out the first).

use collegium_core::DType;
use collegium_hlo::{Value, dim};

/// λ: how much importance counts beside redundancy.
pub const IMPORTANCE: f64 = 0.1;

/// Neighbours, the place itself in their middle, of whose importance the largest counts.
pub const POOLED: usize = 7;

/// Cosine above which keys say the same.
pub const NEAR: f64 = 0.5;

/// The score of every place but the newest.
#[track_caller]
pub fn retention<'g>(queries: Value<'g>, keys: Value<'g>) -> Value<'g> {
    let keys = keys.convert(DType::F32);
    let candidates = keys.size("place").saturating_sub(queries.size("token"));
    let importance = importance(queries, keys.slice("place", 0, candidates));
    let redundancy = redundancy(keys).slice("place", 0, candidates);
    (importance * IMPORTANCE - redundancy * (1.0 - IMPORTANCE)).mean(&["kv_head"])
}

/// {kv_head, place}
fn importance<'g>(queries: Value<'g>, keys: Value<'g>) -> Value<'g> {
    let (heads, kv_heads, places) = (queries.size("head"), keys.size("kv_head"), keys.size("place"));
    let by_group = queries
        .convert(DType::F32)
        .split("head", &[dim("kv_head", kv_heads), dim("group", heads / kv_heads)]);
    let scale = 1.0 / (keys.size("head_dim") as f64).sqrt();
    let logits = by_group.dot(keys, &["head_dim"]) * scale;
    let seen = logits.reduce_max(&["group"]).softmax("place").mean(&["token"]);
    // What lies beside the first and the last counts nothing.
    let wide = seen.pad("place", POOLED / 2, POOLED / 2);
    (0..POOLED).map(|from| wide.slice("place", from, from + places)).reduce(Value::max).expect("several")
}

/// {kv_head, place}
fn redundancy(keys: Value<'_>) -> Value<'_> {
    let unit = keys * ((keys * keys).sum(&["head_dim"]) + 1e-12).rsqrt();
    let cosine = unit.rename(&[("place", "other")]).dot(unit, &["head_dim"]);
    let (g, dims) = (keys.graph(), cosine.shape().dims);
    let nothing = g.full(DType::F32, &dims, 0.0);
    // Places as floats: Neuron has no largest of integers.
    let [own, other] = ["place", "other"].map(|name| g.iota(DType::F32, &dims, name));
    let cosine = own.equals(other).select(nothing, cosine);
    let is_near = cosine.greater(g.full(DType::F32, &dims, NEAR));
    let last = is_near.select(own, g.full(DType::F32, &dims, -1.0)).reduce_max(&["place"]);
    own.equals(last).select(nothing, cosine).mean(&["other"]).softmax("place")
}
