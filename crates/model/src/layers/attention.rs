//! Causal self-attention ([`Value::attention`], with its formula there), over the tokens of the call or over a cache of earlier
//! ones.

use collegium_core::DType;
use collegium_hlo::{Dim, Value, dim, masked_attention};

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
    match &how.cache {
        None => (q.attention(k, v, how.segments, how.window), None),
        Some(cache) => {
            let write = |old: Value<'g>, new: Value<'g>| {
                old.dynamic_update("context", new.rename(&[("seq", "context")]), cache.start)
            };
            let (keys, values) = (write(cache.keys, k), write(cache.values, v));
            (cached(q, keys, values, mask(how, cache)), Some((keys, values)))
        }
    }
}

/// Attention over all places of a cache.
fn cached<'g>(q: Value<'g>, keys: Value<'g>, values: Value<'g>, mask: Value<'g>) -> Value<'g> {
    let (heads, kv_heads) = (q.size("head"), keys.size("kv_head"));
    let query = q
        .split("head", &[dim("kv_head", kv_heads), dim("group", heads / kv_heads)])
        .rename(&[("seq", "query")])
        .transpose(&["batch", "kv_head", "group", "query", "head_dim"]);
    let [keys, values] = [keys, values]
        .map(|x| x.rename(&[("context", "key")]).transpose(&["batch", "kv_head", "key", "head_dim"]));
    let (mixed, _) = masked_attention(query, keys, values, mask);
    let heads_last = mixed.transpose(&["batch", "query", "kv_head", "group", "head_dim"]);
    heads_last.merge(&["kv_head", "group"], "head").rename(&[("query", "seq")])
}

/// Which places each query sees: {batch, query, key}, boolean.
fn mask<'g>(how: &Attention<'g>, cache: &Cache<'g>) -> Value<'g> {
    let g = how.segments.graph();
    let places: [Dim; 2] =
        [dim("query", how.segments.size("seq")), dim("key", cache.segments.size("context"))];
    let query_at = g.iota(DType::I32, &places, "query") + cache.start;
    let key_at = g.iota(DType::I32, &places, "key");
    let mut seen = key_at.at_most(query_at);
    if let Some(window) = how.window {
        seen = seen.and((query_at - key_at).less(g.scalar(DType::I32, window as f64)));
    }
    let dims = [dim("batch", how.segments.size("batch")), places[0], places[1]];
    let own = how.segments.rename(&[("seq", "query")]).broadcast(&dims);
    own.equals(cache.segments.rename(&[("context", "key")]).broadcast(&dims)).and(seen.broadcast(&dims))
}
