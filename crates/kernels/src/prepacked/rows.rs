//! Rows as the inner loops take them, for each kind of weights.

use half::bf16;

use super::tile;
use super::{BLOCK, LANES, Values, Weights};
use crate::Operand;
use crate::lanes::{self, vectorized};
use crate::simd::Pair;
use crate::simd::lines::{Lines, PER_LINE};

/// Rows for products with one kind of weights.
pub(super) enum Rows {
    /// For f32 weights, and for bf16 where the processor has no (fast) products of pairs.
    F32 { units: Vec<f32>, width: usize },
    /// For bf16 where it has. Rows are whole lines, as tiles load them.
    Pairs { units: Lines<Pair>, width: usize },
    /// For int8: i16 in pairs {row, width}, and an f32 {row, block} that they are multiples of. So sums of a block are whole numbers, and a row keeps
    /// 15 bits of its largest.
    Blocks { units: Vec<Pair>, width: usize, scales: Vec<f32>, blocks: usize },
}

impl Rows {
    /// Zeros for `count` rows of `inner` elements, for products with `weights`.
    pub(super) fn zeros(count: usize, inner: usize, weights: &Weights<'_>) -> Self {
        let (width, blocks) = (inner.div_ceil(2), inner.div_ceil(BLOCK));
        match weights.values {
            Values::Bf16(_) if tile::has_pairs() => {
                let width = width.next_multiple_of(PER_LINE);
                Self::Pairs { units: Lines::zeroed(count * width), width }
            }
            Values::Int8(..) => {
                let scales = vec![0.0; count * blocks];
                Self::Blocks { units: vec![0; count * width], width, scales, blocks }
            }
            _ => Self::F32 { units: vec![0.0; count * inner], width: inner },
        }
    }

    /// The rows of `x` {row, in}. What is f32 is rounded where the weights are pairs.
    pub(super) fn of<T: Operand>(x: &[T], inner: usize, weights: &Weights<'_>) -> Self {
        let mut rows = Self::zeros(x.len() / inner.max(1), inner, weights);
        let mut wide = vec![0f32; inner];
        let pieces = rows.pieces(inner.next_multiple_of(BLOCK).max(BLOCK)).into_iter().flatten();
        for (mut row, x) in pieces.zip(x.chunks(inner.max(1))) {
            lanes::widen(x, &mut wide);
            row.put(&wide);
        }
        rows
    }

    /// Pieces of the rows, `each` elements wide (a multiple of [`BLOCK`]), by piece and then by row.
    pub(super) fn pieces(&mut self, each: usize) -> Vec<Vec<Piece<'_>>> {
        match self {
            Self::F32 { units, width } => columns(units, *width, each, Piece::F32),
            Self::Pairs { units, width } => columns(units, *width, each / 2, Piece::Pairs),
            Self::Blocks { units, width, scales, blocks } => {
                let units = columns(units, *width, each / 2, |units| units);
                let scales = columns(scales, *blocks, each / BLOCK, |scales| scales);
                let both = |(u, s): (Vec<_>, Vec<_>)| {
                    u.into_iter().zip(s).map(|(units, scales)| Piece::Blocks { units, scales }).collect()
                };
                units.into_iter().zip(scales).map(both).collect()
            }
        }
    }
}

/// A part of a row, to be written.
pub(super) enum Piece<'a> {
    F32(&'a mut [f32]),
    Pairs(&'a mut [Pair]),
    Blocks { units: &'a mut [Pair], scales: &'a mut [f32] },
}

impl Piece<'_> {
    /// Writes f32 values, at most [`LANES`], rounded to `T` first.
    pub(super) fn write<T: Operand>(&mut self, values: &[f32]) {
        let (mut rounded, mut wide) = ([T::from_f32(0.0); LANES], [0f32; LANES]);
        T::narrowed(values, 1.0, &mut rounded[..values.len()]);
        lanes::widen(&rounded, &mut wide);
        self.put(&wide[..values.len()]);
    }

    /// Writes f32 values.
    fn put(&mut self, values: &[f32]) {
        match self {
            Self::F32(to) => to.copy_from_slice(values),
            Self::Pairs(to) => {
                use crate::element::sealed::Widen;
                let to: &mut [bf16] = bytemuck::cast_slice_mut(to);
                bf16::narrowed(values, 1.0, &mut to[..values.len()]);
            }
            Self::Blocks { units, scales } => {
                let units: &mut [i16] = bytemuck::cast_slice_mut(units);
                let blocks = values.chunks(BLOCK).zip(units.chunks_mut(BLOCK)).zip(&mut **scales);
                vectorized(|| blocks.for_each(|((values, units), scale)| *scale = whole(values, units)));
            }
        }
    }
}

/// Writes a block as whole numbers, the largest 32,767, and gives what they are multiples of; where a value is not finite, that is not a number.
#[inline(always)]
fn whole(values: &[f32], units: &mut [i16]) -> f32 {
    const MOST: f32 = i16::MAX as f32;
    let mut largest = 0f32;
    let mut bits = 0;
    for x in values {
        largest = largest.max(x.abs());
        bits |= u32::from(!x.is_finite());
    }
    let factor = if largest > 0.0 { MOST / largest } else { 0.0 };
    for (unit, x) in units.iter_mut().zip(values) {
        // Between -32,767 and 32,767, or a value that nobody reads.
        *unit = (x * factor).round_ties_even() as i16;
    }
    if bits != 0 { f32::NAN } else { largest / MOST }
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
