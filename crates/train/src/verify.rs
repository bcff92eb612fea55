//! Comparison with a reference: a folder with a checkpoint and `reference.safetensors` (`input_ids` i32 [batch, seq], `logits`,
//! `loss`, `ce_loss`, optionally `aux_loss`, `grad/<parameter>`), as `fixtures/make_fixtures.py` writes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use collegium_checkpoint::SafetensorsReader;
use collegium_core::DType;
use collegium_data::Batch;
use collegium_hlo::Residuals;
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use serde::Serialize;

use crate::engine::{LossWeights, Settings, State};
use crate::{TrainError, setup};

/// How far a model is from its reference.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The folder.
    pub case: String,
    /// The family.
    pub family: String,
    /// Largest absolute difference of a logit.
    pub max_logit_error: f64,
    /// Relative difference of the cross-entropy.
    pub ce_loss_error: f64,
    /// Relative difference of the whole loss.
    pub loss_error: f64,
    /// Norm of the difference over the norm, of the parameter for which it is largest.
    pub max_gradient_error: f64,
    /// That parameter.
    pub worst_gradient: String,
    /// The same for every parameter.
    pub gradient_errors: BTreeMap<String, f64>,
    /// Whether all are within the limits.
    pub passed: bool,
}

/// How far a model may be from its reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Largest absolute difference of a logit.
    pub max_logit_error: f64,
    /// Relative difference of a loss.
    pub loss_error: f64,
    /// Norm of the difference of a parameter's gradient over the norm.
    pub max_gradient_error: f64,
}

impl Limits {
    /// Those of a computation in `dtype`, against a reference in f32.
    ///
    /// A bf16 number has 8 bits: each rounding is off by 2^-9 of the value at most, and a layer has a dozen of them one after another. Where two experts'
    /// scores are closer than that, the other one may be chosen, which moves the logits of that token and the gradients of both. The loss, a mean, is held tighter.
    pub fn of(dtype: DType) -> Self {
        match dtype {
            DType::Bf16 => Self { max_logit_error: 0.2, loss_error: 5e-4, max_gradient_error: 0.3 },
            _ => Self { max_logit_error: 2e-4, loss_error: 1e-5, max_gradient_error: 1e-3 },
        }
    }
}

/// Verifies one folder on `devices` ranks.
///
/// # Errors
/// A folder that lacks a part, or what the device says.
pub fn verify(folder: &Path, backend: Arc<dyn Backend>, dtype: DType) -> Result<Verification, TrainError> {
    let (config, _) = ModelConfig::from_file(&folder.join("config.json"))?;
    let reference = SafetensorsReader::open(&folder.join("reference.safetensors"))?;
    let ids = reference.read("input_ids")?;
    let [rows, seq] = ids.sizes()[..] else {
        return Err(TrainError::Reference { what: "input_ids must have two dims".into() });
    };
    let devices = backend.num_devices();
    if !rows.is_multiple_of(devices) {
        return Err(TrainError::Reference {
            what: format!("{rows} sequences do not divide over {devices} devices"),
        });
    }
    let settings = Settings::new(dtype, Residuals::Dots, rows / devices, seq);
    let aux_weight = if reference.info("aux_loss").is_ok() { config.router_aux_loss_coef } else { 0.0 };
    let mesh = setup::mesh(devices, devices, 1);
    let mut engine = setup::load(&config, backend, mesh, settings, Some(folder), 0)?;
    let batch = next_token_batch(
        &ids.to_f64().iter().map(|&v| v as i32).collect::<Vec<_>>(),
        rows,
        seq,
        config.vocab_size,
    )?;

    let logits = engine.logits(&batch)?;
    let weights = LossWeights { token: 1.0 / batch.num_targets() as f64, aux: aux_weight, z: 0.0 };
    let loss = engine.micro_step(&batch, weights)?;
    let mut gradient_errors = BTreeMap::new();
    engine.export(State::Gradient, &mut |name, sizes, values| {
        let expected = reference.read_f32(&format!("grad/{name}"), sizes)?;
        gradient_errors.insert(name.to_string(), relative_distance(values, &expected));
        Ok(())
    })?;

    let expected = reference.read_f32("logits", &[rows, seq, config.vocab_size])?;
    let max_logit_error =
        logits.iter().zip(&expected).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, larger);
    let scalar = |name: &str| -> Result<f64, TrainError> { Ok(reference.read(name)?.to_f64()[0]) };
    let relative = |got: f64, wanted: f64| (got - wanted).abs() / wanted.abs().max(1e-30);
    let ce_loss_error = relative(loss.ce, scalar("ce_loss")?);
    let loss_error = relative(loss.total, scalar("loss")?);
    let worst = gradient_errors.iter().max_by(|a, b| a.1.total_cmp(b.1)).map(|(n, e)| (n.clone(), *e));
    let (worst_gradient, max_gradient_error) = worst.unwrap_or_default();
    let limits = Limits::of(dtype);
    let passed = max_logit_error <= limits.max_logit_error
        && ce_loss_error <= limits.loss_error
        && loss_error <= limits.loss_error
        && max_gradient_error <= limits.max_gradient_error;
    Ok(Verification {
        case: folder.display().to_string(),
        family: config.family.into(),
        max_logit_error,
        ce_loss_error,
        loss_error,
        max_gradient_error,
        worst_gradient,
        gradient_errors,
        passed,
    })
}

/// Every token predicts the next; the last of a sequence counts for nothing.
fn next_token_batch(ids: &[i32], rows: usize, seq: usize, vocab: usize) -> Result<Batch, TrainError> {
    if let Some(id) = ids.iter().find(|&&id| id < 0 || id as usize >= vocab) {
        return Err(TrainError::TokenId { id: i64::from(*id), vocab });
    }
    let targets = (0..rows * seq).map(|i| if i % seq == seq - 1 { -1 } else { ids[i + 1] }).collect();
    let positions = (0..rows).flat_map(|_| 0..seq as i32).collect();
    Ok(Batch { batch: rows, seq, tokens: ids.to_vec(), targets, segments: vec![0; rows * seq], positions })
}

fn larger(a: f64, b: f64) -> f64 {
    // NaN must not hide.
    if b.is_nan() || a.is_nan() { f64::NAN } else { a.max(b) }
}

/// |got - expected| / |expected|
fn relative_distance(got: &[f32], expected: &[f32]) -> f64 {
    let square = |v: f64| v * v;
    let difference: f64 = got.iter().zip(expected).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    let norm: f64 = expected.iter().map(|&b| square(f64::from(b))).sum();
    if norm == 0.0 { difference.sqrt() } else { (difference / norm).sqrt() }
}
