//! Grouped matrix products: rows of many experts in one buffer, each block of rows with the weights of its slot.
//!
//! ```text
//! dot      out[r, :]    = rows[r, :] weights[slot of r]            for rows of used blocks, else 0
//! outer    out[s, :, :] = sum over rows r of slot s of left[r, :]ᵀ right[r, :]
//! experts  out[r, :]    = (scale[r] · silu(x gate) · (x up)) down,  x = given[index[r], :]
//! ```
//!
//! | argument | dims | dtype |
//! | --- | --- | --- |
//! | rows, left, right | {row, in}, {row, a}, {row, b} | f32 or bf16 |
//! | weights | {slot, in, out}, transposed {slot, out, in} | that of the rows |
//! | block_slot | {block}: the slot of each block of row / block rows; outside 0..slots: the block is unused | i32 |
//! | out | {row, out}, {slot, a, b} | f32 |
//!
//! Sums are f32. Cost: 2 in out FLOPs a row of a used block; unused blocks cost the zeros written. Neighbouring blocks
//! of one slot are one product; up to 64 rows are multiplied with weights {slot, out, in} where they lie, each slot's read once, and a row's
//! result does not depend on the others. The output is cut into tiles by sizes alone, the largest first, so that a popular slot
//! spreads over the threads and the result does not depend on their number. What an unused block holds is never read,
//! and a NaN reaches only rows (or slots) that it belongs to.

mod dot;
mod experts;
#[cfg(test)]
mod experts_tests;
mod few;
mod gradient;
mod outer;
pub mod reference;
mod runs;
mod slot;
#[cfg(test)]
mod tests;

pub use dot::{GroupedDot, grouped_dot};
pub use experts::{ExpertResults, ExpertRows, expert_rows};
pub use gradient::{ExpertRowsGradient, expert_rows_gradient};
pub use outer::{GroupedOuter, grouped_outer};
