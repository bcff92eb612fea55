//! How long ranks wait for the fullest one: recorded routing through the real balancer.
//!
//! Every layer ends in an exchange that all ranks of an expert group wait in, so a step loses, layer by layer, what the fullest rank has over the
//! mean. The slow tier sees past micro-batches only, as in training; the fast tier sees the counts at hand. Micro-batches are windows of
//! the recorded tokens, none twice in one micro-batch; windows begin further on in every step and layer. A model with more layers than were
//! recorded takes them again from the first, other tokens first.

use std::collections::BTreeMap;

use collegium_balance::trace::{Trace, TraceLayer};
use collegium_balance::{Counts, History, Layout, Plan, Policy, Setting, max_over_mean};
use rayon::prelude::*;
use serde::Serialize;

use crate::ClusterError;
use crate::stats::quantile;

/// Micro-batches that the slow tier remembers.
const REMEMBERED: usize = 8;
/// Tokens between the windows of neighbouring steps, and of neighbouring layers: primes, so that windows do not come back soon.
const STRIDE: (usize, usize) = (1009, 4001);

/// How much of a trace is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Micro-batches.
    pub steps: usize,
    /// Layers.
    pub layers: usize,
    /// Most tokens of a rank in a micro-batch.
    pub tokens_per_rank: usize,
}

/// Rows of the fullest rank over the mean, over all layers and steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stragglers {
    /// The policy.
    pub policy: String,
    /// Ranks of the expert group.
    pub ranks: usize,
    /// Tokens of a rank in a micro-batch.
    pub tokens_per_rank: usize,
    /// Plans made.
    pub plans: usize,
    /// Mean over layers and steps: what a step waits for.
    pub mean: f64,
    /// 10th and 90th percentile over steps of the mean over layers.
    pub band: (f64, f64),
    /// Clones of a rank in a layer, on average.
    pub clones: f64,
}

/// Replays `span` of a trace over the ranks of `setting`.
///
/// # Errors
/// Fewer tokens than ranks, experts that no layout holds, or what the policy refuses.
pub fn replay(
    trace: &Trace,
    policy: &dyn Policy,
    setting: &Setting,
    span: Span,
) -> Result<Stragglers, ClusterError> {
    let ranks = setting.topology.num_ranks();
    let tokens = trace.layers.first().map_or(0, TraceLayer::num_tokens);
    if tokens < ranks || span.steps == 0 || span.layers == 0 {
        return Err(ClusterError::Request(format!(
            "trace {} has {tokens} tokens for {ranks} ranks, {} steps and {} layers; give at least one of each, and a token a rank",
            trace.name, span.steps, span.layers
        )));
    }
    let tokens_per_rank = span.tokens_per_rank.clamp(1, tokens / ranks);
    let layers: Vec<Vec<(f64, usize)>> = (0..span.layers)
        .into_par_iter()
        .map(|i| {
            let layer = Window { layer: &trace.layers[i % trace.layers.len()], ranks, tokens_per_rank };
            replay_layer(&layer, trace.num_experts, policy, setting, span.steps, i * STRIDE.1)
        })
        .collect::<Result<_, _>>()
        .map_err(|e| ClusterError::Request(e.to_string()))?;
    let count = (span.layers * span.steps) as f64;
    let mut by_step: Vec<f64> =
        (0..span.steps).map(|s| layers.iter().map(|l| l[s].0).sum::<f64>() / span.layers as f64).collect();
    let mean = by_step.iter().sum::<f64>() / span.steps as f64;
    by_step.sort_by(f64::total_cmp);
    Ok(Stragglers {
        policy: policy.name().into(),
        ranks,
        tokens_per_rank,
        plans: span.layers * span.steps,
        mean,
        band: (quantile(&by_step, 0.1), quantile(&by_step, 0.9)),
        clones: layers.iter().flatten().map(|s| s.1 as f64).sum::<f64>() / count / ranks as f64,
    })
}

/// Replays at every degree of `degrees`, for a search that chooses among them.
///
/// # Errors
/// As [`replay`].
pub fn by_degree(
    trace: &Trace,
    policy: &dyn Policy,
    degrees: &[usize],
    setting: impl Fn(usize) -> Result<Setting, ClusterError>,
    span: Span,
) -> Result<BTreeMap<usize, f64>, ClusterError> {
    let one = |ranks: usize| Ok((ranks, replay(trace, policy, &setting(ranks)?, span)?.mean));
    degrees.iter().copied().filter(|d| *d > 1).map(one).collect()
}

/// Micro-batches of a recorded layer.
struct Window<'a> {
    layer: &'a TraceLayer,
    ranks: usize,
    tokens_per_rank: usize,
}

impl Window<'_> {
    fn counts(&self, num_experts: usize, start: usize) -> Result<Counts, collegium_balance::BalanceError> {
        let (tokens, top_k) = (self.layer.num_tokens(), self.layer.top_k);
        let mut rows = vec![0; self.ranks * num_experts];
        let mut at = start % tokens;
        for own in rows.chunks_exact_mut(num_experts) {
            for _ in 0..self.tokens_per_rank {
                let chosen = &self.layer.experts[at * top_k..(at + 1) * top_k];
                chosen.iter().for_each(|&e| own[e as usize] += 1);
                at = if at + 1 == tokens { 0 } else { at + 1 };
            }
        }
        Counts::new(num_experts, rows)
    }
}

/// Fullest over mean and clones, step by step.
fn replay_layer(
    window: &Window<'_>,
    num_experts: usize,
    policy: &dyn Policy,
    setting: &Setting,
    steps: usize,
    start: usize,
) -> Result<Vec<(f64, usize)>, collegium_balance::BalanceError> {
    let mut layout = Layout::contiguous(window.ranks, num_experts)?;
    let mut history = History::new(REMEMBERED, num_experts);
    let mut previous: Option<Plan> = None;
    let mut found = Vec::with_capacity(steps);
    for step in 0..steps {
        if step > 0 {
            layout = policy.relayout(&history, &layout, setting)?;
        }
        let counts = window.counts(num_experts, start + step * STRIDE.0)?;
        let plan = policy.plan(&counts, &layout, previous.as_ref(), setting)?;
        found.push((max_over_mean(&plan.loads()), plan.num_clones()));
        history.observe(&counts);
        previous = Some(plan);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use collegium_balance::{CostModel, Limits, Topology, policy};

    fn setting(ranks: usize) -> Setting {
        let cost = CostModel::machine("h100").unwrap();
        Setting { topology: Topology::one_node(ranks), cost, limits: Limits::default() }
    }

    /// 512 tokens of 8 experts; the lower half of the experts gets three rows of four.
    fn skewed() -> Trace {
        let experts =
            (0..512u32).map(|t| if t % 4 == 3 { 4 + t / 4 % 4 } else { (t / 4 + t % 4) % 4 }).collect();
        let layer = TraceLayer { name: "layer_00".into(), top_k: 1, experts };
        Trace { name: "skewed".into(), num_experts: 8, layers: vec![layer], ..Trace::default() }
    }

    #[test]
    fn exact_balance_waits_for_nobody_and_a_static_layout_as_long_as_its_skew_says() {
        let span = Span { steps: 6, layers: 3, tokens_per_rank: 128 };
        let run = |name| replay(&skewed(), policy::by_name(name).unwrap(), &setting(2), span).unwrap();
        let (fixed, exact) = (run("static"), run("exact"));
        assert!((fixed.mean - 1.5).abs() < 0.02, "{fixed:?}");
        assert!(exact.mean < 1.01 && exact.clones > 0.0, "{exact:?}");
        assert_eq!(exact.plans, 18);
        assert_eq!(run("exact"), exact, "the same on every run");
    }

    #[test]
    fn a_trace_without_a_token_a_rank_is_refused() {
        let span = Span { steps: 1, layers: 1, tokens_per_rank: 1 };
        let error = replay(&skewed(), policy::by_name("static").unwrap(), &setting(1024), span).unwrap_err();
        assert!(error.to_string().contains("512 tokens for 1024 ranks"), "{error}");
    }
}
