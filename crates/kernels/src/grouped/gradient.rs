//! Gradients inside the experts' feed-forward: the cotangent of the inside comes of a product, and goes through it before it leaves the
//! cache.

use super::dot::{PACKED_ROWS, tile_sizes};
use super::runs::{Run, cut, longest_first, row_tiles};
use super::slot::{SlotWeights, is_packed};
use crate::check::length;
use crate::element::Operand;
use crate::packed::{self, Panels};
use crate::simd::lines::Lines;
use crate::swiglu::{self, Swiglu, SwigluGradients};
use crate::{ArgumentError, Threads};

const NAME: &str = "expert_rows_gradient";

/// Operands of [`expert_rows_gradient`].
#[derive(Clone, Copy, Debug)]
pub struct ExpertRowsGradient<'a, T> {
    /// {row, hidden}: the cotangent of the experts' result.
    pub d_out: &'a [T],
    /// {row, intermediate} each, and the scale: kept from the forward pass.
    pub kept: Swiglu<'a, T>,
    /// {slot, hidden, intermediate}.
    pub down: &'a [T],
    /// {block}: slot of each block, outside `0..num_slots` if it is unused.
    pub block_slot: &'a [i32],
    /// Size of `row`.
    pub num_rows: usize,
    /// Size of `slot`.
    pub num_slots: usize,
    /// Size of `hidden`.
    pub hidden: usize,
    /// Size of `intermediate`.
    pub intermediate: usize,
}

struct Tile<'o, T> {
    run: Run,
    results: [&'o mut [T]; 3],
    d_scale: &'o mut [f32],
}

/// Memory of one thread, and whose weights its panels hold.
#[derive(Default)]
struct Space {
    packed_slot: Option<usize>,
    wide: [Vec<f32>; 2],
    sums: Lines<f32>,
}

/// What `down` was given, its gradients to gate and up, and to the scale; zero in unused blocks. The same as
/// [`swiglu_gradient`](swiglu::swiglu_gradient) of the [`grouped_dot`](super::grouped_dot) of `d_out` and `down`, to the bit.
///
/// # Errors
/// Slices whose lengths are not those of their dims, or blocks that do not divide the rows.
pub fn expert_rows_gradient<T: Operand>(
    problem: &ExpertRowsGradient<'_, T>,
    results: SwigluGradients<'_, T>,
    threads: &Threads,
) -> Result<(), ArgumentError> {
    problem.check(&results)?;
    let is_packed = is_packed::<T>(false);
    let tiles = problem.tiles(results, tile_sizes::<T>(is_packed, problem.num_rows, threads))?;
    threads.run(tiles, Space::default, |space, tile| {
        let Some(slot) = tile.run.slot.filter(|_| problem.intermediate > 0) else { return tile.clear() };
        if is_packed && problem.hidden > 0 {
            packed::with_panels(|panels| problem.compute_packed(slot, tile, space, panels));
        } else {
            problem.compute(slot, tile, space);
        }
    });
    Ok(())
}

impl<T: Operand> Tile<'_, T> {
    fn clear(self) {
        self.results.into_iter().for_each(|out| out.fill(T::zeroed()));
        self.d_scale.fill(0.0);
    }
}

impl<'a, T: Operand> ExpertRowsGradient<'a, T> {
    fn check(&self, results: &SwigluGradients<'_, T>) -> Result<(), ArgumentError> {
        let rows = [self.num_rows, self.intermediate];
        length(NAME, "d_out", self.d_out.len(), &[self.num_rows, self.hidden])?;
        length(NAME, "down", self.down.len(), &[self.num_slots, self.hidden, self.intermediate])?;
        let of_rows = [
            ("gate", self.kept.gate.len()),
            ("up", self.kept.up.len()),
            ("value", results.value.len()),
            ("d_gate", results.d_gate.len()),
            ("d_up", results.d_up.len()),
        ];
        of_rows.into_iter().try_for_each(|(name, len)| length(NAME, name, len, &rows))?;
        let num_scales = self.kept.scale.map_or(0, |_| self.num_rows);
        length(NAME, "scale", self.kept.scale.map_or(0, <[f32]>::len), &[num_scales])?;
        length(NAME, "d_scale", results.d_scale.as_deref().map_or(0, <[f32]>::len), &[num_scales])
    }

    fn tiles<'o>(
        &self,
        results: SwigluGradients<'o, T>,
        sizes: (usize, usize),
    ) -> Result<Vec<Tile<'o, T>>, ArgumentError> {
        let SwigluGradients { mut value, mut d_gate, mut d_up, d_scale } = results;
        let mut d_scale = d_scale.unwrap_or_default();
        let runs = row_tiles(NAME, self.num_rows, (self.block_slot, self.num_slots), sizes)?;
        let mut tiles: Vec<_> = runs
            .into_iter()
            .map(|run| {
                let size = run.rows.len() * self.intermediate;
                let results = [&mut value, &mut d_gate, &mut d_up].map(|all| cut(all, size));
                let num_scales = run.rows.len().min(d_scale.len());
                Tile { d_scale: cut(&mut d_scale, num_scales), run, results }
            })
            .collect();
        longest_first(&mut tiles, |tile| &tile.run);
        Ok(tiles)
    }

    fn weights_of(&self, slot: usize) -> SlotWeights<'a, T> {
        SlotWeights::new(self.down, slot, false, [self.hidden, self.intermediate])
    }

    fn compute(&self, slot: usize, tile: Tile<'_, T>, Space { wide, sums, .. }: &mut Space) {
        let Tile { run, results: [value, d_gate, d_up], d_scale } = tile;
        let rows = &self.d_out[run.rows.start * self.hidden..run.rows.end * self.hidden];
        T::written(value, sums, |out| self.weights_of(slot).multiply(rows, out, false, wide));
        self.gradients(run.rows.start, [value, d_gate, d_up], d_scale);
    }

    fn compute_packed(&self, slot: usize, tile: Tile<'_, T>, space: &mut Space, panels: &mut Panels) {
        let Panels { left, right: [right, ..], sums } = panels;
        if space.packed_slot.replace(slot) != Some(slot) {
            self.weights_of(slot).pack(right);
        }
        let (hidden, size) = (self.hidden, self.intermediate);
        let lanes = packed::lanes::<T>(hidden);
        let [value, d_gate, d_up] = tile.results.map(|all| all.chunks_mut(PACKED_ROWS * size));
        let mut d_scales = tile.d_scale.chunks_mut(PACKED_ROWS);
        for (first, ((value, d_gate), d_up)) in
            tile.run.rows.step_by(PACKED_ROWS).zip(value.zip(d_gate).zip(d_up))
        {
            let row = |i: usize| &self.d_out[(first + i) * hidden..][..hidden];
            packed::left_along(row, value.len() / size, hidden, left);
            T::written(value, sums, |out| packed::multiply::<T>(left, right, lanes, out, size, false));
            self.gradients(first, [value, d_gate, d_up], d_scales.next().unwrap_or_default());
        }
    }

    /// From the cotangent in `value`, of rows from `first` on.
    fn gradients(&self, first: usize, results: [&mut [T]; 3], d_scale: &mut [f32]) {
        let size = self.intermediate;
        let [gate, up] = [self.kept.gate, self.kept.up].map(|all| &all[first * size..]);
        swiglu::rows_gradient(&self.kept.part(first, gate, up), size, results, d_scale);
    }
}
