//! Rows times the weights of their slot.

use super::few;
use super::runs::{Run, cut, longest_first, row_tiles};
use super::slot::{SlotWeights, is_packed};
use crate::check::length;
use crate::element::Operand;
use crate::packed::{self, Panels, ROWS};
use crate::simd::lines::Lines;
use crate::{ArgumentError, Threads};

pub(super) const NAME: &str = "grouped_dot";

/// Rows of one tile, at least. Fewer pack the same weights more often, more balance worse: measured with the bench of this
/// room.
const TILE_ROWS: usize = 256;

/// Rows packed at once: they stay in the second-level cache while the weights pass by.
pub(super) const PACKED_ROWS: usize = 8 * ROWS;

/// Operands of [`grouped_dot`].
#[derive(Clone, Copy, Debug)]
pub struct GroupedDot<'a, T> {
    /// {row, in}.
    pub rows: &'a [T],
    /// {slot, in, out}, or {slot, out, in} if `weights_transposed`.
    pub weights: &'a [T],
    /// Rows and weights of a second product of the same sizes, which is added to the first.
    pub second: Option<[&'a [T]; 2]>,
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

/// Most rows of a tile, and what they are a multiple of: a share of the rows for each thread, and a few more, so that they end together.
pub(super) fn tile_sizes<T: Operand>(is_packed: bool, num_rows: usize, threads: &Threads) -> (usize, usize) {
    if is_packed {
        (TILE_ROWS.max(num_rows / (4 * threads.width())), packed::rows_together::<T>())
    } else {
        (TILE_ROWS, 8)
    }
}

struct Tile<'o, O> {
    run: Run,
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
    if problem.weights_transposed && problem.second.is_none() && problem.num_rows <= few::MOST_ROWS {
        return few::grouped_dot(problem, out, threads);
    }
    let is_packed = is_packed::<T>(problem.weights_transposed);
    let tiles = problem.tiles(out, tile_sizes::<T>(is_packed, problem.num_rows, threads))?;
    if is_packed {
        threads.run(
            tiles,
            || None,
            |slot, tile| packed::with_panels(|panels| problem.compute_packed(tile, slot, panels)),
        );
    } else {
        threads.run(tiles, Space::default, |space, tile| problem.compute(tile, space));
    }
    Ok(())
}

impl<'a, T: Operand> GroupedDot<'a, T> {
    fn check<O>(&self, out: &[O]) -> Result<(), ArgumentError> {
        for [rows, weights] in self.products() {
            length(NAME, "rows", rows.len(), &[self.num_rows, self.inner])?;
            length(NAME, "weights", weights.len(), &[self.num_slots, self.inner, self.outer])?;
        }
        length(NAME, "out", out.len(), &[self.num_rows, self.outer])
    }

    /// Rows and weights of each product.
    fn products(&self) -> impl Iterator<Item = [&'a [T]; 2]> {
        [Some([self.rows, self.weights]), self.second].into_iter().flatten()
    }

    fn tiles<'o, O>(
        &self,
        mut out: &'o mut [O],
        sizes: (usize, usize),
    ) -> Result<Vec<Tile<'o, O>>, ArgumentError> {
        let runs = row_tiles(NAME, self.num_rows, (self.block_slot, self.num_slots), sizes)?;
        let mut tiles: Vec<_> = runs
            .into_iter()
            .map(|run| {
                let out = cut(&mut out, run.rows.len() * self.outer);
                Tile { run, out }
            })
            .collect();
        longest_first(&mut tiles, |tile| &tile.run);
        Ok(tiles)
    }

    fn weights_of(&self, all: &'a [T], slot: usize) -> SlotWeights<'a, T> {
        SlotWeights::new(all, slot, self.weights_transposed, [self.inner, self.outer])
    }

    fn compute<O: Operand>(&self, Tile { run, out }: Tile<'_, O>, Space { wide, sums }: &mut Space) {
        let Some(slot) = run.slot.filter(|_| self.inner > 0) else {
            return out.fill(O::zeroed());
        };
        O::written(out, sums, |out| {
            for (turn, [rows, weights]) in self.products().enumerate() {
                let rows = &rows[run.rows.start * self.inner..run.rows.end * self.inner];
                self.weights_of(weights, slot).multiply(rows, out, turn > 0, wide);
            }
        });
    }

    /// `packed_slot`: whose weights the thread's panels hold, from its last tile of this call.
    fn compute_packed<O: Operand>(
        &self,
        Tile { run, out }: Tile<'_, O>,
        packed_slot: &mut Option<usize>,
        Panels { left, right, sums }: &mut Panels,
    ) {
        let Some(slot) = run.slot.filter(|_| self.inner > 0 && self.outer > 0) else {
            return out.fill(O::zeroed());
        };
        if packed_slot.replace(slot) != Some(slot) {
            for ([_, weights], right) in self.products().zip(&mut *right) {
                self.weights_of(weights, slot).pack(right);
            }
        }
        let lanes = packed::lanes::<T>(self.inner);
        for (first, out) in run.rows.step_by(PACKED_ROWS).zip(out.chunks_mut(PACKED_ROWS * self.outer)) {
            let count = out.len() / self.outer;
            O::written(out, sums, |out| {
                for (turn, ([rows, _], right)) in self.products().zip(&*right).enumerate() {
                    let row = |i: usize| &rows[(first + i) * self.inner..][..self.inner];
                    packed::left_along(row, count, self.inner, left);
                    packed::multiply::<T>(left, right, lanes, out, self.outer, turn > 0);
                }
            });
        }
    }
}
