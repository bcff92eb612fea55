//! Rows times one packed matrix.

use super::rows::Rows;
use super::tile::{self, Blocks, ROWS, Tile};
use super::{LANES, Values, Weights};
use crate::check::length;
use crate::grid::Grid;
use crate::lanes::vectorized;
use crate::norm::Norm;
use crate::simd::entries::Product;
use crate::simd::lines::Lines;
use crate::simd::{Pair, multiply_tiles};
use crate::{ArgumentError, Operand, Threads};

/// The products of some rows with a panel, {row, lane}, in `out`.
pub(super) fn multiply(
    panel: Values<'_>,
    rows: &Rows,
    picked: impl ExactSizeIterator<Item = usize>,
    out: &mut Vec<f32>,
) {
    out.clear();
    out.resize(picked.len() * LANES, 0.0);
    fn part<T>(units: &[T], width: usize, row: usize) -> &[T] {
        &units[row * width..][..width]
    }
    match (rows, panel) {
        (Rows::F32 { units, width }, Values::F32(panel)) => {
            tiles(panel, picked.map(|r| part(units, *width, r)), out, tile::multiply_f32);
        }
        (Rows::F32 { units, width }, Values::Bf16(panel)) => {
            let panel = bytemuck::cast_slice(panel);
            tiles(panel, picked.map(|r| part(units, *width, r)), out, tile::multiply_bf16);
        }
        (Rows::Pairs { units, width }, Values::Bf16(panel)) if tile::has_tiles() => {
            multiply_tiled(bytemuck::cast_slice(panel), units, *width, picked, out);
        }
        (Rows::Pairs { units, width }, Values::Bf16(panel)) => {
            let panel = bytemuck::cast_slice(panel);
            tiles(panel, picked.map(|r| part(units, *width, r)), out, tile::multiply_pairs);
        }
        (Rows::Blocks { units, width, scales, blocks }, Values::Int8(panel, own)) => {
            let row = |r| Blocks { units: part(units, *width, r), scales: part(scales, *blocks, r) };
            tiles(panel, picked.map(row), out, |tile| tile::multiply_int8(tile, own));
        }
        _ => unreachable!("rows are made for the kind of the weights"),
    }
}

/// The same by tiles, for which picked rows must lie one behind another: those that do not are copied.
fn multiply_tiled(
    panel: &[Pair],
    units: &[Pair],
    width: usize,
    picked: impl ExactSizeIterator<Item = usize>,
    out: &mut [f32],
) {
    thread_local! {
        static ROWS: std::cell::Cell<Lines<Pair>> = std::cell::Cell::default();
    }
    let picked: Vec<usize> = picked.collect();
    let mut copies = ROWS.take();
    let left = if picked.windows(2).all(|two| two[0] + 1 == two[1]) {
        &units[picked.first().map_or(0, |first| first * width)..]
    } else {
        copies.resize(picked.len() * width);
        for (to, row) in copies.chunks_exact_mut(width).zip(&picked) {
            to.copy_from_slice(&units[row * width..][..width]);
        }
        &copies
    };
    multiply_tiles(&mut Product {
        rows: picked.len(),
        columns: LANES,
        steps: panel.len() / LANES,
        left,
        left_row: width,
        left_step: 1,
        right: panel,
        right_step: LANES,
        out,
        out_row: LANES,
        accumulate: false,
    });
    ROWS.set(copies);
}

fn tiles<R: Copy + Default, W>(
    panel: &[W],
    mut rows: impl ExactSizeIterator<Item = R>,
    out: &mut [f32],
    multiply: impl Fn(Tile<'_, R, W>),
) {
    // Tiles of about as many rows each: a last one of a single row would read the whole panel for it.
    let total = out.len() / LANES;
    let each = total.div_ceil(total.div_ceil(ROWS).max(1)).max(1);
    for out in out.chunks_mut(each * LANES) {
        let mut few = [R::default(); ROWS];
        let count = out.len() / LANES;
        few.iter_mut().zip(rows.by_ref().take(count)).for_each(|(to, row)| *to = row);
        multiply(Tile { rows: &few[..count], panel, out });
    }
}

/// Operands of [`packed_dot`]. With `norm` and `onto` a product does what would be calls of their own before and behind it, to the same bits.
#[derive(Clone, Copy, Debug)]
pub struct PackedDot<'a, T, O> {
    /// {row, in}.
    pub rows: &'a [T],
    /// Of one slot.
    pub weights: Weights<'a>,
    /// Size of `row`.
    pub num_rows: usize,
    /// Of the rows.
    pub norm: Option<Norm<'a, T>>,
    /// {row, feature}: what the result is added to.
    pub onto: Option<&'a [O]>,
}

/// Writes {row, feature}: `rows` times the weights, each sum in f32 and in the order of `in`.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn packed_dot<T: Operand, O: Operand>(
    problem: &PackedDot<'_, T, O>,
    out: &mut [O],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "packed_dot";
    let PackedDot { rows, weights, num_rows, norm, onto } = *problem;
    let Weights { features, inner, .. } = weights;
    weights.check(NAME, "weights")?;
    length(NAME, "weights", weights.slots, &[1])?;
    length(NAME, "rows", rows.len(), &[num_rows, inner])?;
    length(NAME, "out", out.len(), &[num_rows, features])?;
    for norm in norm.iter() {
        length(NAME, "norm", norm.weight.len(), &[inner])?;
    }
    for onto in onto.iter() {
        length(NAME, "onto", onto.len(), &[num_rows, features])?;
    }
    if inner == 0 || out.is_empty() {
        without_sums(onto, out);
        return Ok(());
    }
    let rows = Rows::of(rows, norm, &weights, threads);
    let outs = Grid::new(out, features);
    threads.each(features.div_ceil(LANES), 1, Vec::new, |sums, panel| {
        multiply(weights.panel(0, panel), &rows, 0..num_rows, sums);
        for (row, sums) in sums.chunks_mut(LANES).enumerate() {
            let first = panel * LANES;
            // SAFETY: a panel is of one task.
            let out = unsafe { outs.part(row, first..first + LANES) };
            finish(sums, onto.map(|onto| &onto[row * features + first..][..out.len()]), out);
        }
    });
    Ok(())
}

/// What [`finish`] makes of sums of nothing.
pub(super) fn without_sums<O: Operand>(onto: Option<&[O]>, out: &mut [O]) {
    match onto {
        Some(onto) => out.copy_from_slice(onto),
        None => out.fill(O::from_f32(0.0)),
    }
}

/// Rounds sums to `out`, and then what they make with `onto`. Changes the sums.
pub(super) fn finish<O: Operand>(sums: &mut [f32], onto: Option<&[O]>, out: &mut [O]) {
    let sums = &mut sums[..out.len()];
    O::narrowed(sums, 1.0, out);
    if let Some(onto) = onto {
        let each = sums.iter_mut().zip(onto).zip(&*out);
        vectorized(|| each.for_each(|((sum, onto), out)| *sum = onto.to_f32() + out.to_f32()));
        O::narrowed(sums, 1.0, out);
    }
}
