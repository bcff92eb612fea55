//! One step of AdamW (Loshchilov & Hutter, 1711.05101) on a shard, in one pass over memory.
//!
//! With `g = scale · gradient`: `m' = β₁ m + (1 - β₁) g`, `v' = β₂ v + (1 - β₂) g²`,
//! `p' = p - rate · (c₁ m' / (√(c₂ v') + ε) + decay · p)`, where `c₁`, `c₂` correct the bias.
//!
//! | value | dims |
//! | --- | --- |
//! | p, m, v, gradient and the results | the same, f32 |
//! | hyper | {entry} f32: rate, decay, β₁, β₂, c₁, c₂, ε, scale |
//! | decay_end | i32 scalar: places along the last dim from there on do not decay |
//! | working | p' rounded to `working` |
//!
//! The kernel writes p', m' and v' over p, m and v. Cost: fourteen operations an element.

use collegium_core::DType;

use super::Composite;
use crate::{Shape, Value};

/// Entries of `hyper`.
pub const ADAMW_HYPER: usize = 8;

/// Results of [`Value::adamw`].
#[derive(Clone, Copy)]
pub struct AdamW<'g> {
    /// p'.
    pub master: Value<'g>,
    /// m'.
    pub first: Value<'g>,
    /// v'.
    pub second: Value<'g>,
    /// p' in another element type.
    pub working: Value<'g>,
}

impl<'g> Value<'g> {
    /// One step from `self`, the weights. `state` is m, v and the gradient; `working` the element type of the weights' copy, which costs
    /// nothing where it is not read. No gradient.
    #[track_caller]
    pub fn adamw(self, state: [Self; 3], hyper: Self, decay_end: Self, working: DType) -> AdamW<'g> {
        let [m, v, gradient] = state;
        let result =
            |i| Self::composite(Composite::AdamW { working }, i, &[self, m, v, gradient, hyper, decay_end]);
        AdamW { master: result(0), first: result(1), second: result(2), working: result(3) }
    }
}

pub(super) fn shapes(x: &[&Shape], working: DType) -> Option<Vec<Shape>> {
    let [p, state @ .., hyper, decay_end] = x else { return None };
    let fits = p.dtype == DType::F32
        && !p.dims.is_empty()
        && state.iter().all(|s| s == p)
        && hyper.dtype == DType::F32
        && hyper.sizes() == [ADAMW_HYPER]
        && decay_end.dtype == DType::I32
        && decay_end.dims.is_empty()
        && working.is_float();
    fits.then(|| [[(*p).clone(), (*p).clone(), (*p).clone()].to_vec(), vec![p.with_dtype(working)]].concat())
}

pub(super) fn plain<'g>(x: &[Value<'g>], working: DType) -> Vec<Value<'g>> {
    let [p, m, v, gradient, hyper, decay_end] = *x else { unreachable!("it has six inputs") };
    let dims = p.shape().dims;
    let entry_dim = hyper.shape().dims[0].name;
    let entry = |i: usize| hyper.index(entry_dim, i);
    let [rate, decay, beta1, beta2, correct1, correct2, eps, scale] = std::array::from_fn(entry);
    let last = dims[dims.len() - 1].name;
    let decays = p.graph().iota(DType::I32, &dims, last).less(decay_end).convert(DType::F32);
    let g = gradient * scale;
    let m = m * beta1 + g * (-beta1 + 1.0);
    let v = v * beta2 + g * g * (-beta2 + 1.0);
    let step = m * correct1 / ((v * correct2).sqrt() + eps) + p * decays * decay;
    let p = p - step * rate;
    vec![p, m, v, p.convert(working)]
}
