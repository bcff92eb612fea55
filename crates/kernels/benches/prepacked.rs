//! How fast products with prepacked weights read them, beside a plain read of the same memory in the same run: matrices of 768 by 1280, more of them
//! than caches hold, one after another, as a step of decoding meets them.
//!
//! `cargo bench -p collegium-kernels --bench prepacked -- [--threads N] [--json]`
//!
//! JSON: one line for each case, with `dtype`, `rows`, `threads`, `gb_per_second`, `share_of_read` and `gflops`, each the best of several rounds.

use std::hint::black_box;
use std::time::Instant;

use collegium_kernels::prepacked::{PackedDot, Values, Weights, pack_bf16, pack_f32, pack_int8, packed_dot};
use collegium_kernels::{Operand, Threads};
use half::bf16;

const INNER: usize = 768;
const FEATURES: usize = 1280;
const MATRICES: usize = 160;
const ROUNDS: usize = 5;

fn main() {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let at = options.iter().position(|o| o == "--threads");
    let width = at.and_then(|at| options.get(at + 1)?.parse().ok());
    let width = width.unwrap_or_else(|| Threads::for_ranks(1).width());
    let threads = Threads::new(width, 1);
    let as_json = options.iter().any(|o| o == "--json");
    let natural: Vec<f32> = (0..INNER * FEATURES).map(|i| (i % 251) as f32 / 251.0 - 0.5).collect();
    let wide = repeated(&pack_f32(&natural, INNER));
    let narrow = repeated(&pack_bf16(&natural, INNER));
    let (values, scales) = pack_int8(&natural, INNER);
    let (values, scales) = (repeated(&values), repeated(&scales));
    let read = read_rate(&wide, width);
    if !as_json {
        println!("{width} threads, memory is read at {:.1} GB/s", read / 1e9);
        println!("{:>5} {:>5} {:>8} {:>8} {:>9}", "dtype", "rows", "GB/s", "of read", "GFLOP/s");
    }
    for rows in [1, 2, 8, 128] {
        for dtype in ["f32", "bf16", "int8"] {
            let seconds = match dtype {
                "f32" => best(rows, &threads, |x: f32| x, |m| Values::F32(part(&wide, m))),
                "bf16" => best(rows, &threads, bf16::from_f32, |m| Values::Bf16(part(&narrow, m))),
                _ => {
                    best(rows, &threads, bf16::from_f32, |m| Values::Int8(part(&values, m), part(&scales, m)))
                }
            };
            let elements = (MATRICES * INNER * FEATURES) as f64;
            let bytes = elements
                * if dtype == "f32" {
                    4.0
                } else if dtype == "bf16" {
                    2.0
                } else {
                    1.0625
                };
            let (rate, flops) = (bytes / seconds, 2.0 * elements * rows as f64 / seconds);
            if as_json {
                println!(
                    r#"{{"dtype":"{dtype}","rows":{rows},"threads":{width},"gb_per_second":{:.3},"share_of_read":{:.4},"gflops":{:.3}}}"#,
                    rate / 1e9,
                    rate / read,
                    flops / 1e9
                );
            } else {
                let share = 100.0 * rate / read;
                println!("{dtype:>5} {rows:>5} {:>8.1} {share:>6.0} % {:>9.1}", rate / 1e9, flops / 1e9);
            }
        }
    }
}

fn repeated<T: Copy>(matrix: &[T]) -> Vec<T> {
    matrix.repeat(MATRICES)
}

fn part<T>(all: &[T], matrix: usize) -> &[T] {
    let each = all.len() / MATRICES;
    &all[matrix * each..][..each]
}

/// Seconds of a pass over all matrices.
fn best<'a, T: Operand>(
    rows: usize,
    threads: &Threads,
    of: impl Fn(f32) -> T,
    values: impl Fn(usize) -> Values<'a>,
) -> f64 {
    let x: Vec<T> = (0..rows * INNER).map(|i| of((i % 83) as f32 / 83.0)).collect();
    let mut out = vec![0f32; rows * FEATURES];
    let mut pass = || {
        let started = Instant::now();
        for matrix in 0..MATRICES {
            let weights = Weights { values: values(matrix), slots: 1, features: FEATURES, inner: INNER };
            let problem = PackedDot { rows: &x, weights, num_rows: rows, norm: None, onto: None };
            packed_dot(&problem, &mut out, threads).expect("it fits");
            black_box(&out);
        }
        started.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| pass()).fold(f64::INFINITY, f64::min)
}

/// Bytes per second of `width` threads that read all of it.
fn read_rate(data: &[f32], width: usize) -> f64 {
    let pass = || {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for piece in data.chunks(data.len().div_ceil(width)) {
                scope.spawn(move || {
                    let mut sums = [0u32; 64];
                    for lane in piece.chunks_exact(64) {
                        sums.iter_mut().zip(lane).for_each(|(s, x)| *s = s.wrapping_add(x.to_bits()));
                    }
                    black_box(sums);
                });
            }
        });
        size_of_val(data) as f64 / started.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| pass()).fold(0.0, f64::max)
}
