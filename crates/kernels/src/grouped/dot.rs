//! Rows times the weights of their slot.

use std::ops::Range;

use super::few;
use super::runs::{pieces, runs};
use crate::check::length;
use crate::element::Operand;
use crate::matrix::{Matrix, multiply};
use crate::packed::{self, COLS, ROWS, pack_across, pack_along};
use crate::simd::lines::Lines;
use crate::{ArgumentError, Threads};

pub(super) const NAME: &str = "grouped_dot";

/// Rows of one tile, at least. Fewer pack the same weights more often, more balance worse: measured with the bench of this
/// room.
const TILE_ROWS: usize = 256;

/// Rows packed at once: they stay in the second-level cache while the weights pass by.
const PACKED_ROWS: usize = 8 * ROWS;

/// Operands of [`grouped_dot`].
#[derive(Clone, Copy, Debug)]
pub struct GroupedDot<'a, T> {
    /// {row, in}.
    pub rows: &'a [T],
    /// {slot, in, out}, or {slot, out, in} if `weights_transposed`.
    pub weights: &'a [T],
    /// Whether the contracted dim of the weights comes last.
    pub weights_transposed: bool,
    /// {block}: slot of each block, outside `0..num_slots` if it is unused.
    pub block_slot: &'a [i32],
    /// Size of `row`.
    pub num_rows: usize,
    /// Size of `slot`.
    pub num_slots: usize,
    /// Size of `in`, the contracted dim.
    pub inner: usize,
    /// Size of `out`.
    pub outer: usize,
}

struct Tile<'o, O> {
    slot: Option<usize>,
    rows: Range<usize>,
    out: &'o mut [O],
}

/// Memory of one thread.
#[derive(Default)]
struct Space {
    wide: [Vec<f32>; 2],
    sums: Lines<f32>,
}

/// Writes {row, out}: each row times the weights of its block's slot, zero in unused blocks. Sums are f32; where `O` is bf16, they are
/// rounded once.
///
/// # Errors
/// Slices whose lengths are not those of their dims, or blocks that do not divide the rows.
pub fn grouped_dot<T: Operand, O: Operand>(
    problem: &GroupedDot<'_, T>,
    out: &mut [O],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    problem.check(out)?;
    if problem.weights_transposed && problem.num_rows <= few::MOST_ROWS {
        return few::grouped_dot(problem, out, threads);
    }
    if problem.is_packed() {
        // A share of the rows for each thread, and a few more, so that they end together.
        let tiles = problem.tiles(
            out,
            TILE_ROWS.max(problem.num_rows / (4 * threads.width())),
            packed::rows_together::<T>(),
        )?;
        threads.run(tiles, || None, |packed_slot, tile| problem.compute_packed(tile, packed_slot));
    } else {
        let tiles = problem.tiles(out, TILE_ROWS, 8)?;
        threads.run(tiles, Space::default, |space, tile| problem.compute(tile, space));
    }
    Ok(())
}

impl<T: Operand> GroupedDot<'_, T> {
    fn check<O>(&self, out: &[O]) -> Result<(), ArgumentError> {
        length(NAME, "rows", self.rows.len(), &[self.num_rows, self.inner])?;
        length(NAME, "weights", self.weights.len(), &[self.num_slots, self.inner, self.outer])?;
        length(NAME, "out", out.len(), &[self.num_rows, self.outer])
    }

    fn tiles<'o, O>(
        &self,
        mut out: &'o mut [O],
        most: usize,
        grain: usize,
    ) -> Result<Vec<Tile<'o, O>>, ArgumentError> {
        let mut tiles = Vec::new();
        for run in runs(NAME, self.num_rows, self.block_slot, self.num_slots)? {
            for piece in pieces(run.rows.len(), most, grain) {
                let (mine, rest) = out.split_at_mut(piece.len() * self.outer);
                out = rest;
                let rows = run.rows.start + piece.start..run.rows.start + piece.end;
                tiles.push(Tile { slot: run.slot, rows, out: mine });
            }
        }
        tiles.sort_by_key(|tile| std::cmp::Reverse((tile.slot.is_some(), tile.rows.len())));
        Ok(tiles)
    }

    fn compute<O: Operand>(&self, tile: Tile<'_, O>, space: &mut Space) {
        let Some(slot) = tile.slot.filter(|_| self.inner > 0) else {
            return tile.out.fill(O::zeroed());
        };
        let Space { wide: [row_space, weight_space], sums } = space;
        let rows = Matrix::new(self.rows, self.num_rows, self.inner).rows(tile.rows);
        let weights = self.slot_weights(slot);
        O::written(tile.out, sums, |out| {
            for (turn, panel) in pieces(self.inner, T::PANEL, 1).enumerate() {
                let rows = T::widened(rows.cols(panel.clone()), row_space);
                let weights = T::widened(weights.rows(panel), weight_space);
                multiply(rows, weights, out, turn > 0);
            }
        });
    }

    /// Packed panels, but for what the product crate does as well: f32 whose weights need no transposing.
    fn is_packed(&self) -> bool {
        packed::is_available::<T>() && (T::PER_LANE > 1 || self.weights_transposed)
    }

    /// `packed_slot`: whose weights the thread's panels hold, from its last tile of this call.
    fn compute_packed<O: Operand>(&self, tile: Tile<'_, O>, packed_slot: &mut Option<usize>) {
        let Some(slot) = tile.slot.filter(|_| self.inner > 0 && self.outer > 0) else {
            return tile.out.fill(O::zeroed());
        };
        let lanes = packed::lanes::<T>(self.inner);
        let row = |r: usize| &self.rows[r * self.inner..][..self.inner];
        packed::with_panels(|panels| {
            if packed_slot.replace(slot) != Some(slot) {
                self.pack_weights(slot, lanes, &mut panels.right);
            }
            let outs = tile.out.chunks_mut(PACKED_ROWS * self.outer);
            for (first, out) in tile.rows.step_by(PACKED_ROWS).zip(outs) {
                let count = out.len() / self.outer;
                packed::left_along(|i| row(first + i), count, self.inner, &mut panels.left);
                O::written(out, &mut panels.sums, |out| {
                    packed::multiply::<T>(&panels.left, &panels.right, lanes, out, self.outer, false);
                });
            }
        });
    }

    fn pack_weights(&self, slot: usize, lanes: usize, space: &mut Lines<u32>) {
        let weights = &self.weights[slot * self.inner * self.outer..][..self.inner * self.outer];
        packed::reserve(space, self.outer, COLS, lanes);
        if self.weights_transposed {
            pack_along::<T, COLS>(
                |i| &weights[i * self.inner..][..self.inner],
                self.outer,
                self.inner,
                space,
            );
        } else {
            pack_across::<T, COLS>(
                |k| &weights[k * self.outer..][..self.outer],
                self.outer,
                self.inner,
                space,
            );
        }
    }

    fn slot_weights(&self, slot: usize) -> Matrix<'_, T> {
        let size = self.inner * self.outer;
        let weights = &self.weights[slot * size..][..size];
        if self.weights_transposed {
            Matrix::new(weights, self.outer, self.inner).transpose()
        } else {
            Matrix::new(weights, self.inner, self.outer)
        }
    }
}
