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
    /// Data could not be read.
    #[error(transparent)]
    Data(#[from] collegium_data::DataError),
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
