//! The inside of a gated feed-forward (Shazeer, 2002.05202): `scale · silu(gate) · up`, and its gradients, each in one pass over memory.
//!
//! With `s = 1 / (1 + e^-gate)` and the cotangent `d`: `d_gate = scale d up s (1 + gate (1 - s))`, `d_up = scale d gate s`, and `d_scale` of a row the
//! sum of `d gate s up` over it. So nothing is kept from the forward pass but gate and up: where the gradient to the next product's weights
//! needs the result, the same pass makes it again, where the cotangent lay.
//!
//! The scale is that of an expert's row, the weight of the token's choice. Applied here, before the last product rather than after it, it is a narrower
//! row that the gradient to it reads, and one that is kept anyway: the experts' results need not be.
//!
//! | value | dims |
//! | --- | --- |
//! | gate, up | the same |
//! | scale, its gradient | the first dim of gate; f32 (f64 beside f64); ones where it is absent |
//! | result, its cotangent, the gradients to gate and up | like gate, in `dtype` |
//!
//! Computed in f32 where inputs are narrower. Cost: seven operations an element forward, sixteen backward.

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Shape, Value};

impl<'g> Value<'g> {
    /// `silu(self) · up` in `dtype`; `up` has the shape of `self`. With a scale it is part of [`Value::expert_rows`].
    #[track_caller]
    pub fn swiglu(self, up: Self, dtype: DType) -> Self {
        Self::composite(Composite::Swiglu { dtype }, 0, &[self, up])
    }
}

pub(super) fn shapes(x: &[&Shape], dtype: DType) -> Option<Vec<Shape>> {
    let [gate, up] = x else { return None };
    let fits = gate == up && gate.dtype.is_float() && dtype.is_float();
    fits.then(|| vec![gate.with_dtype(dtype)])
}

/// Whether it is the scale of these rows, or there is none.
pub(super) fn scale_fits(gate: &Shape, scale: &[&Shape]) -> bool {
    match scale {
        [] => true,
        [scale] => {
            gate.dims.first().is_some_and(|row| **scale == Shape::new(product_dtype(gate.dtype), &[*row]))
        }
        _ => false,
    }
}

/// Shapes of the result and the gradients to gate and up, in the cotangent's type.
pub(super) fn gradient_shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [d, gate, up] = x else { return None };
    let fits = gate == up && gate.dims == d.dims && gate.dtype.is_float() && d.dtype.is_float();
    fits.then(|| vec![(*d).clone(); 3])
}

/// Gate, up and perhaps the scale.
pub(super) fn plain<'g>(x: &[Value<'g>], dtype: DType) -> Vec<Value<'g>> {
    let [gate, up] = [x[0], x[1]].map(wide);
    vec![scaled(gate.silu() * up, x.get(2)).convert(dtype)]
}

/// The cotangent, gate, up and perhaps the scale.
pub(super) fn plain_gradient<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let (d, scale) = (x[0], x.get(3));
    let dtype = d.dtype();
    let [gate, up] = [x[1], x[2]].map(wide);
    let d = d.convert(gate.dtype());
    let (s, value) = (gate.logistic(), gate.silu() * up);
    let to_value = scaled(d, scale);
    let d_gate = to_value * up * s * (gate * (-s + 1.0) + 1.0);
    let of_rows = [scaled(value, scale), d_gate, to_value * gate * s].map(|v| v.convert(dtype));
    let inside: Vec<_> = gate.shape().dims.iter().skip(1).map(|d| d.name).collect();
    of_rows.into_iter().chain(scale.map(|_| (d * value).sum(&inside))).collect()
}

fn scaled<'g>(rows: Value<'g>, scale: Option<&Value<'g>>) -> Value<'g> {
    scale.map_or(rows, |&scale| rows * scale.broadcast(&rows.shape().dims))
}

pub(super) fn pull_back<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    x.iter().zip([1, 2]).map(|(&x_i, i)| (x_i, gradient(x, d, i).convert(x_i.dtype()))).collect()
}

/// The result, as the pass of the gradient makes it again.
pub(super) fn again<'g>(x: &[Value<'g>], d: Value<'g>) -> Value<'g> {
    gradient(x, d, 0)
}

fn gradient<'g>(x: &[Value<'g>], d: Value<'g>, result: usize) -> Value<'g> {
    Value::composite(Composite::SwigluGradient, result, &[d, x[0], x[1]])
}

fn wide(x: Value<'_>) -> Value<'_> {
    x.convert(product_dtype(x.dtype()))
}
