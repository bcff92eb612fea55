//! A cache that keeps only the best of what a sequence wrote, in three programs for each layer, with the host's choice behind the first. A *region* is the pages
//! of a sequence from which tokens are dropped; its last page is that of the newest tokens, whose queries say what is wanted.
//!
//! [`scored`] gives the score of every place of the region but the newest page, and the region's rows; [`kept`] makes pages of those that were chosen, and [`put`] writes one of them to the
//! cache. Keys are turned before they are cached, so a row means the same wherever it lies.

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

/// What [`Part::Keep`](super::Part::Keep) gives: the chosen rows of the `from` pages of a region as `pages` pages.
pub(super) fn kept<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    how: StepShape,
    (from, pages): (usize, usize),
) -> Vec<(String, Value<'g>)> {
    let chosen = b.input("chosen", DType::I32, &[dim("kept", pages * PAGE)]);
    let by_page = [dim("cache_page", pages), dim("row", PAGE)];
    let page = |(name, dtype, dims): (&str, DType, Vec<Dim>)| {
        let of_row = dims.iter().copied().filter(|d| ["kv_head", "head_dim"].contains(&d.name));
        let rows: Vec<Dim> = [dim("place", from * PAGE)].into_iter().chain(of_row).collect();
        let rows = b.input(&format!("rows.{name}"), dtype, &rows).take(chosen, "place");
        let is_by_place = dims[0].name == "place";
        let order: Vec<_> = dims.iter().map(|d| d.name).collect();
        let pages = if is_by_place {
            rows.rename(&[("kept", "place")])
        } else {
            rows.split("kept", &by_page).transpose(&order)
        };
        (format!("pages.{name}"), pages)
    };
    cache_parts(shape.config, &how, shape.dtype).into_iter().map(page).collect()
}

/// What [`Part::Put`](super::Part::Put) gives. One page at a time: of many updates the CPU's compiler makes one loop over all of the cache, which asks for each element which
/// of them it belongs to.
pub(super) fn put<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    how: StepShape,
    pages: usize,
) -> Vec<(String, Value<'g>)> {
    let [from, to] = ["from", "to"].map(|name| b.input(name, DType::I32, &[]));
    let written = |(name, dtype, dims): (&str, DType, Vec<Dim>)| {
        let cache = b.input(&format!("cache.{name}"), dtype, &dims);
        // Places of a page, where they are what is counted.
        let (over, each) = (dims[0].name, if dims[0].name == "place" { PAGE } else { 1 });
        let held: Vec<Dim> = [dim(over, pages * each)].into_iter().chain(dims[1..].iter().copied()).collect();
        let own = b.input(&format!("pages.{name}"), dtype, &held);
        let own = own.dynamic_slice(over, from * each as f64, each);
        (format!("cache.{name}_out"), cache.dynamic_update(over, own, to * each as f64))
    };
    cache_parts(shape.config, &how, shape.dtype).into_iter().map(written).collect()
}
