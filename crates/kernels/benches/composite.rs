//! Rates of attention and of the head's loss, each beside one plain f32 product, in turns in the same run: machines drift, ratios
//! do not.
//!
//! `cargo bench -p collegium-kernels --bench composite -- [--threads N] [--rounds N] [--instructions NAME] [--only KERNEL] [--json]`
//!
//! JSON: `threads`, `instructions` and `cases`, each with `kernel`, `dtype`, `shape`, `gflops` (best round, of the FLOPs below the
//! diagonal), `plain_gflops` (best round of the product) and `ratio` (of the two).

use std::time::Instant;

use collegium_kernels::attention::{self, Attention, Kept, attention, attention_gradient};
use collegium_kernels::cross_entropy::{self, CrossEntropy, cross_entropy};
use collegium_kernels::{Instructions, Operand, Threads};
use half::bf16;
use serde_json::{Value, json};

/// Attention: name, batch, seq, heads, key-value heads, head dim. S and M are the shapes of `bench train`.
const ATTENTION: [(&str, [usize; 5]); 4] = [
    ("S", [16, 256, 8, 4, 32]),
    ("M", [8, 512, 8, 4, 64]),
    ("head dim 128", [2, 512, 8, 4, 128]),
    ("long", [1, 4096, 2, 1, 64]),
];
/// Head: name, tokens, vocabulary, hidden.
const HEAD: [(&str, [usize; 3]); 2] = [("S", [4096, 4096, 256]), ("M", [4096, 8192, 512])];

struct Bench {
    threads: Threads,
    rounds: usize,
    set: Instructions,
    json: bool,
    only: Option<String>,
    cases: Vec<Value>,
}

fn main() {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = options.iter().position(|o| o == name)?;
        options.get(at + 1).cloned()
    };
    let number = |name: &str| option(name).and_then(|v| v.parse().ok());
    let wanted = option("--instructions");
    let set = Instructions::ALL.iter().find(|(name, _)| wanted.as_deref() == Some(name)).map(|s| s.1);
    let width = number("--threads").unwrap_or_else(|| Threads::for_ranks(1).width());
    let mut bench = Bench {
        threads: Threads::new(width, 1),
        rounds: number("--rounds").unwrap_or(9),
        set: set.unwrap_or_else(Instructions::best),
        json: options.iter().any(|o| o == "--json"),
        only: option("--only"),
        cases: Vec::new(),
    };
    if !bench.json {
        println!("{width} threads, {:?}", bench.set);
        println!("kernel               dtype  shape          GFLOP/s    plain  ratio");
    }
    for (name, dims) in ATTENTION {
        bench.attention::<f32>("f32", name, dims, |x| x);
        bench.attention::<bf16>("bf16", name, dims, bf16::from_f32);
    }
    for (name, dims) in HEAD {
        bench.head::<f32>("f32", name, dims, |x| x);
        bench.head::<bf16>("bf16", name, dims, bf16::from_f32);
    }
    if bench.json {
        println!(
            "{}",
            json!({"threads": width, "instructions": format!("{:?}", bench.set), "cases": bench.cases})
        );
    }
}

fn numbers<T>(count: usize, of: fn(f32) -> T) -> Vec<T> {
    (0..count).map(|i| of((i * 7 % 251) as f32 / 125.5 - 1.0)).collect()
}

impl Bench {
    fn attention<T: Operand>(&mut self, dtype: &str, shape: &str, dims: [usize; 5], of: fn(f32) -> T) {
        let [batch, seq, heads, kv_heads, head_dim] = dims;
        let [queries, keys] = [heads, kv_heads].map(|h| batch * seq * h * head_dim);
        let (query, key, value) = (numbers(queries, of), numbers(keys, of), numbers(keys, of));
        let (segments, d_output) = (vec![0; batch * seq], numbers(queries, of));
        let problem = Attention {
            query: &query,
            key: &key,
            value: &value,
            segments: &segments,
            batch,
            seq,
            heads,
            kv_heads,
            head_dim,
            window: None,
        };
        let flops = 2.0 * (batch * seq * seq * heads * head_dim) as f64;
        let (mut output, mut sums) = (numbers(queries, of), vec![0.0; batch * heads * seq]);
        let set = self.set;
        self.measure("attention", dtype, shape, flops, |threads| {
            attention(&problem, &mut output, Some(&mut sums), threads, set).expect("sizes fit");
        });
        let kept = Kept { output: &output, sums: &sums, d_output: &d_output };
        let (mut d_query, mut d_key, mut d_value) =
            (numbers(queries, of), numbers(keys, of), numbers(keys, of));
        self.measure("attention_gradient", dtype, shape, 2.5 * flops, |threads| {
            let mut gradients =
                attention::Gradients { query: &mut d_query, key: &mut d_key, value: &mut d_value };
            attention_gradient(&problem, &kept, &mut gradients, threads, set).expect("sizes fit");
        });
    }

    fn head<T: Operand>(
        &mut self,
        dtype: &str,
        shape: &str,
        [tokens, vocab, width]: [usize; 3],
        of: fn(f32) -> T,
    ) {
        let (hidden, weight) = (numbers(tokens * width, of), numbers(vocab * width, of));
        let targets: Vec<i32> = (0..tokens).map(|t| (t * 31 % vocab) as i32).collect();
        let problem =
            CrossEntropy { hidden: &hidden, weight: &weight, targets: &targets, scale: 1e-3, vocab, width };
        let (mut d_hidden, mut d_weight) = (numbers(tokens * width, of), vec![0.0; vocab * width]);
        let set = self.set;
        self.measure("cross_entropy", dtype, shape, 6.0 * (tokens * vocab * width) as f64, |threads| {
            let gradients = cross_entropy::Gradients { hidden: &mut d_hidden, weight: &mut d_weight };
            cross_entropy(&problem, Some(gradients), threads, set).expect("sizes fit");
        });
    }

    fn measure(&mut self, kernel: &str, dtype: &str, shape: &str, flops: f64, mut run: impl FnMut(&Threads)) {
        if self.only.as_ref().is_some_and(|only| only != kernel) {
            return run(&self.threads); // the gradient needs what the forward pass gives
        }
        let (mut best, mut plain) = (f64::INFINITY, f64::INFINITY);
        run(&self.threads); // touches memory for the first time
        for _ in 0..self.rounds {
            best = best.min(seconds(|| run(&self.threads)));
            plain = plain.min(seconds(|| plain_product(self.threads.width())));
        }
        let (gflops, plain_gflops) = (flops / best / 1e9, plain_flops(self.threads.width()) / plain / 1e9);
        let ratio = gflops / plain_gflops;
        if !self.json {
            println!("{kernel:<20} {dtype:<6} {shape:<13} {gflops:>8.1} {plain_gflops:>8.1} {ratio:>6.2}");
        }
        self.cases.push(json!({
            "kernel": kernel, "dtype": dtype, "shape": shape,
            "gflops": gflops, "plain_gflops": plain_gflops, "ratio": ratio,
        }));
    }
}

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// Rows and columns of the plain product of each thread.
const SIZE: usize = 768;

fn plain_flops(threads: usize) -> f64 {
    2.0 * (SIZE as f64).powi(3) * threads as f64
}

/// A square product on every thread.
fn plain_product(threads: usize) {
    let (a, b) = (vec![0.5_f32; SIZE * SIZE], vec![0.25_f32; SIZE * SIZE]);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut out = vec![0.0_f32; SIZE * SIZE];
                let stride = SIZE as isize;
                // SAFETY: three dense matrices of SIZE x SIZE elements.
                unsafe {
                    gemm_f32::gemm::f32::get_gemm_fn()(
                        SIZE,
                        SIZE,
                        SIZE,
                        out.as_mut_ptr(),
                        stride,
                        1,
                        false,
                        a.as_ptr(),
                        stride,
                        1,
                        b.as_ptr(),
                        stride,
                        1,
                        1.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm_common::Parallelism::None,
                    );
                }
            });
        }
    });
}
