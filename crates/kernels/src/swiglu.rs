//! The inside of a gated feed-forward in one pass: `silu(gate) · up`, and its gradients from the cotangent.
//!
//! With `s = 1 / (1 + e^-gate)`: the result is `gate s up`; `d_gate = d up s (1 + gate (1 - s))`, `d_up = d gate s`. Computed in f32, an element
//! at a time, so that neither threads nor vectors change a bit.

use crate::check::length;
use crate::lanes::vectorized;
use crate::simd::EXP2;
use crate::{ArgumentError, Operand, Threads};

/// Elements that a thread takes at once.
const CHUNK: usize = 1 << 14;
/// Elements computed before they are rounded to their type: they stay in the first-level cache.
const BLOCK: usize = 256;

/// `out = silu(gate) · up`.
///
/// # Errors
/// Slices of different lengths.
pub fn swiglu<G: Operand, T: Operand>(
    gate: &[G],
    up: &[G],
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    length("swiglu", "up", up.len(), &[gate.len()])?;
    length("swiglu", "out", out.len(), &[gate.len()])?;
    let tasks: Vec<_> = gate.chunks(CHUNK).zip(up.chunks(CHUNK)).zip(out.chunks_mut(CHUNK)).collect();
    threads.run(
        tasks,
        || (),
        |(), ((gate, up), out)| {
            vectorized(|| {
                for ((gate, up), out) in gate.chunks(BLOCK).zip(up.chunks(BLOCK)).zip(out.chunks_mut(BLOCK)) {
                    let mut values = [0.0; BLOCK];
                    for ((value, gate), up) in values.iter_mut().zip(gate).zip(up) {
                        let gate = gate.to_f32();
                        *value = gate * logistic(gate) * up.to_f32();
                    }
                    T::narrowed(&values, 1.0, out);
                }
            });
        },
    );
    Ok(())
}

/// Inputs of [`swiglu_gradient`], all of one length.
#[derive(Clone, Copy, Debug)]
pub struct SwigluGradient<'a, G, T> {
    /// As in the forward pass.
    pub gate: &'a [G],
    /// As in the forward pass.
    pub up: &'a [G],
    /// Cotangent of the result.
    pub d: &'a [T],
}

/// Gradients to gate and up.
///
/// # Errors
/// Slices of different lengths.
pub fn swiglu_gradient<G: Operand, T: Operand>(
    given: &SwigluGradient<'_, G, T>,
    d_gate: &mut [T],
    d_up: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    let SwigluGradient { gate, up, d } = *given;
    for (name, len) in [("up", up.len()), ("d", d.len()), ("d_gate", d_gate.len()), ("d_up", d_up.len())] {
        length("swiglu_gradient", name, len, &[gate.len()])?;
    }
    let given = gate.chunks(CHUNK).zip(up.chunks(CHUNK)).zip(d.chunks(CHUNK));
    let tasks: Vec<_> = given.zip(d_gate.chunks_mut(CHUNK).zip(d_up.chunks_mut(CHUNK))).collect();
    threads.run(
        tasks,
        || (),
        |(), (((gate, up), d), (d_gate, d_up))| {
            vectorized(|| {
                let given = gate.chunks(BLOCK).zip(up.chunks(BLOCK)).zip(d.chunks(BLOCK));
                let blocks = given.zip(d_gate.chunks_mut(BLOCK).zip(d_up.chunks_mut(BLOCK)));
                for (((gate, up), d), (d_gate, d_up)) in blocks {
                    let (mut gates, mut ups) = ([0.0; BLOCK], [0.0; BLOCK]);
                    let places = gates.iter_mut().zip(&mut ups);
                    for ((((to_gate, to_up), gate), up), d) in places.zip(gate).zip(up).zip(d) {
                        let (gate, up, d) = (gate.to_f32(), up.to_f32(), d.to_f32());
                        let s = logistic(gate);
                        *to_gate = d * up * s * (1.0 + gate * (1.0 - s));
                        *to_up = d * gate * s;
                    }
                    T::narrowed(&gates, 1.0, d_gate);
                    T::narrowed(&ups, 1.0, d_up);
                }
            });
        },
    );
    Ok(())
}

/// `silu(gate) · up` in place of `gate`.
pub(crate) fn gated(gate: &mut [f32], up: &[f32]) {
    vectorized(|| gate.iter_mut().zip(up).for_each(|(gate, up)| *gate = *gate * logistic(*gate) * up));
}

/// `1 / (1 + e^-x)`, without branches. NaN stays.
#[inline(always)]
fn logistic(x: f32) -> f32 {
    /// Added to a number of less than 22 bits, it leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let power = x * -std::f32::consts::LOG2_E;
    // Comparisons that leave NaN alone. From 128 on the scale is infinite.
    let power = if power < -126.0 { -126.0 } else { power };
    let power = if power > 128.0 { 128.0 } else { power };
    let whole = power + ROUND;
    let rest = power - (whole - ROUND);
    let sum = EXP2[..6].iter().rev().fold(EXP2[6], |sum, c| sum * rest + c);
    let scale = f32::from_bits((whole.to_bits() << 23).wrapping_add(127 << 23));
    1.0 / (1.0 + sum * scale)
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    fn exact(gate: f32, up: f32, d: f32) -> [f64; 3] {
        let (gate, up, d) = (f64::from(gate), f64::from(up), f64::from(d));
        let s = 1.0 / (1.0 + (-gate).exp());
        [gate * s * up, d * up * s * (1.0 + gate * (1.0 - s)), d * gate * s]
    }

    fn close<T: Operand>(found: T, want: f64, unit: f64, size: f64) -> bool {
        (f64::from(found.to_f32()) - want).abs() <= unit * (want.abs() + size)
    }

    fn agrees<G: Operand, T: Operand>(len: usize, seed: u64, width: usize, unit: f64) {
        let [gate, up] = [0, 1].map(|i| numbers(len, seed + i, |x| G::from_f32(x * 20.0)));
        let d = numbers(len, seed + 2, |x| T::from_f32(x));
        let threads = Threads::new(width, 1);
        let mut out = vec![T::from_f32(9.0); len];
        let (mut d_gate, mut d_up) = (out.clone(), out.clone());
        swiglu(&gate, &up, &mut out, &threads).unwrap();
        let given = SwigluGradient { gate: &gate, up: &up, d: &d };
        swiglu_gradient(&given, &mut d_gate, &mut d_up, &threads).unwrap();
        for i in 0..len {
            let [want, want_gate, want_up] = exact(gate[i].to_f32(), up[i].to_f32(), d[i].to_f32());
            assert!(close(out[i], want, unit, 1e-3), "{i}: {want}");
            // 1 - s loses digits where s is near one: what is lost is small beside d up.
            let size = f64::from(up[i].to_f32() * d[i].to_f32()).abs();
            assert!(close(d_gate[i], want_gate, unit, size), "{i}: {want_gate}");
            assert!(close(d_up[i], want_up, unit, 1e-3), "{i}: {want_up}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn both_agree_with_their_definition(
            len in prop_oneof![0..40_usize, Just(BLOCK + 1), Just(CHUNK + BLOCK + 3)],
            seed: u64,
            width in 1..4_usize,
        ) {
            agrees::<f32, f32>(len, seed, width, 4e-6);
            agrees::<f32, bf16>(len, seed, width, 5e-3);
            agrees::<bf16, bf16>(len, seed, width, 5e-3);
        }
    }

    #[test]
    fn extremes_are_limits_and_nan_stays() {
        let cases = [
            (0.0, 0.5),
            (1e-40, 0.5),
            (88.0, 1.0),
            (200.0, 1.0),
            (f32::INFINITY, 1.0),
            (-200.0, 0.0),
            (f32::NEG_INFINITY, 0.0),
            (f32::MAX, 1.0),
            (f32::MIN, 0.0),
        ];
        for (x, want) in cases {
            assert!((logistic(x) - want).abs() < 1e-6, "{x}: {}", logistic(x));
        }
        assert!(logistic(f32::NAN).is_nan());
        for i in -900..900 {
            let x = i as f32 * 0.1;
            let want = 1.0 / (1.0 + (-f64::from(x)).exp());
            // The exponent is rounded once: an error of its size times half a unit.
            let bound = (4e-7 + 1e-7 * f64::from(x).abs()) * want + 1e-38;
            assert!((f64::from(logistic(x)) - want).abs() <= bound, "{x}");
        }
        let error = swiglu(&[0.0_f32; 2], &[0.0; 3], &mut [0.0_f32; 2], &Threads::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("`up`"), "{error}");
    }
}
