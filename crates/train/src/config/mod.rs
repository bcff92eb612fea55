//! The configuration of a run: one TOML file, a preset under it, `--set key=value` over it. What was in effect is saved with the
//! run and is all that a resumed run reads.

mod check;
mod keys;
mod preset;

use std::path::PathBuf;

use collegium_model::layers::transport;
use collegium_model::programs::Exchange;
use serde::{Deserialize, Serialize};

use crate::adapt::BalanceOptions;
use crate::engine::{Execution, Settings};

pub use check::MOST_PREFETCHED;
pub use keys::ConfigError;
pub use preset::{PRESETS, Preset};

/// Everything a run depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// The model.
    pub model: ModelSection,
    /// What it learns from.
    pub data: DataSection,
    /// Steps, batches and numbers.
    pub train: TrainSection,
    /// AdamW and its schedule.
    pub optimizer: OptimizerSection,
    /// Losses and biases of the routers.
    pub router: RouterSection,
    /// Devices and how the model lies on them.
    pub parallel: ParallelSection,
    /// What is written, where and how often.
    pub run: RunSection,
}

/// `[model]`: a checkpoint to start from, a `config.json`, or sizes for a Qwen3-MoE model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSection {
    /// Folder of a Hugging Face checkpoint to start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// A Hugging Face `config.json`; weights start at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
    /// Vocabulary; 0 takes the tokenizer's.
    pub vocab_size: usize,
    /// Width.
    pub hidden_size: usize,
    /// Layers.
    pub num_layers: usize,
    /// Query heads.
    pub num_heads: usize,
    /// Key-value heads.
    pub num_kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// Experts of a layer; 0 makes the model dense.
    pub num_experts: usize,
    /// Experts of a token.
    pub top_k: usize,
    /// Inner width of an expert, or of the feed-forward of a dense model.
    pub intermediate: usize,
    /// Base of the rotary embedding.
    pub rope_theta: f64,
    /// Whether the head shares the embedding's weights.
    pub tie_embeddings: bool,
}

impl Default for ModelSection {
    fn default() -> Self {
        Self {
            checkpoint: None,
            config: None,
            vocab_size: 0,
            hidden_size: 128,
            num_layers: 3,
            num_heads: 4,
            num_kv_heads: 2,
            head_dim: 32,
            num_experts: 8,
            top_k: 2,
            intermediate: 128,
            rope_theta: 10_000.0,
            tie_embeddings: false,
        }
    }
}

/// `[data]`: files, or nothing for the built-in problems.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// Files or folders of .txt, .jsonl and .parquet; none for the built-in problems.
    pub paths: Vec<PathBuf>,
    /// Field of the text in .jsonl and .parquet.
    pub field: String,
    /// A `tokenizer.json`, or `bytes`.
    pub tokenizer: String,
    /// Share of the documents kept for validation.
    pub validation: f64,
    /// Where token files are kept; in the run's folder where empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// Steps whose batches are made ahead, on a thread of their own; 0 makes them when a step asks for them.
    pub prefetch: usize,
    /// Most digits of the numbers in the built-in problems.
    pub max_digits: u32,
    /// Kinds of the built-in problems: addition, subtraction, multiplication, countdown.
    pub kinds: Vec<collegium_data::corpus::Kind>,
}

impl Default for DataSection {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            field: "text".into(),
            tokenizer: "bytes".into(),
            validation: 0.02,
            cache: None,
            prefetch: 1,
            max_digits: 3,
            kinds: collegium_data::corpus::Kind::ALL.to_vec(),
        }
    }
}

/// `[train]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainSection {
    /// Optimizer steps.
    pub steps: u64,
    /// Sequences of a step, over all ranks and micro-batches.
    pub batch: usize,
    /// Sequences of a micro-batch on each rank; 0 for all at once.
    pub micro_batch: usize,
    /// Tokens of a sequence.
    pub seq: usize,
    /// Seed of weights and data order.
    pub seed: u64,
    /// `float32` or `bfloat16`: activations and working weights; masters, moments and reductions are f32.
    pub dtype: String,
    /// Whether bfloat16 working weights are rounded from their masters by chance, the nearer the likelier, not to the nearest.
    pub stochastic_rounding: bool,
    /// `save-everything` (fastest), `save-dots` or `recompute` (least memory): what is kept for the backward pass.
    pub residuals: String,
}

impl Default for TrainSection {
    fn default() -> Self {
        Self {
            steps: 400,
            batch: 32,
            micro_batch: 0,
            seq: 128,
            seed: 0,
            dtype: "float32".into(),
            stochastic_rounding: false,
            residuals: "save-everything".into(),
        }
    }
}

/// `[optimizer]`: AdamW, clipping, and the learning rate over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSection {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Learning rate at the end, as a share of the highest.
    pub final_share: f64,
    /// Steps from zero to the highest rate.
    pub warmup_steps: u64,
    /// `cosine`, `wsd` (warm-up, stable, decay) or `constant`.
    pub schedule: String,
    /// Share of the steps that `wsd` decays in, at the end.
    pub decay_share: f64,
    /// Decoupled weight decay; norms and biases do not decay.
    pub weight_decay: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Largest global gradient norm.
    pub max_norm: f64,
}

impl Default for OptimizerSection {
    fn default() -> Self {
        Self {
            learning_rate: 3e-3,
            final_share: 0.1,
            warmup_steps: 20,
            schedule: "cosine".into(),
            decay_share: 0.2,
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            max_norm: 1.0,
        }
    }
}

/// `[router]`: a modelling choice; the system balances whatever the router does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterSection {
    /// Weight of the load-balancing loss.
    pub aux_loss: f64,
    /// Weight of the z-loss.
    pub z_loss: f64,
    /// Step of the sign bias (loss-free balancing); 0 for none.
    pub bias_rate: f64,
}

impl Default for RouterSection {
    fn default() -> Self {
        Self { aux_loss: 0.01, z_loss: 0.0, bias_rate: 0.0 }
    }
}

/// `[parallel]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParallelSection {
    /// `cpu`, `cuda` or `neuron`.
    pub platform: String,
    /// Devices; on the CPU, virtual ones.
    pub devices: usize,
    /// Ranks that the experts are spread over; 0 for all devices. The rest of the mesh repeats them.
    pub expert: usize,
    /// Nodes that these ranks are spread over; links between nodes are slower.
    pub nodes: usize,
    /// How experts are balanced: a policy's name, see `collegium balance --help`.
    pub balance: String,
    /// Most clones of a rank in one layer; 0 for as many as the policy wants.
    pub clones: usize,
    /// Load above the mean that is let be, as a share of the mean; -1 lets the cost model say it.
    pub tolerance: f64,
    /// Optimizer steps between new homes of the experts.
    pub relayout_every: u64,
    /// `layered` (a few programs for each layer, planned in between) or `fused` (one program, planned ahead).
    pub execution: String,
    /// How tokens reach their experts: `all-to-all`, `all-gather`, or, on several nodes, `two-stage`.
    pub transport: String,
    /// Element type of tokens on the way: `compute` (that of the activations), `bfloat16`, or `int8` in blocks with a scale (results and
    /// gradients are bfloat16 then).
    pub sent_as: String,
    /// Whether tokens are dealt out over the ranks before they are routed, so that all ranks send alike.
    pub shuffle: bool,
    /// Whether the expert programs of several ranks are compiled ahead, those that will probably be needed.
    pub precompile: bool,
}

impl Default for ParallelSection {
    fn default() -> Self {
        Self {
            platform: "cpu".into(),
            devices: 2,
            expert: 0,
            nodes: 1,
            balance: "exact".into(),
            clones: 0,
            tolerance: -1.0,
            relayout_every: 10,
            execution: "layered".into(),
            transport: "all-to-all".into(),
            sent_as: "compute".into(),
            shuffle: false,
            precompile: false,
        }
    }
}

/// `[run]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunSection {
    /// Folder of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Steps between checkpoints; 0 for one at the end only.
    pub checkpoint_every: u64,
    /// Whether training goes on while a checkpoint is written, from a copy in host memory of 12 bytes a parameter.
    pub checkpoint_async: bool,
    /// Checkpoints kept.
    pub keep: usize,
    /// Steps between validations; 0 for one at the end only.
    pub eval_every: u64,
    /// Batches of a validation.
    pub eval_batches: usize,
    /// Fresh problems solved at the end, of the built-in corpus.
    pub solve: usize,
    /// Steps between records of the rows of every expert.
    pub routing_every: u64,
    /// Steps between records of the experts of every token, in `routing/`; 0 for none.
    pub record_routing: u64,
    /// Watts that the machine is taken to draw, for an estimate of joules where no meter counts them; 0 for unknown. `collegium plan --out`
    /// writes what it planned with.
    pub watts: f64,
}

impl Default for RunSection {
    fn default() -> Self {
        Self {
            dir: None,
            checkpoint_every: 200,
            checkpoint_async: false,
            keep: 2,
            eval_every: 100,
            eval_batches: 4,
            solve: 128,
            routing_every: 5,
            record_routing: 0,
            watts: 0.0,
        }
    }
}

impl RunConfig {
    /// The whole configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration is plain data")
    }

    /// Element type of the computation.
    pub fn dtype(&self) -> Option<collegium_core::DType> {
        match self.train.dtype.as_str() {
            "float32" => Some(collegium_core::DType::F32),
            "bfloat16" => Some(collegium_core::DType::Bf16),
            _ => None,
        }
    }

    /// What the forward pass keeps.
    pub fn residuals(&self) -> Option<collegium_hlo::Residuals> {
        collegium_hlo::Residuals::ALL.iter().find(|r| r.0 == self.train.residuals).map(|r| r.1)
    }

    /// How tokens travel to their experts; `None` where a name is wrong.
    pub fn exchange(&self) -> Option<Exchange> {
        let p = &self.parallel;
        let transport = transport::by_name(&p.transport)?;
        let sent_as = match p.sent_as.as_str() {
            "compute" => None,
            "bfloat16" => Some(collegium_core::DType::Bf16),
            "int8" => Some(collegium_core::DType::I8),
            _ => return None,
        };
        Some(Exchange { transport, sent_as, shuffle: p.shuffle })
    }

    /// How much of a micro-batch is one program.
    pub fn execution(&self) -> Option<Execution> {
        Execution::ALL.iter().find(|e| e.0 == self.parallel.execution).map(|e| e.1)
    }

    /// How experts are balanced.
    ///
    /// # Errors
    /// A policy that there is none of.
    pub fn balance(&self) -> Result<BalanceOptions, collegium_balance::BalanceError> {
        let p = &self.parallel;
        Ok(BalanceOptions {
            policy: collegium_balance::policy::by_name(&p.balance)?,
            max_clones: if p.clones == 0 { usize::MAX } else { p.clones },
            tolerance: (p.tolerance >= 0.0).then_some(p.tolerance),
            relayout_every: p.relayout_every,
            ..BalanceOptions::default()
        })
    }

    /// How the model is run.
    ///
    /// # Panics
    /// If the configuration was not [`check`](Self::check)ed.
    pub fn settings(&self) -> Settings {
        let checked = "the configuration was checked";
        Settings {
            exchange: self.exchange().expect(checked),
            execution: self.execution().expect(checked),
            balance: self.balance().expect(checked),
            precompile: self.parallel.precompile,
            stochastic_rounding: self.train.stochastic_rounding,
            ..Settings::new(
                self.dtype().expect(checked),
                self.residuals().expect(checked),
                self.micro_batch(),
                self.train.seq,
            )
        }
    }

    /// Ranks that the experts are spread over.
    pub fn expert_ranks(&self) -> usize {
        if self.parallel.expert == 0 { self.parallel.devices } else { self.parallel.expert }
    }

    /// Sequences of a micro-batch on each rank.
    pub fn micro_batch(&self) -> usize {
        if self.train.micro_batch == 0 {
            self.train.batch / self.parallel.devices
        } else {
            self.train.micro_batch
        }
    }

    /// Micro-batches of a step.
    pub fn num_micro_batches(&self) -> usize {
        self.train.batch / (self.micro_batch() * self.parallel.devices)
    }
}
