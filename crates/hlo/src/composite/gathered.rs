//! Rows to the places that link to them, summed: tokens to the rows of their experts, the rows' results back to the tokens, and the
//! gradients of both, which are the same operation in the other direction.
//!
//! Two tables of links describe one relation, each the inverse of the other. Entry `index[m, f]` says: link `f` of result row `m` is link
//! `index % G` of row `index / G`, where each row has `G` links; `inverse[n, g]` says the same of row `n`. Negative: no link.
//!
//! ```text
//! y[m]       = sum over f of rows[index[m, f] / G]
//! d_rows[n]  = sum over g of d[inverse[n, g] / F]
//! ```
//!
//! | value | dims |
//! | --- | --- |
//! | rows | {n, width} |
//! | index, inverse | {m, f}, {n, g} i32 |
//! | result | {m, width}, in the type of the rows; sums in f32 |
//!
//! No gradient is a scatter: that is what the inverse is for. Links count up to [`MOST_DIVIDED`](crate::MOST_DIVIDED). Cost: m · f · width FLOPs.

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Shape, Value};

/// Both directions of a relation between rows.
#[derive(Clone, Copy)]
pub struct Links<'g> {
    /// {m, f} i32: the link of a row behind each link of a result row, negative where there is none.
    pub index: Value<'g>,
    /// {n, g} i32: the way back.
    pub inverse: Value<'g>,
}

impl<'g> Links<'g> {
    /// The other direction.
    pub fn reversed(self) -> Self {
        Self { index: self.inverse, inverse: self.index }
    }
}

impl<'g> Value<'g> {
    /// For each row of the links' index, the sum of the rows of `self` {n, width} that it links to: {m, width}.
    #[track_caller]
    pub fn gathered_sum(self, links: Links<'g>) -> Self {
        Self::composite(Composite::GatheredSum, 0, &[self, links.index, links.inverse])
    }
}

pub(super) fn shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [rows, index, inverse] = x else { return None };
    let ([n, width], [m, f]) = (&rows.dims[..], &index.dims[..]) else { return None };
    let fits = rows.dtype.is_float()
        && [index.dtype, inverse.dtype] == [DType::I32; 2]
        && inverse.dims.len() == 2
        && inverse.dims[0] == *n
        && inverse.dims[1].size > 0
        && ![m.name, f.name].contains(&width.name);
    fits.then(|| vec![rows.with_dims(vec![*m, *width])])
}

/// Rows that links point to, {m, f, width}, without `f` where there is one link a row.
fn linked<'g>(rows: Value<'g>, index: Value<'g>, inverse: Value<'g>) -> Value<'g> {
    let g = rows.graph();
    let (n, links) = (rows.shape().dims[0], index.shape().dims);
    let index = if links[1].size == 1 { index.reshape(&links[..1]) } else { index };
    let zero = g.scalar(DType::I32, 0.0);
    let at = index.max(zero).quotient(inverse.shape().dims[1].size);
    index.at_least(zero).select(rows.take(at, n.name), g.scalar(rows.dtype(), 0.0))
}

pub(super) fn plain<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let (rows, index) = (x[0], x[1]);
    let picked = linked(rows, index, x[2]);
    let f = index.shape().dims[1];
    if f.size == 1 {
        return vec![picked];
    }
    vec![picked.convert(product_dtype(rows.dtype())).sum(&[f.name]).convert(rows.dtype())]
}

pub(super) fn pull_back<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    vec![(x[0], Value::composite(Composite::GatheredSum, 0, &[d, x[2], x[1]]))]
}
