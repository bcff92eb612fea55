//! The experts' feed-forward (Shazeer, 2002.05202) of rows that are gathered, and its gradients, in three kernels: the rows of a tile are read once for
//! gate and up, and what is between the products does not leave the cache.
//!
//! ```text
//! x = rows[index],  out = (scale · silu(x gateᵀ) · (x upᵀ)) downᵀ      of each row's slot
//! ```
//!
//! | value | dims |
//! | --- | --- |
//! | rows | {n, hidden} |
//! | index, inverse | {row, 1}, {n, links} i32: see [`Links`] |
//! | gate, up; down | {slot, intermediate, hidden}; {slot, hidden, intermediate} |
//! | block_slot | {block} i32 |
//! | scale | {row}; f32 (f64 beside f64); ones where it is absent |
//! | results: gate rows, up rows; out | {row, intermediate}; {row, hidden} |
//!
//! The backward pass reads the results of gate and up, and the rows, which it gathers again. Its sum of two products is rounded once. Cost: that of the
//! products, the gathering and [`swiglu`](super::swiglu), of which this is made.

use super::{Composite, Links, gathered, swiglu};
use crate::build::product::grouped_dot_shape;
use crate::{Name, Shape, Value};

impl<'g> Value<'g> {
    /// Gated feed-forward {row, hidden} of the rows of `self` that `links` lead to, one link a row, each in its block's slot, with the weights
    /// of gate, up and down. Rows are multiplied with their scale before the last product, so that its gradient needs no results of experts.
    #[track_caller]
    pub fn expert_rows(
        self,
        links: Links<'g>,
        scale: Option<Self>,
        weights: [Self; 3],
        block_slot: Self,
    ) -> Self {
        let inputs: Vec<_> = [self, links.index, links.inverse]
            .into_iter()
            .chain(weights)
            .chain([block_slot])
            .chain(scale)
            .collect();
        Self::composite(Composite::ExpertRows { is_scaled: scale.is_some() }, 2, &inputs)
    }
}

/// Names of hidden and intermediate.
fn names(gate: &Shape) -> Option<[Name; 2]> {
    let [_, intermediate, hidden] = gate.dims[..] else { return None };
    Some([hidden.name, intermediate.name])
}

pub(super) fn shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [rows, index, inverse, gate, up, down, block_slot, scale @ ..] = x else { return None };
    let [given] = gathered::shapes(&[rows, index, inverse])?.try_into().ok()?;
    let [hidden, intermediate] = names(gate)?;
    let product = |x: &Shape, w: &Shape, over| grouped_dot_shape(x, w, block_slot, over, rows.dtype);
    let inner = product(&given, gate, hidden)?;
    let out = product(&inner, down, intermediate)?;
    let fits = gate == up
        && index.dims[1].size == 1
        && out == given
        && down.dims[2].name == intermediate
        && swiglu::scale_fits(&inner, scale);
    fits.then(|| vec![inner.clone(), inner, out])
}

pub(super) fn gradient_shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [d, gate, up, down, block_slot, scale @ ..] = x else { return None };
    let [_, hidden, _] = down.dims[..] else { return None };
    let inner = grouped_dot_shape(d, down, block_slot, hidden.name, d.dtype)?;
    let fits = [*gate, *up] == [&inner; 2] && down.dims[1] == hidden && swiglu::scale_fits(gate, scale);
    fits.then(|| [vec![inner; 3], scale.iter().map(|&s| s.clone()).collect()].concat())
}

pub(super) fn sum_shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [a, v, b, w, block_slot] = x else { return None };
    let [_, inner, _] = v.dims[..] else { return None };
    let shape = grouped_dot_shape(a, v, block_slot, inner.name, a.dtype)?;
    (a == b && v == w).then(|| vec![shape])
}

pub(super) fn plain<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let [rows, index, inverse, gate, up, down, block_slot, ref scale @ ..] = *x else {
        unreachable!("seven inputs at least")
    };
    let [hidden, intermediate] = names(&gate.shape()).expect("weights of three dims");
    let given = gathered::plain(&[rows, index, inverse])[0];
    let product = |x: Value<'g>, weights, over| x.grouped_dot_as(weights, block_slot, over, rows.dtype());
    let (gate, up) = (product(given, gate, hidden), product(given, up, hidden));
    let inner = swiglu::plain(&[&[gate, up], scale].concat(), rows.dtype())[0];
    vec![gate, up, product(inner, down, intermediate)]
}

pub(super) fn plain_gradient<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let [d, gate, up, down, block_slot, ref scale @ ..] = *x else { unreachable!("five inputs at least") };
    let d_inner = d.grouped_dot_as(down, block_slot, down.shape().dims[1].name, d.dtype());
    swiglu::plain_gradient(&[&[d_inner, gate, up], scale].concat())
}

pub(super) fn plain_sum<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let [a, v, b, w, block_slot] = *x else { unreachable!("five inputs") };
    let [first, second] = [(a, v), (b, w)]
        .map(|(rows, weights)| rows.grouped_dot(weights, block_slot, weights.shape().dims[1].name));
    vec![(first + second).convert(a.dtype())]
}

pub(super) fn pull_back<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let [rows, index, inverse, gate, up, down, block_slot, ref scale @ ..] = *x else {
        unreachable!("seven inputs at least")
    };
    let is_scaled = !scale.is_empty();
    let kept = [0, 1].map(|result| Value::composite(Composite::ExpertRows { is_scaled }, result, x));
    let inputs = [&[d], &kept[..], &[down, block_slot], scale].concat();
    let inside = |i| Value::composite(Composite::ExpertRowsGradient { is_scaled }, i, &inputs);
    let [inner, d_gate, d_up] = [0, 1, 2].map(inside);
    let links = Links { index, inverse };
    let given = rows.gathered_sum(links);
    let slots = gate.shape().dims[0];
    let outer =
        |a: Value<'g>, b, weights: Value<'g>| a.grouped_outer(b, block_slot, slots).convert(weights.dtype());
    let d_given = Value::composite(Composite::GroupedDotSum, 0, &[d_gate, gate, d_up, up, block_slot]);
    let d_scale = scale.iter().map(|&scale| (scale, inside(3)));
    [
        (down, outer(d, inner, down)),
        (gate, outer(d_gate, given, gate)),
        (up, outer(d_up, given, up)),
        (rows, d_given.gathered_sum(links.reversed())),
    ]
    .into_iter()
    .chain(d_scale)
    .collect()
}
