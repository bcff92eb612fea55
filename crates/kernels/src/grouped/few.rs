//! Products of few rows: each weight is read once, where it lies, for all rows of its slot. So the time is that of reading the weights that
//! some row wants, which is what decoding one token of a few sequences comes to.
//!
//! Where many rows would be multiplied as pairs of bf16, few are too: a sum then has one order, and a row one result, whatever the number of rows.

use super::dot::GroupedDot;
use super::runs::runs;
use crate::lanes::{self, Loop, vectorized};
use crate::packed::{self, COLS, Panels, pack_along};
use crate::{ArgumentError, Operand, Threads};

/// Most rows that are not worth packing all weights for.
pub(super) const MOST_ROWS: usize = 64;

/// Bytes of weights that a thread takes at once.
const PIECE_BYTES: usize = 1 << 16;

/// Some outputs of the rows of one slot.
struct Piece<'o, T, O> {
    /// {out, in}.
    weights: &'o [T],
    rows: Vec<usize>,
    /// The outputs of each row.
    outs: Vec<&'o mut [O]>,
}

/// [`grouped_dot`](super::grouped_dot) for at most [`MOST_ROWS`] rows and weights {slot, out, in}.
pub(super) fn grouped_dot<T: Operand, O: Operand>(
    problem: &GroupedDot<'_, T>,
    out: &mut [O],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    let GroupedDot { rows, inner, outer, .. } = *problem;
    let runs = runs(super::dot::NAME, problem.num_rows, problem.block_slot, problem.num_slots)?;
    if inner == 0 || outer == 0 {
        out.fill(O::zeroed());
        return Ok(());
    }
    let is_paired = T::PER_LANE > 1 && packed::is_available::<T>();
    let each = (PIECE_BYTES / (inner * size_of::<T>())).clamp(1, outer);
    let each = if is_paired { each.next_multiple_of(COLS) } else { each };
    let mut slots: Vec<usize> = Vec::new();
    let mut pieces: Vec<Piece<'_, T, O>> = Vec::new();
    let slot_of = runs.iter().flat_map(|run| run.rows.clone().map(|_| run.slot));
    for (row, (slot, out)) in slot_of.zip(out.chunks_mut(outer)).enumerate() {
        let Some(slot) = slot else {
            out.fill(O::zeroed());
            continue;
        };
        let count = outer.div_ceil(each);
        let at = slots.iter().position(|&s| s == slot).unwrap_or_else(|| {
            let weights = &problem.weights[slot * inner * outer..][..inner * outer];
            pieces.extend(weights.chunks(each * inner).map(|weights| Piece {
                weights,
                rows: Vec::new(),
                outs: Vec::new(),
            }));
            slots.push(slot);
            slots.len() - 1
        });
        for (piece, part) in pieces[at * count..][..count].iter_mut().zip(out.chunks_mut(each)) {
            piece.rows.push(row);
            piece.outs.push(part);
        }
    }
    if is_paired {
        threads.run(
            pieces,
            || (),
            |(), piece| packed::with_panels(|panels| piece.multiply_pairs(rows, inner, panels)),
        );
    } else {
        let wide: Vec<f32> = rows.iter().map(|x| x.to_f32()).collect();
        threads.run(pieces, || (), |(), piece| lanes::run(Dots { piece, wide: &wide, inner }));
    }
    Ok(())
}

impl<T: Operand, O: Operand> Piece<'_, T, O> {
    /// By packed panels, as many rows are multiplied.
    fn multiply_pairs(self, all: &[T], inner: usize, Panels { left, right, sums }: &mut Panels) {
        let (count, columns) = (self.rows.len(), self.weights.len() / inner);
        let (lanes, right) = (packed::lanes::<T>(inner), &mut right[0]);
        packed::left_along(|i| &all[self.rows[i] * inner..][..inner], count, inner, left);
        packed::reserve(right, columns, COLS, lanes);
        pack_along::<T, COLS>(|i| &self.weights[i * inner..][..inner], columns, inner, right);
        sums.resize(count * columns);
        packed::multiply::<T>(left, right, lanes, sums, columns, false);
        for (sums, out) in sums.chunks(columns).zip(self.outs) {
            vectorized(|| O::narrowed(sums, 1.0, out));
        }
    }
}

struct Dots<'o, 'w, T, O> {
    piece: Piece<'o, T, O>,
    /// {row, in}: all rows, in f32.
    wide: &'w [f32],
    inner: usize,
}

impl<T: Operand, O: Operand> Loop for Dots<'_, '_, T, O> {
    #[inline(always)]
    fn run<const FMA: bool>(mut self) {
        let rows: Vec<&[f32]> =
            self.piece.rows.iter().map(|row| &self.wide[row * self.inner..][..self.inner]).collect();
        for (o, w) in self.piece.weights.chunks_exact(self.inner).enumerate() {
            let outs = &mut self.piece.outs;
            lanes::dots_of::<T, FMA>(&rows, w, |row, sum| outs[row][o] = O::from_f32(sum));
        }
    }
}
