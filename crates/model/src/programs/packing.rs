//! Products and norms by the way weights lie: as in the checkpoint, or packed for the CPU's kernels when they were loaded.
//!
//! Packed weights are for serving alone: nothing passes gradients through them. Their products and norms compute each token in one order, so its
//! results have the same bits whatever else is in a step.

use collegium_core::DType;
use collegium_hlo::{Around, Name, Packed, Value};

use super::Builder;
use super::slab::scales_of;
use crate::layers::{linear, rms_norm};

/// How the weights of products lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packing {
    /// {out, in}, as in the checkpoint.
    Natural,
    /// In panels, in the type of the activations.
    Packed,
    /// In panels of int8 with block scales.
    Int8,
}

impl Packing {
    /// Element type of packed weights, for activations of `dtype`.
    pub fn dtype(self, dtype: DType) -> DType {
        if self == Self::Int8 { DType::I8 } else { dtype }
    }
}

/// A matrix of the checkpoint: name, outputs, contracted dim.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub name: &'a str,
    pub out: (Name, usize),
    pub inner: (Name, usize),
}

impl<'g> Builder<'g> {
    /// Packed weights called `name` of `features` outputs, of `slots` experts.
    pub(super) fn packed(
        &self,
        name: &str,
        slots: Option<usize>,
        (features, inner): (usize, usize),
    ) -> Packed<'g> {
        let dtype = self.packing.dtype(self.dtype);
        let (values, scales) = Packed::dims(dtype, slots, features, inner);
        let scales = (dtype == DType::I8).then(|| self.weight_as(&scales_of(name), DType::Bf16, &scales));
        Packed { values: self.weight_as(name, dtype, &values), scales }
    }

    /// `x` {token, in} times a matrix, {token, out} in the type of `x`, and its bias where there is one.
    pub(super) fn linear(&self, x: Value<'g>, matrix: Matrix<'_>, bias: Option<Value<'g>>) -> Value<'g> {
        let Matrix { name, out, inner } = matrix;
        match self.packing {
            Packing::Natural => linear(x, self.weight(name, &[out, inner]), bias, inner.0),
            _ => {
                let y = self.packed_product(x, matrix, x.dtype(), Around::default());
                bias.map_or(y, |b| y + b)
            }
        }
    }

    /// `onto` {token, out} and the product that [`linear`](Self::linear) makes.
    pub(super) fn linear_onto(
        &self,
        onto: Value<'g>,
        x: Value<'g>,
        matrix: Matrix<'_>,
        bias: Option<Value<'g>>,
    ) -> Value<'g> {
        match (self.packing, bias) {
            (Packing::Packed | Packing::Int8, None) => {
                let onto = Some(onto.rename(&[(matrix.out.0, "feature")]));
                self.packed_product(x, matrix, x.dtype(), Around { onto, ..Around::default() })
            }
            _ => onto + self.linear(x, matrix, bias),
        }
    }

    /// The product with a packed matrix, {token, out} in `dtype`.
    pub(super) fn packed_product(
        &self,
        x: Value<'g>,
        matrix: Matrix<'_>,
        dtype: DType,
        around: Around<'g>,
    ) -> Value<'g> {
        let weights = self.packed(matrix.name, None, (matrix.out.1, matrix.inner.1));
        x.packed_dot(weights, matrix.out.1, dtype, around).rename(&[("feature", matrix.out.0)])
    }

    /// The weight of a norm over `over`, as packed products take it.
    pub(super) fn norm_around(&self, name: &str, over: (Name, usize), eps: f64) -> Around<'g> {
        Around { norm: Some((self.weight(name, &[over]), eps as f32)), ..Around::default() }
    }

    /// `x` normalised over its last dim, `over`, by the weight called `name`.
    pub(super) fn norm(&self, x: Value<'g>, name: &str, over: Name, eps: f64) -> Value<'g> {
        let weight = self.weight(name, &[(over, x.size(over))]);
        match self.packing {
            Packing::Natural => rms_norm(x, weight, eps),
            _ => x.rms_norm_rows(weight, eps as f32),
        }
    }

    /// Whether weights lie as in the checkpoint.
    pub(super) fn is_natural(&self) -> bool {
        self.packing == Packing::Natural
    }

    /// Pieces of `x` along `name`, of the given sizes.
    pub(super) fn pieces<const N: usize>(
        &self,
        x: Value<'g>,
        name: Name,
        sizes: [usize; N],
    ) -> [Value<'g>; N] {
        let mut start = 0;
        sizes.map(|size| {
            start += size;
            x.slice(name, start - size, start)
        })
    }
}
