//! The experts' feed-forward against the kernels that it is made of, bit for bit.

use half::bf16;
use proptest::prelude::*;

use super::*;
use crate::gathered::{Gathered, gathered_sum};
use crate::random::numbers;
use crate::swiglu::{Swiglu, SwigluGradients, swiglu, swiglu_gradient};
use crate::{Operand, Threads};

#[derive(Clone, Debug)]
struct Case {
    block: usize,
    block_slot: Vec<i32>,
    hidden: usize,
    intermediate: usize,
    is_scaled: bool,
    width: usize,
    seed: u64,
}

const SLOTS: usize = 3;
/// Rows that links may lead to, two links each.
const GIVEN: usize = 5;

fn case() -> impl Strategy<Value = Case> {
    let size = || prop_oneof![0..3_usize, 3..40_usize, Just(70)];
    let slots = prop::collection::vec(-1..SLOTS as i32 + 1, 0..6);
    let block = prop_oneof![1..5_usize, Just(33), Just(280)];
    (block, slots, size(), size(), any::<bool>(), 1..4_usize, any::<u64>()).prop_map(
        |(block, block_slot, hidden, intermediate, is_scaled, width, seed)| Case {
            block,
            block_slot,
            hidden,
            intermediate,
            is_scaled,
            width,
            seed,
        },
    )
}

/// Without the sign of zeros, which unused blocks may lose.
fn bits<T: Operand>(values: &[T]) -> Vec<u32> {
    values.iter().map(|x| (x.to_f32() + 0.0).to_bits()).collect()
}

fn agrees<T: Operand>(c: &Case, of: impl Fn(f32) -> T + Copy) -> Result<(), TestCaseError> {
    let num_rows = c.block * c.block_slot.len();
    let (hidden, intermediate) = (c.hidden, c.intermediate);
    let threads = Threads::new(c.width, 1);
    let dirty = |len: usize| vec![of(f32::NAN); len];
    // Links that lead nowhere on both sides too.
    let index = numbers(num_rows, c.seed + 9, |x| ((x + 1.0) * 7.0) as i32 - 2);
    let rows = numbers(GIVEN * hidden, c.seed, of);
    let given = Gathered {
        rows: &rows,
        index: &index,
        num_results: num_rows,
        links: 1,
        num_rows: GIVEN,
        fan: 2,
        width: hidden,
    };
    let [gate, up, down] = [1, 2, 3].map(|i| numbers(SLOTS * hidden * intermediate, c.seed + i, of));
    let scales = numbers(num_rows, c.seed + 4, |x| x);
    let scale = c.is_scaled.then_some(&scales[..]);

    let mut gathered = dirty(num_rows * hidden);
    gathered_sum(&given, &mut gathered, &threads).unwrap();
    let product = |rows: &[T], weights: &[T], weights_transposed, inner, outer| {
        let mut out = dirty(num_rows * outer);
        let problem = GroupedDot {
            rows,
            weights,
            second: None,
            weights_transposed,
            block_slot: &c.block_slot,
            num_rows,
            num_slots: SLOTS,
            inner,
            outer,
        };
        grouped_dot(&problem, &mut out, &threads).unwrap();
        out
    };
    let want = [&gate, &up].map(|weights| product(&gathered, weights, true, hidden, intermediate));
    let kept = Swiglu { gate: &want[0], up: &want[1], scale };
    let mut inner = dirty(num_rows * intermediate);
    swiglu(&kept, &mut inner, &threads).unwrap();
    let want_out = product(&inner, &down, true, intermediate, hidden);

    let problem = ExpertRows {
        given,
        scale,
        gate: &gate,
        up: &up,
        down: &down,
        block_slot: &c.block_slot,
        num_slots: SLOTS,
        intermediate,
    };
    for is_read in [true, false] {
        let [mut gate, mut up] = [0; 2].map(|_| dirty(num_rows * intermediate));
        let mut out = dirty(num_rows * hidden);
        let results = ExpertResults { gate: &mut gate, up: &mut up, out: is_read.then_some(&mut out[..]) };
        expert_rows(&problem, results, &threads).unwrap();
        prop_assert_eq!(bits(&gate), bits(&want[0]));
        prop_assert_eq!(bits(&up), bits(&want[1]));
        if is_read {
            prop_assert_eq!(bits(&out), bits(&want_out));
        }
    }

    let d_out = numbers(num_rows * hidden, c.seed + 5, of);
    // The weights as {slot, hidden, intermediate}, contracted over hidden.
    let mut want_value = product(&d_out, &down, false, hidden, intermediate);
    let gradients = |value: &mut [T], run: &dyn Fn(SwigluGradients<'_, T>)| {
        let [mut d_gate, mut d_up] = [0; 2].map(|_| dirty(num_rows * intermediate));
        let mut d_scale = vec![f32::NAN; num_rows];
        let results = SwigluGradients {
            value,
            d_gate: &mut d_gate,
            d_up: &mut d_up,
            d_scale: c.is_scaled.then_some(&mut d_scale[..]),
        };
        run(results);
        (bits(&d_gate), bits(&d_up), if c.is_scaled { bits(&d_scale) } else { Vec::new() })
    };
    let want = gradients(&mut want_value, &|results| swiglu_gradient(&kept, results, &threads).unwrap());
    let problem = ExpertRowsGradient {
        d_out: &d_out,
        kept,
        down: &down,
        block_slot: &c.block_slot,
        num_rows,
        num_slots: SLOTS,
        hidden,
        intermediate,
    };
    let mut value = dirty(num_rows * intermediate);
    let found = gradients(&mut value, &|results| expert_rows_gradient(&problem, results, &threads).unwrap());
    prop_assert_eq!(found, want);
    prop_assert_eq!(bits(&value), bits(&want_value));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_are_their_kernels_to_the_bit(c in case()) {
        agrees(&c, |x| x)?;
        agrees(&c, bf16::from_f32)?;
    }

    /// Sums of two products, against one product of both side by side.
    #[test]
    fn a_second_product_is_added(c in case()) {
        let num_rows = c.block * c.block_slot.len();
        let [a, b] = [1, 2].map(|i| numbers(num_rows * c.hidden, c.seed + i, |x| x));
        let [v, w] = [3, 4].map(|i| numbers(SLOTS * c.hidden * c.intermediate, c.seed + i, |x| x));
        let side_by_side = |a: &[f32], b: &[f32], size: usize| -> Vec<f32> {
            let size = size.max(1);
            a.chunks(size).zip(b.chunks(size)).flat_map(|(a, b)| [a, b].concat()).collect()
        };
        let both = GroupedDot {
            rows: &a,
            weights: &v,
            second: Some([&b, &w]),
            weights_transposed: false,
            block_slot: &c.block_slot,
            num_rows,
            num_slots: SLOTS,
            inner: c.hidden,
            outer: c.intermediate,
        };
        let (rows, weights) = (side_by_side(&a, &b, c.hidden), side_by_side(&v, &w, c.hidden * c.intermediate));
        let one = GroupedDot { rows: &rows, weights: &weights, second: None, inner: 2 * c.hidden, ..both };
        let mut found = vec![f32::NAN; num_rows * c.intermediate];
        grouped_dot(&both, &mut found, &Threads::new(c.width, 1)).unwrap();
        for (found, want) in found.iter().zip(reference::grouped_dot(&one)) {
            prop_assert!((found - want).abs() <= 1e-5 * (1.0 + c.hidden as f32), "{found} for {want}");
        }
    }
}

#[test]
fn lengths_are_checked() {
    let threads = Threads::new(1, 1);
    let given = Gathered {
        rows: &[1.0_f32; 4],
        index: &[0, 1],
        num_results: 2,
        links: 1,
        num_rows: 2,
        fan: 1,
        width: 2,
    };
    let good = ExpertRows {
        given,
        scale: None,
        gate: &[1.0; 6],
        up: &[1.0; 6],
        down: &[1.0; 6],
        block_slot: &[0],
        num_slots: 1,
        intermediate: 3,
    };
    let error = |problem: &ExpertRows<'_, f32>, out: usize| {
        let (mut gate, mut up, mut out) = ([0.0; 6], [0.0; 6], vec![0.0; out]);
        let results = ExpertResults { gate: &mut gate, up: &mut up, out: Some(&mut out) };
        expert_rows(problem, results, &threads).map_or_else(|e| e.to_string(), |()| "fits".into())
    };
    assert_eq!(error(&good, 4), "fits");
    assert!(error(&good, 3).contains("`out`"));
    assert!(error(&ExpertRows { up: &[1.0; 5], ..good }, 4).contains("`up`"));
    assert!(error(&ExpertRows { scale: Some(&[1.0]), ..good }, 4).contains("`scale`"));
    assert!(error(&ExpertRows { block_slot: &[0; 3], ..good }, 4).contains("`block_slot`"));
}
