//! What can go wrong while training.

use collegium_balance::BalanceError;

/// Why training, evaluation or generation stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Building a program failed.
    #[error(transparent)]
    Graph(#[from] collegium_hlo::GraphError),
    /// Compiling or running a program failed.
    #[error(transparent)]
    Runtime(#[from] collegium_runtime::RuntimeError),
    /// No plan for a layout or its counts.
    #[error(transparent)]
    Balance(#[from] BalanceError),
    /// Recorded routing could not be written.
    #[error(transparent)]
    Trace(#[from] collegium_balance::trace::TraceError),
    /// A folder could not be made.
    #[error("cannot make {path}: {source}; check its permissions and the disk's free space")]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Data could not be read.
    #[error(transparent)]
    Data(#[from] collegium_data::DataError),
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] collegium_checkpoint::CheckpointError),
    /// A `config.json` could not be used.
    #[error(transparent)]
    Model(#[from] collegium_model::config::ModelError),
    /// No plugin.
    #[error(transparent)]
    Platform(#[from] collegium_runtime::platform::PlatformError),
    /// Records could not be written.
    #[error(transparent)]
    Report(#[from] collegium_report::ReportError),
    /// The run's configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The loss or a gradient is NaN or infinite.
    #[error("step {step}: the numbers stopped being finite, first in {place}; {remedy}")]
    NotFinite {
        /// The step that failed.
        step: u64,
        /// Where the first such number is.
        place: String,
        /// What to do, which depends on whether there is a checkpoint.
        remedy: String,
    },
    /// Weights of slots that do not fit beside what is there.
    #[error(
        "{slots} expert slots on each rank need {needed} MB for the weights of all layers, {missing} MB more than are free; lower \
         parallel.clones, or spread the experts over more ranks (parallel.expert)"
    )]
    SlotMemory {
        /// Slots of a rank.
        slots: usize,
        /// Megabytes for them.
        needed: u64,
        /// Megabytes that are missing.
        missing: u64,
    },
    /// A tokenizer with more tokens than the model knows.
    #[error(
        "the tokenizer has {tokenizer} tokens but the model's vocab_size is {model}; use the model's own tokenizer (data.tokenizer), or a vocab_size of at least {tokenizer}"
    )]
    Vocabulary {
        /// The model's.
        model: usize,
        /// The tokenizer's.
        tokenizer: usize,
    },
    /// A token id beyond the vocabulary.
    #[error(
        "token id {id} is beyond the model's vocabulary of {vocab}; use the tokenizer the model was trained with"
    )]
    TokenId {
        /// The id.
        id: i64,
        /// Tokens the model knows.
        vocab: usize,
    },
    /// Nothing to continue.
    #[error("the prompt is empty; give at least one token to continue")]
    EmptyPrompt,
    /// A reference that cannot be compared with.
    #[error("reference.safetensors: {what}")]
    Reference {
        /// What is wrong.
        what: String,
    },
    /// A checkpoint whose progress cannot be read.
    #[error("{} cannot be read ({why}); resume needs a checkpoint that `collegium train` wrote", path.display())]
    State {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A run to resume with another model.
    #[error("{} holds another model than this configuration describes: {difference}; resume without changing [model], or start a new run", run.display())]
    OtherModel {
        /// The run.
        run: std::path::PathBuf,
        /// What differs.
        difference: String,
    },
    /// A run to resume that is complete.
    #[error("{} has done {done} of {steps} steps, there is nothing left to do; to train on, raise the number: --set train.steps={}", run.display(), 2 * done)]
    AllStepsDone {
        /// The run.
        run: std::path::PathBuf,
        /// Steps of its newest checkpoint.
        done: u64,
        /// Steps of the configuration.
        steps: u64,
    },
    /// A run with nothing to resume from.
    #[error("{} has no complete checkpoint; start a new run", run.display())]
    NoCheckpoint {
        /// The run.
        run: std::path::PathBuf,
    },
    /// Routing of one layer failed.
    #[error("layer {layer}: {source}")]
    Routing {
        /// Which layer.
        layer: usize,
        /// Why.
        source: BalanceError,
    },
    /// A batch that does not fit the programs.
    #[error("the batch has {} rows of {} tokens, the programs are built for {} of {}", given.0, given.1, expected.0, expected.1)]
    BatchShape {
        /// Rows and tokens given.
        given: (usize, usize),
        /// Rows and tokens the programs take.
        expected: (usize, usize),
    },
}

impl TrainError {
    /// The same error, saying in which layer.
    pub(crate) fn in_layer(self, layer: usize) -> Self {
        match self {
            Self::Balance(source) => Self::Routing { layer, source },
            other => other,
        }
    }
}
