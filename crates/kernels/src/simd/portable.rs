//! Arrays of four lanes, which compilers turn into whatever the target has (NEON on aarch64).

use super::{EXP2, LEAST, Level};

/// No instructions by name.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

type Lanes = [f32; 4];

#[inline(always)]
fn zip(a: Lanes, b: Lanes, op: impl Fn(f32, f32) -> f32) -> Lanes {
    std::array::from_fn(|i| op(a[i], b[i]))
}

impl Level for Portable {
    type Unit = f32;
    type Vector = Lanes;
    type Units = Lanes;
    const LANES: usize = 4;
    const COLUMNS: usize = 2;
    const DEPTH: usize = 1;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Lanes {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Lanes {
        // SAFETY: promised by the caller.
        unsafe { from.cast::<Lanes>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(x: Lanes, to: *mut f32) {
        // SAFETY: promised by the caller.
        unsafe { to.cast::<Lanes>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn add(a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn max(a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn exp2(x: Lanes) -> Lanes {
        x.map(|x| {
            // As in AVX2: comparisons leave NaN alone.
            let bounded = if x < LEAST { LEAST } else { x };
            let bounded = if bounded > 127.0 { 127.0 } else { bounded };
            let whole = bounded.round_ties_even();
            let rest = bounded - whole;
            let sum = EXP2[..6].iter().rev().fold(EXP2[6], |sum, c| sum * rest + c);
            let power = f32::from_bits(((whole as i32 + 127) as u32) << 23);
            if x < LEAST { 0.0 } else { sum * power }
        })
    }
    #[inline(always)]
    unsafe fn sum(x: Lanes) -> f32 {
        x.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(x: Lanes) -> f32 {
        x.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn load_units(from: *const f32) -> Lanes {
        // SAFETY: promised by the caller.
        unsafe { from.cast::<Lanes>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn repeat_unit(from: *const f32) -> Lanes {
        // SAFETY: promised by the caller.
        [unsafe { *from }; 4]
    }
    #[inline(always)]
    unsafe fn dot(sum: Lanes, a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| sum[i] + a[i] * b[i])
    }
}
