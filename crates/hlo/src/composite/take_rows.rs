//! Rows of a table by their numbers, without a gradient, for serving: [`Value::take`] along the first dim, whose kernel runs in one call with those that read the rows.

use collegium_core::DType;

use super::Composite;
use crate::{Shape, Value};

impl<'g> Value<'g> {
    /// The rows {n, width} of `self` {rows, width} that `index` {n} i32 names. Indices must be in range.
    #[track_caller]
    pub fn take_rows(self, index: Self) -> Self {
        Self::composite(Composite::TakeRows, 0, &[self, index])
    }
}

pub(super) fn shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [table, index] = x else { return None };
    let ([rows, width], [count]) = (&table.dims[..], &index.dims[..]) else { return None };
    let fits =
        table.dtype.is_float() && index.dtype == DType::I32 && rows.size > 0 && count.name != width.name;
    fits.then(|| vec![Shape::new(table.dtype, &[*count, *width])])
}

pub(super) fn plain<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    vec![x[0].take(x[1], x[0].shape().dims[0].name)]
}
