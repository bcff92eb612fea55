//! The sum of the squares of a tensor, f32: what the global norm of gradients is made of. Cost: two operations an element.

use collegium_core::DType;

use super::Composite;
use crate::{Shape, Value, dim};

impl<'g> Value<'g> {
    /// Sum of the squares of all elements (f32), a scalar.
    #[track_caller]
    pub fn sum_of_squares(self) -> Self {
        Self::composite(Composite::SumOfSquares, 0, &[self])
    }
}

pub(super) fn shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [x] = x else { return None };
    (x.dtype == DType::F32).then(|| vec![Shape::new(DType::F32, &[])])
}

/// Rows of up to 64 lanes are added a few at a time, again and again: short sums lose no digits, run as vectors and stay in the first-level
/// cache (one sum over all rows takes each lane through memory on its own).
pub(super) fn plain<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    const LANES: usize = 64;
    const FEW: usize = 16;
    let divisor = |of: usize, most: usize| (1..=most).rev().find(|d| of.is_multiple_of(*d)).unwrap_or(1);
    let count = x[0].shape().num_elements();
    let lanes = divisor(count, LANES);
    let mut rows = x[0].reshape(&[dim("row", count / lanes), dim("lane", lanes)]);
    rows = rows * rows;
    loop {
        let left = rows.size("row");
        let few = divisor(left, FEW);
        if few == 1 {
            return vec![rows.sum(&["row"]).sum(&["lane"])];
        }
        rows = rows.split("row", &[dim("row", left / few), dim("few", few)]).sum(&["few"]);
    }
}

pub(super) fn pull_back<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    vec![(x[0], x[0] * (d * 2.0))]
}
