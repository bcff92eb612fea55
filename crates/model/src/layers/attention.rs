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
    let (heads, kv_heads) = (q.size("head"), k.size("kv_head"));
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
    let pieces: Vec<Value<'g>> = query_blocks(how, q.size("seq"), keys.size("key"))
        .iter()
        .map(|at| block(query, keys, values, how, at))
        .collect();
    let mixed = Value::concat(&pieces, "query");
    let heads_last = mixed.transpose(&["batch", "query", "kv_head", "group", "head_dim"]);
    (heads_last.merge(&["kv_head", "group"], "head").rename(&[("query", "seq")]), updated)
}

/// Queries and the keys that any of them sees.
struct Span {
    queries: std::ops::Range<usize>,
    keys: std::ops::Range<usize>,
}

/// Queries of one block of a long row; no key behind them, or out of the window of all of them, is multiplied.
const QUERY_BLOCK: usize = 64;

fn query_blocks(how: &Attention<'_>, queries: usize, keys: usize) -> Vec<Span> {
    if how.cache.is_some() || queries < 2 * QUERY_BLOCK {
        return vec![Span { queries: 0..queries, keys: 0..keys }];
    }
    let span = |first: usize| {
        let end = (first + QUERY_BLOCK).min(queries);
        let start = how.window.map_or(0, |w| (first + 1).saturating_sub(w));
        Span { queries: first..end, keys: start..end }
    };
    (0..queries).step_by(QUERY_BLOCK).map(span).collect()
}

/// Attention of a block of queries: {batch, kv_head, group, query, head_dim}.
fn block<'g>(
    query: Value<'g>,
    keys: Value<'g>,
    values: Value<'g>,
    how: &Attention<'g>,
    at: &Span,
) -> Value<'g> {
    let query = query.slice("query", at.queries.start, at.queries.end);
    let [keys, values] = [keys, values].map(|x| x.slice("key", at.keys.start, at.keys.end));
    let scale = 1.0 / (query.size("head_dim") as f64).sqrt();
    let scores = (query * scale).dot_as(keys, &["head_dim"], DType::F32);
    let closed = query.graph().scalar(DType::F32, -1e30);
    let weights = mask(how, at)
        .broadcast(&scores.shape().dims)
        .select(scores, closed)
        .softmax("key")
        .convert(query.dtype());
    weights.dot_as(values, &["key"], widened(query.dtype())).convert(query.dtype())
}

/// Which keys of a span each of its queries sees: {batch, query, key}, boolean.
fn mask<'g>(how: &Attention<'g>, at: &Span) -> Value<'g> {
    let g = how.segments.graph();
    let places: [Dim; 2] = [dim("query", at.queries.len()), dim("key", at.keys.len())];
    let number = |n: usize| g.scalar(DType::I32, n as f64);
    let mut query_at = g.iota(DType::I32, &places, "query") + number(at.queries.start);
    if let Some(cache) = &how.cache {
        query_at = query_at + cache.start;
    }
    let key_at = g.iota(DType::I32, &places, "key") + number(at.keys.start);
    let mut seen = key_at.at_most(query_at);
    if let Some(window) = how.window {
        seen = seen.and((query_at - key_at).less(number(window)));
    }
    let dims = [dim("batch", how.segments.size("batch")), places[0], places[1]];
    let key_segments = match &how.cache {
        Some(cache) => cache.segments.rename(&[("context", "key")]),
        None => how.segments.rename(&[("seq", "key")]).slice("key", at.keys.start, at.keys.end),
    };
    let own = how.segments.rename(&[("seq", "query")]).slice("query", at.queries.start, at.queries.end);
    own.broadcast(&dims).equals(key_segments.broadcast(&dims)).and(seen.broadcast(&dims))
}
