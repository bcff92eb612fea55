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
//! | scales | of keys and values in int8, each {cache_page, kv_head, row} f32: what 1 stands for in a row ([`Value::int8_rows`]) |
//! | results | keys, values and scales, then {token, feature} |

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
    /// Where these are int8, {cache_page, kv_head, row} of both; otherwise they have the type of the tokens.
    pub scales: Option<[Value<'g>; 2]>,
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
}

impl<'g> Value<'g> {
    /// For `self` {token, feature}, the queries, keys and values of tokens: what they attend to, {token, feature}, and keys, values and scales.
    #[track_caller]
    pub fn paged_step(self, with: &PagedStep<'g>) -> (Self, Vec<Self>) {
        let PagedStep { cos, sin, pages, sequence, position, place, norms, caches, scales, window } = *with;
        let how = Paging { window, eps_bits: norms.map(|n| n.1.to_bits()), is_int8: scales.is_some() };
        let mut inputs = [&caches[..], scales.as_ref().map_or(&[], |s| &s[..])].concat();
        let held = inputs.len();
        inputs.extend([self, cos, sin, pages, sequence, position, place]);
        inputs.extend(norms.iter().flat_map(|n| n.0));
        let result = |i| Self::composite(Composite::PagedStep(how), i, &inputs);
        (result(held), (0..held).map(result).collect())
    }
}

/// What a step does beside its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Paging {
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
    /// What is added to the mean of squares, as the bits of an f32, where heads are normalised.
    pub eps_bits: Option<u32>,
    /// Whether the cache is int8, with scales.
    pub is_int8: bool,
}

impl Paging {
    /// Inputs that are changed in place: keys, values and scales.
    pub(crate) fn num_held(self) -> usize {
        if self.is_int8 { 4 } else { 2 }
    }

    /// How many inputs there are.
    pub(crate) fn num_inputs(self) -> usize {
        self.num_held() + 7 + 2 * usize::from(self.eps_bits.is_some())
    }
}

/// Query heads behind `features`, by the cache of keys.
fn heads(features: usize, keys: &Shape) -> Option<usize> {
    let [_, kv_head, head_dim, _] = &keys.dims[..] else { return None };
    let all = features.checked_div(head_dim.size)?;
    (all * head_dim.size == features).then(|| all.checked_sub(2 * kv_head.size)).flatten()
}

pub(super) fn shapes(x: &[&Shape], how: Paging) -> Option<Vec<Shape>> {
    let (held, rest) = x.split_at_checked(how.num_held())?;
    let [keys, values, scales @ ..] = held else { return None };
    let [qkv, cos, sin, pages, sequence, position, place, norms @ ..] = rest else { return None };
    let [token, feature] = &qkv.dims[..] else { return None };
    let [page, kv_head, head_dim, row] = keys.dims[..] else { return None };
    let heads = heads(feature.size, keys)?;
    let half = Shape::new(DType::F32, &[*token, dim("half", head_dim.size / 2)]);
    let query = Shape::new(qkv.dtype, &[*token, dim("head", heads), head_dim]);
    // As attention over a cache whose places are not laid out by page.
    let place_dim = dim("place", page.size * row.size);
    let flat = Shape::new(keys.dtype, &[place_dim, kv_head, head_dim]);
    let flat_scales = Shape::new(DType::F32, &[place_dim, kv_head]);
    let flat_scales = how.is_int8.then_some([&flat_scales; 2]);
    let fits =
        paged::fits(&[&query, &flat, &flat, pages, sequence, position], flat_scales, row.size, how.window)
            && scales.iter().all(|s| **s == Shape::new(DType::F32, &[page, kv_head, row]))
            && **values == Shape::new(keys.dtype, &[page, kv_head, row, head_dim])
            && [page.name, row.name] == ["cache_page", "row"]
            && norms.len() == if how.eps_bits.is_some() { 2 } else { 0 }
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
    fits.then(|| held.iter().map(|&s| s.clone()).chain([mixed]).collect())
}

pub(super) fn plain<'g>(x: &[Value<'g>], how: Paging) -> Vec<Value<'g>> {
    let (held, x) = x.split_at(how.num_held());
    let (qkv, cos, sin, place) = (x[0], x[1], x[2], x[6]);
    let cache = held[0].shape();
    let [page, kv_head, head_dim, row] = cache.dims[..] else { unreachable!("shapes were checked") };
    let heads = dim("head", heads(qkv.size("feature"), &cache).expect("shapes were checked"));
    let mut start = 0;
    let [q, k, v] = [heads, kv_head, kv_head].map(|own| {
        start += own.size * head_dim.size;
        qkv.slice("feature", start - own.size * head_dim.size, start).split("feature", &[own, head_dim])
    });
    let turned = |y: Value<'g>, which: usize| {
        let y = how.eps_bits.map_or(y, |eps| norm::plain(&[y, x[7 + which]], eps)[0]);
        let half = head_dim.size / 2;
        let wide = y.convert(DType::F32);
        let part = |from, to| wide.slice("head_dim", from, to).rename(&[("head_dim", "half")]);
        let (low, high) = (part(0, half), part(half, 2 * half));
        let parts = [low * cos - high * sin, high * cos + low * sin];
        Value::concat(&parts, "half").rename(&[("half", "head_dim")]).convert(y.dtype())
    };
    let [q, k] = [(q, 0), (k, 1)].map(|(y, which)| turned(y, which));
    let new = if how.is_int8 {
        let ([k, k_scales], [v, v_scales]) = (k.int8_rows(), v.int8_rows());
        vec![k, v, k_scales, v_scales]
    } else {
        vec![k, v]
    };
    let places = dim("place", page.size * row.size);
    let hits = place.one_hot(places, DType::F32);
    let is_new = hits.sum(&["token"]).at_least(hits.graph().scalar(DType::F32, 1.0));
    let written = |(&old, &new): (&Value<'g>, &Value<'g>)| {
        let order: Vec<_> =
            ["cache_page", "row", "kv_head", "head_dim"].into_iter().filter(|d| old.shape().has(d)).collect();
        let old = old.transpose(&order).merge(&["cache_page", "row"], "place");
        let rows = hits.dot(new.convert(DType::F32), &["token"]).convert(old.dtype());
        is_new.broadcast(&old.shape().dims).select(rows, old)
    };
    let flat: Vec<Value<'g>> = held.iter().zip(&new).map(written).collect();
    let scales = how.is_int8.then(|| [flat[2], flat[3]]);
    let mixed = paged::plain(&[q, flat[0], flat[1], x[3], x[4], x[5]], scales, row.size, how.window);
    let by_page = |(flat, old): (&Value<'g>, &Value<'g>)| {
        let order: Vec<_> = old.shape().dims.iter().map(|d| d.name).collect();
        flat.split("place", &[page, row]).transpose(&order)
    };
    let mut results: Vec<Value<'g>> = flat.iter().zip(held).map(by_page).collect();
    results.push(mixed.merge(&["head", "head_dim"], "feature"));
    results
}
