//! The inner loop: some rows times one panel.

use half::bf16;

use super::{BLOCK, LANES};
use crate::Instructions;
use crate::simd::{Level, Pair, portable};
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2, avx512};

/// Most rows of a tile: with four vectors of outputs each, as many sums as registers hold.
pub(super) const ROWS: usize = 6;

/// Rows and a panel, units of either.
pub(super) struct Tile<'a, U, W = U> {
    /// Units of each row, at least as many as there are steps.
    pub rows: &'a [&'a [U]],
    /// {step, lane}.
    pub panel: &'a [W],
    /// {row, lane}.
    pub out: &'a mut [f32],
    /// Whether the sums go on from what `out` holds.
    pub goes_on: bool,
}

/// Multiplies units of one f32.
pub(super) fn multiply_f32(tile: Tile<'_, f32>) {
    match Instructions::best() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `best` names only what the processor has.
        Instructions::Avx512 | Instructions::Avx512Bf16 => unsafe { f32_avx512(tile) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 => unsafe { f32_avx2(tile) },
        // SAFETY: every processor has these.
        _ => unsafe { f32_portable(tile) },
    }
}

/// Whether the processor multiplies pairs.
pub(super) fn has_pairs() -> bool {
    Instructions::best() == Instructions::Avx512Bf16
}

/// Multiplies pairs of bf16; only where [`has_pairs`].
pub(super) fn multiply_pairs(tile: Tile<'_, Pair>) {
    assert!(has_pairs(), "pairs are packed for processors that multiply them");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: just asserted.
    unsafe {
        pairs_avx512(tile);
    }
    #[cfg(not(target_arch = "x86_64"))]
    drop(tile);
}

/// Whether the processor widens int8 on the way into a product; elsewhere panels are widened first.
pub(super) fn has_int8() -> bool {
    matches!(Instructions::best(), Instructions::Avx512 | Instructions::Avx512Bf16)
}

/// Multiplies with a panel of int8 and its scales {block, lane}; only where [`has_int8`].
pub(super) fn multiply_int8(tile: Tile<'_, f32, i8>, scales: &[bf16]) {
    assert!(has_int8(), "panels are widened where the processor cannot");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: just asserted.
    unsafe {
        match tile.rows.len() {
            0 => {}
            1 => int8_avx512::<1>(tile, scales),
            2 => int8_avx512::<2>(tile, scales),
            3 => int8_avx512::<3>(tile, scales),
            4 => int8_avx512::<4>(tile, scales),
            5 => int8_avx512::<5>(tile, scales),
            _ => int8_avx512::<ROWS>(tile, scales),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    drop((tile, scales));
}

/// The operations of [`multiply`] on what is widened and scaled, in the same order.
///
/// # Safety
/// The processor has these instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn int8_avx512<const N: usize>(tile: Tile<'_, f32, i8>, scales: &[bf16]) {
    use std::arch::x86_64::*;
    const VECTORS: usize = LANES / 16;
    let steps = tile.panel.len() / LANES;
    assert!(tile.rows.len() == N && tile.rows.iter().all(|row| row.len() >= steps));
    assert!(tile.out.len() == N * LANES && scales.len() >= steps.div_ceil(BLOCK) * LANES && !tile.goes_on);
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const f32; N] = std::array::from_fn(|i| tile.rows[i].as_ptr());
    // SAFETY: all places are below the asserted lengths.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); VECTORS]; N];
        for block in (0..steps).step_by(BLOCK) {
            let mut scale = [_mm512_setzero_ps(); VECTORS];
            for (j, scale) in scale.iter_mut().enumerate() {
                let narrow = _mm256_loadu_si256(scales.as_ptr().add(block / BLOCK * LANES + j * 16).cast());
                *scale = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(narrow)));
            }
            for step in block..(block + BLOCK).min(steps) {
                let mut weights = scale;
                for (j, weight) in weights.iter_mut().enumerate() {
                    let narrow = _mm_loadu_si128(panel.add(step * LANES + j * 16).cast());
                    *weight = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(narrow)), *weight);
                }
                for (sums, row) in sums.iter_mut().zip(rows) {
                    let x = _mm512_set1_ps(*row.add(step));
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = _mm512_fmadd_ps(x, weight, *sum);
                    }
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                _mm512_storeu_ps(out.add(i * LANES + j * 16), sum);
            }
        }
    }
}

macro_rules! entry {
    ($name:ident, $level:ty, $vectors:literal $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name(tile: Tile<'_, <$level as Level>::Unit>) {
            // SAFETY: the caller promises the level.
            unsafe {
                match tile.rows.len() {
                    0 => {}
                    1 => multiply::<$level, 1, $vectors>(tile),
                    2 => multiply::<$level, 2, $vectors>(tile),
                    3 => multiply::<$level, 3, $vectors>(tile),
                    4 => multiply::<$level, 4, $vectors>(tile),
                    5 => multiply::<$level, 5, $vectors>(tile),
                    _ => multiply::<$level, ROWS, $vectors>(tile),
                }
            }
        }
    };
}

entry!(f32_portable, portable::Portable, 2);
#[cfg(target_arch = "x86_64")]
entry!(f32_avx2, avx2::Avx2, 2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
entry!(f32_avx512, avx512::Avx512, 4, "avx512f,avx512bw,avx512vl");
#[cfg(target_arch = "x86_64")]
entry!(pairs_avx512, avx512::Avx512Bf16, 4, "avx512f,avx512bw,avx512vl,avx512bf16");

/// `N` rows; `V` vectors of outputs at once.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn multiply<L: Level, const N: usize, const V: usize>(tile: Tile<'_, L::Unit>) {
    let steps = tile.panel.len() / LANES;
    assert!(tile.rows.len() == N && tile.rows.iter().all(|row| row.len() >= steps));
    assert!(tile.out.len() == N * LANES);
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const L::Unit; N] = std::array::from_fn(|i| tile.rows[i].as_ptr());
    for first in (0..LANES).step_by(V * L::LANES) {
        // SAFETY: the caller promises the level; rows hold `steps` units, the panel `steps` times LANES, the output N times LANES.
        unsafe {
            let mut sums = [[L::splat(0.0); V]; N];
            if tile.goes_on {
                for (i, sums) in sums.iter_mut().enumerate() {
                    for (j, sum) in sums.iter_mut().enumerate() {
                        *sum = L::load(out.add(i * LANES + first + j * L::LANES));
                    }
                }
            }
            for step in 0..steps {
                let from = panel.add(step * LANES + first);
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
