//! The kernel against loops, with every set of instructions of this processor.

use half::bf16;
use proptest::prelude::*;

use super::*;
use crate::random::numbers;

#[derive(Clone, Debug)]
struct Case {
    targets: Vec<i32>,
    vocab: usize,
    width: usize,
    scale: f32,
    size: f32,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let tokens = prop_oneof![Just(0_usize), Just(1), 2..30_usize, 60..150_usize];
    let vocab = prop_oneof![Just(1_usize), 2..40_usize, 250..600_usize];
    let width = prop_oneof![Just(1_usize), 2..40_usize, Just(64)];
    (tokens, vocab, width, any::<u64>(), prop_oneof![Just(1.0_f32), Just(40.0)]).prop_flat_map(
        |(tokens, vocab, width, seed, size)| {
            let target = prop_oneof![4 => 0..vocab as i32, 1 => Just(-1), 1 => Just(-100)];
            prop::collection::vec(target, tokens).prop_map(move |targets| Case {
                targets,
                vocab,
                width,
                scale: 0.25,
                size,
                seed,
            })
        },
    )
}

/// Loss and gradients by loops in f64.
fn reference<T: Operand>(p: &CrossEntropy<'_, T>) -> (f64, Vec<f64>, Vec<f64>) {
    let of = |x: &[T], i: usize, d: usize| f64::from(x[i * p.width + d].to_f32());
    let (mut loss, scale) = (0.0, f64::from(p.scale));
    let (mut d_hidden, mut d_weight) = (vec![0.0; p.hidden.len()], vec![0.0; p.weight.len()]);
    for (t, &target) in p.targets.iter().enumerate().filter(|(_, target)| **target >= 0) {
        let logits: Vec<f64> = (0..p.vocab)
            .map(|v| (0..p.width).map(|d| of(p.hidden, t, d) * of(p.weight, v, d)).sum())
            .collect();
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum = largest + logits.iter().map(|l| (l - largest).exp()).sum::<f64>().ln();
        loss += scale * (sum - logits[target as usize]);
        for (v, logit) in logits.iter().enumerate() {
            let g = scale * ((logit - sum).exp() - f64::from(v == target as usize));
            for d in 0..p.width {
                d_hidden[t * p.width + d] += g * of(p.weight, v, d);
                d_weight[v * p.width + d] += g * of(p.hidden, t, d);
            }
        }
    }
    (loss, d_hidden, d_weight)
}

fn run<T: Operand>(p: &CrossEntropy<'_, T>, width: usize, set: Instructions) -> (f32, Vec<T>, Vec<f32>) {
    let threads = Threads::new(width, 1);
    let (mut hidden, mut weight) = (vec![T::zeroed(); p.hidden.len()], vec![f32::NAN; p.weight.len()]);
    let gradients = Gradients { hidden: &mut hidden, weight: &mut weight };
    let loss = cross_entropy(p, Some(gradients), &threads, set).expect("sizes fit");
    let alone = cross_entropy(p, None, &threads, set).expect("sizes fit");
    assert_eq!(loss.to_bits(), alone.to_bits(), "with and without gradients");
    (loss, hidden, weight)
}

/// Norm of the difference over the norm of what is wanted, or over `least` where that is less.
fn error(got: &[f64], want: &[f64], least: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let square = |x: f64| x * x;
    let far: f64 = got.iter().zip(want).map(|(g, w)| square(g - w)).sum();
    far.sqrt() / want.iter().map(|w| square(*w)).sum::<f64>().sqrt().max(least)
}

fn agrees<T: Operand>(c: &Case, of: impl Fn(f32) -> T + Copy, limit: f64) -> Result<(), TestCaseError> {
    let hidden = numbers(c.targets.len() * c.width, c.seed, |x| of(x * c.size));
    let weight = numbers(c.vocab * c.width, c.seed ^ 1, of);
    let p = CrossEntropy {
        hidden: &hidden,
        weight: &weight,
        targets: &c.targets,
        scale: c.scale,
        vocab: c.vocab,
        width: c.width,
    };
    let (loss, d_hidden, d_weight) = reference(&p);
    for set in Instructions::available().and_plainer() {
        let got = run(&p, 1, set);
        let size = f64::from(c.size);
        let far = (f64::from(got.0) - loss).abs() / loss.abs().max(1.0);
        prop_assert!(far < 2e-6 * size.max(1.0), "{:?}: loss {} instead of {}", set, got.0, loss);
        let wide = |x: &[T]| x.iter().map(|x| f64::from(x.to_f32())).collect::<Vec<_>>();
        let limit = limit * size.max(1.0);
        let far = error(&wide(&got.1), &d_hidden, 1.0);
        prop_assert!(far < limit, "{:?}: d_hidden {}", set, far);
        let far = error(&got.2.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), &d_weight, size);
        prop_assert!(far < limit, "{:?}: d_weight {}", set, far);
        let more = run(&p, 3, set);
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(got.0.to_bits(), more.0.to_bits());
        prop_assert_eq!(wide(&got.1), wide(&more.1));
        prop_assert_eq!(bits(&got.2), bits(&more.2));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kernels_agree_with_loops_on_any_instructions_and_threads(c in case()) {
        agrees::<f32>(&c, |x| x, 2e-6)?;
        agrees::<bf16>(&c, bf16::from_f32, 6e-3)?;
    }
}

#[test]
fn more_tokens_than_a_tile_agree() {
    let targets = (0..700).map(|i| if i % 7 == 0 { -1 } else { i % 300 }).collect();
    let c = Case { targets, vocab: 300, width: 20, scale: 0.01, size: 1.0, seed: 5 };
    agrees::<f32>(&c, |x| x, 2e-6).expect("f32");
    agrees::<bf16>(&c, bf16::from_f32, 6e-3).expect("bf16");
}

#[test]
fn not_a_number_and_targets_nobody_has() {
    let hidden = [1.0_f32, f32::NAN, 0.5, 0.25];
    let weight = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let p =
        CrossEntropy { hidden: &hidden, weight: &weight, targets: &[0, 1], scale: 1.0, vocab: 3, width: 2 };
    for set in Instructions::available().and_plainer() {
        let (loss, d_hidden, _) = run(&p, 1, set);
        assert!(loss.is_nan() && d_hidden[0].is_nan() && d_hidden[2].is_finite(), "{set:?}");
        let beyond = CrossEntropy { hidden: &[0.0; 4], targets: &[3, -1], ..p };
        let (loss, ..) = run(&beyond, 1, set);
        assert!((loss - 3.0_f32.ln()).abs() < 1e-6, "{set:?}: the log-sum-exp, {loss}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let p = CrossEntropy {
        hidden: &[0.0_f32; 6],
        weight: &[0.0; 9],
        targets: &[0, 1],
        scale: 1.0,
        vocab: 3,
        width: 3,
    };
    let threads = Threads::new(1, 1);
    let error = |p: &CrossEntropy<'_, f32>| {
        cross_entropy(p, None, &threads, Instructions::best()).expect_err("does not fit").to_string()
    };
    assert!(error(&CrossEntropy { targets: &[0], ..p }).contains("`hidden` must be 3 elements"));
    assert!(error(&CrossEntropy { vocab: usize::MAX, ..p }).contains("`weight`"));
    let (mut hidden, mut weight) = ([0.0; 6], [0.0; 8]);
    let gradients = Gradients { hidden: &mut hidden, weight: &mut weight };
    let error = cross_entropy(&p, Some(gradients), &threads, Instructions::best()).expect_err("too short");
    assert!(error.to_string().contains("`d_weight` must be 9 elements"));
}
