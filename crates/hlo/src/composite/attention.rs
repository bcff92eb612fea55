//! Causal self-attention with grouped key-value heads (Ainslie et al., 2305.13245), inside one document: a token sees the
//! earlier tokens of its row that carry the same segment number, `window` of them at most.
//!
//! `o = softmax(q kᵀ / sqrt(head_dim)) v`, scores and softmax in f32. The gradient is that of FlashAttention-2 (Dao,
//! 2307.08691, algorithm 2): with the log-sum-exp `l` of each query's scores, `p = exp(s - l)`, `dv = pᵀ do`,
//! `ds = p (do vᵀ - sum(do o)) / sqrt(head_dim)`, `dq = ds k`, `dk = dsᵀ q`. So the forward half keeps `o` and `l` alone.
//!
//! | value | dims |
//! | --- | --- |
//! | query, output | {batch, seq, head, head_dim} |
//! | key, value | {batch, seq, kv_head, head_dim}; `kv_head` divides `head` |
//! | segments | {batch, seq} i32 |
//! | log-sum-exp | {batch, head, seq} f32 |
//!
//! Cost: 2 · tokens · seq · heads · head_dim FLOPs forward, 2.5 times that backward, and in the plain form what its blocks
//! compute above the diagonal.

use std::ops::Range;

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Dim, Name, Shape, Value, dim};

impl<'g> Value<'g> {
    /// Causal attention of `self` {batch, seq, head, head_dim} over `key` and `value` {batch, seq, kv_head, head_dim} inside the
    /// segments {batch, seq} (i32), over `window` tokens at most, the token itself included:
    /// {batch, seq, head, head_dim}. See [`masked_attention`] for other masks.
    #[track_caller]
    pub fn attention(self, key: Self, value: Self, segments: Self, window: Option<usize>) -> Self {
        Self::composite(Composite::Attention { window }, 0, &[self, key, value, segments])
    }
}

/// Shapes of output and log-sum-exp.
pub(super) fn shapes(x: &[&Shape], window: Option<usize>) -> Option<Vec<Shape>> {
    let [query, key, value, segments] = x else { return None };
    let ([batch, seq, head, head_dim], [_, _, kv_head, _]) = (&query.dims[..], &key.dims[..]) else {
        return None;
    };
    let named = [batch.name, seq.name, head.name, kv_head.name, head_dim.name]
        == ["batch", "seq", "head", "kv_head", "head_dim"];
    let sized = kv_head.size > 0 && head.size.is_multiple_of(kv_head.size) && window != Some(0);
    let fits = key.dims == [*batch, *seq, *kv_head, *head_dim]
        && key == value
        && key.dtype == query.dtype
        && query.dtype.is_float()
        && **segments == Shape::new(DType::I32, &[*batch, *seq]);
    let sums = Shape::new(product_dtype(query.dtype), &[*batch, *head, *seq]);
    (named && sized && fits).then(|| vec![(*query).clone(), sums])
}

/// Shapes of the gradients to query, key and value.
pub(super) fn gradient_shapes(x: &[&Shape], window: Option<usize>) -> Option<Vec<Shape>> {
    let results = shapes(x.get(..4)?, window)?;
    let fits = *x[4] == results[0] && *x[5] == results[1] && *x[6] == results[0];
    fits.then(|| x[..3].iter().map(|&s| s.clone()).collect())
}

pub(super) fn pull_back<'g>(
    x: &[Value<'g>],
    window: Option<usize>,
    d: Value<'g>,
) -> Vec<(Value<'g>, Value<'g>)> {
    let kept = [0, 1].map(|result| Value::composite(Composite::Attention { window }, result, x));
    let inputs = [x, &kept, &[d]].concat();
    let piece = |i| Value::composite(Composite::AttentionGradient { window }, i, &inputs);
    (0..3).map(|i| (x[i], piece(i))).collect()
}

/// Order of the dims inside: heads of one key-value head together.
const GROUPED: [Name; 5] = ["batch", "kv_head", "group", "query", "head_dim"];

/// {batch, seq, head, head_dim} by query and key-value head.
fn grouped(x: Value<'_>, kv_heads: usize) -> Value<'_> {
    let heads = x.size("head");
    x.split("head", &[dim("kv_head", kv_heads), dim("group", heads / kv_heads)])
        .rename(&[("seq", "query")])
        .transpose(&GROUPED)
}

/// The way back of [`grouped`].
fn ungrouped(x: Value<'_>) -> Value<'_> {
    x.transpose(&["batch", "query", "kv_head", "group", "head_dim"])
        .merge(&["kv_head", "group"], "head")
        .rename(&[("query", "seq")])
}

fn by_head(x: Value<'_>) -> Value<'_> {
    x.rename(&[("seq", "key")]).transpose(&["batch", "kv_head", "key", "head_dim"])
}

pub(super) fn plain<'g>(x: &[Value<'g>], window: Option<usize>) -> Vec<Value<'g>> {
    let [query, key, value, segments] = *x else { unreachable!("attention has four inputs") };
    let query = grouped(query, key.size("kv_head"));
    let (keys, values) = (by_head(key), by_head(value));
    let blocks = blocks(window, query.size("query"));
    let (outputs, sums): (Vec<_>, Vec<_>) = blocks
        .iter()
        .map(|at| {
            let [keys, values] = [keys, values].map(|x| x.slice("key", at.keys.start, at.keys.end));
            let query = query.slice("query", at.queries.start, at.queries.end);
            masked_attention(query, keys, values, at.mask(segments, window))
        })
        .unzip();
    let sums = Value::concat(&sums, "query").merge(&["kv_head", "group"], "head");
    vec![ungrouped(Value::concat(&outputs, "query")), sums.rename(&[("query", "seq")])]
}

pub(super) fn plain_gradient<'g>(x: &[Value<'g>], window: Option<usize>) -> Vec<Value<'g>> {
    let [query, key, value, segments, output, sums, d] = *x else {
        unreachable!("its gradient has seven inputs")
    };
    let dtype = query.dtype();
    let wide = product_dtype(dtype);
    let kv_heads = key.size("kv_head");
    let scale = scale(query);
    let [query, output, d] = [query, output, d].map(|x| grouped(x, kv_heads));
    let sums = sums
        .split("head", &[dim("kv_head", kv_heads), dim("group", query.size("group"))])
        .rename(&[("seq", "query")]);
    let (keys, values) = (by_head(key), by_head(value));
    let delta = (d.convert(wide) * output.convert(wide)).sum(&["head_dim"]);
    let seq = query.size("query");
    let mut d_query = Vec::new();
    let mut d_keys: Option<(Value<'g>, Value<'g>)> = None;
    for at in blocks(window, seq) {
        let own = |x: Value<'g>| x.slice("query", at.queries.start, at.queries.end);
        let [keys, values] = [keys, values].map(|x| x.slice("key", at.keys.start, at.keys.end));
        let scores = masked_scores(own(query), keys, at.mask(segments, window));
        let weights = (scores - own(sums)).exp();
        let d_weights = own(d).dot_as(values, &["head_dim"], wide);
        let d_scores = (weights * (d_weights - own(delta)) * scale).convert(dtype);
        d_query.push(d_scores.dot_as(keys, &["key"], wide).convert(dtype));
        let rows = ["group", "query"];
        let whole = |x: Value<'g>| x.pad("key", at.keys.start, seq - at.keys.end);
        let pieces = (
            whole(d_scores.dot_as(own(query), &rows, wide)),
            whole(weights.convert(dtype).dot_as(own(d), &rows, wide)),
        );
        d_keys = Some(d_keys.map_or(pieces, |(k, v)| (k + pieces.0, v + pieces.1)));
    }
    let back = |x: Value<'g>| {
        x.convert(dtype).transpose(&["batch", "key", "kv_head", "head_dim"]).rename(&[("key", "seq")])
    };
    let (d_key, d_value) = d_keys.expect("there is at least one block");
    vec![ungrouped(Value::concat(&d_query, "query")), back(d_key), back(d_value)]
}

/// Attention under any mask: `query` {batch, kv_head, group, query, head_dim}, `keys` and `values` {batch, kv_head, key,
/// head_dim}, `mask` {batch, query, key} (true where a query sees a key; every query sees one). The output has the dims of `query`;
/// beside it the log-sum-exp of each query's scores.
#[track_caller]
pub fn masked_attention<'g>(
    query: Value<'g>,
    keys: Value<'g>,
    values: Value<'g>,
    mask: Value<'g>,
) -> (Value<'g>, Value<'g>) {
    let scores = masked_scores(query, keys, mask);
    let largest = scores.reduce_max(&["key"]).stop_gradient();
    let weights = (scores - largest).exp();
    let total = weights.sum(&["key"]);
    let shares = (weights / total).convert(query.dtype());
    let output = shares.dot_as(values, &["key"], product_dtype(query.dtype())).convert(query.dtype());
    (output, total.log() + largest)
}

/// Scores in f32, far below all others where the mask is closed.
#[track_caller]
fn masked_scores<'g>(query: Value<'g>, keys: Value<'g>, mask: Value<'g>) -> Value<'g> {
    let wide = product_dtype(query.dtype());
    let scores = query.dot_as(keys, &["head_dim"], wide) * scale(query);
    let closed = query.graph().scalar(wide, -1e30);
    mask.broadcast(&scores.shape().dims).select(scores, closed)
}

fn scale(query: Value<'_>) -> f64 {
    1.0 / (query.size("head_dim") as f64).sqrt()
}

/// Queries and the keys that any of them sees.
struct Block {
    queries: Range<usize>,
    keys: Range<usize>,
}

/// Queries of one block of a long row; no key behind them, or out of the window of all of them, is multiplied.
const QUERY_BLOCK: usize = 64;

fn blocks(window: Option<usize>, seq: usize) -> Vec<Block> {
    if seq < 2 * QUERY_BLOCK {
        return vec![Block { queries: 0..seq, keys: 0..seq }];
    }
    let block = |first: usize| {
        let end = (first + QUERY_BLOCK).min(seq);
        let start = window.map_or(0, |w| (first + 1).saturating_sub(w));
        Block { queries: first..end, keys: start..end }
    };
    (0..seq).step_by(QUERY_BLOCK).map(block).collect()
}

impl Block {
    /// Which keys of the block each of its queries sees: {batch, query, key}, boolean.
    fn mask<'g>(&self, segments: Value<'g>, window: Option<usize>) -> Value<'g> {
        let g = segments.graph();
        let places: [Dim; 2] = [dim("query", self.queries.len()), dim("key", self.keys.len())];
        let number = |n: usize| g.scalar(DType::I32, n as f64);
        let query_at = g.iota(DType::I32, &places, "query") + number(self.queries.start);
        let key_at = g.iota(DType::I32, &places, "key") + number(self.keys.start);
        let mut seen = key_at.at_most(query_at);
        if let Some(window) = window {
            seen = seen.and((query_at - key_at).less(number(window)));
        }
        let dims = [dim("batch", segments.size("batch")), places[0], places[1]];
        let own = segments.rename(&[("seq", "query")]).slice("query", self.queries.start, self.queries.end);
        let keys = segments.rename(&[("seq", "key")]).slice("key", self.keys.start, self.keys.end);
        own.broadcast(&dims).equals(keys.broadcast(&dims)).and(seen.broadcast(&dims))
    }
}
