use proptest::prelude::*;

use super::*;
use crate::norm::{Norm, rms_norm};
use crate::random::numbers;
use crate::{Operand, Threads};

/// Packed weights with the values that they stand for, {slot, feature, in}.
struct Packed {
    f32: Vec<f32>,
    bf16: Vec<bf16>,
    int8: (Vec<i8>, Vec<bf16>),
    slots: usize,
    features: usize,
    inner: usize,
}

impl Packed {
    fn random(slots: usize, features: usize, inner: usize, seed: u64) -> (Self, Vec<f32>) {
        let natural = numbers(slots * features * inner, seed, |x| x);
        let mut packed = Self { f32: vec![], bf16: vec![], int8: (vec![], vec![]), slots, features, inner };
        for slot in natural.chunks(features * inner) {
            packed.f32.extend(pack_f32(slot, inner));
            packed.bf16.extend(pack_bf16(slot, inner));
            let (values, scales) = pack_int8(slot, inner);
            packed.int8.0.extend(values);
            packed.int8.1.extend(scales);
        }
        (packed, natural)
    }

    fn weights(&self, kind: usize) -> Weights<'_> {
        let values = match kind {
            0 => Values::F32(&self.f32),
            1 => Values::Bf16(&self.bf16),
            _ => Values::Int8(&self.int8.0, &self.int8.1),
        };
        Weights { values, slots: self.slots, features: self.features, inner: self.inner }
    }

    /// Element {slot, feature, in} as the packed weights have it.
    fn value(&self, kind: usize, slot: usize, feature: usize, i: usize) -> f64 {
        let (panel, lane) = (slot * self.features.div_ceil(LANES) + feature / LANES, feature % LANES);
        let inner = self.inner;
        match kind {
            0 => f64::from(self.f32[(panel * inner + i) * LANES + lane]),
            1 => {
                let at = ((panel * inner.div_ceil(2) + i / 2) * LANES + lane) * 2 + i % 2;
                f64::from(self.bf16[at].to_f32())
            }
            _ => {
                let scale = self.int8.1[(panel * inner.div_ceil(BLOCK) + i / BLOCK) * LANES + lane];
                let at = ((panel * inner.div_ceil(2) + i / 2) * LANES + lane) * 2 + i % 2;
                f64::from(self.int8.0[at]) * f64::from(scale.to_f32())
            }
        }
    }
}

fn dot_agrees<T: Operand>(kind: usize, [rows, features, inner]: [usize; 3], seed: u64) {
    let (packed, natural) = Packed::random(1, features, inner, seed);
    let x = numbers(rows * inner, seed + 1, |x| T::from_f32(x));
    let problem =
        PackedDot { rows: &x, weights: packed.weights(kind), num_rows: rows, norm: None, onto: None };
    let mut out = vec![9f32; rows * features];
    packed_dot(&problem, &mut out, &Threads::new(2, 1)).unwrap();
    for (at, found) in out.iter().enumerate() {
        let (row, feature) = (at / features, at % features);
        let term = |i: usize| f64::from(x[row * inner + i].to_f32()) * packed.value(kind, 0, feature, i);
        let want: f64 = (0..inner).map(term).sum();
        let size: f64 = (0..inner).map(|i| term(i).abs()).sum();
        // Rows that meet int8 keep 15 bits of a block's largest, which is below 1.
        let weights: f64 = (0..inner).map(|i| packed.value(kind, 0, feature, i).abs()).sum();
        let rounding = if kind == 2 { weights / 65_534.0 } else { 0.0 };
        let limit = 1e-6 * (1.0 + size) + rounding;
        assert!((f64::from(*found) - want).abs() <= limit, "{at}: {found} for {want}");
    }
    for (at, &x) in natural.iter().enumerate() {
        let step = [0.0, 4e-3, 1e-2][kind];
        let found = packed.value(kind, 0, at / inner, at % inner);
        assert!((found - f64::from(x)).abs() <= step, "weight {at}: {found} for {x}");
    }
    // Each row alone has the same bits.
    for (row, out) in x.chunks(inner).zip(out.chunks(features)) {
        let mut alone = vec![9f32; features];
        packed_dot(&PackedDot { rows: row, num_rows: 1, ..problem }, &mut alone, &Threads::new(1, 1))
            .unwrap();
        assert!(alone.iter().zip(out).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

/// A norm before and a sum behind have the bits of calls of their own.
fn surroundings_agree<T: Operand>(kind: usize, [rows, features, inner]: [usize; 3], seed: u64) {
    let (packed, _) = Packed::random(1, features, inner, seed);
    let weights = packed.weights(kind);
    let of = |count, seed| numbers(count, seed, |x| T::from_f32(x));
    let (x, weight, onto) = (of(rows * inner, seed + 1), of(inner, seed + 2), of(rows * features, seed + 3));
    let threads = Threads::new(2, 1);
    let product = |rows_of: &[T], norm, onto| {
        let mut out = vec![T::from_f32(9.0); rows * features];
        let problem = PackedDot { rows: rows_of, weights, num_rows: rows, norm, onto };
        packed_dot(&problem, &mut out, &threads).unwrap();
        out
    };
    let mut normed = x.clone();
    rms_norm(&x, &weight, 1e-5, &mut normed, &threads).unwrap();
    let apart = product(&normed, None, None);
    let found = product(&x, Some(Norm { weight: &weight, eps: 1e-5 }), Some(&onto));
    for (found, (product, onto)) in found.iter().zip(apart.iter().zip(&onto)) {
        let mut sum = [T::from_f32(0.0)];
        T::narrowed(&[onto.to_f32() + product.to_f32()], 1.0, &mut sum);
        assert_eq!(found.to_f32().to_bits(), sum[0].to_f32().to_bits());
    }
}

/// What the elements of a row of whole numbers are multiples of: a block keeps 15 bits of its largest.
fn units(x: &[f64]) -> Vec<f64> {
    let of_block = |block: &[f64]| {
        let largest = block.iter().fold(0f64, |most, x| most.max(x.abs()));
        vec![largest / 32_767.0; block.len()]
    };
    x.chunks(BLOCK).flat_map(of_block).collect()
}

fn experts_agree<T: Operand>(kind: usize, sizes: [usize; 5], seed: u64, limit: f64) {
    let [tokens, choices, slots, hidden, intermediate] = sizes;
    let gate = Packed::random(slots, intermediate, hidden, seed).0;
    let up = Packed::random(slots, intermediate, hidden, seed + 1).0;
    let down = Packed::random(slots, hidden, intermediate, seed + 2).0;
    let x = numbers(tokens * hidden, seed + 3, |x| T::from_f32(x));
    let gates = numbers(tokens * choices, seed + 4, |x| x);
    // Some are none.
    let picked = numbers(tokens * choices, seed + 5, |x| ((x + 0.5) * (slots + 1) as f32) as i32 - 1);
    let picked: Vec<i32> = picked.into_iter().map(|e| e.clamp(-1, slots as i32 - 1)).collect();
    let problem = PickedExperts {
        x: &x,
        gates: &gates,
        choices: &picked,
        gate: gate.weights(kind),
        up: up.weights(kind),
        down: down.weights(kind),
        num_tokens: tokens,
        onto: None,
    };
    let mut out = vec![T::from_f32(9.0); tokens * hidden];
    picked_experts(&problem, &mut out, &Threads::new(2, 1)).unwrap();
    for token in 0..tokens {
        let own: Vec<f64> = x[token * hidden..][..hidden].iter().map(|x| f64::from(x.to_f32())).collect();
        // What is wanted, how far the products may be off, and the sizes of all that is summed, which the last rounding goes by.
        let mut want = vec![(0f64, 0f64, 1f64); hidden];
        for place in token * choices..(token + 1) * choices {
            let Ok(expert) = usize::try_from(picked[place]) else { continue };
            let product = |w: &Packed, x: &[f64], feature: usize| -> (f64, f64) {
                let unit = if kind == 2 { units(x) } else { vec![0.0; x.len()] };
                x.iter().zip(unit).enumerate().fold((0.0, 0.0), |(sum, off), (i, (x, unit))| {
                    let value = w.value(kind, expert, feature, i);
                    (sum + x * value, off + (1e-6 * x.abs() + unit / 2.0) * value.abs())
                })
            };
            let (inside, inside_off): (Vec<f64>, Vec<f64>) = (0..intermediate)
                .map(|f| (product(&gate, &own, f), product(&up, &own, f)))
                .map(|((g, g_off), (u, u_off))| {
                    let silu = g / (1.0 + (-g).exp());
                    // The slope of silu is at most 1.1.
                    (silu * u, 1.1 * g_off * (u.abs() + u_off) + silu.abs() * u_off)
                })
                .unzip();
            for (h, (want, off, size)) in want.iter_mut().enumerate() {
                let gate = f64::from(gates[place]);
                let (sum, rounded) = product(&down, &inside, h);
                *want += gate * sum;
                *off += gate.abs() * rounded;
                for (f, (x, x_off)) in inside.iter().zip(&inside_off).enumerate() {
                    let weight = (gate * down.value(kind, expert, h, f)).abs();
                    *off += weight * x_off;
                    *size += weight * x.abs();
                }
            }
        }
        let found = &out[token * hidden..][..hidden];
        for (found, (want, off, size)) in found.iter().zip(&want) {
            let found = f64::from(found.to_f32());
            assert!((found - want).abs() <= limit * size + 1.01 * off, "{found} for {want}");
        }
        let mut alone = vec![T::from_f32(9.0); hidden];
        let own = PickedExperts {
            x: &x[token * hidden..][..hidden],
            gates: &gates[token * choices..][..choices],
            choices: &picked[token * choices..][..choices],
            num_tokens: 1,
            ..problem
        };
        picked_experts(&own, &mut alone, &Threads::new(1, 1)).unwrap();
        assert!(alone.iter().zip(found).all(|(a, b)| a.to_f32().to_bits() == b.to_f32().to_bits()));
        // Added to something: the bits of a sum of its own.
        let mut sum = vec![T::from_f32(9.0); hidden];
        picked_experts(&PickedExperts { onto: Some(own.x), ..own }, &mut sum, &Threads::new(1, 1)).unwrap();
        for (sum, (alone, x)) in sum.iter().zip(alone.iter().zip(own.x)) {
            let mut right = [T::from_f32(0.0)];
            T::narrowed(&[x.to_f32() + alone.to_f32()], 1.0, &mut right);
            assert_eq!(sum.to_f32().to_bits(), right[0].to_f32().to_bits());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn products_agree_with_loops_and_rows_do_not_depend_on_each_other(
        sizes in (0..15_usize, 1..150_usize, 1..80_usize),
        seed: u64,
    ) {
        let sizes = [sizes.0, sizes.1, sizes.2];
        dot_agrees::<f32>(0, sizes, seed);
        dot_agrees::<bf16>(1, sizes, seed);
        dot_agrees::<f32>(2, sizes, seed);
        dot_agrees::<bf16>(2, sizes, seed);
        surroundings_agree::<f32>(0, sizes, seed);
        surroundings_agree::<bf16>(1, sizes, seed);
        surroundings_agree::<bf16>(2, sizes, seed);
    }

    #[test]
    fn experts_agree_with_loops_and_tokens_do_not_depend_on_each_other(
        sizes in (0..9_usize, 1..4_usize, 1..5_usize, 1..90_usize, 1..80_usize),
        seed: u64,
    ) {
        let sizes = [sizes.0, sizes.1, sizes.2, sizes.3, sizes.4];
        // What is inside, what an expert gives and their sum are each rounded, in bf16 by at most one part in 256.
        let bf16s = 3.05 / 256.0;
        experts_agree::<f32>(0, sizes, seed, 2e-6);
        experts_agree::<bf16>(1, sizes, seed, bf16s);
        experts_agree::<f32>(2, sizes, seed, 2e-6);
        experts_agree::<bf16>(2, sizes, seed, bf16s);
    }
}

#[test]
fn lengths_and_experts_are_checked() {
    let (packed, _) = Packed::random(2, 3, 4, 1);
    let x = [0.5f32; 8];
    let weights = packed.weights(0);
    let threads = Threads::new(1, 1);
    let problem = PackedDot { rows: &x, weights, num_rows: 2, norm: None, onto: None };
    let error = packed_dot(&problem, &mut [0f32; 6], &threads);
    assert!(error.unwrap_err().to_string().contains("`weights`"));
    let (down, _) = Packed::random(2, 4, 3, 2);
    let good = PickedExperts {
        x: &x[..4],
        gates: &[1.0, 1.0],
        choices: &[0, 1],
        gate: weights,
        up: weights,
        down: down.weights(0),
        num_tokens: 1,
        onto: None,
    };
    let call = |p: PickedExperts<'_, f32>| picked_experts(&p, &mut [0.0; 4], &threads);
    call(good).unwrap();
    let error = call(PickedExperts { choices: &[0, 2], ..good }).unwrap_err().to_string();
    assert!(error.contains("experts below 2"), "{error}");
    let mut out = [9.0f32; 4];
    picked_experts(&PickedExperts { choices: &[-1, -1], ..good }, &mut out, &threads).unwrap();
    assert_eq!(out, [0.0; 4], "tokens without experts");
    assert!(call(PickedExperts { down: weights, ..good }).unwrap_err().to_string().contains("`down`"));
}
