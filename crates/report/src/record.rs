//! The records of a run, one JSON object per line of `metrics.jsonl`.
//!
//! Field names are stable: they are what `--json`, the page and users' own scripts read. JSON has no NaN, so a number
//! that is not finite is written as `null` and read back as NaN. Fields a file lacks take their default, so files of
//! older versions stay readable.

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// Something that happened at a step and is worth a line.
pub trait Record: Serialize + DeserializeOwned {
    /// The value of `kind` in its JSON object.
    const KIND: &'static str;
    /// The optimizer step it belongs to, counted from one.
    fn step(&self) -> u64;
    /// What TensorBoard plots, as tag and value.
    fn scalars(&self) -> Vec<(String, f64)>;
}

/// One optimizer step (`kind: "step"`). Everything is of this step alone unless it says cumulative.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepRecord {
    /// Optimizer step, counted from one.
    pub step: u64,
    /// Seconds since the run began; a resumed run continues the count.
    pub time_s: f64,
    /// The loss that is differentiated: cross-entropy plus weighted router losses.
    #[serde(deserialize_with = "null_is_nan")]
    pub loss: f64,
    /// Mean cross-entropy per token, in nats.
    #[serde(deserialize_with = "null_is_nan")]
    pub ce_loss: f64,
    /// Weighted router balance loss; 0 without one.
    #[serde(deserialize_with = "null_is_nan")]
    pub aux_loss: f64,
    /// Weighted router z-loss; 0 without one.
    #[serde(deserialize_with = "null_is_nan")]
    pub z_loss: f64,
    /// Global gradient norm before clipping.
    #[serde(deserialize_with = "null_is_nan")]
    pub grad_norm: f64,
    /// Learning rate of this step.
    #[serde(deserialize_with = "null_is_nan")]
    pub learning_rate: f64,
    /// Tokens trained on since the run began, cumulative.
    pub tokens: u64,
    /// Tokens of this step over its seconds.
    #[serde(deserialize_with = "null_is_nan")]
    pub tokens_per_second: f64,
    /// Wall time of this step.
    #[serde(deserialize_with = "null_is_nan")]
    pub step_seconds: f64,
    /// Joules that the machine's meters counted in this step; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joules: Option<f64>,
    /// Joules from the power that the machine is taken to draw; absent where a meter counted them or no power is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joules_estimated: Option<f64>,
    /// Where those seconds went, by phase (`data`, `host`, `forward`, `backward`, `optimizer`, …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_seconds_are_nan")]
    pub phase_seconds: BTreeMap<String, f64>,
    /// Rows of the busiest expert over the mean, worst MoE layer; absent for a dense model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_max_over_mean: Option<f64>,
    /// Rows routed to each expert, `[MoE layer][expert]`; recorded every few steps, absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_expert: Option<Vec<Vec<u32>>>,
    /// Rows of the fullest rank over the mean with every expert at home, worst MoE layer: what imbalance would have cost; absent for a
    /// dense model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_max_over_mean: Option<f64>,
    /// The same as planned: 1 is perfect balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_max_over_mean: Option<f64>,
    /// Rows of each rank with every expert at home, `[MoE layer][rank]`; recorded every few steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_rank_at_home: Option<Vec<Vec<u32>>>,
    /// Rows of each rank as planned, `[MoE layer][rank]`; recorded every few steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_rank: Option<Vec<Vec<u32>>>,
    /// Clones of experts, over all layers, ranks and micro-batches.
    pub clones: u64,
    /// Rows that went to a clone instead of home.
    pub rows_cloned: u64,
    /// Rows whose expert was on another rank of their node.
    pub rows_sent_near: u64,
    /// Rows whose expert was on another node.
    pub rows_sent_far: u64,
    /// Bytes that one rank sent to experts of its node and back, forward and backward.
    pub dispatch_bytes_near: u64,
    /// Bytes that one rank sent to experts of other nodes and back.
    pub dispatch_bytes_far: u64,
    /// Room of a pair of ranks over the mean rows of a pair, worst MoE layer; absent for a dense model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair_factor: Option<f64>,
    /// Micro-batches that were run again because a plan made ahead did not fit.
    pub reruns: u64,
    /// Expert rows computed over rows that held a token (1 means no padding); absent for a dense model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding: Option<f64>,
    /// Token routes dropped.
    pub drops: u64,
    /// Bytes one rank sent, by collective (`all_to_all`, `all_gather`, …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub collective_bytes: BTreeMap<String, u64>,
    /// Host microseconds spent planning dispatch.
    #[serde(deserialize_with = "null_is_nan")]
    pub planner_us: f64,
}

impl Record for StepRecord {
    const KIND: &'static str = "step";

    fn step(&self) -> u64 {
        self.step
    }

    fn scalars(&self) -> Vec<(String, f64)> {
        let fixed = [
            ("loss/train", Some(self.loss)),
            ("loss/cross_entropy", Some(self.ce_loss)),
            ("loss/router_aux", Some(self.aux_loss)),
            ("loss/router_z", Some(self.z_loss)),
            ("optimizer/grad_norm", Some(self.grad_norm)),
            ("optimizer/learning_rate", Some(self.learning_rate)),
            ("speed/tokens_per_second", Some(self.tokens_per_second)),
            ("speed/step_seconds", Some(self.step_seconds)),
            ("energy/joules", self.joules),
            ("energy/joules_estimated", self.joules_estimated),
            ("experts/max_over_mean", self.expert_max_over_mean),
            ("ranks/max_over_mean_at_home", self.home_max_over_mean),
            ("ranks/max_over_mean", self.rank_max_over_mean),
            ("ranks/pair_factor", self.pair_factor),
            ("experts/clones", self.rank_max_over_mean.map(|_| self.clones as f64)),
            ("experts/padding", self.padding),
            ("experts/drops", self.expert_max_over_mean.map(|_| self.drops as f64)),
            ("dispatch/bytes_near", self.expert_max_over_mean.map(|_| self.dispatch_bytes_near as f64)),
            ("dispatch/bytes_far", self.expert_max_over_mean.map(|_| self.dispatch_bytes_far as f64)),
            ("experts/planner_us", self.expert_max_over_mean.map(|_| self.planner_us)),
        ];
        let fixed = fixed.into_iter().filter_map(|(tag, value)| Some((tag.to_owned(), value?)));
        let phases = self.phase_seconds.iter().map(|(name, s)| (format!("phase_seconds/{name}"), *s));
        let bytes =
            self.collective_bytes.iter().map(|(name, b)| (format!("collective_bytes/{name}"), *b as f64));
        fixed.chain(phases).chain(bytes).collect()
    }
}

/// One pass over the validation split (`kind: "eval"`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvalRecord {
    /// Optimizer steps done before it.
    pub step: u64,
    /// Seconds since the run began.
    pub time_s: f64,
    /// Mean cross-entropy per token, in nats.
    #[serde(deserialize_with = "null_is_nan")]
    pub loss: f64,
    /// `exp(loss)`.
    #[serde(deserialize_with = "null_is_nan")]
    pub perplexity: f64,
    /// Tokens it was measured on.
    pub tokens: u64,
}

impl Record for EvalRecord {
    const KIND: &'static str = "eval";

    fn step(&self) -> u64 {
        self.step
    }

    fn scalars(&self) -> Vec<(String, f64)> {
        vec![("loss/validation".to_owned(), self.loss), ("validation/perplexity".to_owned(), self.perplexity)]
    }
}

/// Fresh problems given to the model (`kind: "solve"`), one record per task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SolveRecord {
    /// Optimizer steps done before it.
    pub step: u64,
    /// Seconds since the run began.
    pub time_s: f64,
    /// What kind of problem (`arithmetic`, `countdown`).
    pub task: String,
    /// Problems solved.
    pub solved: u64,
    /// Problems given.
    pub problems: u64,
    /// `solved / problems`.
    #[serde(deserialize_with = "null_is_nan")]
    pub share: f64,
}

impl SolveRecord {
    /// Counts with their share worked out.
    pub fn new(step: u64, time_s: f64, task: &str, solved: u64, problems: u64) -> Self {
        let share = solved as f64 / problems as f64;
        SolveRecord { step, time_s, task: task.to_owned(), solved, problems, share }
    }
}

impl Record for SolveRecord {
    const KIND: &'static str = "solve";

    fn step(&self) -> u64 {
        self.step
    }

    fn scalars(&self) -> Vec<(String, f64)> {
        vec![(format!("solved/{}", self.task), self.share)]
    }
}

/// One checkpoint that is complete (`kind: "checkpoint"`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckpointRecord {
    /// Optimizer steps done when it was made.
    pub step: u64,
    /// Seconds since the run began, when training stopped for it.
    pub time_s: f64,
    /// Seconds that training stood still for it: all of its writing, or waiting for the one before and copying to host memory.
    #[serde(deserialize_with = "null_is_nan")]
    pub pause_seconds: f64,
    /// Seconds from the start of its writing until it was complete on the disk.
    #[serde(deserialize_with = "null_is_nan")]
    pub write_seconds: f64,
}

impl Record for CheckpointRecord {
    const KIND: &'static str = "checkpoint";

    fn step(&self) -> u64 {
        self.step
    }

    fn scalars(&self) -> Vec<(String, f64)> {
        vec![
            ("checkpoint/pause_seconds".to_owned(), self.pause_seconds),
            ("checkpoint/write_seconds".to_owned(), self.write_seconds),
        ]
    }
}

fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

fn null_seconds_are_nan<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    let map = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
    Ok(map.into_iter().map(|(name, s)| (name, s.unwrap_or(f64::NAN))).collect())
}
