//! From a configuration to a model on its devices.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use collegium_checkpoint::SafetensorsReader;
use collegium_hlo::{MOST_DIVIDED, Mesh};
use collegium_model::config::{
    AttentionBias, FeedForward, LayerConfig, ModelConfig, MoeConfig, QkNorm, Rope, RopeScaling,
};
use collegium_model::layers::{EXPERT_AXIS, NODE_AXIS};
use collegium_runtime::{Backend, PjrtBackend, platform};

use crate::config::{ConfigError, ModelSection, RunConfig};
use crate::engine::{Engine, Settings};
use crate::{RandomInit, TrainError};

/// Opens the platform's plugin, fetching the CPU's where there is none yet. Compiled programs are kept in the user's cache folder, or
/// as `COLLEGIUM_PROGRAM_CACHE` says.
///
/// # Errors
/// A plugin that is missing or damaged, or fewer devices than asked for.
pub fn open_backend(name: &str, devices: usize) -> Result<Arc<dyn Backend>, TrainError> {
    open_backend_with(name, devices, platform::program_folder())
}

/// As [`open_backend`], with compiled programs in `programs`, or kept nowhere.
///
/// # Errors
/// As [`open_backend`].
pub fn open_backend_with(
    name: &str,
    devices: usize,
    programs: Option<PathBuf>,
) -> Result<Arc<dyn Backend>, TrainError> {
    let platform = platform::by_name(name)?;
    let path: PathBuf = platform.find(None)?;
    let client = platform.open(&path, Some(devices))?;
    let backend = PjrtBackend::new(client, devices)?;
    Ok(match programs {
        Some(folder) => Arc::new(backend.with_program_cache(folder)),
        None => Arc::new(backend),
    })
}

/// The model a configuration describes, and warnings; `vocab` is the tokenizer's size.
///
/// # Errors
/// A `config.json` that cannot be used, or a vocabulary smaller than the tokenizer's.
pub fn model_config(config: &RunConfig, vocab: usize) -> Result<(ModelConfig, Vec<String>), TrainError> {
    let section = &config.model;
    let file = section.config.clone().or_else(|| section.checkpoint.as_ref().map(|c| c.join("config.json")));
    let (mut model, warnings) = match file {
        Some(path) => ModelConfig::from_file(&path)?,
        None => {
            let sized = sized(section, vocab, config.train.seq);
            // What no single key shows: sizes whose products are beyond all bounds.
            ModelConfig::from_json(&sized.to_hf_json(), "[model]")?;
            (sized, Vec::new())
        }
    };
    check_vocabulary(&model, vocab)?;
    if section.checkpoint.is_none() {
        model.router_aux_loss_coef = config.router.aux_loss;
    }
    check_experts(&model, config.expert_ranks())?;
    check_choices(&model, config)?;
    Ok((model, warnings))
}

/// The model knows every token of a tokenizer of `vocab` tokens.
///
/// # Errors
/// A tokenizer with more tokens than the model.
pub fn check_vocabulary(model: &ModelConfig, vocab: usize) -> Result<(), TrainError> {
    if model.vocab_size < vocab {
        return Err(TrainError::Vocabulary { model: model.vocab_size, tokenizer: vocab });
    }
    Ok(())
}

/// Every rank is home to an expert.
fn check_experts(model: &ModelConfig, ranks: usize) -> Result<(), TrainError> {
    let experts = |layer: &LayerConfig| layer.feed_forward.moe().map(|m| m.num_experts);
    match model.layers.iter().filter_map(experts).find(|&experts| experts < ranks) {
        Some(experts) => Err(ConfigError::Values(vec![format!(
            "the model has {experts} experts a layer, fewer than the {ranks} ranks that share them; set parallel.expert to at \
             most {experts} (and parallel.devices to a multiple of it)"
        )])
        .into()),
        None => Ok(()),
    }
}

/// The numbers of a program's choices are divided on the device, exactly up to a bound.
fn check_choices(model: &ModelConfig, config: &RunConfig) -> Result<(), TrainError> {
    // Whose tokens a rank addresses, besides its own.
    let gathered = match config.parallel.transport.as_str() {
        "all-gather" => config.expert_ranks(),
        "two-stage" => config.parallel.nodes,
        _ => 1,
    };
    let top_k = model.layers.iter().filter_map(|l| l.feed_forward.moe()).map(|m| m.top_k).max().unwrap_or(0);
    let factors = [config.micro_batch(), config.train.seq, top_k, gathered];
    let choices = factors.into_iter().fold(1, usize::saturating_mul);
    if choices <= MOST_DIVIDED {
        return Ok(());
    }
    Err(ConfigError::Values(vec![format!(
        "a rank would address {choices} choices in one program ({} sequences x {} tokens x {top_k} experts x {gathered} ranks); the most is \
         {MOST_DIVIDED}; set train.micro_batch lower",
        config.micro_batch(),
        config.train.seq,
    )])
    .into())
}

/// A Qwen3-MoE model (dense: Qwen3) of the sizes given.
fn sized(m: &ModelSection, vocab: usize, seq: usize) -> ModelConfig {
    let feed_forward = if m.num_experts == 0 {
        FeedForward::Dense { intermediate: m.intermediate }
    } else {
        FeedForward::Moe(MoeConfig {
            num_experts: m.num_experts,
            top_k: m.top_k,
            intermediate: m.intermediate,
            norm_topk_prob: true,
        })
    };
    // A multiple of 64 suits every matrix engine; the surplus tokens are never seen.
    let vocab_size = if m.vocab_size == 0 { vocab.next_multiple_of(64) } else { m.vocab_size };
    ModelConfig {
        family: if m.num_experts == 0 { "qwen3" } else { "qwen3_moe" },
        vocab_size,
        hidden_size: m.hidden_size,
        num_layers: m.num_layers,
        num_heads: m.num_heads,
        num_kv_heads: m.num_kv_heads,
        head_dim: m.head_dim,
        rms_norm_eps: 1e-6,
        rope: Rope { theta: m.rope_theta, scaling: RopeScaling::None },
        max_position_embeddings: seq.max(4096),
        tie_word_embeddings: m.tie_embeddings,
        attention_bias: AttentionBias::default(),
        mlp_bias: false,
        qk_norm: QkNorm::PerHead,
        clip_qkv: None,
        initializer_range: 0.02,
        eos_token_id: None,
        bos_token_id: None,
        router_aux_loss_coef: 0.0,
        output_router_logits: false,
        pad_token_id: None,
        layers: vec![LayerConfig { sliding_window: None, feed_forward }; m.num_layers],
    }
}

/// The mesh of `devices`: data x expert, where the `expert` ranks that share the experts are on one node, and data x node x expert where they
/// are on several.
pub fn mesh(devices: usize, expert: usize, nodes: usize) -> Mesh {
    let data = ("data", devices / expert);
    match nodes {
        1 => Mesh::new(&[data, (EXPERT_AXIS, expert)]),
        _ => Mesh::new(&[data, (NODE_AXIS, nodes), (EXPERT_AXIS, expert / nodes)]),
    }
}

/// The model on its devices: random, or from the checkpoint in `weights`.
///
/// # Errors
/// Experts that do not divide over the ranks, a checkpoint that lacks a tensor, or what the device says.
pub fn engine(
    config: &RunConfig,
    model: &ModelConfig,
    backend: Arc<dyn Backend>,
    weights: Option<&Path>,
) -> Result<Engine, TrainError> {
    let settings = config.settings();
    let mesh = mesh(config.parallel.devices, config.expert_ranks(), config.parallel.nodes);
    load(model, backend, mesh, settings, weights, config.train.seed)
}

/// A model on the devices of `backend`: random by `seed`, or from the checkpoint in `weights`.
///
/// # Errors
/// As [`engine`].
pub fn load(
    model: &ModelConfig,
    backend: Arc<dyn Backend>,
    mesh: Mesh,
    settings: Settings,
    weights: Option<&Path>,
    seed: u64,
) -> Result<Engine, TrainError> {
    match weights {
        Some(path) => {
            let reader = SafetensorsReader::open(path)?;
            Engine::new(backend, model.clone(), mesh, settings, &mut |name, sizes| {
                Ok(reader.read_f32(name, sizes)?)
            })
        }
        None => {
            let init = RandomInit::new(model, seed);
            Engine::new(backend, model.clone(), mesh, settings, &mut |name, sizes| init.value(name, sizes))
        }
    }
}
