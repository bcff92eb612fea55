//! How a model is laid out on ranks, and how the software runs it.

use collegium_hlo::Residuals;
use serde::Serialize;

use crate::collective::Group;
use crate::roofline::{Kernels, Precision};
use crate::schedule::Schedule;

/// Degrees of parallelism and what goes with them. Ranks are ordered tensor first, then context, data, pipeline.
///
/// The ranks of a stage form two meshes, whatever the degrees of either: tensor x context x data around attention, and `expert_tensor` x `expert` x
/// copies for experts (MoE parallel folding, Liu et al., 2504.14960). Rows {token, hidden} between the two are spread over all of these ranks by sequence
/// parallelism, so that nothing is sent from mesh to mesh but what dispatch sends anyhow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Layout {
    /// Ranks that see different sequences with the same weights.
    pub data: usize,
    /// Ranks that share heads, inner widths and vocabulary.
    pub tensor: usize,
    /// Ranks that share the tokens of a sequence.
    pub context: usize,
    /// Stages.
    pub pipeline: usize,
    /// Pieces of the model on each stage.
    pub virtual_stages: usize,
    /// In which order a stage works on micro-batches.
    pub schedule: Schedule,
    /// Ranks that the experts of a layer are spread over.
    pub expert: usize,
    /// Ranks that share one expert's inner width.
    pub expert_tensor: usize,
    /// Most clones of a rank in a sparse layer, where recorded routing says what they bring.
    pub clones: usize,
    /// Sequences of a micro-batch.
    pub micro_batch: usize,
    /// Micro-batches of a step.
    pub micro_batches: usize,
    /// What is kept for the backward pass.
    pub recompute: Recompute,
    /// What is spread over the ranks that hold the same weights.
    pub sharding: Sharding,
    /// Masters and moments lie in host memory and come to the device for the update.
    pub offload: bool,
}

/// What is kept for the backward pass: the trainer's three policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recompute {
    /// Every value.
    SaveEverything,
    /// Results of products and collectives.
    SaveDots,
    /// The inputs of a layer.
    Recompute,
}

impl Recompute {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::SaveEverything, Self::SaveDots, Self::Recompute];

    /// The policy as programs are split by it.
    pub fn residuals(self) -> Residuals {
        Residuals::ALL[self as usize].1
    }

    /// Its name in the trainer's configuration.
    pub fn name(self) -> &'static str {
        Residuals::ALL[self as usize].0
    }
}

/// What data-parallel ranks hold a share of only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharding {
    /// Nothing.
    None,
    /// Masters and moments.
    Optimizer,
    /// And gradient sums: what the trainer does.
    Gradients,
    /// And weights, gathered for every use.
    Weights,
}

impl Layout {
    /// Ranks in all.
    pub fn ranks(&self) -> usize {
        self.data * self.tensor * self.context * self.pipeline
    }

    /// Sequences of a step.
    pub fn batch(&self) -> usize {
        self.data * self.micro_batch * self.micro_batches
    }

    /// Ranks of one stage.
    pub fn stage_ranks(&self) -> usize {
        self.data * self.tensor * self.context
    }

    /// Copies of every expert.
    pub fn expert_data(&self) -> usize {
        (self.stage_ranks() / (self.expert * self.expert_tensor)).max(1)
    }

    /// Whether the degrees divide as they must.
    pub fn is_consistent(&self) -> bool {
        self.stage_ranks().is_multiple_of(self.expert * self.expert_tensor)
    }

    /// Whether experts lie on ranks that no degree of attention's mesh describes: cut otherwise than heads, or spread over ranks that share heads or a
    /// sequence.
    pub fn has_separate_meshes(&self) -> bool {
        let spread = self.expert > 1 || self.expert_tensor > 1;
        spread && (self.expert_tensor != self.tensor || !self.data.is_multiple_of(self.expert))
    }

    /// What of it the trainer cannot run yet, in words.
    pub fn not_trainable(&self) -> Vec<&'static str> {
        let parts = [
            (self.tensor > 1, "tensor parallelism"),
            (self.context > 1, "context parallelism"),
            (self.pipeline > 1, "pipeline stages"),
            (self.expert_tensor > 1, "experts cut over ranks"),
            (self.has_separate_meshes(), "separate meshes for attention and experts"),
            (self.sharding == Sharding::Weights, "weights gathered for every use"),
            (self.offload, "optimizer state in host memory"),
        ];
        parts.iter().filter(|p| p.0).map(|p| p.1).collect()
    }

    /// Group of the ranks that share heads, in domains of `domain` ranks.
    pub fn tensor_group(&self, domain: usize) -> Group {
        Group::strided(self.tensor, 1, domain)
    }

    /// Group of the ranks that share a sequence.
    pub fn context_group(&self, domain: usize) -> Group {
        Group::strided(self.context, self.tensor, domain)
    }

    /// Group of the ranks that hold the same weights beside experts.
    pub fn data_group(&self, domain: usize) -> Group {
        Group::strided(self.data * self.context, self.tensor, domain)
    }

    /// Group that the experts are spread over.
    pub fn expert_group(&self, domain: usize) -> Group {
        Group::strided(self.expert, self.expert_tensor, domain)
    }

    /// Group of the ranks that share one expert.
    pub fn expert_tensor_group(&self, domain: usize) -> Group {
        Group::strided(self.expert_tensor, 1, domain)
    }

    /// Group of the ranks that hold the same experts.
    pub fn expert_data_group(&self, domain: usize) -> Group {
        Group::strided(self.expert_data(), self.expert * self.expert_tensor, domain)
    }

    /// Two neighbouring stages.
    pub fn stage_group(&self, domain: usize) -> Group {
        Group { ranks: 2, local: if self.stage_ranks() * 2 <= domain { 2 } else { 1 } }
    }
}

/// How batches come to the devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// Text becomes tokens in every step, rather than once before all of them.
    pub text: bool,
    /// The next batch is made while the devices work on this one.
    pub ahead: bool,
}

/// How the software runs a layout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Software {
    /// Kernels.
    pub kernels: Kernels,
    /// What linear products are computed in.
    pub precision: Precision,
    /// Gradients go onto the shards after every micro-batch, as in the trainer, rather than once a step.
    pub reduce_every_micro_batch: bool,
    /// Bytes of a gradient on the wire.
    pub gradient_bytes: f64,
    /// Bytes of a gradient where micro-batches are summed.
    pub gradient_sum_bytes: f64,
    /// Time of products and attention over that of engines which do nothing else.
    pub compute: f64,
    /// A row goes once to every domain that needs it, however many of its experts are there.
    pub deduplicated: bool,
    /// Rows {token, hidden} are shared by the tensor-parallel ranks.
    pub sequence_parallel: bool,
    /// Overlap of expert dispatch in place of the device's.
    pub overlap_expert: Option<f64>,
    /// The embedding lies on top of the first stage and the head on top of the last, rather than spread over the stages.
    pub ends_on_top: bool,
    /// Rows of the fullest rank over the mean.
    pub imbalance: f64,
    /// Share of the micro-batches in which a sparse layer has clones.
    pub cloned: f64,
    /// Clone slots of a rank in those.
    pub clone_slots: f64,
    /// Time of attention over that of the device's best kernel.
    pub attention: f64,
    /// Element-wise work and dispatch of sparse layers over those of plain kernels: fused ones need less.
    pub sparse: f64,
    /// Bytes kept for the backward pass over those of the trainer's programs, which keep some values in f32.
    pub kept: f64,
    /// Bytes kept for every score of attention beside that, where it is not one kernel.
    pub kept_scores: f64,
    /// Seconds that the host needs to start all kernels of one sparse layer, forward and backward: a floor below the device's time. Half as much
    /// again where the forward pass is repeated.
    pub host_layer: f64,
    /// The same of a dense layer.
    pub host_dense: f64,
    /// Bytes a parameter of masters and moments.
    pub state_bytes: f64,
    /// Where batches come from.
    pub feed: Feed,
}

impl Software {
    /// The trainer on a platform: its attention kernel runs on the CPU, elsewhere attention runs as it is written.
    pub fn trainer(platform: &str, precision: Precision) -> Self {
        Self {
            kernels: Kernels { fused_attention: platform == "cpu", addressing: true },
            precision,
            reduce_every_micro_batch: true,
            gradient_bytes: 4.0,
            gradient_sum_bytes: 4.0,
            compute: 1.0,
            deduplicated: false,
            sequence_parallel: true,
            overlap_expert: None,
            ends_on_top: false,
            imbalance: 1.0,
            cloned: 0.0,
            clone_slots: 0.0,
            attention: 1.0,
            sparse: 1.0,
            kept: 1.0,
            kept_scores: 0.0,
            host_layer: 0.0,
            host_dense: 0.0,
            state_bytes: 12.0,
            // `data.prefetch` is 1 unless the user says otherwise; token files are made before the first step.
            feed: Feed { text: false, ahead: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::case::LAYOUT;

    #[test]
    fn meshes_are_separate_where_attention_has_other_groups() {
        let of =
            |tensor, data, expert, expert_tensor| Layout { tensor, data, expert, expert_tensor, ..LAYOUT };
        // The trainer's; Megatron's before folding; dense.
        for layout in [of(1, 8, 4, 1), of(2, 4, 4, 2), of(4, 2, 1, 1)] {
            assert!(!layout.has_separate_meshes(), "{layout:?}");
        }
        for layout in [of(2, 4, 8, 1), of(2, 4, 4, 1), of(1, 8, 2, 4), of(4, 2, 1, 2)] {
            assert!(layout.has_separate_meshes() && layout.is_consistent(), "{layout:?}");
            assert!(layout.not_trainable().contains(&"separate meshes for attention and experts"));
        }
    }
}
