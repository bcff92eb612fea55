//! Reductions and matrix products.

use collegium_core::DType;

use crate::build::layout::doubled_name;
use crate::op::Reduction;
use crate::{Dim, Name, Op, Shape, Value, dim};

impl<'g> Value<'g> {
    /// Sum over dims, which disappear.
    #[track_caller]
    pub fn sum(self, names: &[Name]) -> Self {
        self.reduce(Reduction::Sum, names)
    }

    /// Largest over dims, which disappear.
    #[track_caller]
    pub fn reduce_max(self, names: &[Name]) -> Self {
        self.reduce(Reduction::Max, names)
    }

    /// Smallest over dims, which disappear.
    #[track_caller]
    pub fn reduce_min(self, names: &[Name]) -> Self {
        self.reduce(Reduction::Min, names)
    }

    /// Mean over dims, which disappear.
    #[track_caller]
    pub fn mean(self, names: &[Name]) -> Self {
        let count: usize = names.iter().map(|&n| self.size(n)).product();
        self.sum(names) * (1.0 / count.max(1) as f64)
    }

    #[track_caller]
    fn reduce(self, reduction: Reduction, names: &[Name]) -> Self {
        let shape = self.shape();
        if let Some(missing) = names.iter().find(|n| !shape.has(n)) {
            return self.graph.fail(format!("reduce: no dim `{missing}` in {shape}"));
        }
        if shape.dtype == DType::Bool {
            return self.graph.fail(format!("reduce: {shape} is boolean; convert it first"));
        }
        if names.is_empty() {
            return self;
        }
        let dims = shape.dims_without(names);
        self.derive(Op::Reduce { reduction, dims: names.to_vec() }, shape.with_dims(dims))
    }

    /// Sum of products over the `contract` dims. Dims of one name on both sides that are not contracted are batch
    /// dims. Result: batch dims, then those of `self`, then those of `other`; element type as the inputs.
    #[track_caller]
    pub fn dot(self, other: Self, contract: &[Name]) -> Self {
        self.dot_as(other, contract, self.dtype())
    }

    /// [`dot`](Self::dot) with the element type of the result given: bf16 products accumulate in f32, and
    /// asking for that f32 is faster than rounding it.
    #[track_caller]
    pub fn dot_as(self, other: Self, contract: &[Name], dtype: DType) -> Self {
        match dot_shape(&self.shape(), &other.shape(), contract, dtype) {
            Ok(shape) => {
                self.graph.push(Op::Dot { contract: contract.to_vec() }, &[self.id, other.id], shape)
            }
            Err(why) => self.graph.fail(format!("dot: {why}; got {} and {}", self.shape(), other.shape())),
        }
    }

    /// Blocks of rows {row, a} times the weights {slot, .., ..} of each block's slot, given by `block_slot` {block}
    /// (i32). `row` must be a multiple of `block`. The result {row, b} has f32 elements for bf16 inputs, which is what they accumulate into.
    ///
    /// The plain form of a grouped matrix product (Gale et al., MegaBlocks, 2211.15841, with dense blocks).
    #[track_caller]
    pub fn grouped_dot(self, weights: Self, block_slot: Self, contract: Name) -> Self {
        self.grouped_dot_as(weights, block_slot, contract, product_dtype(self.dtype()))
    }

    /// [`grouped_dot`](Self::grouped_dot) with the element type of the result given: that of the inputs, or what they accumulate
    /// into. Where the result is rounded anyway, the product's own rounding saves a pass over it.
    #[track_caller]
    pub fn grouped_dot_as(self, weights: Self, block_slot: Self, contract: Name, dtype: DType) -> Self {
        let (x, w, b) = (self.shape(), weights.shape(), block_slot.shape());
        let Some(shape) = grouped_dot_shape(&x, &w, &b, contract, dtype) else {
            return self.graph.fail(format!(
                "grouped_dot over `{contract}` to {dtype}: rows {x}, weights {w} and block slots {b} do not fit"
            ));
        };
        self.graph.push(Op::GroupedDot { contract }, &[self.id, weights.id, block_slot.id], shape)
    }

    /// For every slot the sum over its blocks of `selfᵀ other`: {slot, a, b} from rows {row, a} and {row, b}.
    #[track_caller]
    pub fn grouped_outer(self, other: Self, block_slot: Self, slots: Dim) -> Self {
        let (a, c, b) = (self.shape(), other.shape(), block_slot.shape());
        let Some(shape) = grouped_outer_shape(&a, &c, &b, slots) else {
            return self.graph.fail(format!("grouped_outer: rows {a}, {c} and block slots {b} do not fit"));
        };
        self.graph.push(Op::GroupedOuter, &[self.id, other.id, block_slot.id], shape)
    }

    /// Softmax over one dim, in the element type of the value.
    #[track_caller]
    pub fn softmax(self, name: Name) -> Self {
        let shifted = self - self.reduce_max(&[name]).stop_gradient();
        let weights = shifted.exp();
        weights / weights.sum(&[name])
    }

    /// ln of the sum of exponentials over one dim.
    #[track_caller]
    pub fn log_sum_exp(self, name: Name) -> Self {
        let largest = self.reduce_max(&[name]).stop_gradient();
        (self - largest).exp().sum(&[name]).log() + largest
    }

    /// 1 where the index equals the place along the new dim `along`, else 0.
    #[track_caller]
    pub fn one_hot(self, along: Dim, dtype: DType) -> Self {
        let mut dims = self.shape().dims;
        dims.push(along);
        let places = self.graph.iota(self.dtype(), &dims, along.name);
        self.broadcast(&dims).equals(places).convert(dtype)
    }
}

/// What a grouped product of this type accumulates into.
pub(crate) fn product_dtype(inputs: DType) -> DType {
    if matches!(inputs, DType::Bf16 | DType::F16) { DType::F32 } else { inputs }
}

/// Shape of a grouped product; none where the inputs do not fit.
pub(crate) fn grouped_dot_shape(
    rows: &Shape,
    weights: &Shape,
    blocks: &Shape,
    contract: Name,
    dtype: DType,
) -> Option<Shape> {
    let [row, inner] = rows.dims[..] else { return None };
    let [_, first, second] = weights.dims[..] else { return None };
    let (contracted, free) = if first.name == contract { (first, second) } else { (second, first) };
    let fits = contracted == inner
        && inner.name == contract
        && rows.dtype == weights.dtype
        && [rows.dtype, product_dtype(rows.dtype)].contains(&dtype)
        && are_blocks_of(blocks, row);
    fits.then(|| Shape::new(dtype, &[row, free]))
}

/// Shape of the weight gradient of a grouped product; none where the inputs do not fit.
pub(crate) fn grouped_outer_shape(left: &Shape, right: &Shape, blocks: &Shape, slots: Dim) -> Option<Shape> {
    let ([row, a], [other, b]) = (&left.dims[..], &right.dims[..]) else { return None };
    let fits = row == other && left.dtype == right.dtype && are_blocks_of(blocks, *row);
    fits.then(|| Shape::new(product_dtype(left.dtype), &[slots, *a, *b]))
}

/// Whether `blocks` gives an i32 for each of some equal blocks of `rows`.
fn are_blocks_of(blocks: &Shape, rows: Dim) -> bool {
    blocks.dtype == DType::I32
        && matches!(blocks.dims[..], [block] if block.size > 0 && rows.size.is_multiple_of(block.size))
}

pub(crate) fn dot_shape(a: &Shape, b: &Shape, contract: &[Name], dtype: DType) -> Result<Shape, String> {
    if a.dtype != b.dtype {
        return Err("element types differ, convert one side".into());
    }
    for &name in contract {
        match (a.size(name), b.size(name)) {
            (Some(x), Some(y)) if x == y => {}
            _ => return Err(format!("contracted dim `{name}` must be on both sides with one size")),
        }
    }
    let batch: Vec<Dim> = a.dims_without(contract).into_iter().filter(|d| b.has(d.name)).collect();
    if let Some(d) = batch.iter().find(|d| b.size(d.name) != Some(d.size)) {
        return Err(format!(
            "batch dim `{}` differs in size; rename it on one side if it is no batch dim",
            d.name
        ));
    }
    let free =
        |s: &Shape| s.dims_without(contract).into_iter().filter(|d| !batch.contains(d)).collect::<Vec<_>>();
    let dims: Vec<Dim> = batch.iter().copied().chain(free(a)).chain(free(b)).collect();
    match doubled_name(&dims) {
        Some(name) => Err(format!("dim `{name}` would appear twice")),
        None => Ok(Shape::new(dtype, &dims)),
    }
}

/// Running sum along one dim, the element itself included: a product with a triangle of ones, in two levels so that
/// no triangle is wider than a few hundred. Exact in f32 for counts below 2^24. (Neuron runs matrix products at
/// full rate and scans at none.)
pub fn running_sum<'g>(x: Value<'g>, name: Name) -> Value<'g> {
    const WIDTH: usize = 128;
    let size = x.size(name);
    if size <= 2 * WIDTH {
        return triangle_product(x, name, size, false);
    }
    let blocks = size.div_ceil(WIDTH);
    let order: Vec<Name> = x.shape().dims.iter().map(|d| d.name).collect();
    let padded = x.pad(name, 0, blocks * WIDTH - size);
    let split = padded.split(name, &[dim("sum_block", blocks), dim("sum_place", WIDTH)]);
    let inside = triangle_product(split, "sum_place", WIDTH, false);
    let before = triangle_product(split.sum(&["sum_place"]), "sum_block", blocks, true);
    let total = inside + before;
    let merged: Vec<Dim> =
        order.iter().map(|&n| dim(n, if n == name { blocks * WIDTH } else { x.size(n) })).collect();
    let places: Vec<Name> = order
        .iter()
        .flat_map(|&n| if n == name { vec!["sum_block", "sum_place"] } else { vec![n] })
        .collect();
    total.transpose(&places).reshape(&merged).slice(name, 0, size)
}

/// Sum over all earlier places (and the place itself unless `strict`), by one product with a triangle.
fn triangle_product<'g>(x: Value<'g>, name: Name, size: usize, strict: bool) -> Value<'g> {
    let g = x.graph();
    let dims = [dim(name, size), dim("sum_to", size)];
    let (from, to) = (g.iota(DType::F32, &dims, name), g.iota(DType::F32, &dims, "sum_to"));
    let triangle = if strict { from.less(to) } else { from.at_most(to) }.convert(x.dtype());
    let order: Vec<Name> = x.shape().dims.iter().map(|d| d.name).collect();
    x.dot(triangle, &[name]).rename(&[("sum_to", name)]).transpose(&order)
}
