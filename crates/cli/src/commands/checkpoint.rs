//! What commands that read a checkpoint share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use collegium_checkpoint::CheckpointDir;
use collegium_core::DType;
use collegium_data::Tokenizer;
use collegium_hlo::Residuals;
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use collegium_train::engine::{Engine, Settings};
use collegium_train::{TrainError, setup};

use crate::args::DeviceArgs;

/// The checkpoint at `path`: itself, or a run's newest.
pub fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    if path.join("config.json").exists() {
        return Ok(path.to_path_buf());
    }
    let checkpoints = path.join("checkpoints");
    if !checkpoints.is_dir() {
        anyhow::bail!(
            "{} is neither a checkpoint (no config.json) nor a run (no checkpoints/)",
            path.display()
        );
    }
    match CheckpointDir::new(&checkpoints)?.latest()? {
        Some(newest) => Ok(newest.path),
        None => Err(TrainError::NoCheckpoint { run: path.into() }.into()),
    }
}

/// The tokenizer beside a checkpoint.
pub fn tokenizer(folder: &Path) -> anyhow::Result<Tokenizer> {
    let file = folder.join("tokenizer.json");
    if !file.exists() {
        anyhow::bail!("{} has no tokenizer.json; copy the model's tokenizer there", folder.display());
    }
    Ok(Tokenizer::from_file(&file, None)?)
}

/// The model of a checkpoint for `batch` sequences of `seq` tokens.
pub fn engine(folder: &Path, device: &DeviceArgs, batch: usize, seq: usize) -> anyhow::Result<Engine> {
    let (config, warnings) = ModelConfig::from_file(&folder.join("config.json"))?;
    warnings.iter().for_each(|w| eprintln!("warning: {w}"));
    if device.devices == 0 || !batch.is_multiple_of(device.devices) {
        anyhow::bail!(
            "--batch {batch} does not divide over --devices {}; make it a multiple",
            device.devices
        );
    }
    let backend = backend(device)?;
    let settings =
        Settings { dtype: DType::F32, residuals: Residuals::Recompute, batch: batch / device.devices, seq };
    let mesh = setup::mesh(device.devices, device.devices);
    setup::load(&config, backend, mesh, settings, Some(folder), 0)
        .with_context(|| format!("cannot load {}", folder.display()))
}

/// The devices asked for.
pub fn backend(device: &DeviceArgs) -> anyhow::Result<Arc<dyn Backend>> {
    Ok(setup::open_backend(&device.platform, device.devices)?)
}
