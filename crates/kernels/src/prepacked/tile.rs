//! The inner loop: some rows times one panel.

use half::bf16;

use super::{LANES, narrow};
use crate::simd::{Level, Pair, portable};
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2, avx512};
use crate::{Instructions, ahead, lanes};

/// Most rows of a tile: with four vectors of outputs each, as many sums as registers hold.
pub(super) const ROWS: usize = 6;

/// Rows and a panel.
pub(super) struct Tile<'a, R, W> {
    /// As many elements each as there are steps, or more.
    pub rows: &'a [R],
    /// {step, lane}, or {step, lane, pair}.
    pub panel: &'a [W],
    /// {row, lane}.
    pub out: &'a mut [f32],
}

/// A row of whole numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Blocks<'a> {
    /// Pairs of i16.
    pub units: &'a [Pair],
    /// By block: what they are multiples of.
    pub scales: &'a [f32],
}

/// How far ahead weights are asked for, in bytes: panels lie one behind another, and the processor's own looking ahead ends at each page of memory.
/// One row reads 10 to 30 % more a second for it.
const AHEAD: usize = 8192;

/// Asks for the line of the cache that lies [`AHEAD`] of `from`.
#[inline(always)]
pub(super) fn ask<T>(from: *const T) {
    ahead::ask(from, AHEAD);
}

/// Multiplies units of one f32.
pub(super) fn multiply_f32(tile: Tile<'_, &[f32], f32>) {
    match Instructions::best() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `best` names only what the processor has.
        best if best >= Instructions::Avx512 => unsafe { f32_avx512(tile) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 => unsafe { f32_avx2(tile) },
        // SAFETY: every processor has these.
        _ => unsafe { f32_portable(tile) },
    }
}

/// Whether the processor multiplies pairs.
pub(super) fn has_pairs() -> bool {
    Instructions::best() >= Instructions::Avx512Bf16
}

/// Whether it does so by tiles.
pub(super) fn has_tiles() -> bool {
    Instructions::best() == Instructions::Amx
}

/// Multiplies pairs of bf16 without tiles; only where [`has_pairs`].
pub(super) fn multiply_pairs(tile: Tile<'_, &[Pair], Pair>) {
    assert!(has_pairs(), "pairs are packed for processors that multiply them");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: just asserted.
    unsafe {
        pairs_avx512(tile);
    }
    #[cfg(not(target_arch = "x86_64"))]
    drop(tile);
}

/// Multiplies f32 with a panel of bf16 pairs.
pub(super) fn multiply_bf16(tile: Tile<'_, &[f32], Pair>) {
    #[cfg(target_arch = "x86_64")]
    if Instructions::best() >= Instructions::Avx512 {
        // SAFETY: the processor has these instructions.
        return unsafe { narrow::avx512::multiply_bf16(tile) };
    } else if Instructions::best() == Instructions::Avx2 && tile.rows.len() <= narrow::avx2::BF16_ROWS {
        // SAFETY: as above.
        return unsafe { narrow::avx2::multiply_bf16(tile) };
    }
    lanes::run(narrow::Bf16(tile));
}

/// Multiplies whole numbers with a panel of int8 {step, lane, pair} and its scales {block, lane}.
pub(super) fn multiply_int8(tile: Tile<'_, Blocks<'_>, i8>, scales: &[bf16]) {
    #[cfg(target_arch = "x86_64")]
    if Instructions::best() >= Instructions::Avx512 && is_x86_feature_detected!("avx512vnni") {
        // SAFETY: the processor has these instructions.
        return unsafe { narrow::avx512::multiply_int8(tile, scales) };
    } else if Instructions::best() >= Instructions::Avx2 {
        // SAFETY: as above; what has AVX-512 has AVX2.
        return unsafe { narrow::avx2::multiply_int8(tile, scales) };
    }
    lanes::run(narrow::Int8(tile, scales));
}

/// An entry for a level, with the number of vectors of outputs whose sums its registers hold beside each other for 1, 2 to 3, and more rows.
macro_rules! entry {
    ($name:ident, $level:ty, [$one:literal, $two:literal, $more:literal] $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name(tile: Tile<'_, &[<$level as Level>::Unit], <$level as Level>::Unit>) {
            // SAFETY: the caller promises the level.
            unsafe {
                match tile.rows.len() {
                    0 => {}
                    1 => multiply::<$level, 1, $one>(tile),
                    2 => multiply::<$level, 2, $two>(tile),
                    3 => multiply::<$level, 3, $two>(tile),
                    4 => multiply::<$level, 4, $more>(tile),
                    5 => multiply::<$level, 5, $more>(tile),
                    _ => multiply::<$level, ROWS, $more>(tile),
                }
            }
        }
    };
}

entry!(f32_portable, portable::Portable, [2, 2, 2]);
#[cfg(target_arch = "x86_64")]
entry!(f32_avx2, avx2::Avx2, [8, 4, 2], "avx2,fma");
#[cfg(target_arch = "x86_64")]
entry!(f32_avx512, avx512::Avx512, [4, 4, 4], "avx512f,avx512bw,avx512vl");
#[cfg(target_arch = "x86_64")]
entry!(pairs_avx512, avx512::Avx512Bf16, [4, 4, 4], "avx512f,avx512bw,avx512vl,avx512bf16");

/// Steps of a stretch of a panel of f32 or bf16 pairs, which is read once for each part of its lanes: 8 KB.
pub(super) const STRETCH: usize = 32;

/// `N` rows; `V` vectors of outputs at once.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn multiply<L: Level, const N: usize, const V: usize>(tile: Tile<'_, &[L::Unit], L::Unit>) {
    let steps = tile.panel.len() / LANES;
    assert!(tile.rows.len() == N && tile.rows.iter().all(|row| row.len() >= steps));
    assert!(tile.out.len() == N * LANES);
    tile.out.fill(0.0);
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const L::Unit; N] = std::array::from_fn(|i| tile.rows[i].as_ptr());
    let each = if V * L::LANES < LANES { STRETCH } else { steps.max(1) };
    for start in (0..steps).step_by(each) {
        for first in (0..LANES).step_by(V * L::LANES) {
            // SAFETY: the caller promises the level; rows hold `steps` units, the panel `steps` times LANES, the output N times LANES.
            unsafe {
                let mut sums = [[L::splat(0.0); V]; N];
                for (i, sums) in sums.iter_mut().enumerate() {
                    for (j, sum) in sums.iter_mut().enumerate() {
                        *sum = L::load(out.add(i * LANES + first + j * L::LANES));
                    }
                }
                for step in start..(start + each).min(steps) {
                    let from = panel.add(step * LANES + first);
                    for j in 0..V {
                        ask(from.add(j * L::LANES));
                    }
                    let mut weights = [L::load_units(from); V];
                    for (j, weight) in weights.iter_mut().enumerate().skip(1) {
                        *weight = L::load_units(from.add(j * L::LANES));
                    }
                    for (sums, row) in sums.iter_mut().zip(rows) {
                        let x = L::repeat_unit(row.add(step));
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum = L::dot(*sum, x, weight);
                        }
                    }
                }
                for (i, sums) in sums.iter().enumerate() {
                    for (j, &sum) in sums.iter().enumerate() {
                        L::store(sum, out.add(i * LANES + first + j * L::LANES));
                    }
                }
            }
        }
    }
}
