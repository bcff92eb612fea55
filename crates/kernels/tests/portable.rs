//! Without AVX-512 the answers are the same, to rounding. A file, hence a process, of its own: the switch is for all kernels.

use collegium_kernels::grouped::{GroupedDot, GroupedOuter, grouped_dot, grouped_outer};
use collegium_kernels::{Operand, Threads, force_portable};
use half::bf16;

/// Block slots of 24 rows each: two runs of slot 1, an unused block, slot 2 empty.
const SLOTS: [i32; 5] = [1, 0, -1, 1, 1];
const ROWS: usize = 24 * SLOTS.len();

fn numbers<T>(count: usize, of: impl Fn(f32) -> T) -> Vec<T> {
    (0..count).map(|i| of((i * 7919 % 1009) as f32 / 504.5 - 1.0)).collect()
}

/// Results of all kernels one after another.
fn results<T: Operand>(inner: usize, outer: usize, of: impl Fn(f32) -> T + Copy) -> Vec<f32> {
    let threads = Threads::new(2, 1);
    let (rows, right) = (numbers(ROWS * inner, of), numbers(ROWS * outer, of));
    let weights = numbers(3 * inner * outer, of);
    let mut all = Vec::new();
    for weights_transposed in [false, true] {
        let mut out = vec![f32::NAN; ROWS * outer];
        let problem = GroupedDot {
            rows: &rows,
            weights: &weights,
            weights_transposed,
            second: None,
            block_slot: &SLOTS,
            num_rows: ROWS,
            num_slots: 3,
            inner,
            outer,
        };
        grouped_dot(&problem, &mut out, &threads).expect("sizes fit");
        all.extend(out);
    }
    let mut out = vec![f32::NAN; 3 * inner * outer];
    let problem = GroupedOuter {
        left: &rows,
        right: &right,
        block_slot: &SLOTS,
        num_rows: ROWS,
        num_slots: 3,
        left_width: inner,
        right_width: outer,
    };
    grouped_outer(&problem, &mut out, &threads).expect("sizes fit");
    all.extend(out);
    all
}

fn agree<T: Operand>(of: impl Fn(f32) -> T + Copy) {
    for (inner, outer) in [(1, 1), (16, 64), (33, 31), (130, 45), (700, 12)] {
        force_portable(false);
        let fast = results(inner, outer, of);
        force_portable(true);
        let plain = results(inner, outer, of);
        force_portable(false);
        let bound = 1e-6 * (inner.max(ROWS) as f32).max(8.0);
        let worst = fast.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= bound, "{:?} {inner} x {outer}: {worst}", T::DTYPE);
        assert!(fast.iter().all(|x| x.is_finite()), "everything is written");
    }
}

#[test]
fn the_portable_paths_give_the_same_answers() {
    agree::<f32>(|x| x);
    agree::<bf16>(bf16::from_f32);
}
