//! Everything between the projections of attention in a step of serving: the norm of each head (where there is one), the rotary embedding, the
//! tokens' rows of the cache, and attention over it ([`Value::paged_attention`]). The caches that it gives take the place of those it is given.
//!
//! | value | dims |
//! | --- | --- |
//! | qkv | {token, feature}: queries, keys and values side by side |
//! | cos, sin | {token, half} f32 |
//! | pages, sequence, position | as in paged attention |
//! | place | {token} i32: where in the cache the token's keys and values go |
//! | norms of queries and keys | {head_dim} |
//! | keys | {cache_page, kv_head, head_dim, row}: a row for each place of a page, side by side |
//! | values | {cache_page, kv_head, row, head_dim} |
//! | results | keys and values, then {token, feature} |

use collegium_core::DType;

use super::{Composite, norm, paged};
use crate::{Shape, Value, dim};

/// Inputs of [`Value::paged_step`].
#[derive(Clone, Copy)]
pub struct PagedStep<'g> {
    /// {token, half} f32.
    pub cos: Value<'g>,
    /// {token, half} f32.
    pub sin: Value<'g>,
    /// {sequence, page} i32.
    pub pages: Value<'g>,
    /// {token} i32.
    pub sequence: Value<'g>,
    /// {token} i32.
    pub position: Value<'g>,
    /// {token} i32.
    pub place: Value<'g>,
    /// {head_dim} of queries and keys, and what is added to the mean of squares.
    pub norms: Option<([Value<'g>; 2], f32)>,
    /// Keys {cache_page, kv_head, head_dim, row} and values {cache_page, kv_head, row, head_dim}.
    pub caches: [Value<'g>; 2],
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
}

impl<'g> Value<'g> {
    /// For `self` {token, feature}, the queries, keys and values of tokens: what they attend to, {token, feature}, and the caches.
    #[track_caller]
    pub fn paged_step(self, with: &PagedStep<'g>) -> (Self, [Self; 2]) {
        let PagedStep { cos, sin, pages, sequence, position, place, norms, caches, window } = *with;
        let what = Composite::PagedStep { window, eps_bits: norms.map(|n| n.1.to_bits()) };
        let mut inputs = vec![caches[0], caches[1], self, cos, sin, pages, sequence, position, place];
        inputs.extend(norms.iter().flat_map(|n| n.0));
        let result = |i| Self::composite(what, i, &inputs);
        (result(2), [result(0), result(1)])
    }
}

/// Query heads behind `features`, by the cache of keys.
fn heads(features: usize, keys: &Shape) -> Option<usize> {
    let [_, kv_head, head_dim, _] = &keys.dims[..] else { return None };
    let all = features.checked_div(head_dim.size)?;
    (all * head_dim.size == features).then(|| all.checked_sub(2 * kv_head.size)).flatten()
}

pub(super) fn shapes(x: &[&Shape], window: Option<usize>, is_normed: bool) -> Option<Vec<Shape>> {
    let [keys, values, qkv, cos, sin, pages, sequence, position, place, norms @ ..] = x else { return None };
    let [token, feature] = &qkv.dims[..] else { return None };
    let [page, kv_head, head_dim, row] = keys.dims[..] else { return None };
    let heads = heads(feature.size, keys)?;
    let half = Shape::new(DType::F32, &[*token, dim("half", head_dim.size / 2)]);
    let query = Shape::new(qkv.dtype, &[*token, dim("head", heads), head_dim]);
    // As attention over a cache whose places are not laid out by page.
    let flat = Shape::new(keys.dtype, &[dim("place", page.size * row.size), kv_head, head_dim]);
    let fits = paged::fits(&[&query, &flat, &flat, pages, sequence, position], row.size, window)
        && **values == Shape::new(keys.dtype, &[page, kv_head, row, head_dim])
        && [page.name, row.name] == ["cache_page", "row"]
        && norms.len() == if is_normed { 2 } else { 0 }
        && feature.name == "feature"
        && heads > 0
        && kv_head.size > 0
        && head_dim.size.is_multiple_of(2)
        && qkv.dtype != DType::F64
        && **cos == half
        && **sin == half
        && place == sequence
        && norms.iter().all(|n| **n == Shape::new(qkv.dtype, &[head_dim]));
    let mixed = Shape::new(qkv.dtype, &[*token, dim("feature", heads * head_dim.size)]);
    fits.then(|| vec![(*keys).clone(), (*values).clone(), mixed])
}

pub(super) fn plain<'g>(x: &[Value<'g>], window: Option<usize>, eps_bits: Option<u32>) -> Vec<Value<'g>> {
    let (caches, qkv, cos, sin) = ([x[0], x[1]], x[2], x[3], x[4]);
    let cache = caches[0].shape();
    let [page, kv_head, head_dim, row] = cache.dims[..] else { unreachable!("shapes were checked") };
    let heads = dim("head", heads(qkv.size("feature"), &cache).expect("shapes were checked"));
    let mut start = 0;
    let [q, k, v] = [heads, kv_head, kv_head].map(|own| {
        start += own.size * head_dim.size;
        qkv.slice("feature", start - own.size * head_dim.size, start).split("feature", &[own, head_dim])
    });
    let turned = |y: Value<'g>, which: usize| {
        let y = eps_bits.map_or(y, |eps| norm::plain(&[y, x[9 + which]], eps)[0]);
        let half = head_dim.size / 2;
        let wide = y.convert(DType::F32);
        let part = |from, to| wide.slice("head_dim", from, to).rename(&[("head_dim", "half")]);
        let (low, high) = (part(0, half), part(half, 2 * half));
        let parts = [low * cos - high * sin, high * cos + low * sin];
        Value::concat(&parts, "half").rename(&[("half", "head_dim")]).convert(y.dtype())
    };
    let [q, k] = [(q, 0), (k, 1)].map(|(y, which)| turned(y, which));
    let order = ["cache_page", "row", "kv_head", "head_dim"];
    let flat = caches.map(|cache| cache.transpose(&order).merge(&["cache_page", "row"], "place"));
    let places = flat[0].shape().dims;
    let hits = x[8].one_hot(places[0], DType::F32);
    let is_new = hits.sum(&["token"]).at_least(hits.graph().scalar(DType::F32, 1.0));
    let written = |old: Value<'g>, new: Value<'g>| {
        let rows = hits.dot(new.convert(DType::F32), &["token"]).convert(old.dtype());
        is_new.broadcast(&places).select(rows, old)
    };
    let [keys, values] = [written(flat[0], k), written(flat[1], v)];
    let mixed = paged::plain(&[q, keys, values, x[5], x[6], x[7]], row.size, window);
    let by_page =
        |flat: Value<'g>, order: &[&'static str]| flat.split("place", &[page, row]).transpose(order);
    vec![
        by_page(keys, &["cache_page", "kv_head", "head_dim", "row"]),
        by_page(values, &["cache_page", "kv_head", "row", "head_dim"]),
        mixed.merge(&["head", "head_dim"], "feature"),
    ]
}
