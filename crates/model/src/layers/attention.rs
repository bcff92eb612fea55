//! Causal self-attention with grouped key-value heads (Ainslie et al., 2305.13245), inside one document: a token sees the
//! earlier tokens of its row that carry the same segment number, `window` of them at most.
//!
//! `softmax(q kᵀ / sqrt(head_dim)) v`, softmax in f32. Cost: 4 · tokens · seq · heads · head_dim FLOPs.

use collegium_core::DType;
use collegium_hlo::{Dim, Value, dim};

use super::widened;

/// What attention computes from, besides the projections.
#[derive(Clone, Copy)]
pub struct Attention<'g> {
    /// Document number of every query token, {batch, seq} i32.
    pub segments: Value<'g>,
    /// How many tokens back a token sees, itself included; all where `None`.
    pub window: Option<usize>,
    /// Keys and values of earlier calls, for generation.
    pub cache: Option<Cache<'g>>,
}

/// Keys and values of earlier calls: the new ones are written at `start`, and attention runs over all places.
#[derive(Clone, Copy)]
pub struct Cache<'g> {
    /// {batch, context, kv_head, head_dim}
    pub keys: Value<'g>,
    /// {batch, context, kv_head, head_dim}
    pub values: Value<'g>,
    /// First place of the new tokens (i32 scalar), the same for the whole batch.
    pub start: Value<'g>,
    /// Document number at every place, {batch, context} i32.
    pub segments: Value<'g>,
}

/// Attention of `q` {batch, seq, head, head_dim} over `k`, `v` {batch, seq, kv_head, head_dim}: {batch, seq, head, head_dim},
/// and the cache with the new keys and values where one was given.
#[track_caller]
pub fn attention<'g>(
    q: Value<'g>,
    k: Value<'g>,
    v: Value<'g>,
    how: &Attention<'g>,
) -> (Value<'g>, Option<(Value<'g>, Value<'g>)>) {
    let (heads, kv_heads, head_dim) = (q.size("head"), k.size("kv_head"), q.size("head_dim"));
    let query = q
        .split("head", &[dim("kv_head", kv_heads), dim("group", heads / kv_heads)])
        .rename(&[("seq", "query")])
        .transpose(&["batch", "kv_head", "group", "query", "head_dim"]);
    let (keys, values, updated) = match &how.cache {
        None => (k.rename(&[("seq", "key")]), v.rename(&[("seq", "key")]), None),
        Some(cache) => {
            let write = |old: Value<'g>, new: Value<'g>| {
                old.dynamic_update("context", new.rename(&[("seq", "context")]), cache.start)
            };
            let (keys, values) = (write(cache.keys, k), write(cache.values, v));
            (keys.rename(&[("context", "key")]), values.rename(&[("context", "key")]), Some((keys, values)))
        }
    };
    let order = ["batch", "kv_head", "key", "head_dim"];
    let (keys, values) = (keys.transpose(&order), values.transpose(&order));
    let scores = query.dot_as(keys, &["head_dim"], DType::F32) * (1.0 / (head_dim as f64).sqrt());
    let allowed = mask(how, q.size("seq"), keys.size("key"));
    let closed = q.graph().scalar(DType::F32, -1e30);
    let weights =
        allowed.broadcast(&scores.shape().dims).select(scores, closed).softmax("key").convert(q.dtype());
    let mixed = weights.dot_as(values, &["key"], widened(q.dtype())).convert(q.dtype());
    let heads_last = mixed.transpose(&["batch", "query", "kv_head", "group", "head_dim"]);
    (heads_last.merge(&["kv_head", "group"], "head").rename(&[("query", "seq")]), updated)
}

/// Which keys each query sees: {batch, query, key}, boolean.
fn mask<'g>(how: &Attention<'g>, queries: usize, keys: usize) -> Value<'g> {
    let g = how.segments.graph();
    let batch = how.segments.size("batch");
    let places: [Dim; 2] = [dim("query", queries), dim("key", keys)];
    let mut query_at = g.iota(DType::I32, &places, "query");
    if let Some(cache) = &how.cache {
        query_at = query_at + cache.start;
    }
    let key_at = g.iota(DType::I32, &places, "key");
    let mut seen = key_at.at_most(query_at);
    if let Some(window) = how.window {
        seen = seen.and((query_at - key_at).less(g.scalar(DType::I32, window as f64)));
    }
    let dims = [dim("batch", batch), places[0], places[1]];
    let key_segments = match &how.cache {
        Some(cache) => cache.segments.rename(&[("context", "key")]),
        None => how.segments.rename(&[("seq", "key")]),
    };
    let own = how.segments.rename(&[("seq", "query")]).broadcast(&dims);
    own.equals(key_segments.broadcast(&dims)).and(seen.broadcast(&dims))
}
