//! The inside of a gated feed-forward in one pass: `scale · silu(gate) · up`, and its gradients from the cotangent.
//!
//! With `s = 1 / (1 + e^-gate)` and `v = gate s up`: the result is `scale v`; `d_gate = scale d up s (1 + gate (1 - s))`, `d_up = scale d gate s`, and of
//! each row `d_scale = d · v`. Computed in f32, an element at a time, and sums by lanes in one order, so that neither threads nor vectors
//! change a bit.

use crate::check::length;
use crate::lanes::vectorized;
use crate::simd::EXP2;
use crate::{ArgumentError, Operand, Threads};

/// Elements that a thread takes at once, about.
const CHUNK: usize = 1 << 14;
/// Elements computed before they are rounded to their type: they stay in the first-level cache.
const BLOCK: usize = 256;
/// Sums that a row's sum is made of.
const LANES: usize = 32;

/// What the forward pass is given.
#[derive(Clone, Copy, Debug)]
pub struct Swiglu<'a, G> {
    /// {row, width}.
    pub gate: &'a [G],
    /// {row, width}.
    pub up: &'a [G],
    /// {row}; ones where there is none.
    pub scale: Option<&'a [f32]>,
}

impl<'a, G: Operand> Swiglu<'a, G> {
    /// Some rows, from `row` on, with their own scales.
    pub(crate) fn part(&self, row: usize, gate: &'a [G], up: &'a [G]) -> Self {
        Self { gate, up, scale: self.scale.map(|scale| &scale[row..]) }
    }

    /// Elements of the pieces that have one scale.
    fn width(&self, kernel: &'static str) -> Result<usize, ArgumentError> {
        let len = self.gate.len();
        length(kernel, "up", self.up.len(), &[len])?;
        let Some(scale) = self.scale else { return Ok(CHUNK) };
        let width = len / scale.len().max(1);
        length(kernel, "gate", len, &[scale.len(), width])?;
        Ok(width.max(1))
    }

    fn factor(&self, row: usize) -> f32 {
        self.scale.map_or(1.0, |scale| scale[row])
    }
}

/// `out = scale · silu(gate) · up`.
///
/// # Errors
/// Slices of different lengths, or that have no whole rows.
pub fn swiglu<G: Operand, T: Operand>(
    given: &Swiglu<'_, G>,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    let width = given.width("swiglu")?;
    length("swiglu", "out", out.len(), &[given.gate.len()])?;
    let each = (CHUNK / width).max(1);
    let (gate, up) = (given.gate.chunks(each * width), given.up.chunks(each * width));
    let tasks: Vec<_> = gate.zip(up).zip(out.chunks_mut(each * width)).enumerate().collect();
    threads.run(
        tasks,
        || (),
        |(), (task, ((gate, up), out))| rows(&given.part(task * each, gate, up), width, out),
    );
    Ok(())
}

/// Rows of `width` elements, by one thread.
pub(crate) fn rows<G: Operand, T: Operand>(given: &Swiglu<'_, G>, width: usize, out: &mut [T]) {
    let all = given.gate.chunks(width).zip(given.up.chunks(width)).zip(out.chunks_mut(width));
    vectorized(|| {
        for (i, ((gate, up), out)) in all.enumerate() {
            row(gate, up, given.factor(i), out);
        }
    });
}

#[inline(always)]
fn row<G: Operand, T: Operand>(gate: &[G], up: &[G], factor: f32, out: &mut [T]) {
    for ((gate, up), out) in gate.chunks(BLOCK).zip(up.chunks(BLOCK)).zip(out.chunks_mut(BLOCK)) {
        let mut values = [0.0; BLOCK];
        for ((value, gate), up) in values.iter_mut().zip(gate).zip(up) {
            let gate = gate.to_f32();
            *value = gate * logistic(gate) * up.to_f32();
        }
        T::narrowed(&values, factor, out);
    }
}

/// What [`swiglu_gradient`] writes.
#[derive(Debug)]
pub struct SwigluGradients<'a, T> {
    /// Holds the cotangent of the result, and then the result of the forward pass again.
    pub value: &'a mut [T],
    /// Gradient to gate.
    pub d_gate: &'a mut [T],
    /// Gradient to up.
    pub d_up: &'a mut [T],
    /// Gradient to the scale, where there is one.
    pub d_scale: Option<&'a mut [f32]>,
}

/// Gradients from the cotangent of the result, which `out.value` holds.
///
/// # Errors
/// Slices of different lengths, or that have no whole rows.
pub fn swiglu_gradient<G: Operand, T: Operand>(
    given: &Swiglu<'_, G>,
    out: SwigluGradients<'_, T>,
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "swiglu_gradient";
    let width = given.width(NAME)?;
    let SwigluGradients { value, d_gate, d_up, d_scale } = out;
    for (name, len) in [("value", value.len()), ("d_gate", d_gate.len()), ("d_up", d_up.len())] {
        length(NAME, name, len, &[given.gate.len()])?;
    }
    let num_scales = given.scale.map_or(0, <[f32]>::len);
    let d_scale = d_scale.unwrap_or_default();
    length(NAME, "d_scale", d_scale.len(), &[num_scales])?;
    // Of rows without elements there is no task.
    d_scale.fill(0.0);
    let each = (CHUNK / width).max(1);
    let inputs = given.gate.chunks(each * width).zip(given.up.chunks(each * width));
    let results = value.chunks_mut(each * width).zip(d_gate.chunks_mut(each * width));
    let results = results.zip(d_up.chunks_mut(each * width));
    let mut sums = d_scale.chunks_mut(each);
    let tasks: Vec<_> = inputs
        .zip(results)
        .enumerate()
        .map(|(task, of)| (task, of, sums.next().unwrap_or_default()))
        .collect();
    threads.run(
        tasks,
        || (),
        |(), (task, ((gate, up), ((value, d_gate), d_up)), sums)| {
            rows_gradient(&given.part(task * each, gate, up), width, [value, d_gate, d_up], sums);
        },
    );
    Ok(())
}

/// Gradients of rows of `width` elements, whose cotangents the first of the results holds before, by one thread. Those to their scales go to as many places as there are.
pub(crate) fn rows_gradient<G: Operand, T: Operand>(
    given: &Swiglu<'_, G>,
    width: usize,
    results: [&mut [T]; 3],
    d_scale: &mut [f32],
) {
    let inputs = given.gate.chunks(width).zip(given.up.chunks(width));
    let [value, d_gate, d_up] = results.map(|all| all.chunks_mut(width));
    for (i, ((gate, up), ((value, d_gate), d_up))) in inputs.zip(value.zip(d_gate).zip(d_up)).enumerate() {
        let mut sum = 0.0;
        vectorized(|| sum = row_gradient([gate, up], given.factor(i), [value, d_gate, d_up]));
        if let Some(place) = d_scale.get_mut(i) {
            *place = sum;
        }
    }
}

/// Gradients of one row, whose cotangent `value` holds before; returns that to its scale.
#[inline(always)]
fn row_gradient<G: Operand, T: Operand>(
    [gate, up]: [&[G]; 2],
    factor: f32,
    [value, d_gate, d_up]: [&mut [T]; 3],
) -> f32 {
    let mut lanes = [0.0; LANES];
    let inputs = gate.chunks(BLOCK).zip(up.chunks(BLOCK));
    let results = value.chunks_mut(BLOCK).zip(d_gate.chunks_mut(BLOCK)).zip(d_up.chunks_mut(BLOCK));
    for ((gate, up), ((value, d_gate), d_up)) in inputs.zip(results) {
        let (mut gates, mut ups, mut values) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
        let mut parts = [0.0; BLOCK];
        let places = gates.iter_mut().zip(&mut ups).zip(&mut values).zip(&mut parts);
        for (((((to_gate, to_up), value), part), (gate, up)), d) in
            places.zip(gate.iter().zip(up)).zip(&*value)
        {
            let (gate, up, d) = (gate.to_f32(), up.to_f32(), d.to_f32());
            let s = logistic(gate);
            *to_gate = d * up * s * (1.0 + gate * (1.0 - s));
            *to_up = d * gate * s;
            *value = gate * s * up;
            *part = d * *value;
        }
        for parts in parts.as_chunks::<LANES>().0 {
            lanes.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        T::narrowed(&gates, factor, d_gate);
        T::narrowed(&ups, factor, d_up);
        T::narrowed(&values, factor, value);
    }
    lanes.iter().sum()
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

    /// The result without its scale, and the gradients to gate and up.
    fn exact(gate: f32, up: f32, d: f32) -> [f64; 3] {
        let (gate, up, d) = (f64::from(gate), f64::from(up), f64::from(d));
        let s = 1.0 / (1.0 + (-gate).exp());
        [gate * s * up, d * up * s * (1.0 + gate * (1.0 - s)), d * gate * s]
    }

    fn close<T: Operand>(found: T, want: f64, unit: f64, size: f64) -> bool {
        (f64::from(found.to_f32()) - want).abs() <= unit * (want.abs() + size)
    }

    fn agrees<G: Operand, T: Operand>(
        rows: usize,
        row: usize,
        is_scaled: bool,
        seed: u64,
        width: usize,
        unit: f64,
    ) {
        let len = rows * row;
        let [gate, up] = [0, 1].map(|i| numbers(len, seed + i, |x| G::from_f32(x * 20.0)));
        let d = numbers(len, seed + 2, |x| T::from_f32(x));
        let scales = numbers(rows, seed + 3, |x| x);
        let given = Swiglu { gate: &gate, up: &up, scale: is_scaled.then_some(&scales[..]) };
        let threads = Threads::new(width, 1);
        let mut out = vec![T::from_f32(9.0); len];
        let (mut d_gate, mut d_up, mut value) = (out.clone(), out.clone(), d.clone());
        let mut d_scale = vec![9.0; rows];
        swiglu(&given, &mut out, &threads).unwrap();
        let results = SwigluGradients {
            value: &mut value,
            d_gate: &mut d_gate,
            d_up: &mut d_up,
            d_scale: is_scaled.then_some(&mut d_scale),
        };
        swiglu_gradient(&given, results, &threads).unwrap();
        assert_eq!(bytemuck::cast_slice::<T, u8>(&out), bytemuck::cast_slice::<T, u8>(&value));
        let (mut sums, mut sizes) = (vec![0.0; rows], vec![0.0; rows]);
        for i in 0..len {
            let (up, d) = (up[i].to_f32(), d[i].to_f32());
            let [want, want_gate, want_up] = exact(gate[i].to_f32(), up, d);
            let scale = if is_scaled { f64::from(scales[i / row]) } else { 1.0 };
            assert!(close(out[i], scale * want, unit, 1e-3), "{i}: {want}");
            // 1 - s loses digits where s is near one: what is lost is small beside d up.
            let size = (scale * f64::from(up * d)).abs();
            assert!(close(d_gate[i], scale * want_gate, unit, size), "{i}: {want_gate}");
            assert!(close(d_up[i], scale * want_up, unit, 1e-3), "{i}: {want_up}");
            sums[i / row] += f64::from(d) * want;
            sizes[i / row] += (f64::from(d) * want).abs();
        }
        for (i, found) in d_scale.into_iter().enumerate().filter(|_| is_scaled) {
            assert!((f64::from(found) - sums[i]).abs() <= 4e-6 * (sizes[i] + 1e-3), "{i}: {found}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn both_agree_with_their_definition(
            rows in prop_oneof![0..6_usize, Just(70)],
            row in prop_oneof![0..40_usize, Just(BLOCK + 1), Just(CHUNK + BLOCK + 3)],
            is_scaled: bool,
            seed: u64,
            width in 1..4_usize,
        ) {
            let rows = if row > CHUNK { rows.min(2) } else { rows };
            agrees::<f32, f32>(rows, row, is_scaled, seed, width, 4e-6);
            agrees::<f32, bf16>(rows, row, is_scaled, seed, width, 5e-3);
            agrees::<bf16, bf16>(rows, row, is_scaled, seed, width, 5e-3);
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
        let short = |up: &[f32], scale: Option<&[f32]>| {
            let given = Swiglu { gate: &[0.0_f32; 4], up, scale };
            swiglu(&given, &mut [0.0_f32; 4], &Threads::new(1, 1)).unwrap_err().to_string()
        };
        let error = short(&[0.0; 3], None);
        assert!(error.contains("`up`"), "{error}");
        for scale in [&[1.0; 3][..], &[]] {
            let error = short(&[0.0; 4], Some(scale));
            assert!(error.contains("`gate`"), "{error}");
        }
    }
}
