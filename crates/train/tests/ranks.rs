//! Loss and gradients do not depend on the number of ranks, nor on how the mesh is cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use collegium_core::DType;
use collegium_data::Batch;
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::ModelConfig;
use collegium_runtime::{PjrtBackend, platform};
use collegium_train::engine::{Engine, Hyper, LossWeights, Settings, State};
use collegium_train::{RandomInit, TrainError};

fn plugin() -> Option<PathBuf> {
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

/// Eight experts, top-3; a vocabulary so small that some experts get nothing.
fn model() -> ModelConfig {
    let json = serde_json::json!({
        "model_type": "qwen3_moe", "vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "num_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 24,
        "intermediate_size": 48, "mlp_only_layers": [1], "norm_topk_prob": true, "initializer_range": 0.3
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

struct Outcome {
    losses: Vec<f64>,
    gradients: BTreeMap<String, Vec<f32>>,
}

fn run(plugin: &Path, data: usize, expert: usize, residuals: Residuals) -> Result<Outcome, TrainError> {
    let mesh = Mesh::new(&[("data", data), ("expert", expert)]);
    let backend = backend(plugin, data * expert);
    let config = model();
    let init = RandomInit::new(&config, 3);
    let settings = Settings::new(DType::F32, residuals, 8 / (data * expert), 12);
    let mut engine = Engine::new(backend, config, mesh, settings, &mut |n, s| init.value(n, s))?;
    let mut losses = Vec::new();
    let mut gradients = BTreeMap::new();
    for step in 1..=3 {
        let batch = batch(step);
        let weights = LossWeights { token: 1.0 / batch.num_targets() as f64, aux: 0.05, z: 0.01 };
        losses.push(engine.micro_step(&batch, weights)?.total);
        if step == 1 {
            engine.export(State::Gradient, &mut |name, _, values| {
                gradients.insert(name.to_string(), values.to_vec());
                Ok(())
            })?;
        }
        let norm = engine.gradient_norm()?;
        let hyper = Hyper {
            learning_rate: 1e-2,
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            max_norm: 1.0,
            step: step as u64,
        };
        engine.update(&hyper, norm)?;
    }
    Ok(Outcome { losses, gradients })
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(x, y)| f64::from(x - y)))
        / norm(&mut b.iter().map(|&x| f64::from(x))).max(1e-12)
}

#[test]
fn any_mesh_and_policy_gives_the_loss_and_gradients_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    let one = run(&plugin, 1, 1, Residuals::Everything).unwrap();
    assert!(one.losses[0] > 3.0 && one.gradients.len() == 3 * 8 + 2 * (1 + 8 * 3) + 3 + 3);
    let meshes = [
        (1, 1, Residuals::Dots),
        (1, 1, Residuals::Recompute),
        (1, 2, Residuals::Dots),
        (2, 1, Residuals::Dots),
        (2, 2, Residuals::Dots),
        (1, 4, Residuals::Recompute),
        (2, 4, Residuals::Dots),
        (1, 8, Residuals::Dots),
    ];
    for (data, expert, residuals) in meshes {
        let many = run(&plugin, data, expert, residuals).unwrap();
        for (a, b) in many.losses.iter().zip(&one.losses) {
            assert!(
                (a - b).abs() <= 1e-5 * b.abs(),
                "{data}x{expert} {residuals:?}: losses {:?} and {:?}",
                many.losses,
                one.losses
            );
        }
        for (name, gradient) in &one.gradients {
            let error = distance(&many.gradients[name], gradient);
            assert!(error < 1e-4, "{data}x{expert} {residuals:?}: gradient of {name} differs by {error:.1e}");
        }
    }
}
