//! Rows times one packed matrix.

use half::bf16;

use super::tile::{self, ROWS, Tile};
use super::{BLOCK, LANES, Values, Weights};
use crate::check::length;
use crate::lanes::vectorized;
use crate::simd::Pair;
use crate::{ArgumentError, Operand, Threads};

/// Rows as the inner loop takes them, for one kind of weights.
pub(super) enum Rows {
    F32 { units: Vec<f32>, width: usize },
    Pairs { units: Vec<Pair>, width: usize },
}

impl Rows {
    /// Zeros for `count` rows of `inner` elements, for products with `weights`.
    pub(super) fn zeros(count: usize, inner: usize, weights: &Weights<'_>) -> Self {
        match weights.values {
            Values::Bf16(_) if tile::has_pairs() => {
                let width = inner.div_ceil(2);
                Self::Pairs { units: vec![0; count * width], width }
            }
            _ => Self::F32 { units: vec![0.0; count * inner], width: inner },
        }
    }

    /// The rows of `x` {row, in}. What is f32 is rounded where the weights are pairs.
    pub(super) fn of<T: Operand>(x: &[T], inner: usize, weights: &Weights<'_>) -> Self {
        let mut rows = Self::zeros(x.len() / inner.max(1), inner, weights);
        for (at, x) in x.chunks(inner.max(1)).enumerate() {
            rows.put(at, x);
        }
        rows
    }

    fn put<T: Operand>(&mut self, at: usize, x: &[T]) {
        match self {
            Self::F32 { units, width } => {
                let to = &mut units[at * *width..][..x.len()];
                vectorized(|| to.iter_mut().zip(x).for_each(|(to, x)| *to = x.to_f32()));
            }
            Self::Pairs { units, width } => {
                let to: &mut [bf16] = bytemuck::cast_slice_mut(&mut units[at * *width..][..*width]);
                to.iter_mut().zip(x).for_each(|(to, x)| *to = bf16::from_f32(x.to_f32()));
            }
        }
    }

    /// Pieces of the rows, `each` elements wide (an even number), by piece and then by row.
    pub(super) fn pieces(&mut self, each: usize) -> Vec<Vec<Piece<'_>>> {
        match self {
            Self::F32 { units, width } => columns(units, *width, each, Piece::F32),
            Self::Pairs { units, width } => columns(units, *width, each / 2, Piece::Pairs),
        }
    }
}

/// A part of a row, to be written.
pub(super) enum Piece<'a> {
    F32(&'a mut [f32]),
    Pairs(&'a mut [Pair]),
}

impl Piece<'_> {
    /// Writes f32 values, rounded to `T` first.
    pub(super) fn write<T: Operand>(&mut self, values: &[f32]) {
        match self {
            Self::F32(to) => {
                let mut rounded = [T::from_f32(0.0); LANES];
                T::narrowed(values, 1.0, &mut rounded[..values.len()]);
                to.iter_mut().zip(rounded).for_each(|(to, x)| *to = x.to_f32());
            }
            Self::Pairs(to) => {
                let to: &mut [bf16] = bytemuck::cast_slice_mut(to);
                let count = values.len().min(to.len());
                bf16_narrowed(&values[..count], &mut to[..count]);
            }
        }
    }
}

fn bf16_narrowed(from: &[f32], to: &mut [bf16]) {
    use crate::element::sealed::Widen;
    bf16::narrowed(from, 1.0, to);
}

/// The columns of `rows` {row, width} in pieces of `each`: by piece, then by row.
pub(super) fn columns<'a, T, P>(
    rows: &'a mut [T],
    width: usize,
    each: usize,
    of: impl Fn(&'a mut [T]) -> P,
) -> Vec<Vec<P>> {
    let count = rows.len() / width.max(1);
    let mut pieces: Vec<Vec<P>> = (0..width.div_ceil(each)).map(|_| Vec::with_capacity(count)).collect();
    for row in rows.chunks_mut(width.max(1)) {
        row.chunks_mut(each).zip(&mut pieces).for_each(|(part, piece)| piece.push(of(part)));
    }
    pieces
}

/// Room of one thread for widened weights.
#[derive(Default)]
pub(super) struct Space(Vec<f32>);

/// The products of some rows with a panel, {row, lane}, in `out`.
pub(super) fn multiply(
    panel: Values<'_>,
    rows: &Rows,
    picked: impl ExactSizeIterator<Item = usize> + Clone,
    out: &mut Vec<f32>,
    space: &mut Space,
) {
    out.clear();
    out.resize(picked.len() * LANES, 0.0);
    match (rows, panel) {
        (Rows::F32 { units, width }, Values::F32(panel)) => {
            let row = |r: usize| &units[r * width..][..*width];
            tiles(panel, picked.map(row), out, false, tile::multiply_f32);
        }
        (Rows::Pairs { units, width }, Values::Bf16(panel)) => {
            let row = |r: usize| &units[r * width..][..*width];
            tiles(bytemuck::cast_slice(panel), picked.map(row), out, false, tile::multiply_pairs);
        }
        (Rows::F32 { units, width }, Values::Int8(panel, scales)) if tile::has_int8() => {
            let row = |r: usize| &units[r * width..][..*width];
            tiles(panel, picked.map(row), out, false, |tile| tile::multiply_int8(tile, scales));
        }
        (Rows::F32 { units, width }, panel) => {
            for first in (0..*width).step_by(BLOCK) {
                let steps = BLOCK.min(width - first);
                widen(panel, first, steps, &mut space.0);
                let row = |r: usize| &units[r * width + first..][..steps];
                tiles(&space.0, picked.clone().map(row), out, first > 0, tile::multiply_f32);
            }
        }
        (Rows::Pairs { .. }, _) => unreachable!("rows are pairs only where weights are"),
    }
}

fn tiles<'a, U: 'a, W>(
    panel: &'a [W],
    mut rows: impl ExactSizeIterator<Item = &'a [U]>,
    out: &mut [f32],
    goes_on: bool,
    multiply: impl Fn(Tile<'_, U, W>),
) {
    // Tiles of about as many rows each: a last one of a single row would read the whole panel for it.
    let total = out.len() / LANES;
    let each = total.div_ceil(total.div_ceil(ROWS).max(1)).max(1);
    for out in out.chunks_mut(each * LANES) {
        let mut few: [&[U]; ROWS] = [&[]; ROWS];
        let count = out.len() / LANES;
        few.iter_mut().zip(rows.by_ref().take(count)).for_each(|(to, row)| *to = row);
        multiply(Tile { rows: &few[..count], panel, out, goes_on });
    }
}

/// Steps of a panel in f32, exactly.
fn widen(panel: Values<'_>, first: usize, steps: usize, to: &mut Vec<f32>) {
    to.resize(steps * LANES, 0.0);
    let to = &mut to[..steps * LANES];
    match panel {
        Values::F32(panel) => to.copy_from_slice(&panel[first * LANES..][..steps * LANES]),
        Values::Bf16(panel) => {
            // BLOCK is even, so a block begins with a pair.
            let pairs: &[Pair] = bytemuck::cast_slice(&panel[first * LANES..]);
            vectorized(|| {
                for (both, pairs) in to.chunks_mut(2 * LANES).zip(pairs.chunks_exact(LANES)) {
                    let (low, high) = both.split_at_mut(LANES);
                    low.iter_mut().zip(pairs).for_each(|(to, p)| *to = f32::from_bits(p << 16));
                    high.iter_mut().zip(pairs).for_each(|(to, p)| *to = f32::from_bits(p & 0xffff_0000));
                }
            });
        }
        Values::Int8(panel, scales) => {
            let scales = &scales[first / BLOCK * LANES..][..LANES];
            let panel = &panel[first * LANES..][..steps * LANES];
            vectorized(|| {
                let mut wide = [0f32; LANES];
                wide.iter_mut()
                    .zip(scales)
                    .for_each(|(to, s)| *to = f32::from_bits(u32::from(s.to_bits()) << 16));
                for (to, from) in to.chunks_exact_mut(LANES).zip(panel.chunks_exact(LANES)) {
                    for ((to, from), scale) in to.iter_mut().zip(from).zip(&wide) {
                        *to = f32::from(*from) * scale;
                    }
                }
            });
        }
    }
}

/// Operands of [`packed_dot`].
#[derive(Clone, Copy, Debug)]
pub struct PackedDot<'a, T> {
    /// {row, in}.
    pub rows: &'a [T],
    /// Of one slot.
    pub weights: Weights<'a>,
    /// Size of `row`.
    pub num_rows: usize,
}

/// Writes {row, feature}: `rows` times the weights, each sum in f32 and in the order of `in`.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn packed_dot<T: Operand, O: Operand>(
    problem: &PackedDot<'_, T>,
    out: &mut [O],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "packed_dot";
    let PackedDot { rows, weights, num_rows } = *problem;
    let Weights { features, inner, .. } = weights;
    weights.check(NAME, "weights")?;
    length(NAME, "weights", weights.slots, &[1])?;
    length(NAME, "rows", rows.len(), &[num_rows, inner])?;
    length(NAME, "out", out.len(), &[num_rows, features])?;
    if inner == 0 || out.is_empty() {
        out.fill(O::from_f32(0.0));
        return Ok(());
    }
    let rows = Rows::of(rows, inner, &weights);
    let tasks: Vec<_> = columns(out, features, LANES, |part| part).into_iter().enumerate().collect();
    threads.run(tasks, <(Vec<f32>, Space)>::default, |(sums, space), (panel, outs)| {
        multiply(weights.panel(0, panel), &rows, 0..num_rows, sums, space);
        for (out, sums) in outs.into_iter().zip(sums.chunks(LANES)) {
            O::narrowed(&sums[..out.len()], 1.0, out);
        }
    });
    Ok(())
}
