//! With AVX2: sixteen registers of eight lanes hold the sums of all rows for a part of the lanes only, so a panel is taken in short stretches,
//! each read once from memory and then again from the nearest cache for the other lanes.

use std::arch::x86_64::*;

use half::bf16;

use super::super::tile::{Blocks, ROWS, STRETCH, Tile, ask};
use super::super::{BLOCK, LANES};
use crate::simd::Pair;

/// Lanes of a vector.
const WIDE: usize = 8;

/// Most rows of bf16 weights: with more, their sums and what widens a pair need more registers than there are, and the plain form, row by row, is faster
/// (84 against 66 GFLOP/s for tiles of six on two cores of Zen 3).
pub(in super::super) const BF16_ROWS: usize = 4;

/// # Safety
/// The processor has these instructions.
#[target_feature(enable = "avx2,fma")]
pub(in super::super) unsafe fn multiply_bf16(tile: Tile<'_, &[f32], Pair>) {
    assert!(tile.rows.len() <= BF16_ROWS);
    // SAFETY: promised by the caller.
    unsafe {
        match tile.rows.len() {
            0 => {}
            1 => bf16_rows::<1, 8>(tile),
            2 => bf16_rows::<2, 4>(tile),
            3 => bf16_rows::<3, 4>(tile),
            _ => bf16_rows::<BF16_ROWS, 2>(tile),
        }
    }
}

/// # Safety
/// The processor has these instructions.
#[target_feature(enable = "avx2,fma")]
pub(in super::super) unsafe fn multiply_int8(tile: Tile<'_, Blocks<'_>, i8>, scales: &[bf16]) {
    // SAFETY: promised by the caller.
    unsafe {
        match tile.rows.len() {
            0 => {}
            1 => int8_rows::<1, 8>(tile, scales),
            2 => int8_rows::<2, 4>(tile, scales),
            3 => int8_rows::<3, 4>(tile, scales),
            4 => int8_rows::<4, 2>(tile, scales),
            5 => int8_rows::<5, 2>(tile, scales),
            _ => int8_rows::<ROWS, 2>(tile, scales),
        }
    }
}

/// `N` rows; sums of `V` vectors of outputs beside each other.
///
/// # Safety
/// As the entry.
#[target_feature(enable = "avx2,fma")]
#[allow(clippy::needless_range_loop)]
unsafe fn bf16_rows<const N: usize, const V: usize>(tile: Tile<'_, &[f32], Pair>) {
    let steps = tile.panel.len() / LANES;
    assert!(tile.rows.len() == N && tile.rows.iter().all(|row| row.len() + 1 >= 2 * steps));
    assert!(tile.out.len() == N * LANES);
    tile.out.fill(0.0);
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const f32; N] = std::array::from_fn(|i| tile.rows[i].as_ptr());
    // Steps of which every row has both elements.
    let whole = tile.rows.iter().fold(steps, |least, row| least.min(row.len() / 2));
    // SAFETY: all places are below the asserted lengths.
    unsafe {
        for start in (0..steps).step_by(STRETCH) {
            let end = (start + STRETCH).min(steps);
            for first in (0..LANES).step_by(V * WIDE) {
                let at = |i: usize, j: usize| out.add(i * LANES + first + j * WIDE);
                let mut sums = [[_mm256_setzero_ps(); V]; N];
                for i in 0..N {
                    for j in 0..V {
                        sums[i][j] = _mm256_loadu_ps(at(i, j));
                    }
                }
                for step in start..end.min(whole) {
                    for j in 0..V {
                        let from = panel.add(step * LANES + first + j * WIDE);
                        if j % 2 == 0 {
                            ask(from);
                        }
                        let [low, high] = halves(from);
                        for i in 0..N {
                            let x = _mm256_broadcast_ss(&*rows[i].add(2 * step));
                            sums[i][j] = _mm256_fmadd_ps(x, low, sums[i][j]);
                            let x = _mm256_broadcast_ss(&*rows[i].add(2 * step + 1));
                            sums[i][j] = _mm256_fmadd_ps(x, high, sums[i][j]);
                        }
                    }
                }
                for step in whole.clamp(start, end)..end {
                    for j in 0..V {
                        let [low, _] = halves(panel.add(step * LANES + first + j * WIDE));
                        for i in 0..N {
                            let x = _mm256_broadcast_ss(&*rows[i].add(2 * step));
                            sums[i][j] = _mm256_fmadd_ps(x, low, sums[i][j]);
                        }
                    }
                }
                for i in 0..N {
                    for j in 0..V {
                        _mm256_storeu_ps(at(i, j), sums[i][j]);
                    }
                }
            }
        }
    }
}

/// The halves of eight pairs, exactly.
///
/// # Safety
/// As the entry; eight pairs lie at `from`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn halves(from: *const Pair) -> [__m256; 2] {
    // SAFETY: promised by the caller.
    let pairs = unsafe { _mm256_loadu_si256(from.cast()) };
    let high = _mm256_and_si256(pairs, _mm256_set1_epi32(0xffff_0000_u32 as i32));
    [_mm256_slli_epi32::<16>(pairs), high].map(|half| _mm256_castsi256_ps(half))
}

/// `N` rows; sums of `V` vectors of outputs beside each other.
///
/// # Safety
/// As the entry.
#[target_feature(enable = "avx2,fma")]
#[allow(clippy::needless_range_loop)]
unsafe fn int8_rows<const N: usize, const V: usize>(tile: Tile<'_, Blocks<'_>, i8>, scales: &[bf16]) {
    const STEPS: usize = BLOCK / 2;
    let steps = tile.panel.len() / (2 * LANES);
    let blocks = steps.div_ceil(STEPS);
    assert!(tile.rows.len() == N && tile.out.len() == N * LANES && scales.len() >= blocks * LANES);
    assert!(tile.rows.iter().all(|row| row.units.len() >= steps && row.scales.len() >= blocks));
    tile.out.fill(0.0);
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const Pair; N] = std::array::from_fn(|i| tile.rows[i].units.as_ptr());
    // SAFETY: all places are below the asserted lengths.
    unsafe {
        for block in 0..blocks {
            for first in (0..LANES).step_by(V * WIDE) {
                let mut whole = [[_mm256_setzero_si256(); V]; N];
                for step in block * STEPS..((block + 1) * STEPS).min(steps) {
                    for j in 0..V {
                        let from = panel.add((step * LANES + first + j * WIDE) * 2);
                        if j % 4 == 0 {
                            ask(from);
                        }
                        let weights = _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast()));
                        for i in 0..N {
                            let x = _mm256_set1_epi32(*rows[i].add(step) as i32);
                            // Two products of 15 by 7 bits, and sixteen such sums, fit.
                            whole[i][j] = _mm256_add_epi32(whole[i][j], _mm256_madd_epi16(x, weights));
                        }
                    }
                }
                for j in 0..V {
                    let lane = first + j * WIDE;
                    let narrow = _mm_loadu_si128(scales.as_ptr().add(block * LANES + lane).cast());
                    let scale = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(narrow)));
                    for i in 0..N {
                        let own = _mm256_set1_ps(*tile.rows[i].scales.get_unchecked(block));
                        let to = out.add(i * LANES + lane);
                        let sum = _mm256_cvtepi32_ps(whole[i][j]);
                        let sum = _mm256_fmadd_ps(sum, _mm256_mul_ps(scale, own), _mm256_loadu_ps(to));
                        _mm256_storeu_ps(to, sum);
                    }
                }
            }
        }
    }
}
