//! Matrix products from packed panels, where the processor has AVX-512 (for bfloat16, its bfloat16 part too).
//!
//! Both sides of a product are packed into panels of 32-bit lanes along the contracted dim: a lane is one f32, or two
//! neighbouring bf16. The left side has panels of [`ROWS`] rows, the right side of [`COLS`] columns, zero where a matrix
//! ends. One call of the inner kernel makes a tile of [`ROWS`] x [`COLS`] sums in registers, over any number of lanes;
//! what becomes of them (stored, rounded, an activation) is the caller's. Every sum is made in the order of the contracted
//! dim, whatever tile it falls into, so how work is cut never changes a bit.
//!
//! bfloat16 products are exact in f32 but for numbers below 2^-126, which the instruction takes and gives as zero.
//!
//! Where it has AMX, bfloat16 products go by its tiles: the left side is then packed in whole rows, and a sum's order is that of
//! the tiles, along the contracted dim as well.
//!
//! Why our own and not a product crate: weights are packed once for all rows of a slot, rows may be gathered while they are
//! packed, two matrices may share a pass, and no crate has AVX-512-BF16.

mod micro;
mod pack;

pub(crate) use pack::{pack_across, pack_along};
use pack::{pack_rows_across, pack_rows_along};

use collegium_core::DType;

use crate::simd::entries::Product;
use crate::simd::lines::{Lines, PER_LINE};
use crate::simd::multiply_tiles;
use crate::{Instructions, Operand};

/// Rows of a panel of the left side: 12 x 2 sums in registers hide the latency of a multiply-add.
pub(crate) const ROWS: usize = 12;

/// Columns of a panel of the right side: two vectors.
pub(crate) const COLS: usize = 32;

/// Rows of a tile's block.
const TILE_ROWS: usize = 32;
/// Lanes of a tile: a line of the cache.
const TILE_LANES: usize = PER_LINE;

/// Lanes that a panel may be longer than its size says: packing stores whole vectors.
const SLACK: usize = 16;

/// Whether products of this element type run from packed panels here.
pub(crate) fn is_available<T: Operand>() -> bool {
    let needed = if T::DTYPE == DType::F32 { Instructions::Avx512 } else { Instructions::Avx512Bf16 };
    Instructions::best() >= needed
}

/// Whether they go by tiles.
fn has_tiles<T: Operand>() -> bool {
    T::DTYPE == DType::Bf16 && Instructions::best() == Instructions::Amx
}

/// Rows of the left side that are made together: a piece of work should have a multiple.
pub(crate) fn rows_together<T: Operand>() -> usize {
    if has_tiles::<T>() { TILE_ROWS } else { ROWS }
}

/// Lanes of `elements` along the contracted dim.
pub(crate) fn lanes<T: Operand>(elements: usize) -> usize {
    elements.div_ceil(T::PER_LANE)
}

/// Packs the left side from rows that lie along the contracted dim; `row(i)` gives row `i` of `count`.
pub(crate) fn left_along<'a, T: Operand>(
    row: impl Fn(usize) -> &'a [T],
    count: usize,
    elements: usize,
    space: &mut Lines<u32>,
) {
    reserve_left::<T>(space, count, elements);
    if has_tiles::<T>() {
        pack_rows_along::<T>(row, count, elements, space);
    } else {
        pack_along::<T, ROWS>(row, count, elements, space);
    }
}

/// Packs the left side from a matrix whose contracted dim lies across memory; `row(k)` gives its `count` rows' elements at place `k`.
pub(crate) fn left_across<'a, T: Operand>(
    row: impl Fn(usize) -> &'a [T],
    count: usize,
    elements: usize,
    space: &mut Lines<u32>,
) {
    reserve_left::<T>(space, count, elements);
    if has_tiles::<T>() {
        pack_rows_across::<T>(row, count, elements, space);
    } else {
        pack_across::<T, ROWS>(row, count, elements, space);
    }
}

/// Room for the left side, as it is packed here.
fn reserve_left<T: Operand>(space: &mut Lines<u32>, count: usize, elements: usize) {
    let lanes = lanes::<T>(elements);
    let depth = if has_tiles::<T>() { lanes.next_multiple_of(TILE_LANES) } else { lanes };
    reserve(space, count, rows_together::<T>(), depth);
}

/// Room for panels of `width` that hold `size` rows or columns, `lanes` deep.
pub(crate) fn reserve(space: &mut Lines<u32>, size: usize, width: usize, lanes: usize) {
    let len = size.div_ceil(width) * width * lanes + SLACK;
    if space.len() < len {
        space.resize(len);
    }
}

/// The product of packed sides, `[rows, cols]` sums over all `lanes`, to the dense matrix `out` of `cols` columns; added to what
/// is there if `add`.
pub(crate) fn multiply<T: Operand>(
    left: &[u32],
    right: &[u32],
    lanes: usize,
    out: &mut [f32],
    cols: usize,
    add: bool,
) {
    let rows = out.len() / cols;
    for col in (0..cols).step_by(COLS) {
        let right = &right[col * lanes..][..COLS * lanes];
        if has_tiles::<T>() {
            multiply_tiles(&mut Product {
                rows,
                columns: (cols - col).min(COLS),
                steps: lanes,
                left,
                left_row: lanes.next_multiple_of(TILE_LANES),
                left_step: 1,
                right,
                right_step: COLS,
                out: &mut out[col..],
                out_row: cols,
                accumulate: add,
            });
            continue;
        }
        for row in (0..rows).step_by(ROWS) {
            let mut target = micro::Target {
                out: &mut out[row * cols + col..],
                stride: cols,
                rows: (rows - row).min(ROWS),
                cols: (cols - col).min(COLS),
                add,
            };
            micro::tile::<T>(&left[row * lanes..][..ROWS * lanes], right, &mut target);
        }
    }
}

/// Panels of one thread, kept from call to call: new memory would cost a page fault for every 4 kB.
#[derive(Default)]
pub(crate) struct Panels {
    pub(crate) left: Lines<u32>,
    /// Of as many products as a kernel makes together.
    pub(crate) right: [Lines<u32>; 3],
    /// Sums before they are rounded.
    pub(crate) sums: Lines<f32>,
}

/// Lends the thread's panels; a call inside another one gets new ones.
pub(crate) fn with_panels(work: impl FnOnce(&mut Panels)) {
    thread_local! {
        static PANELS: std::cell::Cell<Panels> = std::cell::Cell::default();
    }
    let mut panels = PANELS.take();
    work(&mut panels);
    PANELS.set(panels);
}
