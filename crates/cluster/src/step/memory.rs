//! Bytes that one rank of the fullest stage holds.

use serde::Serialize;

use super::{MemoryUse, Pricer, Stage};
use crate::layout::{Layout, Sharding, Software};
use crate::roofline::Precision;

/// Largest of ten measured peaks over what was predicted for it, but for the one in ten that are larger still: `plan validate` prints it.
const ABOVE: f64 = 1.09;
/// The smallest of them, but for the one in ten that are smaller still.
const BELOW: f64 = 0.88;
/// Share of what an allocator holds that its holes take, mean over eight models (GMLake, 2401.08156: 15 %, up to 33).
const HOLES: f64 = 0.15;

/// Whether a prediction of memory leaves room for what it does not know: its own error and the holes of an allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryFit {
    /// With both of them.
    Fits,
    /// Only if they are smaller than usual, or the prediction too large.
    MayNotFit,
    /// Also where the prediction is as much too large as one in ten is.
    DoesNotFit,
}

impl MemoryFit {
    /// Of `bytes` predicted where there is `room`.
    pub fn of(bytes: f64, room: f64) -> Self {
        if bytes * BELOW > room {
            Self::DoesNotFit
        } else if bytes * ABOVE / (1.0 - HOLES) > room {
            Self::MayNotFit
        } else {
            Self::Fits
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::MayNotFit => "may not fit",
            Self::DoesNotFit => "does not fit",
        }
    }
}

impl Pricer<'_> {
    /// Scores of attention in all layers, of one micro-batch on one rank.
    fn scores(&self, layout: &Layout) -> f64 {
        let heads = self.model.config.num_heads.div_ceil(layout.tensor) * self.model.config.num_layers;
        (heads * layout.micro_batch * self.seq) as f64 * self.seq as f64 / layout.context as f64
    }

    pub(super) fn memory(
        &self,
        layout: &Layout,
        software: &Software,
        stage: &Stage,
        state: (f64, f64),
        held: f64,
    ) -> MemoryUse {
        let whole = state.0 + state.1;
        let masters = software.state_bytes * held;
        // Two layers at a time: one comes, one goes.
        let on_device = if layout.offload {
            masters * (2.0 * layout.pipeline as f64 / self.model.config.num_layers as f64).min(1.0)
        } else {
            masters
        };
        let width = if software.precision == Precision::Float32 { 4.0 } else { 2.0 };
        let stages = layout.pipeline as f64;
        let in_flight = layout.schedule.in_flight(layout.pipeline).min(layout.micro_batches) as f64;
        let in_flight = if layout.pipeline == 1 { 1.0 } else { in_flight };
        let copies = layout.schedule.copies();
        let interleaved = if layout.virtual_stages > 1 {
            1.0 + (stages - 1.0) / (stages * layout.virtual_stages as f64)
        } else {
            1.0
        };
        // Slots of clones in every sparse layer of the stage.
        let clones: f64 = match layout.expert {
            1 => 0.0,
            _ => self.kinds.iter().map(|k| self.expert_bytes(&k.0, layout, width) * k.1 as f64).sum(),
        };
        let clones = clones * software.clone_slots / stages;
        let local = self.local(layout, software);
        let logits = (local.tokens() * self.model.config.vocab_size.div_ceil(layout.tensor)) as f64;
        // Gradients of embedding and head exist whole in the working type before they are added to their sums.
        let ends = if layout.pipeline == 1 { 1.0 } else { 0.5 };
        let table = ends * self.model.end_parameters() / layout.tensor as f64;
        MemoryUse {
            weights: copies * width * if layout.sharding == Sharding::Weights { held } else { whole }
                + clones,
            gradients: copies
                * software.gradient_sum_bytes
                * match layout.sharding {
                    Sharding::Gradients | Sharding::Weights => held,
                    _ => whole,
                },
            optimizer: on_device,
            activations: (software.kept * stage.kept + software.kept_scores * self.scores(layout)) / stages
                * in_flight
                * interleaved,
            transient: stage.working.max(if layout.pipeline == 1 { 4.0 * logits } else { 0.0 })
                + width * table,
            host: if layout.offload { masters } else { 0.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_errors_and_holes_is_part_of_a_fit() {
        // 76 GB hold 59.3 with holes of 15 % and an error of 9 %.
        assert_eq!(MemoryFit::of(59.2e9, 76e9), MemoryFit::Fits);
        assert_eq!(MemoryFit::of(59.4e9, 76e9), MemoryFit::MayNotFit);
        assert_eq!(MemoryFit::of(76e9, 76e9), MemoryFit::MayNotFit);
        // One in ten takes 12 % less than predicted.
        assert_eq!(MemoryFit::of(86.3e9, 76e9), MemoryFit::MayNotFit);
        assert_eq!(MemoryFit::of(86.4e9, 76e9), MemoryFit::DoesNotFit);
    }
}
