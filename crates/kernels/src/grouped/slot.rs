//! The weights of one slot, as the right side of a product.

use super::runs::pieces;
use crate::element::Operand;
use crate::matrix::{Matrix, multiply};
use crate::packed::{self, COLS, pack_across, pack_along};
use crate::simd::lines::Lines;

/// Weights {in, out}, or {out, in} if they are transposed.
#[derive(Clone, Copy)]
pub(super) struct SlotWeights<'a, T> {
    weights: &'a [T],
    is_transposed: bool,
    /// Size of `in`, the contracted dim.
    inner: usize,
    /// Size of `out`.
    outer: usize,
}

/// Whether products go by packed panels: but for what the product crate does as well, f32 whose weights need no transposing.
pub(super) fn is_packed<T: Operand>(is_transposed: bool) -> bool {
    packed::is_available::<T>() && (T::PER_LANE > 1 || is_transposed)
}

impl<'a, T: Operand> SlotWeights<'a, T> {
    /// Those of `slot` among the weights of all slots.
    pub(super) fn new(all: &'a [T], slot: usize, is_transposed: bool, [inner, outer]: [usize; 2]) -> Self {
        Self { weights: &all[slot * inner * outer..][..inner * outer], is_transposed, inner, outer }
    }

    /// Packs them as the right side of [`packed::multiply`].
    pub(super) fn pack(&self, space: &mut Lines<u32>) {
        packed::reserve(space, self.outer, COLS, packed::lanes::<T>(self.inner));
        if self.is_transposed {
            let row = |i: usize| &self.weights[i * self.inner..][..self.inner];
            pack_along::<T, COLS>(row, self.outer, self.inner, space);
        } else {
            let row = |k: usize| &self.weights[k * self.outer..][..self.outer];
            pack_across::<T, COLS>(row, self.outer, self.inner, space);
        }
    }

    /// `out` {row, out} = `rows` {row, in} times them, by the product crate; added to what is there if `add`.
    pub(super) fn multiply(&self, rows: &[T], out: &mut [f32], add: bool, space: &mut [Vec<f32>; 2]) {
        if self.inner == 0 && !add {
            out.fill(0.0);
        }
        let [row_space, weight_space] = space;
        let rows = Matrix::new(rows, rows.len().checked_div(self.inner).unwrap_or(0), self.inner);
        let weights = if self.is_transposed {
            Matrix::new(self.weights, self.outer, self.inner).transpose()
        } else {
            Matrix::new(self.weights, self.inner, self.outer)
        };
        for (turn, panel) in pieces(self.inner, T::PANEL, 1).enumerate() {
            let rows = T::widened(rows.cols(panel.clone()), row_space);
            let weights = T::widened(weights.rows(panel), weight_space);
            multiply(rows, weights, out, add || turn > 0);
        }
    }
}
