//! Products of few rows: each weight is read once, where it lies, for all rows of its slot. So the time is that of reading the weights that
//! some row wants, which is what decoding one token of a few sequences comes to.

use super::dot::GroupedDot;
use super::runs::runs;
use crate::lanes::{self, Loop};
use crate::{ArgumentError, Operand, Threads};

/// Most rows that are not worth packing weights for.
pub(super) const MOST_ROWS: usize = 64;

/// Bytes of weights that a thread takes at once.
const PIECE_BYTES: usize = 1 << 16;

/// Some outputs of the rows of one slot.
struct Piece<'o, T, O> {
    /// {out, in}.
    weights: &'o [T],
    /// {row, in}, in f32.
    rows: Vec<&'o [f32]>,
    /// The outputs of each row.
    outs: Vec<&'o mut [O]>,
}

/// [`grouped_dot`](super::grouped_dot) for at most [`MOST_ROWS`] rows and weights {slot, out, in}.
pub(super) fn grouped_dot<T: Operand, O: Operand>(
    problem: &GroupedDot<'_, T>,
    out: &mut [O],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    let GroupedDot { inner, outer, .. } = *problem;
    let runs = runs(super::dot::NAME, problem.num_rows, problem.block_slot, problem.num_slots)?;
    if inner == 0 || outer == 0 {
        out.fill(O::zeroed());
        return Ok(());
    }
    let wide: Vec<f32> = problem.rows.iter().map(|x| x.to_f32()).collect();
    let each = (PIECE_BYTES / (inner * size_of::<T>())).clamp(1, outer);
    let mut slots: Vec<usize> = Vec::new();
    let mut pieces: Vec<Piece<'_, T, O>> = Vec::new();
    let slot_of = runs.iter().flat_map(|run| run.rows.clone().map(|_| run.slot));
    for ((slot, x), out) in slot_of.zip(wide.chunks(inner)).zip(out.chunks_mut(outer)) {
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
            piece.rows.push(x);
            piece.outs.push(part);
        }
    }
    threads.run(pieces, || (), |(), piece| lanes::run(Dots { piece, inner }));
    Ok(())
}

struct Dots<'o, T, O> {
    piece: Piece<'o, T, O>,
    inner: usize,
}

impl<T: Operand, O: Operand> Loop for Dots<'_, T, O> {
    #[inline(always)]
    fn run<const FMA: bool>(mut self) {
        for (o, w) in self.piece.weights.chunks_exact(self.inner).enumerate() {
            let outs = &mut self.piece.outs;
            lanes::dots_of::<T, FMA>(&self.piece.rows, w, |row, sum| outs[row][o] = O::from_f32(sum));
        }
    }
}
