//! Output head and loss with their gradients: `loss = scale · sum over the tokens that count of
//! -ln softmax(hidden weightᵀ)[target]`. With `p` the softmax of a token's logits and `e` its target's unit vector, the
//! cotangent of the logits is `g = scale (p - e)`, so `d_hidden = g weight` and `d_weight = gᵀ hidden`: the gradients need nothing
//! from behind, and one pass makes all three.
//!
//! | value | dims |
//! | --- | --- |
//! | hidden, and its gradient | {token, hidden} |
//! | weight; its gradient in f32 | {vocab, hidden} |
//! | targets | {token} i32, negative where a token does not count |
//! | scale, loss | scalar f32 |
//!
//! Logits and softmax are f32; `g` is rounded to the type of `hidden` before its products. Cost: 2 · tokens · vocab ·
//! hidden FLOPs for the loss alone, three times that with gradients.

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::op::Bits;
use crate::{Op, Shape, Value, dim};

impl<'g> Value<'g> {
    /// `scale` (f32 scalar) times the sum of the cross-entropies of tokens with hidden states `self` {token, hidden} under the
    /// head `weight` {vocab, hidden}: a scalar. `targets` {token} (i32) are negative where a token does not count,
    /// and below the vocabulary's size.
    #[track_caller]
    pub fn cross_entropy(self, weight: Self, targets: Self, scale: Self) -> Self {
        Self::composite(Composite::CrossEntropy, 0, &[self, weight, targets, scale])
    }
}

/// Shapes of the loss and the gradients to hidden and weight.
pub(super) fn shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [hidden, weight, targets, scale] = x else { return None };
    let ([token, width], [vocab, contracted]) = (&hidden.dims[..], &weight.dims[..]) else { return None };
    let wide = product_dtype(hidden.dtype);
    let fits = (token.name, vocab.name) == ("token", "vocab")
        && width == contracted
        && hidden.dtype == weight.dtype
        && hidden.dtype.is_float()
        && **targets == Shape::new(DType::I32, &[*token])
        && **scale == Shape::new(wide, &[]);
    fits.then(|| vec![(*scale).clone(), (*hidden).clone(), weight.with_dtype(wide)])
}

pub(super) fn pull_back<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let [hidden, weight, targets, scale] = *x else { unreachable!("the loss has four inputs") };
    // A cotangent of one leaves the inputs as they are, so loss and gradients are results of one call.
    let is_one = d.graph.node(d.id).op == Op::Constant(Bits::from(1.0));
    let inputs = [hidden, weight, targets, if is_one { scale } else { scale * d }];
    let result = |i, x: &[Value<'g>]| Value::composite(Composite::CrossEntropy, i, x);
    let one = d.graph.scalar(d.dtype(), 1.0);
    let d_scale = result(0, &[hidden, weight, targets, one]) * d;
    vec![(hidden, result(1, &inputs)), (weight, result(2, &inputs).convert(weight.dtype())), (scale, d_scale)]
}

pub(super) fn plain<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let [hidden, weight, targets, scale] = *x else { unreachable!("the loss has four inputs") };
    let (g, dtype, wide) = (hidden.graph(), hidden.dtype(), scale.dtype());
    let width = hidden.shape().dims[1].name;
    let logits = hidden.dot_as(weight, &[width], wide);
    let hit = targets.one_hot(dim("vocab", weight.size("vocab")), wide);
    let counts = targets.at_least(g.scalar(DType::I32, 0.0)).convert(wide);
    let sums = logits.log_sum_exp("vocab");
    // Negative targets hit nothing, so only the log-sum-exp needs the mask.
    let loss = (sums * counts - (logits * hit).sum(&["vocab"])).sum(&["token"]) * scale;
    let d_logits = (((logits - sums).exp() * counts - hit) * scale).convert(dtype);
    let d_hidden = d_logits.dot_as(weight, &["vocab"], wide).convert(dtype);
    vec![loss, d_hidden, d_logits.dot_as(hidden, &["token"], wide)]
}
