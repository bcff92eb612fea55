//! The same products by the shortest loops, summed in f64: what the kernels are compared with.

use super::{GroupedDot, GroupedOuter};
use crate::element::Operand;

/// Slot of a row, if its block is used.
fn slot_of(row: usize, num_rows: usize, block_slot: &[i32], num_slots: usize) -> Option<usize> {
    let block = num_rows / block_slot.len();
    usize::try_from(block_slot[row / block]).ok().filter(|&slot| slot < num_slots)
}

/// [`grouped_dot`](super::grouped_dot) by loops.
pub fn grouped_dot<T: Operand>(p: &GroupedDot<'_, T>) -> Vec<f32> {
    let mut out = vec![0.0; p.num_rows * p.outer];
    for row in 0..p.num_rows {
        let Some(slot) = slot_of(row, p.num_rows, p.block_slot, p.num_slots) else { continue };
        for o in 0..p.outer {
            let weight = |i: usize| {
                let at = if p.weights_transposed { o * p.inner + i } else { i * p.outer + o };
                f64::from(p.weights[slot * p.inner * p.outer + at].to_f32())
            };
            let sum: f64 =
                (0..p.inner).map(|i| f64::from(p.rows[row * p.inner + i].to_f32()) * weight(i)).sum();
            out[row * p.outer + o] = sum as f32;
        }
    }
    out
}

/// [`grouped_outer`](super::grouped_outer) by loops.
pub fn grouped_outer<T: Operand>(p: &GroupedOuter<'_, T>) -> Vec<f32> {
    let mut out = vec![0.0_f64; p.num_slots * p.left_width * p.right_width];
    for row in 0..p.num_rows {
        let Some(slot) = slot_of(row, p.num_rows, p.block_slot, p.num_slots) else { continue };
        for a in 0..p.left_width {
            for b in 0..p.right_width {
                let left = f64::from(p.left[row * p.left_width + a].to_f32());
                let right = f64::from(p.right[row * p.right_width + b].to_f32());
                out[(slot * p.left_width + a) * p.right_width + b] += left * right;
            }
        }
    }
    out.into_iter().map(|x| x as f32).collect()
}
