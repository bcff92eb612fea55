//! Loops over vectors as long as the processor has them, from plain text: bodies are inlined into one entry for each set of
//! instructions, and the compiler makes vectors of the sixteen lanes. Right for loops that wait for memory; what is bound by arithmetic is
//! written over a [`Level`](crate::simd::Level).

use crate::{Instructions, Operand};

/// A computation to be compiled for every set of instructions. `run` must be `#[inline(always)]`, and so must all that it calls:
/// no closures in adapters of iterators, whose generic functions are compiled without the instructions (a fused multiply-add is a call there).
pub(crate) trait Loop {
    /// Runs it; `FMA` says whether the processor multiplies and adds in one instruction.
    fn run<const FMA: bool>(self);
}

/// Runs a loop with the best instructions.
pub(crate) fn run(body: impl Loop) {
    match Instructions::best() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `best` names only what the processor has.
        best if best >= Instructions::Avx512 => unsafe { avx512(body) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 => unsafe { avx2(body) },
        _ => body.run::<false>(),
    }
}

/// Runs plain code with the best instructions: what is inlined into `work` is compiled for them. Without a fused step, so results are the
/// same with every set.
pub(crate) fn vectorized(work: impl FnOnce()) {
    struct Plain<F>(F);

    impl<F: FnOnce()> Loop for Plain<F> {
        #[inline(always)]
        fn run<const FMA: bool>(self) {
            (self.0)();
        }
    }

    run(Plain(work));
}

/// `to` = `from`, exactly.
pub(crate) fn widen<T: Operand>(from: &[T], to: &mut [f32]) {
    struct Widen<'a, T>(&'a [T], &'a mut [f32]);

    impl<T: Operand> Loop for Widen<'_, T> {
        #[allow(clippy::needless_range_loop)]
        #[inline(always)]
        fn run<const FMA: bool>(self) {
            let (from, to) = (&self.0[..self.1.len()], self.1);
            for i in 0..to.len() {
                to[i] = from[i].to_f32();
            }
        }
    }

    run(Widen(from, to));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma")]
fn avx512(body: impl Loop) {
    body.run::<true>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(body: impl Loop) {
    body.run::<true>();
}

const LANES: usize = 16;

#[inline(always)]
pub(crate) fn fused<const FMA: bool>(a: f32, b: f32, sum: f32) -> f32 {
    if FMA { a.mul_add(b, sum) } else { sum + a * b }
}

/// Products of `w` with each of `x`, all of one length. The order of every sum is fixed by the length alone, so a product does not depend on
/// which others are computed beside it.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
pub(crate) fn dots<T: Operand, const N: usize, const FMA: bool>(x: [&[f32]; N], w: &[T]) -> [f32; N] {
    let whole = w.len() / (2 * LANES) * (2 * LANES);
    let x = x.map(|x| &x[..w.len()]);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a fused step is asked for only where the processor has AVX2 as well; rows are as long as the weights.
    let mut out = if FMA { unsafe { whole_dots(x, w, whole) } } else { plain_dots::<T, N, FMA>(x, w, whole) };
    #[cfg(not(target_arch = "x86_64"))]
    let mut out = plain_dots::<T, N, FMA>(x, w, whole);
    for n in 0..N {
        for i in whole..w.len() {
            out[n] = fused::<FMA>(x[n][i], w[i].to_f32(), out[n]);
        }
    }
    out
}

/// [`dots`] over the first `whole` elements, whole pairs of lanes.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn plain_dots<T: Operand, const N: usize, const FMA: bool>(
    x: [&[f32]; N],
    w: &[T],
    whole: usize,
) -> [f32; N] {
    let mut sums = [[[0f32; LANES]; 2]; N];
    for start in (0..whole).step_by(2 * LANES) {
        for half in 0..2 {
            let at = start + half * LANES;
            for n in 0..N {
                for l in 0..LANES {
                    sums[n][half][l] = fused::<FMA>(x[n][at + l], w[at + l].to_f32(), sums[n][half][l]);
                }
            }
        }
    }
    sums.map(|sums| {
        let mut total: [f32; LANES] = std::array::from_fn(|l| sums[0][l] + sums[1][l]);
        let mut width = LANES / 2;
        while width > 0 {
            for l in 0..width {
                total[l] += total[l + width];
            }
            width /= 2;
        }
        total[0]
    })
}

/// The same by instructions, which compilers do not find: they make vectors of two lanes of it.
///
/// # Safety
/// The processor has AVX2 and fused steps, and the caller is compiled for them; `x` and `w` have `whole` elements.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)]
#[inline(always)]
unsafe fn whole_dots<T: Operand, const N: usize>(x: [&[f32]; N], w: &[T], whole: usize) -> [f32; N] {
    use std::arch::x86_64::*;
    const WIDE: usize = LANES / 2;
    // SAFETY: promised by the caller; all places are below `whole`.
    unsafe {
        let mut sums = [[_mm256_setzero_ps(); 4]; N];
        for start in (0..whole).step_by(4 * WIDE) {
            for part in 0..4 {
                let (at, from) = (start + part * WIDE, w.as_ptr().add(start + part * WIDE));
                let wide = if T::PER_LANE == 2 {
                    let narrow = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
                    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(narrow))
                } else {
                    _mm256_loadu_ps(from.cast())
                };
                for n in 0..N {
                    sums[n][part] =
                        _mm256_fmadd_ps(_mm256_loadu_ps(x[n].as_ptr().add(at)), wide, sums[n][part]);
                }
            }
        }
        let mut out = [0f32; N];
        for n in 0..N {
            let [a, b, c, d] = sums[n];
            let eight = _mm256_add_ps(_mm256_add_ps(a, c), _mm256_add_ps(b, d));
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            out[n] = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
        }
        out
    }
}

/// [`dots`] for any number of rows.
#[inline(always)]
pub(crate) fn dots_of<T: Operand, const FMA: bool>(x: &[&[f32]], w: &[T], mut put: impl FnMut(usize, f32)) {
    let fours = x.len() / 4 * 4;
    for first in (0..fours).step_by(4) {
        let found = dots::<T, 4, FMA>([x[first], x[first + 1], x[first + 2], x[first + 3]], w);
        (0..4).for_each(|i| put(first + i, found[i]));
    }
    match x[fours..] {
        [a] => put(fours, dots::<T, 1, FMA>([a], w)[0]),
        [a, b] => {
            let found = dots::<T, 2, FMA>([a, b], w);
            (0..2).for_each(|i| put(fours + i, found[i]));
        }
        [a, b, c] => {
            let found = dots::<T, 3, FMA>([a, b, c], w);
            (0..3).for_each(|i| put(fours + i, found[i]));
        }
        _ => {}
    }
}
