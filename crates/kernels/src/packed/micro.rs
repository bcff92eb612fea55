//! The inner kernel: one tile of sums from one panel of each side.

use collegium_core::DType;

use super::{COLS, ROWS};
use crate::Operand;

/// Where a tile of sums goes: rows of `stride` elements, of which the tile has the first `cols` of the first `rows`.
pub(crate) struct Target<'o> {
    pub(crate) out: &'o mut [f32],
    pub(crate) stride: usize,
    /// At most [`ROWS`].
    pub(crate) rows: usize,
    /// At most [`COLS`].
    pub(crate) cols: usize,
    /// Whether the sums are added to what is there.
    pub(crate) add: bool,
}

/// `out[r][c] = sum over lanes of left[lane][r] right[lane][c]`, over all of the shorter panel; a lane of bf16 counts for two
/// products.
///
/// # Panics
/// Where the processor lacks what [`is_available`](super::is_available) asks for, or the target its elements.
pub(crate) fn tile<T: Operand>(left: &[u32], right: &[u32], to: &mut Target<'_>) {
    assert!((1..=ROWS).contains(&to.rows) && (1..=COLS).contains(&to.cols), "a tile is not empty");
    assert!((to.rows - 1) * to.stride + to.cols <= to.out.len(), "the target has the tile's elements");
    #[cfg(target_arch = "x86_64")]
    {
        // Detection is a load of a static, and the sizes make a call long.
        assert!(is_x86_feature_detected!("avx512f"), "packed products need AVX-512");
        if T::DTYPE == DType::F32 {
            // SAFETY: the processor has the feature; the target has the elements.
            unsafe { x86::f32_tile(left, right, to) }
        } else {
            assert!(is_x86_feature_detected!("avx512bf16"), "packed bf16 products need AVX-512-BF16");
            // SAFETY: the processor has the features; the target has the elements.
            unsafe { x86::bf16_tile(left, right, to) }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (left, right, to.add, DType::F32, T::DTYPE);
        unreachable!("packed products are not available here")
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{COLS, ROWS, Target};

    /// # Safety
    /// The target has the elements it promises.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn f32_tile(left: &[u32], right: &[u32], to: &mut Target<'_>) {
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        for (a, b) in left.as_chunks::<ROWS>().0.iter().zip(right.as_chunks::<COLS>().0) {
            // SAFETY: a chunk of the right side is two vectors.
            let [b0, b1] =
                unsafe { [_mm512_loadu_ps(b.as_ptr().cast()), _mm512_loadu_ps(b[16..].as_ptr().cast())] };
            for (row, sum) in a.iter().zip(&mut sums) {
                let a = _mm512_set1_ps(f32::from_bits(*row));
                sum[0] = _mm512_fmadd_ps(a, b0, sum[0]);
                sum[1] = _mm512_fmadd_ps(a, b1, sum[1]);
            }
        }
        // SAFETY: promised by the caller.
        unsafe { store(&sums, to) }
    }

    /// # Safety
    /// The target has the elements it promises.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) unsafe fn bf16_tile(left: &[u32], right: &[u32], to: &mut Target<'_>) {
        let pairs = |v: __m512i| {
            // SAFETY: both types are 512 bits without invalid patterns.
            unsafe { std::mem::transmute::<__m512i, __m512bh>(v) }
        };
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        for (a, b) in left.as_chunks::<ROWS>().0.iter().zip(right.as_chunks::<COLS>().0) {
            // SAFETY: a chunk of the right side is two vectors.
            let [b0, b1] = unsafe {
                [_mm512_loadu_si512(b.as_ptr().cast()), _mm512_loadu_si512(b[16..].as_ptr().cast())]
            };
            for (row, sum) in a.iter().zip(&mut sums) {
                let a = pairs(_mm512_set1_epi32(*row as i32));
                sum[0] = _mm512_dpbf16_ps(sum[0], a, pairs(b0));
                sum[1] = _mm512_dpbf16_ps(sum[1], a, pairs(b1));
            }
        }
        // SAFETY: promised by the caller.
        unsafe { store(&sums, to) }
    }

    /// # Safety
    /// The target has the elements it promises.
    #[target_feature(enable = "avx512f")]
    unsafe fn store(sums: &[[__m512; 2]; ROWS], to: &mut Target<'_>) {
        let mask = ((1_u64 << to.cols) - 1) as u32;
        let masks = [mask as u16, (mask >> 16) as u16];
        for (row, sum) in sums.iter().enumerate().take(to.rows) {
            for half in 0..2 {
                let at = to.out.as_mut_ptr().wrapping_add(row * to.stride + 16 * half);
                // SAFETY: the mask leaves the row's elements, which are inside `out`; others are not touched.
                unsafe {
                    let old =
                        if to.add { _mm512_maskz_loadu_ps(masks[half], at) } else { _mm512_setzero_ps() };
                    _mm512_mask_storeu_ps(at, masks[half], _mm512_add_ps(old, sum[half]));
                }
            }
        }
    }
}
