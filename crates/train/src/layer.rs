//! How fast the experts of one MoE layer are, forward and backward: the programs that training runs for them, on random rows, with
//! even and with skewed routing in turns, as shares of the rate of one large matrix product in the same turns.

use std::time::Instant;

use collegium_core::{DType, HostTensor, SplitMix64};
use collegium_hlo::Mesh;
use collegium_model::config::{ModelConfig, MoeConfig};
use collegium_model::programs;
use collegium_runtime::{Array, Backend};
use serde::Serialize;

use crate::TrainError;
use crate::adapt::Adapter;
use crate::bench::{gemm_gflops, median, peak_bytes};
use crate::engine::{Env, Halves, Settings, compile_all, program_shape};
use crate::tax::{Popularity, Skew};

/// What a benchmark of one layer measured.
#[derive(Clone, Debug, Serialize)]
pub struct LayerBench {
    /// Rate of a large f32 product, the best of all turns.
    pub gemm_gflops: f64,
    /// Seconds to compile both programs.
    pub compile_seconds: f64,
    /// Most memory the process held, in bytes; 0 where the system does not tell.
    pub peak_bytes: u64,
    /// By routing.
    pub routings: Vec<RoutingRow>,
}

/// The layer under one routing.
#[derive(Clone, Debug, Serialize)]
pub struct RoutingRow {
    /// Popularity of the n-th expert is 1 / n to this power.
    pub exponent: f64,
    /// Rows of the fullest expert over the mean.
    pub max_over_mean: f64,
    /// Median seconds, forward and backward.
    pub seconds: f64,
    /// Median seconds of the forward half.
    pub forward_seconds: f64,
    /// Median seconds of the backward half.
    pub backward_seconds: f64,
    /// The products' FLOPs over the median.
    pub gflops: f64,
    /// Median over the turns of this rate over that of the matrix product of the same turn.
    pub share_of_gemm: f64,
}

/// FLOPs of a gated feed-forward's three products, forward and backward, over all chosen rows.
pub fn layer_flops(moe: &MoeConfig, hidden: usize, tokens: usize) -> f64 {
    18.0 * (tokens * moe.top_k) as f64 * (hidden * moe.intermediate) as f64
}

/// Measures `turns` turns, after one that is not counted, on the experts of the first layer of `config`: each turn is one matrix
/// product and the layer under every exponent.
///
/// # Errors
/// What the device says.
///
/// # Panics
/// If the first layer has no experts.
pub fn layer(
    backend: &dyn Backend,
    config: &ModelConfig,
    settings: Settings,
    exponents: &[f64],
    turns: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<LayerBench, TrainError> {
    let mesh = Mesh::new(&[("data", 1)]);
    let moe = config.layers[0].feed_forward.moe().expect("the layer has experts");
    let tokens = settings.batch * settings.seq;
    let mut adapter = Adapter::new(backend, &mesh, config, settings.exchange.transport, settings.balance)?;
    let bucket = adapter.only_bucket(moe.num_experts, tokens * moe.top_k);
    let shape = program_shape(config, &mesh, settings);
    let halves = Halves::new(programs::expert_layer(&shape, moe, bucket, adapter.block())?);
    let compile_seconds = compile_all(backend, &[halves.forward.clone(), halves.backward.clone()])?;
    let inputs = inputs(backend, moe, config.hidden_size, tokens, settings.dtype)?;
    let mut contenders = Vec::new();
    for &exponent in exponents {
        contenders.push(Contender::new(backend, config, &mut adapter, tokens, exponent)?);
    }
    let mut gemm = Vec::new();
    for turn in 0..=turns {
        let rate = gemm_gflops(backend)?;
        for contender in &mut contenders {
            let seconds = contender.run(backend, &halves, &inputs)?;
            if turn > 0 {
                contender.seconds.push(seconds);
            }
        }
        if turn > 0 {
            gemm.push(rate);
        }
        progress(turn);
    }
    let flops = layer_flops(moe, config.hidden_size, tokens);
    Ok(LayerBench {
        gemm_gflops: gemm.iter().copied().fold(0.0, f64::max),
        compile_seconds,
        peak_bytes: peak_bytes(),
        routings: contenders.iter().map(|c| c.row(flops, &gemm)).collect(),
    })
}

/// Rows, weights and the cotangent, of about the size that they have in training.
fn inputs(
    backend: &dyn Backend,
    moe: &MoeConfig,
    hidden: usize,
    tokens: usize,
    dtype: DType,
) -> Result<Env, TrainError> {
    let (experts, inner, k) = (moe.num_experts, moe.intermediate, moe.top_k);
    let named: [(&str, DType, &[usize], f64); 7] = [
        ("mixed", dtype, &[tokens, hidden], 1.0),
        ("normed", dtype, &[tokens, hidden], 1.0),
        ("gates", DType::F32, &[tokens, k], 1.0 / k as f64),
        ("gate", dtype, &[experts, inner, hidden], 0.02),
        ("up", dtype, &[experts, inner, hidden], 0.02),
        ("down", dtype, &[experts, hidden, inner], 0.02),
        ("d.hidden_out", dtype, &[tokens, hidden], 1e-3),
    ];
    let mut random = SplitMix64::new(1);
    let mut env = Env::default();
    for (name, dtype, sizes, scale) in named {
        let count = sizes.iter().product();
        let values: Vec<f64> = (0..count).map(|_| scale * (2.0 * random.uniform() - 1.0)).collect();
        env = env.with(name, backend.replicate(&HostTensor::from_f64(dtype, sizes, &values))?);
    }
    Ok(env)
}

struct Contender {
    exponent: f64,
    max_over_mean: f64,
    /// The choices and the tables of their dispatch.
    routed: Env,
    /// Forward and backward, by turn.
    seconds: Vec<[f64; 2]>,
}

impl Contender {
    fn new(
        backend: &dyn Backend,
        config: &ModelConfig,
        adapter: &mut Adapter,
        tokens: usize,
        exponent: f64,
    ) -> Result<Self, TrainError> {
        let moe = config.layers[0].feed_forward.moe().expect("the layer has experts");
        let choices = Popularity::new(config, Skew { exponent, seed: 0 }).routing(tokens, 1).swap_remove(0);
        let mut counts = vec![0_f32; moe.num_experts];
        choices[0].to_vec::<i32>().into_iter().for_each(|e| counts[e as usize] += 1.0);
        let reported = backend.replicate(&HostTensor::new(&[counts.len()], &counts))?;
        let rows = tokens * moe.top_k;
        let dispatch = adapter.plan(0, &reported, rows, backend)?;
        let fullest = counts.iter().copied().fold(0.0, f32::max);
        Ok(Self {
            exponent,
            max_over_mean: f64::from(fullest) * moe.num_experts as f64 / rows as f64,
            routed: dispatch.tables.with("choices", backend.upload(&choices)?),
            seconds: Vec::new(),
        })
    }

    /// Seconds of the forward and of the backward half.
    fn run(&self, backend: &dyn Backend, halves: &Halves, inputs: &Env) -> Result<[f64; 2], TrainError> {
        let given = |name: &str| inputs.get(name).or_else(|| self.routed.get(name)).cloned();
        let started = Instant::now();
        let made = finished(halves.forward.call(backend, given)?)?;
        let forward = started.elapsed().as_secs_f64();
        finished(halves.backward.call(backend, |name| made.get(name).cloned().or_else(|| given(name)))?)?;
        Ok([forward, started.elapsed().as_secs_f64() - forward])
    }

    fn row(&self, flops: f64, gemm: &[f64]) -> RoutingRow {
        let of = |pick: fn(&[f64; 2]) -> f64| median(&mut self.seconds.iter().map(pick).collect::<Vec<_>>());
        let seconds = of(|[forward, backward]| forward + backward);
        let share =
            |([forward, backward], gemm): (&[f64; 2], &f64)| flops / (forward + backward) / 1e9 / gemm;
        RoutingRow {
            exponent: self.exponent,
            max_over_mean: self.max_over_mean,
            seconds,
            forward_seconds: of(|s| s[0]),
            backward_seconds: of(|s| s[1]),
            gflops: flops / seconds / 1e9,
            share_of_gemm: median(&mut self.seconds.iter().zip(gemm).map(share).collect::<Vec<_>>()),
        }
    }
}

/// What a program made, when it is all there.
fn finished(env: Env) -> Result<Env, TrainError> {
    env.iter().try_for_each(|(_, array): (&str, &Array)| array.wait())?;
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flops_are_those_of_three_products_and_their_two_gradients_each() {
        let moe = MoeConfig { num_experts: 4, top_k: 2, intermediate: 3, norm_topk_prob: true };
        assert_eq!(layer_flops(&moe, 5, 7), 3.0 * 3.0 * 2.0 * 14.0 * 15.0);
    }
}
