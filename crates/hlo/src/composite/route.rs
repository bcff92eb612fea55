//! Top-k softmax router without gradients (Shazeer et al., 1701.06538), for serving: `p = softmax(x Wᵀ)` in f32 over all experts, the `top_k`
//! experts with the largest `p + bias`, and their `p` as weights, renormalised over the choice where asked.
//!
//! | value | dims |
//! | --- | --- |
//! | x | {token, hidden} |
//! | weight | {expert, hidden}, as x |
//! | bias | {expert} f32 |
//! | norm | {hidden}, as x: tokens are normalised first, where it is given ([`Value::rms_norm_rows`]) |
//! | results | weights {token, choice} f32, experts {token, choice} i32, and where tokens are normalised these, {token, hidden} |

use collegium_core::DType;

use super::{Composite, norm};
use crate::build::product::product_dtype;
use crate::{Shape, Value, dim};

/// One choice of every token.
#[derive(Clone, Copy)]
struct Pick<'g> {
    /// Index of the expert, {token} in the type of the scores.
    expert: Value<'g>,
    /// One at that expert, {token, expert}.
    hit: Value<'g>,
}

/// The `count` largest of {token, expert}, one after another: without a sort, which some devices refuse. Ties go to the lower expert.
fn largest<'g>(scores: Value<'g>, count: usize) -> Vec<Pick<'g>> {
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
        let what = Composite::Route { top_k, normalise, eps_bits: None };
        let result = |i| Self::composite(what, i, &[self, weight, bias]);
        (result(0), result(1))
    }

    /// The same for `self` normalised by `norm` {hidden}, which comes first.
    #[track_caller]
    pub fn normed_route(
        self,
        (norm, eps): (Self, f32),
        weight: Self,
        bias: Self,
        (top_k, normalise): (usize, bool),
    ) -> [Self; 3] {
        let what = Composite::Route { top_k, normalise, eps_bits: Some(eps.to_bits()) };
        [2, 0, 1].map(|i| Self::composite(what, i, &[self, weight, bias, norm]))
    }
}

pub(super) fn shapes(x: &[&Shape], top_k: usize, is_normed: bool) -> Option<Vec<Shape>> {
    let [x, weight, bias, norm @ ..] = x else { return None };
    let ([token, hidden], [expert, also]) = (&x.dims[..], &weight.dims[..]) else { return None };
    let fits = x.dtype.is_float()
        && x.dtype == weight.dtype
        && [token.name, expert.name] == ["token", "expert"]
        && hidden == also
        && **bias == Shape::new(product_dtype(x.dtype), &[*expert])
        && norm.len() == usize::from(is_normed)
        && norm.iter().all(|norm| **norm == Shape::new(x.dtype, &[*hidden]))
        && (1..=expert.size).contains(&top_k);
    let dims = [*token, dim("choice", top_k)];
    let normed = is_normed.then(|| (*x).clone());
    fits.then(|| {
        [Shape::new(bias.dtype, &dims), Shape::new(DType::I32, &dims)].into_iter().chain(normed).collect()
    })
}

pub(super) fn plain<'g>(
    x: &[Value<'g>],
    (top_k, normalise): (usize, bool),
    eps_bits: Option<u32>,
) -> Vec<Value<'g>> {
    let (weight, bias) = (x[1], x[2]);
    let normed = eps_bits.map(|eps| norm::plain(&[x[0], x[3]], eps)[0]);
    let x = normed.unwrap_or(x[0]);
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
    let experts = stack(picks.iter().map(|p| p.expert).collect()).convert(DType::I32);
    [gates, experts].into_iter().chain(normed).collect()
}
