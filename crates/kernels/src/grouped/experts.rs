//! The experts' feed-forward, tile by tile: rows are gathered while they are packed, gate and up share them, and what is between
//! the products stays in the cache.

use super::dot::{PACKED_ROWS, tile_sizes};
use super::few;
use super::runs::{Run, cut, longest_first, row_tiles};
use super::slot::{SlotWeights, is_packed};
use super::{GroupedDot, grouped_dot};
use crate::check::length;
use crate::element::Operand;
use crate::gathered::Gathered;
use crate::packed::{self, Panels};
use crate::simd::lines::Lines;
use crate::swiglu::{self, Swiglu};
use crate::{ArgumentError, Threads};

const NAME: &str = "expert_rows";

/// Operands of [`expert_rows`].
#[derive(Clone, Copy, Debug)]
pub struct ExpertRows<'a, T> {
    /// {n, hidden}, and which of them each row is: one link a row.
    pub given: Gathered<'a, T>,
    /// {row}; ones where there is none.
    pub scale: Option<&'a [f32]>,
    /// {slot, intermediate, hidden}.
    pub gate: &'a [T],
    /// {slot, intermediate, hidden}.
    pub up: &'a [T],
    /// {slot, hidden, intermediate}.
    pub down: &'a [T],
    /// {block}: slot of each block, outside `0..num_slots` if it is unused.
    pub block_slot: &'a [i32],
    /// Size of `slot`.
    pub num_slots: usize,
    /// Size of `intermediate`.
    pub intermediate: usize,
}

/// What [`expert_rows`] writes.
#[derive(Debug)]
pub struct ExpertResults<'a, T> {
    /// {row, intermediate}: rows times gate.
    pub gate: &'a mut [T],
    /// {row, intermediate}: rows times up.
    pub up: &'a mut [T],
    /// {row, hidden}: the result; not computed where nobody reads it.
    pub out: Option<&'a mut [T]>,
}

struct Tile<'o, T> {
    run: Run,
    gate: &'o mut [T],
    up: &'o mut [T],
    out: Option<&'o mut [T]>,
}

/// Memory of one thread, and whose weights its panels hold.
struct Space<T> {
    packed_slot: Option<usize>,
    rows: Vec<T>,
    inner: Vec<T>,
    wide: [Vec<f32>; 2],
    sums: Lines<f32>,
}

impl<T> Default for Space<T> {
    fn default() -> Self {
        Self {
            packed_slot: None,
            rows: Vec::new(),
            inner: Vec::new(),
            wide: Default::default(),
            sums: Lines::default(),
        }
    }
}

/// Gate, up and `down(scale · silu(gate) · up)` of every row; zero in unused blocks. Each product is that of
/// [`grouped_dot`], to the bit, and what is between them that of [`swiglu`](crate::swiglu::swiglu).
///
/// # Errors
/// Slices whose lengths are not those of their dims, or blocks that do not divide the rows.
pub fn expert_rows<T: Operand>(
    problem: &ExpertRows<'_, T>,
    mut results: ExpertResults<'_, T>,
    threads: &Threads,
) -> Result<(), ArgumentError> {
    problem.check(&results)?;
    if problem.given.num_results <= few::MOST_ROWS || problem.intermediate == 0 || problem.given.width == 0 {
        return problem.one_by_one(&mut results, threads);
    }
    let is_packed = is_packed::<T>(true);
    let tiles = problem.tiles(results, tile_sizes::<T>(is_packed, problem.given.num_results, threads))?;
    threads.run(tiles, Space::default, |space, tile| {
        let Some(slot) = tile.run.slot else { return tile.clear() };
        if is_packed {
            packed::with_panels(|panels| problem.compute_packed(slot, tile, space, panels));
        } else {
            problem.compute(slot, tile, space);
        }
    });
    Ok(())
}

impl<T: Operand> Tile<'_, T> {
    fn clear(self) {
        [Some(self.gate), Some(self.up), self.out]
            .into_iter()
            .flatten()
            .for_each(|out| out.fill(T::zeroed()));
    }
}

impl<'a, T: Operand> ExpertRows<'a, T> {
    fn check(&self, results: &ExpertResults<'_, T>) -> Result<(), ArgumentError> {
        let (rows, hidden, inner) = (self.given.num_results, self.given.width, self.intermediate);
        self.given.check(NAME)?;
        length(NAME, "index", self.given.index.len(), &[rows])?;
        for (name, weights) in [("gate", self.gate), ("up", self.up), ("down", self.down)] {
            length(NAME, name, weights.len(), &[self.num_slots, inner, hidden])?;
        }
        if let Some(scale) = self.scale {
            length(NAME, "scale", scale.len(), &[rows])?;
        }
        for (name, rows_of) in [("gate rows", &*results.gate), ("up rows", &*results.up)] {
            length(NAME, name, rows_of.len(), &[rows, inner])?;
        }
        results.out.as_deref().map_or(Ok(()), |out| length(NAME, "out", out.len(), &[rows, hidden]))
    }

    /// Each product by itself, for few rows and for empty ones.
    fn one_by_one(&self, results: &mut ExpertResults<'_, T>, threads: &Threads) -> Result<(), ArgumentError> {
        let (num_rows, hidden) = (self.given.num_results, self.given.width);
        let mut rows = vec![T::zeroed(); num_rows * hidden];
        crate::gathered::gathered_sum(&self.given, &mut rows, threads)?;
        let first = GroupedDot {
            rows: &rows,
            weights: self.gate,
            second: None,
            weights_transposed: true,
            block_slot: self.block_slot,
            num_rows,
            num_slots: self.num_slots,
            inner: hidden,
            outer: self.intermediate,
        };
        grouped_dot(&first, results.gate, threads)?;
        grouped_dot(&GroupedDot { weights: self.up, ..first }, results.up, threads)?;
        let Some(out) = results.out.as_deref_mut() else { return Ok(()) };
        let mut inner = vec![T::zeroed(); num_rows * self.intermediate];
        let given = Swiglu { gate: &*results.gate, up: &*results.up, scale: self.scale };
        swiglu::swiglu(&given, &mut inner, threads)?;
        let last =
            GroupedDot { rows: &inner, weights: self.down, inner: self.intermediate, outer: hidden, ..first };
        grouped_dot(&last, out, threads)
    }

    fn tiles<'o>(
        &self,
        results: ExpertResults<'o, T>,
        sizes: (usize, usize),
    ) -> Result<Vec<Tile<'o, T>>, ArgumentError> {
        let ExpertResults { mut gate, mut up, mut out } = results;
        let runs = row_tiles(NAME, self.given.num_results, (self.block_slot, self.num_slots), sizes)?;
        let mut tiles: Vec<_> = runs
            .into_iter()
            .map(|run| {
                let size = run.rows.len() * self.intermediate;
                let [gate, up] = [&mut gate, &mut up].map(|all| cut(all, size));
                let out = out.as_mut().map(|all| cut(all, run.rows.len() * self.given.width));
                Tile { run, gate, up, out }
            })
            .collect();
        longest_first(&mut tiles, |tile| &tile.run);
        Ok(tiles)
    }

    /// The weights of gate, up and down.
    fn weights_of(&self, slot: usize) -> [SlotWeights<'a, T>; 3] {
        let (hidden, inner) = (self.given.width, self.intermediate);
        let of = |all, sizes| SlotWeights::new(all, slot, true, sizes);
        [of(self.gate, [hidden, inner]), of(self.up, [hidden, inner]), of(self.down, [inner, hidden])]
    }

    fn compute(&self, slot: usize, tile: Tile<'_, T>, space: &mut Space<T>) {
        let Space { rows, inner, wide, sums, .. } = space;
        let Tile { run, gate, up, out } = tile;
        let [gate_weights, up_weights, down_weights] = self.weights_of(slot);
        rows.resize(run.rows.len() * self.given.width, T::zeroed());
        for (r, row) in run.rows.clone().zip(rows.chunks_mut(self.given.width)) {
            self.given.sum(r, &mut [], row);
        }
        T::written(gate, sums, |out| gate_weights.multiply(rows, out, false, wide));
        T::written(up, sums, |out| up_weights.multiply(rows, out, false, wide));
        let Some(out) = out else { return };
        self.activated(run.rows.start, [gate, up], inner);
        T::written(out, sums, |out| down_weights.multiply(inner, out, false, wide));
    }

    fn compute_packed(&self, slot: usize, tile: Tile<'_, T>, space: &mut Space<T>, panels: &mut Panels) {
        let Panels { left, right, sums } = panels;
        if space.packed_slot.replace(slot) != Some(slot) {
            let used = if tile.out.is_some() { 3 } else { 2 };
            self.weights_of(slot).iter().zip(&mut *right).take(used).for_each(|(w, space)| w.pack(space));
        }
        let (hidden, size) = (self.given.width, self.intermediate);
        let mut outs = tile.out.map(|out| out.chunks_mut(PACKED_ROWS * hidden));
        let results = tile.gate.chunks_mut(PACKED_ROWS * size).zip(tile.up.chunks_mut(PACKED_ROWS * size));
        for (first, (gate, up)) in tile.run.rows.step_by(PACKED_ROWS).zip(results) {
            let count = gate.len() / size;
            packed::left_along(|i| self.given.linked(first + i).unwrap_or(&[]), count, hidden, left);
            let lanes = packed::lanes::<T>(hidden);
            for (out, right) in [&mut *gate, &mut *up].into_iter().zip(&*right) {
                T::written(out, sums, |out| packed::multiply::<T>(left, right, lanes, out, size, false));
            }
            let Some(out) = outs.as_mut().and_then(Iterator::next) else { continue };
            self.activated(first, [gate, up], &mut space.inner);
            packed::left_along(|i| &space.inner[i * size..][..size], count, size, left);
            let lanes = packed::lanes::<T>(size);
            T::written(out, sums, |out| packed::multiply::<T>(left, &right[2], lanes, out, hidden, false));
        }
    }

    /// What is between the products, of rows from `first` on.
    fn activated(&self, first: usize, [gate, up]: [&[T]; 2], inner: &mut Vec<T>) {
        inner.resize(gate.len(), T::zeroed());
        let scale = self.scale.map(|scale| &scale[first..]);
        swiglu::rows(&Swiglu { gate, up, scale }, self.intermediate, inner);
    }
}
