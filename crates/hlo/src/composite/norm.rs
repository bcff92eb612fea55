//! Root-mean-square normalisation along the last dim (Zhang & Sennrich, 1910.07467) as one operation without a gradient, for serving:
//! `y = weight · x / sqrt(mean(x²) + eps)`, in f32, rounded to the type of x before the weight. A kernel sums each row in one order, whatever the
//! number of rows, so that a token's result does not depend on what else is in a step.

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Shape, Value};

impl<'g> Value<'g> {
    /// [`rms_norm_rows`](Self::rms_norm_rows) with the gradient of its plain form, for training.
    #[track_caller]
    pub fn rms_norm(self, weight: Self, eps: f32) -> Self {
        let exact = plain(&[self, weight], eps.to_bits())[0];
        self.rms_norm_rows(weight, eps).with_gradient_of(exact)
    }

    /// `self` normalised along its last dim, times `weight`, which has that one dim.
    #[track_caller]
    pub fn rms_norm_rows(self, weight: Self, eps: f32) -> Self {
        Self::composite(Composite::RmsNorm { eps_bits: eps.to_bits() }, 0, &[self, weight])
    }
}

pub(super) fn shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [x, weight] = x else { return None };
    let last = x.dims.last()?;
    let fits = x.dtype.is_float() && x.dtype == weight.dtype && weight.dims == [*last];
    fits.then(|| vec![(*x).clone()])
}

pub(super) fn plain<'g>(x: &[Value<'g>], eps_bits: u32) -> Vec<Value<'g>> {
    let [x, weight] = *x else { unreachable!("it has two inputs") };
    let wide = x.convert(product_dtype(x.dtype()));
    let over = weight.shape().dims[0].name;
    let scale = ((wide * wide).mean(&[over]) + f64::from(f32::from_bits(eps_bits))).rsqrt();
    vec![(wide * scale).convert(x.dtype()) * weight]
}
