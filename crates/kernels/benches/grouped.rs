//! Rates of the grouped products, each beside one plain f32 product of the same FLOPs, in turns in the same run: machines
//! drift, ratios do not.
//!
//! `cargo bench -p collegium-kernels --bench grouped -- [--threads N] [--rows N] [--json]`
//!
//! JSON: `threads`, `rows`, `fma_gflops` (peak of the multiply-add units of one core, null where unknown) and `cases`,
//! each with `kernel`, `dtype`, `routing`, `inner`, `outer`, `gflops` (best round), `plain_gflops` (best round) and
//! `ratio` (median over rounds of rate / plain rate).

use std::time::Instant;

use collegium_kernels::grouped::{GroupedDot, GroupedOuter, grouped_dot, grouped_outer};
use collegium_kernels::{Operand, Threads};
use half::bf16;
use serde_json::{Value, json};

const SLOTS: usize = 16;
const BLOCK: usize = 64;
const ROUNDS: usize = 9;

fn main() {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = options.iter().position(|o| o == name)?;
        options.get(at + 1)?.parse().ok()
    };
    let as_json = options.iter().any(|o| o == "--json");
    let width = number("--threads").unwrap_or_else(|| Threads::for_ranks(1).width());
    let num_rows = number("--rows").unwrap_or(8192_usize).next_multiple_of(BLOCK);
    let peak = fma_gflops();
    if !as_json {
        println!(
            "{width} threads, {num_rows} rows, {SLOTS} slots; one core multiply-adds at {peak:?} GFLOP/s"
        );
        println!("kernel           dtype  routing  inner  outer  GFLOP/s    plain  ratio");
    }
    let mut cases = Vec::new();
    for (inner, outer) in [(256, 512), (512, 256), (512, 512), (1024, 512), (1024, 1024)] {
        for (routing, block_slot) in [("uniform", uniform(num_rows)), ("zipf", zipf(num_rows))] {
            let bench =
                Bench { threads: Threads::new(width, 1), num_rows, inner, outer, routing, block_slot };
            let mut found = bench.run::<f32>("f32", |x| x);
            found.extend(bench.run::<bf16>("bf16", bf16::from_f32));
            if !as_json {
                found.iter().for_each(print_case);
            }
            cases.extend(found);
        }
    }
    if as_json {
        println!("{}", json!({"threads": width, "rows": num_rows, "fma_gflops": peak, "cases": cases}));
    }
}

fn print_case(c: &Value) {
    println!(
        "{:<16} {:<6} {:<8} {:>5}  {:>5}  {:>7.1}  {:>7.1}  {:>5.2}",
        c["kernel"].as_str().unwrap_or(""),
        c["dtype"].as_str().unwrap_or(""),
        c["routing"].as_str().unwrap_or(""),
        c["inner"],
        c["outer"],
        c["gflops"].as_f64().unwrap_or(0.0),
        c["plain_gflops"].as_f64().unwrap_or(0.0),
        c["ratio"].as_f64().unwrap_or(0.0)
    );
}

/// Every slot has equally many blocks.
fn uniform(num_rows: usize) -> Vec<i32> {
    let blocks = num_rows / BLOCK;
    (0..blocks).map(|i| (i * SLOTS / blocks) as i32).collect()
}

/// Slot s has rows in proportion to 1 / (s + 1).
fn zipf(num_rows: usize) -> Vec<i32> {
    let blocks = num_rows / BLOCK;
    let whole: f64 = (1..=SLOTS).map(|s| 1.0 / s as f64).sum();
    let mut below = 0.0;
    let ends: Vec<f64> = (1..=SLOTS)
        .map(|s| {
            below += blocks as f64 / whole / s as f64;
            below
        })
        .collect();
    (0..blocks).map(|i| ends.iter().filter(|&&end| end <= i as f64 + 0.5).count() as i32).collect()
}

struct Bench {
    threads: Threads,
    num_rows: usize,
    inner: usize,
    outer: usize,
    routing: &'static str,
    block_slot: Vec<i32>,
}

impl Bench {
    fn run<T: Operand>(&self, dtype: &str, of: fn(f32) -> T) -> Vec<Value> {
        let numbers = |n: usize| -> Vec<T> { (0..n).map(|i| of((i % 251) as f32 / 251.0 - 0.5)).collect() };
        let (num_rows, inner, outer) = (self.num_rows, self.inner, self.outer);
        let rows = numbers(num_rows * inner);
        let right = numbers(num_rows * outer);
        let weights = numbers(SLOTS * inner * outer);
        let dot = |weights_transposed| GroupedDot {
            rows: &rows,
            weights: &weights,
            weights_transposed,
            second: None,
            block_slot: &self.block_slot,
            num_rows,
            num_slots: SLOTS,
            inner,
            outer,
        };
        let grad = GroupedOuter {
            left: &rows,
            right: &right,
            block_slot: &self.block_slot,
            num_rows,
            num_slots: SLOTS,
            left_width: inner,
            right_width: outer,
        };
        let mut out = vec![0.0; num_rows * outer];
        let mut out_slots = vec![0.0; SLOTS * inner * outer];
        vec![
            self.measure("dot", dtype, || {
                grouped_dot(&dot(false), &mut out, &self.threads).expect("sizes fit");
            }),
            self.measure("dot_transposed", dtype, || {
                grouped_dot(&dot(true), &mut out, &self.threads).expect("sizes fit");
            }),
            self.measure("outer", dtype, || {
                grouped_outer(&grad, &mut out_slots, &self.threads).expect("sizes fit");
            }),
        ]
    }

    fn measure(&self, kernel: &str, dtype: &str, mut run: impl FnMut()) -> Value {
        let plain = Plain::new(self);
        let mut plain_out = vec![0.0; self.num_rows * self.outer];
        let gflop = 2e-9 * (self.num_rows * self.inner * self.outer) as f64;
        let mut rounds: Vec<(f64, f64)> = (0..=ROUNDS)
            .map(|_| (gflop / seconds(&mut run), gflop / seconds(|| plain.run(&mut plain_out))))
            .collect();
        rounds.remove(0); // touches memory for the first time
        let best = |side: fn(&(f64, f64)) -> f64| rounds.iter().map(side).fold(0.0, f64::max);
        let (gflops, plain_gflops) = (best(|r| r.0), best(|r| r.1));
        let mut ratios: Vec<f64> = rounds.iter().map(|r| r.0 / r.1).collect();
        ratios.sort_by(f64::total_cmp);
        json!({
            "kernel": kernel, "dtype": dtype, "routing": self.routing, "inner": self.inner, "outer": self.outer,
            "gflops": gflops, "plain_gflops": plain_gflops, "ratio": ratios[ratios.len() / 2],
        })
    }
}

/// One product [rows, inner] x [inner, outer] on as many threads.
struct Plain<'b> {
    bench: &'b Bench,
    rows: Vec<f32>,
    weights: Vec<f32>,
}

impl<'b> Plain<'b> {
    fn new(bench: &'b Bench) -> Self {
        let rows = vec![0.5; bench.num_rows * bench.inner];
        Self { bench, rows, weights: vec![0.25; bench.inner * bench.outer] }
    }

    /// Each thread has a contiguous share of the rows and one call of the product crate.
    fn run(&self, out: &mut [f32]) {
        let Bench { threads, num_rows, inner, outer, .. } = self.bench;
        let share = num_rows.div_ceil(threads.width());
        std::thread::scope(|scope| {
            for (rows, out) in self.rows.chunks(share * inner).zip(out.chunks_mut(share * outer)) {
                scope.spawn(move || plain_product(rows, &self.weights, out, *inner, *outer));
            }
        });
    }
}

fn plain_product(rows: &[f32], weights: &[f32], out: &mut [f32], inner: usize, outer: usize) {
    let num_rows = rows.len() / inner;
    assert!(weights.len() == inner * outer && out.len() == num_rows * outer);
    // SAFETY: three dense row-major matrices of the asserted sizes; as the transposed product, like the kernels.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            outer,
            num_rows,
            inner,
            out.as_mut_ptr(),
            outer as isize,
            1,
            false,
            weights.as_ptr(),
            outer as isize,
            1,
            rows.as_ptr(),
            inner as isize,
            1,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// What one core does in a loop of independent multiply-adds, best of a few tries.
fn fma_gflops() -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        const TURNS: usize = 1_000_000;
        // SAFETY: the processor has both features.
        let time = (0..20).map(|_| seconds(|| unsafe { multiply_adds(TURNS) })).fold(f64::MAX, f64::min);
        return Some((TURNS * 12 * 16) as f64 / time / 1e9);
    }
    None
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_adds(turns: usize) {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
    use std::hint::black_box;
    let (a, b) = (black_box(_mm256_set1_ps(0.999)), black_box(_mm256_set1_ps(0.001)));
    let mut sums = [_mm256_set1_ps(0.5); 12];
    for _ in 0..turns {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, a, b);
        }
    }
    black_box(sums);
}
