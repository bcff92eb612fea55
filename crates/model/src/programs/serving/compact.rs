//! A cache that keeps only the best of what a sequence wrote, in two programs for each layer with the host's choice between them. A *region* is the pages
//! of a sequence from which tokens are dropped; its last page is that of the newest tokens, whose queries say what is wanted.
//!
//! [`scored`] gives the score of every place of the region but the newest page, and the region's rows; [`kept`] writes the rows that were chosen to the region's first
//! pages. Keys are turned before they are cached, so a row means the same wherever it lies.

use collegium_core::DType;
use collegium_hlo::{Dim, Value, dim};

use super::places::cache_parts;
use super::{PAGE, StepShape, hidden_input};
use crate::layers::{Rotation, retention};
use crate::programs::block::rotation;
use crate::programs::projections::{packed_queries, queries};
use crate::programs::{Builder, Shape};

/// What [`Part::Scores`](super::Part::Scores) gives, for a region of so many pages.
pub(super) fn scored<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    how: StepShape,
    pages: usize,
) -> Vec<(String, Value<'g>)> {
    let region = b.input("region", DType::I32, &[dim("region_page", pages)]);
    let parts = cache_parts(shape.config, &how, shape.dtype);
    let rows: Vec<Value<'g>> = parts
        .iter()
        .map(|(name, dtype, dims)| rows(b.input(&format!("cache.{name}"), *dtype, dims), region))
        .collect();
    let keys = match rows.get(2) {
        Some(&scales) => rows[0].convert(DType::F32) * scales,
        None => rows[0],
    };
    let scores = retention(newest_queries(b, shape), keys);
    let rows = parts.iter().zip(rows).map(|((name, ..), rows)| (format!("rows.{name}"), rows));
    rows.chain([("scores".to_string(), scores)]).collect()
}

/// {token, head, head_dim}
fn newest_queries<'g>(b: &Builder<'g>, shape: &Shape<'_>) -> Value<'g> {
    let hidden = hidden_input(b, shape);
    if b.is_natural() {
        return queries(b, shape, hidden, rotation(b, shape)).merge(&["batch", "seq"], "token");
    }
    let dims = [shape.token(), dim("half", shape.config.head_dim / 2)];
    let [cos, sin] = ["cos", "sin"].map(|name| b.input(name, DType::F32, &dims));
    packed_queries(b, shape, hidden, Rotation { cos, sin })
}

/// The rows of a region, {place, kv_head, ..}, of a part of the cache.
fn rows<'g>(cache: Value<'g>, region: Value<'g>) -> Value<'g> {
    let shape = cache.shape();
    let cache = match shape.size("place") {
        Some(places) => cache.split("place", &[dim("cache_page", places / PAGE), dim("row", PAGE)]),
        None => cache,
    };
    let order = ["region_page", "row", "kv_head", "head_dim"];
    let order = &order[..cache.shape().dims.len()];
    cache.take(region, "cache_page").transpose(order).merge(&["region_page", "row"], "place")
}

/// What [`Part::Keep`](super::Part::Keep) gives: `pages` pages of the `from` pages of a region.
pub(super) fn kept<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    how: StepShape,
    (from, pages): (usize, usize),
) -> Vec<(String, Value<'g>)> {
    let chosen = b.input("chosen", DType::I32, &[dim("kept", pages * PAGE)]);
    let region = b.input("region", DType::I32, &[dim("region_page", from)]);
    let written = |(name, dtype, dims): (&str, DType, Vec<Dim>)| {
        let cache = b.input(&format!("cache.{name}"), dtype, &dims);
        let rows: Vec<Dim> = [dim("place", from * PAGE), dim("kv_head", shape.config.num_kv_heads)]
            .into_iter()
            .chain(dims.iter().copied().find(|d| d.name == "head_dim"))
            .collect();
        let rows = b.input(&format!("rows.{name}"), dtype, &rows).take(chosen, "place");
        (format!("cache.{name}_out"), overwritten(cache, rows, region))
    };
    cache_parts(shape.config, &how, shape.dtype).into_iter().map(written).collect()
}

/// A part of the cache with `rows` {kept, kv_head, ..} in the first pages of a region.
fn overwritten<'g>(mut cache: Value<'g>, rows: Value<'g>, region: Value<'g>) -> Value<'g> {
    let dims = cache.shape().dims;
    let pages = rows.size("kept") / PAGE;
    let by_page = rows.split("kept", &[dim("cache_page", pages), dim("row", PAGE)]);
    for page in 0..pages {
        let own = by_page.slice("cache_page", page, page + 1);
        let at = region.index("region_page", page);
        cache = if cache.shape().has("place") {
            cache.dynamic_update("place", own.merge(&["cache_page", "row"], "place"), at * PAGE as f64)
        } else {
            let order: Vec<_> = dims.iter().map(|d| d.name).collect();
            cache.dynamic_update("cache_page", own.transpose(&order), at)
        };
    }
    cache
}
