//! The weight gradient of the grouped product: for each slot, its rows of one side against its rows of the other.

use std::ops::Range;

use super::runs::{pieces, runs};
use crate::check::length;
use crate::element::Operand;
use crate::matrix::{Matrix, multiply};
use crate::packed::{self, COLS, Panels, ROWS, pack_across};
use crate::{ArgumentError, Threads};

const NAME: &str = "grouped_outer";

/// Columns of `left` (rows of a slot's result) of one tile.
const TILE_COLS: usize = 128;

/// Rows (of the contracted dim) packed at once, in lanes. Part of the numerics: the sums of such pieces are added to each
/// other, in order.
const PACKED_LANES: usize = 256;

/// Columns of `left` packed at once.
const PACKED_COLS: usize = 16 * ROWS;

/// Operands of [`grouped_outer`].
#[derive(Clone, Copy, Debug)]
pub struct GroupedOuter<'a, T> {
    /// {row, a}.
    pub left: &'a [T],
    /// {row, b}.
    pub right: &'a [T],
    /// {block}: slot of each block, outside `0..num_slots` if it is unused.
    pub block_slot: &'a [i32],
    /// Size of `row`.
    pub num_rows: usize,
    /// Size of `slot`.
    pub num_slots: usize,
    /// Size of `a`.
    pub left_width: usize,
    /// Size of `b`.
    pub right_width: usize,
}

struct Tile<'o> {
    /// Rows of the slot, summed in this order.
    runs: &'o [Range<usize>],
    cols: Range<usize>,
    out: &'o mut [f32],
}

/// Writes {slot, a, b}: for each slot the sum over its rows of leftᵀ right, zero for slots without rows.
pub fn grouped_outer<T: Operand>(
    problem: &GroupedOuter<'_, T>,
    out: &mut [f32],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    problem.check(out)?;
    // Of slots without elements there may be any number.
    if out.is_empty() {
        return Ok(());
    }
    let slot_runs = problem.slot_runs()?;
    // The product crate is as good at f32, measured with the bench of this room.
    if T::PER_LANE > 1 && packed::is_available::<T>() {
        let rows: usize = slot_runs.iter().flatten().map(Range::len).sum();
        let share = rows * problem.left_width / (4 * threads.width());
        let most = |rows: usize| (share / rows.max(1)).max(PACKED_COLS);
        let tiles = problem.tiles(&slot_runs, out, most, packed::rows_together::<T>());
        let work = |(): &mut (), tile| packed::with_panels(|panels| problem.compute_packed(tile, panels));
        threads.run(tiles, || (), work);
    } else {
        let tiles = problem.tiles(&slot_runs, out, |_| TILE_COLS, 8);
        threads.run(tiles, Default::default, |space, tile| problem.compute(tile, space));
    }
    Ok(())
}

impl<T: Operand> GroupedOuter<'_, T> {
    fn check(&self, out: &[f32]) -> Result<(), ArgumentError> {
        length(NAME, "left", self.left.len(), &[self.num_rows, self.left_width])?;
        length(NAME, "right", self.right.len(), &[self.num_rows, self.right_width])?;
        length(NAME, "out", out.len(), &[self.num_slots, self.left_width, self.right_width])
    }

    /// The runs of rows of each slot; empty blocks leave none.
    fn slot_runs(&self) -> Result<Vec<Vec<Range<usize>>>, ArgumentError> {
        let mut slots = vec![Vec::new(); self.num_slots];
        for run in runs(NAME, self.num_rows, self.block_slot, self.num_slots)? {
            if let Some(slot) = run.slot.filter(|_| !run.rows.is_empty()) {
                slots[slot].push(run.rows);
            }
        }
        Ok(slots)
    }

    /// Tiles of at most `most(rows of the slot)` columns.
    fn tiles<'o>(
        &self,
        slot_runs: &'o [Vec<Range<usize>>],
        mut out: &'o mut [f32],
        most: impl Fn(usize) -> usize,
        grain: usize,
    ) -> Vec<Tile<'o>> {
        let mut tiles = Vec::new();
        for runs in slot_runs {
            let rows = runs.iter().map(Range::len).sum();
            for cols in pieces(self.left_width, most(rows), grain) {
                let (mine, rest) = out.split_at_mut(cols.len() * self.right_width);
                out = rest;
                tiles.push(Tile { runs, cols, out: mine });
            }
        }
        let cost = |tile: &Tile<'_>| tile.runs.iter().map(Range::len).sum::<usize>() * tile.cols.len();
        tiles.sort_by_cached_key(|tile| std::cmp::Reverse(cost(tile)));
        tiles
    }

    fn compute(&self, tile: Tile<'_>, space: &mut [Vec<f32>; 2]) {
        if tile.runs.is_empty() {
            return tile.out.fill(0.0);
        }
        let [left_space, right_space] = space;
        let left = Matrix::new(self.left, self.num_rows, self.left_width).cols(tile.cols);
        let right = Matrix::new(self.right, self.num_rows, self.right_width);
        let mut turn = 0;
        for run in tile.runs {
            for panel in pieces(run.len(), T::PANEL, 1) {
                let rows = run.start + panel.start..run.start + panel.end;
                let left = T::widened(left.rows(rows.clone()), left_space);
                let right = T::widened(right.rows(rows), right_space);
                multiply(left.transpose(), right, tile.out, turn > 0);
                turn += 1;
            }
        }
    }

    fn compute_packed(&self, tile: Tile<'_>, Panels { left, right: [right, ..], .. }: &mut Panels) {
        if tile.runs.is_empty() || self.right_width == 0 {
            return tile.out.fill(0.0);
        }
        packed::reserve(right, self.right_width, COLS, PACKED_LANES);
        let mut is_first = true;
        for run in tile.runs {
            for start in run.clone().step_by(PACKED_LANES * T::PER_LANE) {
                let count = (run.end - start).min(PACKED_LANES * T::PER_LANE);
                let lanes = packed::lanes::<T>(count);
                let right_row = |k: usize| &self.right[(start + k) * self.right_width..][..self.right_width];
                pack_across::<T, COLS>(right_row, self.right_width, count, right);
                let outs = tile.out.chunks_mut(PACKED_COLS * self.right_width);
                for (col, out) in tile.cols.clone().step_by(PACKED_COLS).zip(outs) {
                    let cols = out.len() / self.right_width;
                    let left_row = |k: usize| &self.left[(start + k) * self.left_width + col..][..cols];
                    packed::left_across(left_row, cols, count, left);
                    packed::multiply::<T>(left, right, lanes, out, self.right_width, !is_first);
                }
                is_first = false;
            }
        }
    }
}
