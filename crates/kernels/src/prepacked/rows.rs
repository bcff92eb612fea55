//! Rows as the inner loops take them, for each kind of weights.

use std::ops::Range;

use half::bf16;

use super::tile;
use super::{BLOCK, LANES, Values, Weights};
use crate::grid::Grid;
use crate::lanes::{self, vectorized};
use crate::norm::Norm;
use crate::simd::Pair;
use crate::simd::lines::{Lines, PER_LINE};
use crate::{Operand, Threads};

/// Elements that a thread takes at once, at least.
const ELEMENTS: usize = 1 << 15;

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

    /// The rows of `x` {row, in}, normalised first where there is a norm. What is f32 is rounded where the weights are pairs.
    pub(super) fn of<T: Operand>(
        x: &[T],
        norm: Option<Norm<'_, T>>,
        weights: &Weights<'_>,
        threads: &Threads,
    ) -> Self {
        let inner = weights.inner;
        let count = x.len() / inner.max(1);
        let mut rows = Self::zeros(count, inner, weights);
        let parts = rows.parts();
        let each = (ELEMENTS / inner.max(1)).max(1);
        let space = || (vec![0f32; inner], vec![T::from_f32(0.0); if norm.is_some() { inner } else { 0 }]);
        threads.each(count, each, space, |(wide, normed), row| {
            let mut x = &x[row * inner..][..inner];
            if let Some(norm) = norm {
                norm.write(x, normed, wide);
                x = normed;
            }
            lanes::widen(x, wide);
            // SAFETY: a row is worked on once.
            unsafe { parts.piece(row, 0..inner) }.put(wide);
        });
        rows
    }

    /// The rows, to be written by several threads.
    pub(super) fn parts(&mut self) -> Parts<'_> {
        match self {
            Self::F32 { units, width } => Parts::F32(Grid::new(units, *width)),
            Self::Pairs { units, width } => Parts::Pairs(Grid::new(units, *width)),
            Self::Blocks { units, width, scales, blocks } => {
                Parts::Blocks(Grid::new(units, *width), Grid::new(scales, *blocks))
            }
        }
    }
}

/// Rows that several threads write.
pub(super) enum Parts<'a> {
    F32(Grid<'a, f32>),
    Pairs(Grid<'a, Pair>),
    Blocks(Grid<'a, Pair>, Grid<'a, f32>),
}

impl Parts<'_> {
    /// Elements of a row, from a multiple of [`BLOCK`] on.
    ///
    /// # Safety
    /// While it is used nobody else has any of them, or of a block that begins in them.
    pub(super) unsafe fn piece(&self, row: usize, elements: Range<usize>) -> Piece<'_> {
        let of = |each: usize| elements.start / each..elements.end.div_ceil(each);
        // SAFETY: promised by the caller.
        unsafe {
            match self {
                Self::F32(units) => Piece::F32(units.part(row, elements)),
                Self::Pairs(units) => Piece::Pairs(units.part(row, of(2))),
                Self::Blocks(units, scales) => {
                    Piece::Blocks { units: units.part(row, of(2)), scales: scales.part(row, of(BLOCK)) }
                }
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
    /// Writes values, at most [`LANES`].
    pub(super) fn write<T: Operand>(&mut self, values: &[T]) {
        let mut wide = [0f32; LANES];
        lanes::widen(values, &mut wide[..values.len()]);
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
