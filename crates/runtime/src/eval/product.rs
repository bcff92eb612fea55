//! Reductions and matrix products: plain sums over places, accumulated in f64.

use collegium_hlo::{Dim, Name, Reduction, Shape, dim};

use super::elementwise;
use super::tensor::{Tensor, places};

/// Combines over `names`.
pub(super) fn reduce(reduction: Reduction, names: &[Name], x: &Tensor, y: &Shape) -> Vec<f64> {
    let over = places(&dims_of(x, names), &x.shape);
    let kept = places(&y.dims, &x.shape);
    kept.iter().map(|k| elementwise::reduce(reduction, over.iter().map(|o| x.values[k + o]))).collect()
}

/// Sum of products over `contract`; every other dim of an input is a dim of the result, by name.
pub(super) fn dot(contract: &[Name], a: &Tensor, b: &Tensor, y: &Shape) -> Vec<f64> {
    let over = dims_of(a, contract);
    let (over_a, over_b) = (places(&over, &a.shape), places(&over, &b.shape));
    let (kept_a, kept_b) = (places(&y.dims, &a.shape), places(&y.dims, &b.shape));
    let sum = |(ka, kb): (&usize, &usize)| -> f64 {
        over_a.iter().zip(&over_b).map(|(oa, ob)| a.values[ka + oa] * b.values[kb + ob]).sum()
    };
    kept_a.iter().zip(&kept_b).map(sum).collect()
}

/// Each block of rows times the weights of its slot; zeros where a block has no slot.
pub(super) fn grouped_dot(contract: Name, x: &[&Tensor], y: &Shape) -> Vec<f64> {
    let (rows, weights) = (x[0], x[1]);
    let over = dims_of(rows, &[contract]);
    let (in_rows, in_weights) = (places(&over, &rows.shape), places(&over, &weights.shape));
    let columns = places(&y.dims[1..], &weights.shape);
    let width = rows.shape.dims[1].size;
    let slot_stride = weights.stride(weights.shape.dims[0].name);
    let mut out = Vec::with_capacity(y.num_elements());
    for (row, slot) in slot_of_rows(rows, x[2], weights.shape.dims[0].size) {
        out.extend(columns.iter().map(|column| {
            match slot {
                Some(slot) => in_rows
                    .iter()
                    .zip(&in_weights)
                    .map(|(r, w)| {
                        rows.values[row * width + r] * weights.values[slot * slot_stride + column + w]
                    })
                    .sum(),
                None => 0.0,
            }
        }));
    }
    out
}

/// For every slot the sum over its rows of the outer product of left and right.
pub(super) fn grouped_outer(x: &[&Tensor], y: &Shape) -> Vec<f64> {
    let (left, right) = (x[0], x[1]);
    let (a, b) = (y.dims[1].size, y.dims[2].size);
    let mut out = vec![0.0; y.num_elements()];
    for (row, slot) in slot_of_rows(left, x[2], y.dims[0].size) {
        let Some(slot) = slot else { continue };
        for i in 0..a {
            for j in 0..b {
                out[(slot * a + i) * b + j] += left.values[row * a + i] * right.values[row * b + j];
            }
        }
    }
    out
}

/// Every row with the slot of its block; none where the block is unused.
fn slot_of_rows(
    rows: &Tensor,
    block_slot: &Tensor,
    slots: usize,
) -> impl Iterator<Item = (usize, Option<usize>)> {
    let count = rows.shape.dims[0].size;
    let block = count / block_slot.values.len();
    (0..count).map(move |row| {
        let slot = block_slot.values[row / block];
        (row, (slot >= 0.0 && slot < slots as f64).then_some(slot as usize))
    })
}

fn dims_of(x: &Tensor, names: &[Name]) -> Vec<Dim> {
    names.iter().map(|&n| dim(n, x.shape.size(n).unwrap_or(1))).collect()
}
