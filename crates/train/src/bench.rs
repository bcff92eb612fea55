//! How fast training steps are, as a share of the rate of one large matrix product with the same plugin in the same run.

use std::sync::Arc;
use std::time::Instant;

use collegium_core::{DType, HostTensor};
use collegium_data::Batch;
use collegium_hlo::{Graph, Mesh, dim};
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use serde::Serialize;

use crate::engine::{Engine, Hyper, LossWeights, Settings};
use crate::{RandomInit, TrainError};
use collegium_core::SplitMix64;

/// What a benchmark measured.
#[derive(Clone, Debug, Serialize)]
pub struct TrainBench {
    /// Tokens a second, median over the steps.
    pub tokens_per_second: f64,
    /// Fastest step.
    pub best_tokens_per_second: f64,
    /// 6 x active parameters x tokens + attention, over the median step.
    pub model_gflops: f64,
    /// Rate of a large f32 product on all devices, measured before and after.
    pub gemm_gflops: f64,
    /// `model_gflops / gemm_gflops`.
    pub share_of_gemm: f64,
    /// Seconds to compile all programs, with nothing in the cache.
    pub compile_seconds: f64,
    /// Seconds to have them all once more: from the cache, where the backend keeps compiled programs.
    pub cached_compile_seconds: f64,
    /// Median seconds of a step.
    pub step_seconds: f64,
    /// Median seconds until the loss was known.
    pub forward_seconds: f64,
    /// Median seconds from there until the gradients were.
    pub backward_seconds: f64,
    /// Median seconds of the update.
    pub optimizer_seconds: f64,
    /// Most memory the process held, in bytes; 0 where the system does not tell.
    pub peak_bytes: u64,
    /// Steps measured.
    pub steps: usize,
}

/// Model FLOPs of one step: 6 per active parameter and token, and attention's products forward and backward.
pub fn step_flops(config: &ModelConfig, tokens: usize, seq: usize) -> f64 {
    let attention = 12.0 * (config.num_layers * config.num_heads * config.head_dim * seq) as f64 / 2.0;
    (6.0 * config.num_active_parameters() as f64 + attention) * tokens as f64
}

/// Measures `steps` whole training steps, AdamW included, on random tokens.
///
/// # Errors
/// What the engine says.
pub fn train_steps(
    backend: Arc<dyn Backend>,
    config: ModelConfig,
    mesh: Mesh,
    settings: Settings,
    steps: usize,
    progress: &mut dyn FnMut(usize, f64),
) -> Result<TrainBench, TrainError> {
    let gemm_before = gemm_gflops(&*backend)?;
    let init = RandomInit::new(&config, 0);
    let flops = step_flops(&config, settings.batch * settings.seq * backend.num_devices(), settings.seq);
    let vocab = config.vocab_size as u64;
    let mut engine = Engine::new(backend, config, mesh, settings, &mut |n, s| init.value(n, s))?;
    let compile_seconds = engine.compile()?;
    let cached_compile_seconds = engine.compile_again()?;
    let rows = engine.global_batch();
    let tokens = rows * settings.seq;
    let (mut forward, mut backward, mut update, mut whole) = (vec![], vec![], vec![], vec![]);
    for step in 0..=steps {
        let batch = random_batch(rows, settings.seq, vocab, step as u64);
        let started = Instant::now();
        let loss =
            engine.micro_step(&batch, LossWeights { token: 1.0 / tokens as f64, aux: 0.01, z: 0.0 })?;
        let norm = engine.gradient_norm()?;
        let gradients = started.elapsed().as_secs_f64();
        engine.update(&Hyper::benchmark(step as u64 + 1), norm)?;
        engine.finish_update()?;
        let seconds = started.elapsed().as_secs_f64();
        progress(step, tokens as f64 / seconds);
        // The first step warms caches and compiles what depends on routing.
        if step > 0 {
            forward.push(loss.forward_seconds);
            backward.push(gradients - loss.forward_seconds);
            update.push(seconds - gradients);
            whole.push(seconds);
        }
    }
    let gemm = gemm_before.max(gemm_gflops(engine.backend())?);
    let step_seconds = median(&mut whole);
    let model_gflops = flops / step_seconds / 1e9;
    Ok(TrainBench {
        tokens_per_second: tokens as f64 / step_seconds,
        best_tokens_per_second: tokens as f64 / whole[0],
        model_gflops,
        gemm_gflops: gemm,
        share_of_gemm: model_gflops / gemm,
        compile_seconds,
        cached_compile_seconds,
        step_seconds,
        forward_seconds: median(&mut forward),
        backward_seconds: median(&mut backward),
        optimizer_seconds: median(&mut update),
        peak_bytes: peak_bytes(),
        steps,
    })
}

/// Rate of a square f32 product, all devices together.
///
/// # Errors
/// What the device says.
pub fn gemm_gflops(backend: &dyn Backend) -> Result<f64, TrainError> {
    const SIZE: usize = 1536;
    let devices = backend.num_devices();
    let graph = Graph::new(Mesh::new(&[("data", devices)]));
    let a = graph.parameter("a", DType::F32, &[dim("row", SIZE), dim("inner", SIZE)]);
    let b = graph.parameter("b", DType::F32, &[dim("inner", SIZE), dim("column", SIZE)]);
    let program = backend.compile(&graph.finish("gemm", &[("c", a.dot(b, &["inner"]))])?)?;
    let values =
        backend.replicate(&HostTensor::from_f64(DType::F32, &[SIZE, SIZE], &vec![0.5; SIZE * SIZE]))?;
    let mut best = f64::INFINITY;
    for _ in 0..8 {
        let started = Instant::now();
        program.run(vec![values.clone(), values.clone()])?[0].wait()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(2.0 * (SIZE as f64).powi(3) * devices as f64 / best / 1e9)
}

pub(crate) fn random_batch(rows: usize, seq: usize, vocab: u64, seed: u64) -> Batch {
    let mut random = SplitMix64::new(seed);
    let mut next = || (random.next() % vocab) as i32;
    let tokens: Vec<i32> = (0..rows * seq).map(|_| next()).collect();
    let targets: Vec<i32> = (0..rows * seq).map(|_| next()).collect();
    let positions = (0..rows).flat_map(|_| 0..seq as i32).collect();
    Batch { batch: rows, seq, segments: vec![0; tokens.len()], tokens, targets, positions }
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Largest resident size of this process so far (Linux).
pub fn peak_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Resident size of this process (Linux).
pub fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

fn status_bytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(name));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kb| kb * 1024)
}
