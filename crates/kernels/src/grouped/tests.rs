//! The kernels against their references.

use half::bf16;
use proptest::prelude::*;

use super::*;
use crate::random::numbers;
use crate::{Operand, Threads};

/// One random problem; the same rows and slots serve both kernels.
#[derive(Clone, Debug)]
struct Case {
    block: usize,
    block_slot: Vec<i32>,
    num_slots: usize,
    inner: usize,
    outer: usize,
    scale: f32,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let slots = 0..6_usize;
    let size = prop_oneof![Just(1_usize), 1..20_usize, 30..140_usize];
    (slots, prop_oneof![Just(1_usize), 2..9_usize, Just(300)], size.clone(), size, 0..40_usize, any::<u64>())
        .prop_flat_map(|(num_slots, block, inner, outer, blocks, seed)| {
            let blocks = if block == 300 { blocks.min(3) } else { blocks };
            let slot = prop_oneof![4 => 0..num_slots as i32 + 1, 1 => Just(-1), 1 => Just(i32::MAX)];
            let scale = prop_oneof![Just(1.0_f32), Just(1e12)];
            (prop::collection::vec(slot, blocks), scale).prop_map(move |(block_slot, scale)| Case {
                block,
                block_slot,
                num_slots,
                inner,
                outer,
                scale,
                seed,
            })
        })
}

/// Equal to rounding. A sum of n products in f32, in any order and with or without fused steps, is off by at most n u / (1 - n u)
/// times the sum of their magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), u = 2^-24. The
/// reference sums in f64 and rounds once, and so do the magnitudes: two more roundings.
fn close(got: &[f32], want: &[f32], magnitudes: &[f32], terms: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len());
    let off = (terms + 2) as f64 * 2_f64.powi(-24);
    for (i, ((g, w), m)) in got.iter().zip(want).zip(magnitudes).enumerate() {
        let bound = off / (1.0 - off) * f64::from(*m);
        let distance = (f64::from(*g) - f64::from(*w)).abs();
        prop_assert!(distance <= bound, "element {}: {} instead of {} (bound {})", i, g, w, bound);
    }
    Ok(())
}

/// The result for one, two and three threads, which must be the same bits.
fn on_threads(len: usize, run: impl Fn(&mut [f32], &Threads)) -> Result<Vec<f32>, TestCaseError> {
    let results: Vec<Vec<f32>> = (1..=3)
        .map(|width| {
            let mut out = vec![f32::NAN; len];
            run(&mut out, &Threads::new(width, 1));
            out
        })
        .collect();
    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    prop_assert_eq!(bits(&results[0]), bits(&results[1]));
    prop_assert_eq!(bits(&results[0]), bits(&results[2]));
    Ok(results.into_iter().next().unwrap_or_default())
}

fn agrees<T: Operand>(c: &Case, of: impl Fn(f32) -> T + Copy) -> Result<(), TestCaseError> {
    let num_rows = c.block * c.block_slot.len();
    let of = |x: f32| of(x * c.scale);
    let rows = numbers(num_rows * c.inner, c.seed, of);
    let right = numbers(num_rows * c.outer, c.seed ^ 1, of);
    let weights = numbers(c.num_slots * c.inner * c.outer, c.seed ^ 2, of);
    let magnitude = |x: &Vec<T>| x.iter().map(|x| x.to_f32().abs()).collect::<Vec<f32>>();
    let [all_rows, all_right, all_weights] = [&rows, &right, &weights].map(magnitude);
    for weights_transposed in [false, true] {
        let problem = GroupedDot {
            rows: &rows,
            weights: &weights,
            weights_transposed,
            second: None,
            block_slot: &c.block_slot,
            num_rows,
            num_slots: c.num_slots,
            inner: c.inner,
            outer: c.outer,
        };
        let got = on_threads(num_rows * c.outer, |out, threads| {
            grouped_dot(&problem, out, threads).expect("sizes fit");
        })?;
        let magnitudes = reference::grouped_dot(&GroupedDot {
            rows: &all_rows,
            weights: &all_weights,
            weights_transposed,
            second: None,
            block_slot: &c.block_slot,
            num_rows,
            num_slots: c.num_slots,
            inner: c.inner,
            outer: c.outer,
        });
        close(&got, &reference::grouped_dot(&problem), &magnitudes, c.inner)?;
        let mut rounded = vec![bf16::NAN; got.len()];
        grouped_dot(&problem, &mut rounded, &Threads::new(2, 1)).expect("sizes fit");
        prop_assert!(got.iter().zip(&rounded).all(|(g, r)| bf16::from_f32(*g).to_bits() == r.to_bits()));
    }
    let problem = GroupedOuter {
        left: &rows,
        right: &right,
        block_slot: &c.block_slot,
        num_rows,
        num_slots: c.num_slots,
        left_width: c.inner,
        right_width: c.outer,
    };
    let got = on_threads(c.num_slots * c.inner * c.outer, |out, threads| {
        grouped_outer(&problem, out, threads).expect("sizes fit");
    })?;
    let magnitudes = reference::grouped_outer(&GroupedOuter {
        left: &all_rows,
        right: &all_right,
        block_slot: &c.block_slot,
        num_rows,
        num_slots: c.num_slots,
        left_width: c.inner,
        right_width: c.outer,
    });
    close(&got, &reference::grouped_outer(&problem), &magnitudes, num_rows)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kernels_agree_with_loops_on_any_number_of_threads(c in case()) {
        agrees::<f32>(&c, |x| x)?;
        agrees::<bf16>(&c, bf16::from_f32)?;
    }
}

#[test]
fn sums_longer_than_a_panel_agree() {
    let slots = vec![0, 1, 0, 0, 1, 9, 0];
    let c = Case { block: 230, block_slot: slots, num_slots: 3, inner: 1100, outer: 9, scale: 1.0, seed: 3 };
    agrees::<f32>(&c, |x| x).expect("f32");
    agrees::<bf16>(&c, bf16::from_f32).expect("bf16");
}

/// Four blocks of two rows: slot 0, unused, slot 1, slot 0.
const SLOTS: [i32; 4] = [0, -1, 1, 0];

fn dot_of(rows: &[f32], weights: &[f32]) -> Vec<f32> {
    let mut out = vec![7.0; 8 * 5];
    let p = GroupedDot {
        rows,
        weights,
        weights_transposed: false,
        second: None,
        block_slot: &SLOTS,
        num_rows: 8,
        num_slots: 2,
        inner: 3,
        outer: 5,
    };
    grouped_dot(&p, &mut out, &Threads::new(2, 1)).expect("sizes fit");
    out
}

#[test]
fn not_a_number_stays_in_its_row_and_slot() {
    for poison in [f32::NAN, f32::INFINITY] {
        let mut rows = vec![1.0; 8 * 3];
        rows[6 * 3 + 1] = poison;
        let out = dot_of(&rows, &[1.0; 2 * 3 * 5]);
        for (row, values) in out.chunks(5).enumerate() {
            let want = if row == 6 {
                poison
            } else if matches!(row, 2 | 3) {
                0.0
            } else {
                3.0
            };
            assert!(
                values.iter().all(|v| v.to_bits() == want.to_bits() || v.is_nan() && want.is_nan()),
                "row {row}"
            );
        }
        let mut weights = vec![1.0; 2 * 3 * 5];
        weights[3 * 5 + 4] = poison;
        let out = dot_of(&[1.0; 8 * 3], &weights);
        let hit = |at: usize| matches!(at / 5, 4 | 5) && at % 5 == 4;
        assert!(out.iter().enumerate().all(|(at, v)| v.is_finite() != hit(at)), "{poison}: {out:?}");
    }
}

#[test]
fn what_an_unused_block_holds_is_not_read() {
    let mut rows = vec![1.0; 8 * 3];
    rows[2 * 3..4 * 3].fill(f32::NAN);
    assert!(dot_of(&rows, &[1.0; 30]).iter().all(|v| v.is_finite()));
    let mut out = vec![7.0; 3 * 3 * 3];
    let p = GroupedOuter {
        left: &rows,
        right: &rows,
        block_slot: &SLOTS,
        num_rows: 8,
        num_slots: 3,
        left_width: 3,
        right_width: 3,
    };
    grouped_outer(&p, &mut out, &Threads::new(1, 1)).expect("sizes fit");
    let (zero, one, two) = (&out[..9], &out[9..18], &out[18..]);
    assert!(zero.iter().all(|&v| v == 4.0) && one.iter().all(|&v| v == 2.0) && two.iter().all(|&v| v == 0.0));
}

#[test]
fn denormals_are_kept() {
    let tiny = f32::from_bits(40);
    let out = dot_of(&[tiny; 24], &[1.0; 30]);
    assert_eq!(out[0].to_bits(), 120, "denormal sums are exact");
}

#[test]
fn a_slice_of_another_length_is_refused() {
    let p = GroupedDot::<f32> {
        rows: &[0.0; 6],
        weights: &[0.0; 6],
        weights_transposed: false,
        second: None,
        block_slot: &[0],
        num_rows: 2,
        num_slots: 1,
        inner: 3,
        outer: 2,
    };
    let threads = Threads::new(1, 1);
    let error = |p: &GroupedDot<'_, f32>, out: &mut [f32]| {
        grouped_dot(p, out, &threads).expect_err("does not fit").to_string()
    };
    assert!(error(&p, &mut [0.0; 5]).contains("`out` must be 4 elements"));
    assert!(error(&GroupedDot { rows: &[0.0; 5], ..p }, &mut [0.0; 4]).contains("`rows` must be 6 elements"));
    assert!(error(&GroupedDot { num_slots: usize::MAX, ..p }, &mut [0.0; 4]).contains("`weights`"));
    assert!(error(&GroupedDot { block_slot: &[0, 0, 0], ..p }, &mut [0.0; 4]).contains("`block_slot`"));
}
