//! What can go wrong in the engine.

/// Why the engine did not start, or a step failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Building a program failed.
    #[error(transparent)]
    Graph(#[from] collegium_hlo::GraphError),
    /// Compiling or running a program failed.
    #[error(transparent)]
    Runtime(#[from] collegium_runtime::RuntimeError),
    /// Weights could not be read.
    #[error(transparent)]
    Checkpoint(#[from] collegium_checkpoint::CheckpointError),
    /// What the trainer's programs say.
    #[error(transparent)]
    Train(#[from] collegium_train::TrainError),
    /// More devices than experts.
    #[error(
        "the model has {experts} experts a layer, fewer than the {devices} devices that share them; use --devices {experts} or fewer"
    )]
    Experts {
        /// Of a layer.
        experts: usize,
        /// How many share them.
        devices: usize,
    },
    /// A cache budget for a model that forgets by itself.
    #[error(
        "layer {layer} of the model has a sliding window of {window} tokens, which forgets by place in the cache; a cache budget changes places, so leave it out"
    )]
    Window {
        /// The first such layer.
        layer: usize,
        /// Tokens that it sees.
        window: usize,
    },
    /// A cache budget on several devices.
    #[error("a cache budget works on one device, not on {0}; use --devices 1 or leave the budget out")]
    BudgetDevices(usize),
    /// A limit that cannot be.
    #[error("`{name}` is {given}; it must be {required}")]
    Limit {
        /// Which.
        name: &'static str,
        /// What it is.
        given: usize,
        /// What it may be.
        required: String,
    },
    /// The system starts no thread.
    #[error("the engine's thread does not start: {0}; raise the limit on processes")]
    Thread(std::io::Error),
}
