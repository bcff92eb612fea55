//! With AVX-512.

use std::arch::x86_64::*;

use half::bf16;

use super::super::tile::{Blocks, ROWS, Tile, ask};
use super::super::{BLOCK, LANES};
use crate::simd::Pair;

const VECTORS: usize = LANES / 16;

/// Calls the body for the number of rows, which is then known to the compiler.
macro_rules! by_rows {
    ($body:ident, $tile:expr $(, $more:expr)*) => {
        match $tile.rows.len() {
            0 => {}
            1 => $body::<1>($tile $(, $more)*),
            2 => $body::<2>($tile $(, $more)*),
            3 => $body::<3>($tile $(, $more)*),
            4 => $body::<4>($tile $(, $more)*),
            5 => $body::<5>($tile $(, $more)*),
            _ => $body::<ROWS>($tile $(, $more)*),
        }
    };
}

/// # Safety
/// The processor has these instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(in super::super) unsafe fn multiply_bf16(tile: Tile<'_, &[f32], Pair>) {
    // SAFETY: promised by the caller.
    unsafe { by_rows!(bf16_rows, tile) }
}

/// # Safety
/// The processor has these instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(in super::super) unsafe fn multiply_int8(tile: Tile<'_, Blocks<'_>, i8>, scales: &[bf16]) {
    // SAFETY: promised by the caller.
    unsafe { by_rows!(int8_rows, tile, scales) }
}

/// # Safety
/// As the entry.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
#[allow(clippy::needless_range_loop)]
unsafe fn bf16_rows<const N: usize>(tile: Tile<'_, &[f32], Pair>) {
    let steps = tile.panel.len() / LANES;
    assert!(tile.rows.len() == N && tile.rows.iter().all(|row| row.len() + 1 >= 2 * steps));
    assert!(tile.out.len() == N * LANES);
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const f32; N] = std::array::from_fn(|i| tile.rows[i].as_ptr());
    // Steps of which every row has both elements.
    let whole = tile.rows.iter().fold(steps, |least, row| least.min(row.len() / 2));
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; N];
    // SAFETY: all places are below the asserted lengths.
    unsafe {
        for step in 0..whole {
            for j in 0..VECTORS {
                ask(panel.add(step * LANES + j * 16));
                let pairs = _mm512_loadu_si512(panel.add(step * LANES + j * 16).cast());
                let low = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(pairs));
                let high = _mm512_castsi512_ps(_mm512_maskz_mov_epi16(0xaaaa_aaaa, pairs));
                for i in 0..N {
                    let x = _mm512_set1_ps(*rows[i].add(2 * step));
                    sums[i][j] = _mm512_fmadd_ps(x, low, sums[i][j]);
                    let x = _mm512_set1_ps(*rows[i].add(2 * step + 1));
                    sums[i][j] = _mm512_fmadd_ps(x, high, sums[i][j]);
                }
            }
        }
        for step in whole..steps {
            for j in 0..VECTORS {
                let pairs = _mm512_loadu_si512(panel.add(step * LANES + j * 16).cast());
                let low = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(pairs));
                for i in 0..N {
                    sums[i][j] = _mm512_fmadd_ps(_mm512_set1_ps(*rows[i].add(2 * step)), low, sums[i][j]);
                }
            }
        }
        for i in 0..N {
            for j in 0..VECTORS {
                _mm512_storeu_ps(out.add(i * LANES + j * 16), sums[i][j]);
            }
        }
    }
}

/// # Safety
/// As the entry.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[allow(clippy::needless_range_loop)]
unsafe fn int8_rows<const N: usize>(tile: Tile<'_, Blocks<'_>, i8>, scales: &[bf16]) {
    const STEPS: usize = BLOCK / 2;
    let steps = tile.panel.len() / (2 * LANES);
    let blocks = steps.div_ceil(STEPS);
    assert!(tile.rows.len() == N && tile.out.len() == N * LANES && scales.len() >= blocks * LANES);
    assert!(tile.rows.iter().all(|row| row.units.len() >= steps && row.scales.len() >= blocks));
    let (panel, out) = (tile.panel.as_ptr(), tile.out.as_mut_ptr());
    let rows: [*const Pair; N] = std::array::from_fn(|i| tile.rows[i].units.as_ptr());
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; N];
    // SAFETY: all places are below the asserted lengths.
    unsafe {
        for block in 0..blocks {
            let mut whole = [[_mm512_setzero_si512(); VECTORS]; N];
            for step in block * STEPS..((block + 1) * STEPS).min(steps) {
                ask(panel.add(step * LANES * 2));
                ask(panel.add(step * LANES * 2 + 64));
                for j in 0..VECTORS {
                    let narrow = _mm256_loadu_si256(panel.add((step * LANES + j * 16) * 2).cast());
                    let weights = _mm512_cvtepi8_epi16(narrow);
                    for i in 0..N {
                        let x = _mm512_set1_epi32(*rows[i].add(step) as i32);
                        whole[i][j] = _mm512_dpwssd_epi32(whole[i][j], x, weights);
                    }
                }
            }
            for j in 0..VECTORS {
                let narrow = _mm256_loadu_si256(scales.as_ptr().add(block * LANES + j * 16).cast());
                let scale = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(narrow)));
                for i in 0..N {
                    let own = _mm512_set1_ps(*tile.rows[i].scales.get_unchecked(block));
                    let scale = _mm512_mul_ps(scale, own);
                    sums[i][j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[i][j]), scale, sums[i][j]);
                }
            }
        }
        for i in 0..N {
            for j in 0..VECTORS {
                _mm512_storeu_ps(out.add(i * LANES + j * 16), sums[i][j]);
            }
        }
    }
}
