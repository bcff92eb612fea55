//! A small model, run for three AdamW steps in any arrangement, and what must be equal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use collegium_core::DType;
use collegium_data::Batch;
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::ModelConfig;
use collegium_runtime::{PjrtBackend, platform};
use collegium_train::RandomInit;
use collegium_train::adapt::DispatchReport;
use collegium_train::engine::{Engine, Hyper, LossWeights, Settings, State};

/// The CPU plugin, or a line that says that the test is skipped.
pub fn plugin() -> Option<PathBuf> {
    let path = platform::by_name("cpu").unwrap().locate(None).unwrap();
    if path.is_none() {
        println!("skipped: no CPU plugin (run `collegium doctor --fetch`)");
    }
    path
}

fn backend(plugin: &Path, devices: usize) -> Arc<PjrtBackend> {
    let client = platform::by_name("cpu").unwrap().open(plugin, Some(devices)).unwrap();
    Arc::new(PjrtBackend::new(client, devices).unwrap())
}

/// Two layers of experts around a dense one, unless said otherwise; a vocabulary so small that some experts get nothing.
pub fn model(experts: usize, top_k: usize, dense: &[usize]) -> ModelConfig {
    let json = serde_json::json!({
        "model_type": "qwen3_moe", "vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "num_experts": experts, "num_experts_per_tok": top_k,
        "moe_intermediate_size": 24, "intermediate_size": 48, "mlp_only_layers": dense, "norm_topk_prob": true,
        "initializer_range": 0.3
    });
    ModelConfig::from_json(&json, "test").unwrap().0
}

fn batch(seed: i32) -> Batch {
    let (rows, seq) = (8, 12);
    let tokens: Vec<i32> = (0..rows * seq).map(|i| (i * i * 7 + i * 3 + seed * 11) % 40).collect();
    Batch {
        batch: rows as usize,
        seq: seq as usize,
        targets: tokens
            .iter()
            .enumerate()
            .map(|(i, t)| if i % 5 == 0 { -1 } else { (t * 5 + 1) % 40 })
            .collect(),
        segments: (0..rows * seq).map(|i| i32::from(i % seq > 7)).collect(),
        positions: (0..rows * seq).map(|i| if i % seq > 7 { i % seq - 8 } else { i % seq }).collect(),
        tokens,
    }
}

/// What a run gave.
pub struct Outcome {
    pub losses: Vec<f64>,
    /// Of the first step, by parameter.
    pub gradients: BTreeMap<String, Vec<f32>>,
    /// By step, then MoE layer.
    pub dispatch: Vec<Vec<DispatchReport>>,
}

/// A batch for every rank of a mesh of data x expert.
pub fn settings(data: usize, expert: usize, residuals: Residuals) -> Settings {
    Settings::new(DType::F32, residuals, 8 / (data * expert), 12)
}

/// Three steps of `model` on a mesh of data x expert.
pub fn run(plugin: &Path, model: &ModelConfig, data: usize, expert: usize, settings: Settings) -> Outcome {
    run_for(3, plugin, model, data, expert, settings)
}

/// So many steps of `model` on a mesh of data x expert.
pub fn run_for(
    steps: i32,
    plugin: &Path,
    model: &ModelConfig,
    data: usize,
    expert: usize,
    settings: Settings,
) -> Outcome {
    run_on(steps, plugin, model, Mesh::new(&[("data", data), ("expert", expert)]), settings)
}

/// So many steps of `model` on any mesh.
pub fn run_on(steps: i32, plugin: &Path, model: &ModelConfig, mesh: Mesh, settings: Settings) -> Outcome {
    let init = RandomInit::new(model, 3);
    let backend = backend(plugin, mesh.num_devices());
    let mut engine =
        Engine::new(backend, model.clone(), mesh, settings, &mut |n, s| init.value(n, s)).unwrap();
    let mut outcome = Outcome { losses: Vec::new(), gradients: BTreeMap::new(), dispatch: Vec::new() };
    for step in 1..=steps {
        let batch = batch(step);
        let weights = LossWeights { token: 1.0 / batch.num_targets() as f64, aux: 0.05, z: 0.01 };
        let loss = engine.micro_step(&batch, weights).unwrap();
        outcome.losses.push(loss.total);
        outcome.dispatch.push(loss.dispatch);
        if step == 1 {
            let mut take = |name: &str, _: &[usize], values: &[f32]| {
                outcome.gradients.insert(name.to_string(), values.to_vec());
                Ok(())
            };
            engine.export(State::Gradient, &mut take).unwrap();
        }
        let norm = engine.gradient_norm().unwrap();
        let hyper = Hyper { learning_rate: 1e-2, ..Hyper::benchmark(step as u64) };
        engine.update(&hyper, norm).unwrap();
        engine.adapter_mut().end_step().unwrap();
    }
    outcome
}

/// Length of the difference over the length of `b`.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(x, y)| f64::from(x - y)))
        / norm(&mut b.iter().map(|&x| f64::from(x))).max(1e-12)
}

/// Losses within 1e-5 and gradients within 1e-4 of the reference, relative.
pub fn assert_equal(many: &Outcome, one: &Outcome, what: &str) {
    for (a, b) in many.losses.iter().zip(&one.losses) {
        assert!((a - b).abs() <= 1e-5 * b.abs(), "{what}: losses {:?} and {:?}", many.losses, one.losses);
    }
    for (name, gradient) in &one.gradients {
        let error = distance(&many.gradients[name], gradient);
        assert!(error < 1e-4, "{what}: gradient of {name} differs by {error:.1e}");
    }
}
