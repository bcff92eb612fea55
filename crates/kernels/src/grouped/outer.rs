//! The weight gradient of the grouped product: for each slot, its rows of one side against its rows of the other.

use std::ops::Range;

use super::runs::{pieces, runs};
use crate::check::length;
use crate::element::Operand;
use crate::matrix::{Matrix, multiply};
use crate::{ArgumentError, Threads};

const NAME: &str = "grouped_outer";

/// Columns of `left` (rows of a slot's result) of one tile.
const TILE_COLS: usize = 128;

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
    let slot_runs = problem.slot_runs()?;
    let tiles = problem.tiles(&slot_runs, out);
    threads.run(tiles, Default::default, |space, tile| problem.compute(tile, space));
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

    fn tiles<'o>(&self, slot_runs: &'o [Vec<Range<usize>>], mut out: &'o mut [f32]) -> Vec<Tile<'o>> {
        let mut tiles = Vec::new();
        for runs in slot_runs {
            for cols in pieces(self.left_width, TILE_COLS, 8) {
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
}
