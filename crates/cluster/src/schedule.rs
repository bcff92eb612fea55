//! Schedules of a pipeline, and what each leaves idle at best.
//!
//! Of one micro-batch on a stage: `t` seconds in all, `f` forward, `w` for the gradients of weights.
//!
//! | schedule | idle with p alike stages | weights | source |
//! | --- | --- | --- | --- |
//! | 1F1B, interleaved over v pieces | (p - 1) t / v | 1 | Narayanan et al. 2021, 2104.04473 |
//! | zero bubble (ZB-H1) | (p - 1) (t - 2 w) | 1 | Qi et al. 2024, 2401.10241 |
//! | DualPipe | (p / 2 - 1) (2 t - f - 3 w) | 2 | DeepSeek-V3 2024, 2412.19437, table 2 |

use serde::Serialize;

/// In which order a stage works on micro-batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// One forward, one backward; interleaved where a stage has several pieces.
    OneForwardOneBackward,
    /// Gradients of weights wait until a stage would idle.
    ZeroBubble,
    /// Micro-batches enter at both ends, every stage holds two pieces, and gradients of weights fill gaps.
    DualPipe,
}

/// Seconds of one micro-batch on one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Turn {
    /// Forward.
    pub forward: f64,
    /// Backward: gradients of values.
    pub input: f64,
    /// Backward: gradients of weights.
    pub weight: f64,
}

impl Turn {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.forward + self.input + self.weight
    }
}

impl Schedule {
    /// All schedules with their names.
    pub const ALL: [(&'static str, Self); 3] = [
        ("1f1b", Self::OneForwardOneBackward),
        ("zero-bubble", Self::ZeroBubble),
        ("dual-pipe", Self::DualPipe),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|s| s.1 == self).map_or("", |s| s.0)
    }

    /// Whether gradients of weights are work of their own.
    pub fn splits_backward(self) -> bool {
        self != Self::OneForwardOneBackward
    }

    /// Copies of the weights that a stage holds.
    pub fn copies(self) -> f64 {
        if self == Self::DualPipe { 2.0 } else { 1.0 }
    }

    /// Micro-batches whose values a stage of a full pipeline holds at most.
    pub fn in_flight(self, stages: usize) -> usize {
        if self == Self::DualPipe { stages + 1 } else { stages }
    }

    /// Seconds that the fullest stage idles at best, where it waits for `others` in 1F1B: p - 1 turns where all stages are as full as `turn` says.
    pub fn idle(self, stages: usize, pieces: usize, others: f64, turn: &Turn) -> f64 {
        let (p, t) = (stages as f64, turn.total());
        // Seconds of all other stages: (p - 1) t where they are alike.
        let alike = if t > 0.0 { others / t } else { 0.0 };
        match self {
            Self::OneForwardOneBackward => others / pieces as f64,
            Self::ZeroBubble => alike * (t - 2.0 * turn.weight).max(0.0),
            Self::DualPipe => {
                let even = (p / 2.0 - 1.0).max(0.0) * (2.0 * t - turn.forward - 3.0 * turn.weight).max(0.0);
                even * (alike / (p - 1.0)).min(1.0)
            }
        }
    }
}
