//! What a checkpoint holds: the model as a Hugging Face folder (f32, loadable as it is), the optimizer's moments by the same
//! names, and where the run stood. Names and whole tensors, so that any number of ranks can take it up again.

use std::path::Path;

use collegium_checkpoint::{SafetensorsReader, SafetensorsWriter, write_file};
use collegium_core::DType;
use collegium_data::{StreamState, Tokenizer};
use collegium_model::config::ModelConfig;
use collegium_model::params;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::engine::{Engine, State, Tensors};

/// Size above which a checkpoint is split into several files.
const MAX_SHARD_BYTES: u64 = 5_000_000_000;
const OPTIMIZER: &str = "optimizer.safetensors";
const PROGRESS: &str = "trainer.json";

/// Where a run stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Optimizer steps done.
    pub step: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Seed of weights and order.
    pub seed: u64,
    /// Next data.
    pub data: StreamState,
    /// Biases of the routers, by MoE layer.
    pub router_bias: Vec<Vec<f32>>,
    /// Experts in the home slots, by MoE layer and rank of an expert-parallel group.
    #[serde(default)]
    pub homes: Vec<Vec<Vec<u32>>>,
}

/// Writes everything into `folder`.
///
/// # Errors
/// What the device or the disk says.
pub fn write(
    tensors: &dyn Tensors,
    tokenizer: &Tokenizer,
    state: &RunState,
    folder: &Path,
) -> Result<(), TrainError> {
    let mut config = tensors.config().to_hf_json();
    let end = tokenizer.end_of_document();
    config["eos_token_id"] = end.into();
    write_file(&folder.join("config.json"), pretty(&config).as_bytes())?;
    let generation = serde_json::json!({ "eos_token_id": end });
    write_file(&folder.join("generation_config.json"), pretty(&generation).as_bytes())?;
    tokenizer.save(folder)?;

    let names = names(tensors.config());
    let declare = |prefix: &str| {
        names.iter().map(|(n, s)| (format!("{prefix}{n}"), DType::F32, s.clone())).collect::<Vec<_>>()
    };
    let mut model = SafetensorsWriter::create(folder, &declare(""), MAX_SHARD_BYTES)?;
    tensors
        .export(State::Master, &mut |name, _, values| Ok(model.write(name, bytemuck::cast_slice(values))?))?;
    model.finish()?;

    let moments = [("m/", State::FirstMoment), ("v/", State::SecondMoment)];
    let kept: Vec<_> = moments.into_iter().filter(|(_, s)| tensors.has(*s)).collect();
    let declared: Vec<_> = kept.iter().flat_map(|(prefix, _)| declare(prefix)).collect();
    let mut optimizer = SafetensorsWriter::create_file(&folder.join(OPTIMIZER), &declared)?;
    for (prefix, which) in kept {
        tensors.export(which, &mut |name, _, values| {
            Ok(optimizer.write(&format!("{prefix}{name}"), bytemuck::cast_slice(values))?)
        })?;
    }
    optimizer.finish()?;
    let text = serde_json::to_string_pretty(state).expect("plain data");
    Ok(write_file(&folder.join(PROGRESS), text.as_bytes())?)
}

/// Reads where a checkpoint stood.
///
/// # Errors
/// A folder without `trainer.json`, or with one that cannot be read.
pub fn read_state(folder: &Path) -> Result<RunState, TrainError> {
    let path = folder.join(PROGRESS);
    let broken = |why: String| TrainError::State { path: path.clone(), why };
    let text = std::fs::read_to_string(&path).map_err(|e| broken(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| broken(e.to_string()))
}

/// Loads the moments and the router biases into an engine whose weights are the checkpoint's already.
///
/// # Errors
/// A checkpoint that lacks them, or what the device says.
pub fn restore(engine: &mut Engine, state: &RunState, folder: &Path) -> Result<(), TrainError> {
    let sizes = |bias: &[Vec<f32>]| bias.iter().map(Vec::len).collect::<Vec<_>>();
    let (given, required) = (sizes(&state.router_bias), sizes(engine.router_bias()));
    if given != required {
        let why = format!("router_bias has sizes {given:?}, the model needs {required:?}");
        return Err(TrainError::State { path: folder.join(PROGRESS), why });
    }
    let reader = SafetensorsReader::open(&folder.join(OPTIMIZER))?;
    for (prefix, which) in [("m/", State::FirstMoment), ("v/", State::SecondMoment)] {
        engine.import(which, &mut |name, sizes| Ok(reader.read_f32(&format!("{prefix}{name}"), sizes)?))?;
    }
    engine.set_router_bias(state.router_bias.clone())?;
    engine.adapter_mut().restore(state.step, &state.homes)
}

/// Name and sizes of every tensor, in the order they are exported.
fn names(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    let mut names = Vec::new();
    for group in params::groups(config) {
        for expert in 0..group.experts.unwrap_or(1) {
            names.extend(group.params.iter().map(|p| (p.name_of(expert), p.sizes.clone())));
        }
    }
    names
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON values are printable") + "\n"
}
