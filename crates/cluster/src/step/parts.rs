//! What a step is made of: seconds by what they go to, bytes by what holds them.

use serde::Serialize;

/// Seconds of a step by what they go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Parts {
    /// Products outside attention.
    pub products: f64,
    /// Attention.
    pub attention: f64,
    /// Element-wise work and addressing.
    pub vector: f64,
    /// Gaps between kernels, and barriers of programs with collectives.
    pub launch: f64,
    /// Exposed traffic of tensor and context parallelism.
    pub tensor: f64,
    /// Exposed dispatch and combine.
    pub expert: f64,
    /// Waiting for the fullest rank.
    pub imbalance: f64,
    /// Waiting for other stages.
    pub bubble: f64,
    /// Exposed traffic of gradients and weights.
    pub data: f64,
    /// The update.
    pub optimizer: f64,
    /// Waiting for the slowest of many ranks.
    pub straggle: f64,
    /// Waiting for the host to read and make the batch.
    pub loading: f64,
}

impl Parts {
    /// All parts with their names.
    pub fn named(&self) -> [(&'static str, f64); 12] {
        [
            ("products", self.products),
            ("attention", self.attention),
            ("vector", self.vector),
            ("launch", self.launch),
            ("tensor traffic", self.tensor),
            ("expert dispatch", self.expert),
            ("imbalance", self.imbalance),
            ("pipeline bubble", self.bubble),
            ("gradient traffic", self.data),
            ("optimizer", self.optimizer),
            ("stragglers", self.straggle),
            ("data loading", self.loading),
        ]
    }

    /// Their sum.
    pub fn total(&self) -> f64 {
        self.named().iter().map(|p| p.1).sum()
    }
}

/// Bytes that one rank of the fullest stage holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MemoryUse {
    /// Working weights.
    pub weights: f64,
    /// Gradient sums.
    pub gradients: f64,
    /// Masters and moments, or those of them that are on their way from and to the host.
    pub optimizer: f64,
    /// What forward halves leave for backward halves.
    pub activations: f64,
    /// The largest layer at work, and logits.
    pub transient: f64,
    /// Masters and moments in host memory, which is none of the device's.
    pub host: f64,
}

impl MemoryUse {
    /// All of it that lies on the device.
    pub fn total(&self) -> f64 {
        self.weights + self.gradients + self.optimizer + self.activations + self.transient
    }
}

/// What a layout is predicted to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Seconds of a step.
    pub step: f64,
    /// Where they go.
    pub parts: Parts,
    /// What a rank holds.
    pub memory: MemoryUse,
}
