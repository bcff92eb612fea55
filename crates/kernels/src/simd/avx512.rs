//! AVX-512, with and without dot products of bf16 pairs.

use std::arch::x86_64::*;

use super::{EXP2, LEAST, Level, Pair};

/// AVX-512 F and BW.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

/// AVX-512 with bf16; units are pairs. Products may go by tiles.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<const TILES: bool>;

pub(crate) type Avx512Bf16 = Pairs<false>;
pub(crate) type Amx = Pairs<true>;

macro_rules! shared {
    () => {
        type Vector = __m512;
        const LANES: usize = 16;
        const COLUMNS: usize = 2;

        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            // SAFETY: promised by the caller, here and below.
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            // SAFETY: as above.
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(x: __m512, to: *mut f32) {
            // SAFETY: as above.
            unsafe { _mm512_storeu_ps(to, x) }
        }
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            // SAFETY: as above.
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m512, b: __m512) -> __m512 {
            // SAFETY: as above.
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m512, b: __m512) -> __m512 {
            // SAFETY: as above.
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn max(a: __m512, b: __m512) -> __m512 {
            // SAFETY: as above.
            unsafe { _mm512_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn exp2(x: __m512) -> __m512 {
            // SAFETY: as above.
            unsafe {
                let least = _mm512_set1_ps(LEAST);
                // A comparison that NaN passes.
                let counts = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x, least);
                // The order keeps NaN; the bound avoids infinity minus infinity.
                let x = _mm512_max_ps(least, x);
                let whole = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
                let rest = _mm512_sub_ps(x, whole);
                let mut sum = _mm512_set1_ps(EXP2[6]);
                for i in (0..6).rev() {
                    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(EXP2[i]));
                }
                _mm512_maskz_scalef_ps(counts, sum, whole)
            }
        }
        #[inline(always)]
        unsafe fn sum(x: __m512) -> f32 {
            // SAFETY: as above.
            unsafe { _mm512_reduce_add_ps(x) }
        }
        #[inline(always)]
        unsafe fn largest(x: __m512) -> f32 {
            // SAFETY: as above.
            unsafe { _mm512_reduce_max_ps(x) }
        }
    };
}

impl Level for Avx512 {
    shared!();
    type Unit = f32;
    type Units = __m512;
    const DEPTH: usize = 1;

    #[inline(always)]
    unsafe fn load_units(from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn repeat_unit(from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn dot(sum: __m512, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, sum) }
    }
}

impl<const TILES: bool> Level for Pairs<TILES> {
    shared!();
    const HAS_TILES: bool = TILES;
    const QUERIES: usize = if TILES { 32 } else { super::entries::ROWS };
    type Unit = Pair;
    type Units = __m512i;
    const DEPTH: usize = 2;

    #[inline(always)]
    unsafe fn load_units(from: *const Pair) -> __m512i {
        // SAFETY: as above.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn repeat_unit(from: *const Pair) -> __m512i {
        // SAFETY: as above.
        unsafe { _mm512_set1_epi32(*from as i32) }
    }
    #[inline(always)]
    unsafe fn dot(sum: __m512, a: __m512i, b: __m512i) -> __m512 {
        // SAFETY: as above; both types are 32 bf16 in one register.
        unsafe {
            _mm512_dpbf16_ps(
                sum,
                std::mem::transmute::<__m512i, __m512bh>(a),
                std::mem::transmute::<__m512i, __m512bh>(b),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_row(x: __m512, to: *mut Pair) {
        // SAFETY: as above; half a register is eight pairs.
        unsafe { _mm256_storeu_si256(to.cast(), narrow(x)) }
    }
    #[inline(always)]
    unsafe fn store_across(first: __m512, second: __m512, to: *mut Pair) {
        // SAFETY: as above.
        unsafe {
            let (low, high) = (_mm512_cvtepu16_epi32(narrow(first)), _mm512_cvtepu16_epi32(narrow(second)));
            _mm512_storeu_si512(to.cast(), _mm512_or_si512(low, _mm512_slli_epi32::<16>(high)));
        }
    }
}

/// Sixteen f32 as bf16.
#[inline(always)]
unsafe fn narrow(x: __m512) -> __m256i {
    // SAFETY: as above; both types are 16 bf16 in one register.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) }
}

/// Turns sixteen lines of sixteen, in place: four rounds of exchanges between lines 1, 2, 4 and 8 apart.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn transpose(block: &mut [[u32; 16]; 16]) {
    // SAFETY: a line is one vector.
    let r: [__m512i; 16] = std::array::from_fn(|i| unsafe { _mm512_loadu_si512(block[i].as_ptr().cast()) });
    let pairs: [__m512i; 16] = std::array::from_fn(|i| {
        let (a, b) = (r[i & !1], r[i | 1]);
        if i & 1 == 0 { _mm512_unpacklo_epi32(a, b) } else { _mm512_unpackhi_epi32(a, b) }
    });
    // Lines 4g .. 4g + 4: column 4q + i of rows 4g .. in 128-bit quarter q.
    let fours: [__m512i; 16] = std::array::from_fn(|i| {
        let (g, c) = (i & !3, i & 3);
        let (a, b) = (pairs[g + (c >> 1)], pairs[g + 2 + (c >> 1)]);
        if c & 1 == 0 { _mm512_unpacklo_epi64(a, b) } else { _mm512_unpackhi_epi64(a, b) }
    });
    for c in 0..4 {
        let [a, b, d, e] = [fours[c], fours[4 + c], fours[8 + c], fours[12 + c]];
        let (ab_even, ab_odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (de_even, de_odd) = (_mm512_shuffle_i32x4::<0x88>(d, e), _mm512_shuffle_i32x4::<0xdd>(d, e));
        let lines = [
            _mm512_shuffle_i32x4::<0x88>(ab_even, de_even),
            _mm512_shuffle_i32x4::<0x88>(ab_odd, de_odd),
            _mm512_shuffle_i32x4::<0xdd>(ab_even, de_even),
            _mm512_shuffle_i32x4::<0xdd>(ab_odd, de_odd),
        ];
        for (q, line) in lines.into_iter().enumerate() {
            // SAFETY: a line is one vector.
            unsafe { _mm512_storeu_si512(block[4 * q + c].as_mut_ptr().cast(), line) }
        }
    }
}
