//! AVX2 with fused multiply-add.

use std::arch::x86_64::*;

use super::{EXP2, LEAST, Level};

/// AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

impl Level for Avx2 {
    type Unit = f32;
    type Vector = __m256;
    type Units = __m256;
    const LANES: usize = 8;
    const COLUMNS: usize = 1;
    const DEPTH: usize = 1;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        // SAFETY: promised by the caller, here and below.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(x: __m256, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to, x) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn exp2(x: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            // The exponent field holds -126 to 127. The order keeps NaN.
            let bounded = _mm256_min_ps(_mm256_set1_ps(127.0), _mm256_max_ps(_mm256_set1_ps(LEAST), x));
            let whole = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(bounded);
            let rest = _mm256_sub_ps(bounded, whole);
            let mut sum = _mm256_set1_ps(EXP2[6]);
            for i in (0..6).rev() {
                sum = _mm256_fmadd_ps(sum, rest, _mm256_set1_ps(EXP2[i]));
            }
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127));
            let power = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent));
            let tiny = _mm256_cmp_ps::<_CMP_LT_OQ>(x, _mm256_set1_ps(LEAST));
            _mm256_andnot_ps(tiny, _mm256_mul_ps(sum, power))
        }
    }
    #[inline(always)]
    unsafe fn sum(x: __m256) -> f32 {
        let mut lanes = [0.0; 8];
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), x) };
        lanes.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(x: __m256) -> f32 {
        let mut lanes = [0.0; 8];
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), x) };
        lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn load_units(from: *const f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn repeat_unit(from: *const f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn dot(sum: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, sum) }
    }
}
