//! How fast one MoE layer is, forward and backward, beside one large matrix product: with even and with skewed routing, in turns.

use std::time::Instant;

use collegium_balance::{Bucket, Counts, Layout, Plan, Tables, Topology};
use collegium_core::{DType, HostTensor, SplitMix64};
use collegium_hlo::Mesh;
use collegium_model::config::{ModelConfig, MoeConfig};
use collegium_model::layers::Transport;
use collegium_model::layers::transport::{Local, Sizes};
use collegium_model::programs;
use collegium_runtime::{Array, Backend};
use serde::Serialize;

use crate::TrainError;
use crate::bench::{gemm_gflops, median};
use crate::engine::{Compiled, Env, Halves, Settings, program_shape};
use crate::tax::{Skew, zipf_routing};

/// What was measured with one routing.
#[derive(Clone, Debug, Serialize)]
pub struct LayerRow {
    /// Popularity of the n-th expert is 1 / n to this power; 0 is uniform routing.
    pub zipf: f64,
    /// Rows of the fullest expert over the mean.
    pub max_over_mean: f64,
    /// Median seconds of the forward half.
    pub forward_seconds: f64,
    /// Median seconds of the backward half.
    pub backward_seconds: f64,
    /// FLOPs of the products over the median seconds of both halves.
    pub gflops: f64,
    /// Rate of a large f32 product, measured before and after; the better one.
    pub gemm_gflops: f64,
    /// The ratio of the two.
    pub share_of_gemm: f64,
}

/// One routing with its buffers.
struct Case {
    zipf: f64,
    max_over_mean: f64,
    given: Env,
    seconds: [Vec<f64>; 2],
}

/// Measures `rounds` passes through the first sparse layer of `config` for each routing, in turns, on one device; one more is not counted.
///
/// # Errors
/// What the device says.
///
/// # Panics
/// If no layer is sparse, or there is no routing.
pub fn layer(
    backend: &dyn Backend,
    config: &ModelConfig,
    settings: Settings,
    skews: &[f64],
    rounds: usize,
) -> Result<Vec<LayerRow>, TrainError> {
    let gemm_before = gemm_gflops(backend)?;
    let moe = config.layers.iter().find_map(|l| l.feed_forward.moe()).expect("a sparse layer");
    let tokens = settings.batch * settings.seq;
    let block = backend.block_rows();
    let routed: Vec<(f64, HostTensor, Plan)> =
        skews.iter().map(|&zipf| routing(moe, tokens, zipf)).collect::<Result<_, _>>()?;
    let needs = routed.iter().map(|(_, _, plan)| Tables::need(plan, block));
    let bucket = needs.reduce(Bucket::union).expect("a routing");
    let shape = program_shape(config, &Mesh::single(), settings);
    let halves = Halves::new(programs::expert_layer(&shape, moe, bucket, block)?);
    let sizes = Sizes { topology: Topology::one_node(1), experts: moe.num_experts, bucket, block };
    let values = inputs(backend, config.hidden_size, moe, tokens, settings.dtype)?;
    let mut cases = Vec::new();
    for (zipf, choices, plan) in &routed {
        let mut given = values.clone().with("choices", backend.replicate(choices)?);
        for (table, tensor) in Local.inputs(&sizes).iter().zip(&Local.tables(plan, &sizes)[0]) {
            given = given.with(table.name, backend.replicate(tensor)?);
        }
        let rows = plan.slot_rows(0);
        let mean = (tokens * moe.top_k) as f64 / moe.num_experts as f64;
        let max_over_mean = rows.iter().copied().max().unwrap_or(0) as f64 / mean;
        cases.push(Case { zipf: *zipf, max_over_mean, given, seconds: [Vec::new(), Vec::new()] });
    }
    for round in 0..=rounds {
        for case in &mut cases {
            let seconds = pass(backend, &halves, &case.given)?;
            if round > 0 {
                case.seconds.iter_mut().zip(seconds).for_each(|(all, s)| all.push(s));
            }
        }
    }
    let gemm = gemm_before.max(gemm_gflops(backend)?);
    // Three matrices, each in three products.
    let flops = 18.0 * (tokens * moe.top_k) as f64 * (config.hidden_size * moe.intermediate) as f64;
    Ok(cases.iter_mut().map(|case| case.row(flops, gemm)).collect())
}

impl Case {
    fn row(&mut self, flops: f64, gemm: f64) -> LayerRow {
        let [forward, backward] = self.seconds.each_mut().map(|s| median(s));
        let gflops = flops / (forward + backward) / 1e9;
        LayerRow {
            zipf: self.zipf,
            max_over_mean: self.max_over_mean,
            forward_seconds: forward,
            backward_seconds: backward,
            gflops,
            gemm_gflops: gemm,
            share_of_gemm: gflops / gemm,
        }
    }
}

/// Seconds of both halves.
fn pass(backend: &dyn Backend, halves: &Halves, given: &Env) -> Result<[f64; 2], TrainError> {
    let run = |program: &Compiled, known: &Env| -> Result<(Env, f64), TrainError> {
        let started = Instant::now();
        let out = program.call(backend, |name| known.get(name).cloned())?;
        out.iter().try_for_each(|(_, array)| array.wait())?;
        Ok((out, started.elapsed().as_secs_f64()))
    };
    let (kept, forward) = run(&halves.forward, given)?;
    let (_, backward) = run(&halves.backward, &kept.and(given))?;
    Ok([forward, backward])
}

/// Choices of every token, and the plan of a lone rank for them.
fn routing(moe: &MoeConfig, tokens: usize, zipf: f64) -> Result<(f64, HostTensor, Plan), TrainError> {
    let experts = moe.num_experts;
    let choices = zipf_routing(Skew { exponent: zipf, seed: 0 }, experts, moe.top_k, tokens);
    let mut rows = vec![0_u32; experts];
    choices.to_vec::<i32>().iter().for_each(|&e| rows[e as usize] += 1);
    let counts = Counts::new(experts, rows)?;
    let plan = Plan::homes(&Layout::contiguous(1, experts)?, &counts)?;
    Ok((zipf, choices, plan))
}

/// Everything but routing: random numbers of the size that training has.
fn inputs(
    backend: &dyn Backend,
    width: usize,
    moe: &MoeConfig,
    tokens: usize,
    dtype: DType,
) -> Result<Env, TrainError> {
    let mut random = SplitMix64::new(1);
    let MoeConfig { num_experts: experts, top_k, intermediate: inner, .. } = *moe;
    let mut tensor = |dtype, sizes: &[usize], scale: f64| -> Result<Array, TrainError> {
        let count = sizes.iter().product();
        let values: Vec<f64> = (0..count).map(|_| (random.uniform() * 2.0 - 1.0) * scale).collect();
        Ok(backend.replicate(&HostTensor::from_f64(dtype, sizes, &values))?)
    };
    Ok(Env::default()
        .with("mixed", tensor(dtype, &[tokens, width], 1.0)?)
        .with("normed", tensor(dtype, &[tokens, width], 1.0)?)
        .with("gates", tensor(DType::F32, &[tokens, top_k], 0.2)?)
        .with("gate", tensor(dtype, &[experts, inner, width], 0.05)?)
        .with("up", tensor(dtype, &[experts, inner, width], 0.05)?)
        .with("down", tensor(dtype, &[experts, width, inner], 0.05)?)
        .with("d.hidden_out", tensor(dtype, &[tokens, width], 1.0)?))
}
