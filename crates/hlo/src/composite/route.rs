//! Top-k softmax router without gradients (Shazeer et al., 1701.06538), for serving: `p = softmax(x Wᵀ)` in f32 over all experts, the `top_k`
//! experts with the largest `p + bias`, and their `p` as weights, renormalised over the choice where asked.
//!
//! | value | dims |
//! | --- | --- |
//! | x | {token, hidden} |
//! | weight | {expert, hidden}, as x |
//! | bias | {expert} f32 |
//! | results | weights {token, choice} f32, experts {token, choice} i32 |

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Shape, Value, dim};

/// One choice of every token.
#[derive(Clone, Copy)]
pub struct Pick<'g> {
    /// Index of the expert, {token} in the type of the scores.
    pub expert: Value<'g>,
    /// One at that expert, {token, expert}.
    pub hit: Value<'g>,
}

/// The `count` largest of {token, expert}, one after another: without a sort, which some devices refuse. Ties go to the lower expert.
pub fn largest<'g>(scores: Value<'g>, count: usize) -> Vec<Pick<'g>> {
    let g = scores.graph();
    let (dims, dtype) = (scores.shape().dims, scores.dtype());
    let places = g.iota(dtype, &dims, "expert");
    let none = g.scalar(dtype, scores.size("expert") as f64);
    let taken = g.scalar(dtype, f64::NEG_INFINITY);
    let mut left = scores;
    (0..count)
        .map(|_| {
            let best = left.reduce_max(&["expert"]);
            let expert = left.equals(best.broadcast(&dims)).select(places, none).reduce_min(&["expert"]);
            let hit = places.equals(expert.broadcast(&dims));
            left = hit.select(taken, left);
            Pick { expert, hit: hit.convert(dtype) }
        })
        .collect()
}

impl<'g> Value<'g> {
    /// Weights and experts of the choices of `self` {token, hidden} by the router `weight` {expert, hidden} and `bias` {expert}.
    #[track_caller]
    pub fn route(self, weight: Self, bias: Self, top_k: usize, normalise: bool) -> (Self, Self) {
        let result = |i| Self::composite(Composite::Route { top_k, normalise }, i, &[self, weight, bias]);
        (result(0), result(1))
    }
}

pub(super) fn shapes(x: &[&Shape], top_k: usize) -> Option<Vec<Shape>> {
    let [x, weight, bias] = x else { return None };
    let ([token, hidden], [expert, also]) = (&x.dims[..], &weight.dims[..]) else { return None };
    let fits = x.dtype.is_float()
        && x.dtype == weight.dtype
        && [token.name, expert.name] == ["token", "expert"]
        && hidden == also
        && **bias == Shape::new(product_dtype(x.dtype), &[*expert])
        && (1..=expert.size).contains(&top_k);
    let dims = [*token, dim("choice", top_k)];
    fits.then(|| vec![Shape::new(bias.dtype, &dims), Shape::new(DType::I32, &dims)])
}

pub(super) fn plain<'g>(x: &[Value<'g>], top_k: usize, normalise: bool) -> Vec<Value<'g>> {
    let [x, weight, bias] = *x else { unreachable!("it has three inputs") };
    let wide = bias.dtype();
    let logits = x.convert(wide).dot(weight.convert(wide), &[x.shape().dims[1].name]);
    let probabilities = logits.softmax("expert");
    let picks = largest(probabilities + bias, top_k);
    let stack = |parts: Vec<Value<'g>>| {
        let last: Vec<Value<'g>> =
            parts.into_iter().map(|p| p.reshape(&[p.shape().dims[0], dim("choice", 1)])).collect();
        Value::concat(&last, "choice")
    };
    let gates = stack(picks.iter().map(|p| (probabilities * p.hit).sum(&["expert"])).collect());
    let gates = if normalise { gates / gates.sum(&["choice"]) } else { gates };
    vec![gates, stack(picks.iter().map(|p| p.expert).collect()).convert(DType::I32)]
}
