//! What commands that read a checkpoint share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use collegium_checkpoint::CheckpointDir;
use collegium_core::DType;
use collegium_data::Tokenizer;
use collegium_hlo::Residuals;
use collegium_model::config::ModelConfig;
use collegium_runtime::{Backend, platform};
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

/// A checkpoint to use: its description was read and fits its tokenizer, its weights are still on the disk.
pub struct Model {
    /// Where it is.
    pub folder: PathBuf,
    /// What it is.
    pub config: ModelConfig,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
}

impl Model {
    /// The checkpoint at `path`, or the newest of the run there.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let folder = folder(path)?;
        let file = folder.join("tokenizer.json");
        if !file.exists() {
            anyhow::bail!("{} has no tokenizer.json; copy the model's tokenizer there", folder.display());
        }
        let tokenizer = Tokenizer::from_file(&file, None)?;
        let (config, warnings) = ModelConfig::from_file(&folder)?;
        warnings.iter().for_each(|w| eprintln!("warning: {w}"));
        setup::check_vocabulary(&config, tokenizer.vocab_size())?;
        Ok(Self { folder, config, tokenizer })
    }

    /// The model on devices, for `batch` sequences of `seq` tokens.
    pub fn engine(&self, device: &DeviceArgs, batch: usize, seq: usize) -> anyhow::Result<Engine> {
        let devices = device.devices;
        let backend = backend(device)?;
        if batch == 0 || !batch.is_multiple_of(devices) {
            anyhow::bail!("--batch {batch} does not divide over --devices {devices}; make it a multiple");
        }
        let batch = batch / devices;
        let settings = Settings::new(DType::F32, Residuals::Recompute, batch, seq);
        let mesh = setup::mesh(devices, devices, 1);
        setup::load(&self.config, backend, mesh, settings, Some(&self.folder), 0)
            .with_context(|| format!("cannot load {}", self.folder.display()))
    }
}

/// The devices asked for.
pub fn backend(device: &DeviceArgs) -> anyhow::Result<Arc<dyn Backend>> {
    backend_with(device, platform::program_folder())
}

/// The devices asked for, with compiled programs in the folder `programs`, or kept nowhere.
pub fn backend_with(device: &DeviceArgs, programs: Option<PathBuf>) -> anyhow::Result<Arc<dyn Backend>> {
    if device.devices == 0 {
        anyhow::bail!("--devices is 0; at least 1 is needed");
    }
    Ok(setup::open_backend_with(&device.platform, device.devices, programs)?)
}
