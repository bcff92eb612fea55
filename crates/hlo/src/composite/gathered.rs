//! Rows to the places that link to them, summed with weights: tokens to the rows of their experts, the rows' results back to the tokens, and
//! the gradients of both, which are the same operation in the other direction.
//!
//! Two tables of links describe one relation, each the inverse of the other. Entry `index[m, f]` says: link `f` of result row `m` is link
//! `index % G` of row `index / G`, where each row has `G` links; `inverse[n, g]` says the same of row `n`. Negative: no link.
//!
//! ```text
//! y[m]       = sum over f of scale[m, f] rows[index[m, f] / G]
//! d_rows[n]  = sum over g of scale[inverse[n, g]] d[inverse[n, g] / F]
//! d_scale[m, f] = d[m] · rows[index[m, f] / G]
//! ```
//!
//! | value | dims |
//! | --- | --- |
//! | rows | {n, width} |
//! | index, inverse | {m, f}, {n, g} i32 |
//! | scale | {m, f} f32, or {n, g} ([`Scale`]); ones where it is absent |
//! | result | {m, width}, in the type of the rows; sums in f32 |
//!
//! No gradient is a scatter: that is what the inverse is for. Links count up to [`MOST_DIVIDED`](crate::MOST_DIVIDED). Cost: 2 · m · f · width FLOPs.

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Shape, Value, dim};

/// Whose links the weights of a sum stand at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// There are none.
    None,
    /// The result's, {m, f}.
    Own,
    /// The rows', {n, g}: the gradient's case. The plain form weighs rows before it gathers them, so that no single numbers are gathered.
    Behind,
}

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
    /// For each row of the links' index, the sum of the rows of `self` {n, width} that it links to, times `scale` (f32, like the index)
    /// where there is one: {m, width}.
    #[track_caller]
    pub fn gathered_sum(self, links: Links<'g>, scale: Option<Self>) -> Self {
        let inputs: Vec<_> = [self, links.index, links.inverse].into_iter().chain(scale).collect();
        let scale = if scale.is_some() { Scale::Own } else { Scale::None };
        Self::composite(Composite::GatheredSum { scale }, 0, &inputs)
    }
}

pub(super) fn shapes(x: &[&Shape], scale: Scale) -> Option<Vec<Shape>> {
    let (rows, index) = (x.first()?, x.get(1)?);
    let ([n, width], [m, f]) = (&rows.dims[..], &index.dims[..]) else { return None };
    let inverse = x.get(2)?;
    let places = if scale == Scale::Behind { inverse } else { index };
    let fits = x.len() == 3 + usize::from(scale != Scale::None)
        && rows.dtype.is_float()
        && [index.dtype, inverse.dtype] == [DType::I32; 2]
        && inverse.dims.len() == 2
        && inverse.dims[0] == *n
        && inverse.dims[1].size > 0
        && ![m.name, f.name].contains(&width.name)
        && x.get(3).is_none_or(|scale| **scale == places.with_dtype(product_dtype(rows.dtype)));
    fits.then(|| vec![rows.with_dims(vec![*m, *width])])
}

/// Inputs: the cotangent, rows, index, inverse. Result: the gradient to the scale.
pub(super) fn dots_shapes(x: &[&Shape]) -> Option<Vec<Shape>> {
    let (d, rest) = x.split_first()?;
    let results = shapes(rest, Scale::None)?;
    (**d == results[0]).then(|| vec![rest[1].with_dtype(product_dtype(d.dtype))])
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

pub(super) fn plain<'g>(x: &[Value<'g>], scale: Scale) -> Vec<Value<'g>> {
    let (rows, index) = (x[0], x[1]);
    if scale == Scale::Behind {
        return vec![plain_behind(rows, index, x[3])];
    }
    let picked = linked(rows, index, x[2]);
    let f = index.shape().dims[1];
    let single = f.size == 1;
    if x.len() == 3 && single {
        return vec![picked];
    }
    let mut wide = picked.convert(product_dtype(rows.dtype()));
    if let Some(&scale) = x.get(3) {
        wide = wide * if single { scale.reshape(&index.shape().dims[..1]) } else { scale };
    }
    let sum = if single { wide } else { wide.sum(&[f.name]) };
    vec![sum.convert(rows.dtype())]
}

/// Every row times each of its weights, gathered by the number of the link.
fn plain_behind<'g>(rows: Value<'g>, index: Value<'g>, scale: Value<'g>) -> Value<'g> {
    let (own, dims) = (rows.shape().dims, scale.shape().dims);
    let (n, width) = (own[0], own[1]);
    let all = dims[0].size * dims[1].size;
    let weighed = rows.convert(scale.dtype()).broadcast(&[n, dims[1], width]) * scale;
    let weighed = weighed.convert(rows.dtype()).reshape(&[dim("link", all), width]);
    let own = index.graph().iota(DType::I32, &[dim("link", all), dim("one", 1)], "link");
    plain(&[weighed, index, own], Scale::None)[0]
}

pub(super) fn plain_dots<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let [d, rows, index, inverse] = *x else { unreachable!("it has four inputs") };
    let wide = product_dtype(d.dtype());
    let width = d.shape().dims[1].name;
    let products = linked(rows, index, inverse).convert(wide) * d.convert(wide);
    vec![products.sum(&[width]).reshape(&index.shape().dims)]
}

pub(super) fn pull_back<'g>(x: &[Value<'g>], scale: Scale, d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let (rows, index, inverse) = (x[0], x[1], x[2]);
    let back = |scale: Scale| {
        let inputs: Vec<_> = [d, inverse, index].into_iter().chain(x.get(3).copied()).collect();
        (rows, Value::composite(Composite::GatheredSum { scale }, 0, &inputs))
    };
    let dots = |x: [Value<'g>; 4]| Value::composite(Composite::GatheredDots, 0, &x);
    match scale {
        Scale::None => vec![back(Scale::None)],
        Scale::Own => vec![back(Scale::Behind), (x[3], dots([d, rows, index, inverse]))],
        Scale::Behind => vec![back(Scale::Own), (x[3], dots([rows, d, inverse, index]))],
    }
}
