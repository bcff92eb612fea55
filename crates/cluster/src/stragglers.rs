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
    /// Share of the plans that have clones at all.
    pub cloned: f64,
    /// Clone slots of a rank in those plans: as many as the rank with the most clones needs, since all run one program.
    pub slots: f64,
}

/// What a budget of clones makes of recorded routing at one expert degree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Balanced {
    /// The budget: most clones of a rank in a layer.
    pub clones: usize,
    /// Rows of the fullest rank over the mean.
    pub imbalance: f64,
    /// Share of the plans with clones.
    pub cloned: f64,
    /// Clone slots of a rank in those.
    pub slots: f64,
}

/// One plan of a replay.
#[derive(Clone, Copy)]
struct Planned {
    fullest: f64,
    clones: usize,
    slots: usize,
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
    let layers: Vec<Vec<Planned>> = (0..span.layers)
        .into_par_iter()
        .map(|i| {
            let layer = Window { layer: &trace.layers[i % trace.layers.len()], ranks, tokens_per_rank };
            replay_layer(&layer, trace.num_experts, policy, setting, span.steps, i * STRIDE.1)
        })
        .collect::<Result<_, _>>()
        .map_err(|e| ClusterError::Request(e.to_string()))?;
    let count = (span.layers * span.steps) as f64;
    let mut by_step: Vec<f64> = (0..span.steps)
        .map(|s| layers.iter().map(|l| l[s].fullest).sum::<f64>() / span.layers as f64)
        .collect();
    let sum = |of: &dyn Fn(&Planned) -> f64| layers.iter().flatten().map(of).sum::<f64>();
    let mean = by_step.iter().sum::<f64>() / span.steps as f64;
    by_step.sort_by(f64::total_cmp);
    Ok(Stragglers {
        policy: policy.name().into(),
        ranks,
        tokens_per_rank,
        plans: span.layers * span.steps,
        mean,
        band: (quantile(&by_step, 0.1), quantile(&by_step, 0.9)),
        clones: sum(&|p| p.clones as f64) / count / ranks as f64,
        cloned: sum(&|p| f64::from(u8::from(p.slots > 0))) / count,
        slots: sum(&|p| p.slots as f64) / sum(&|p| f64::from(u8::from(p.slots > 0))).max(1.0),
    })
}

/// Replays at every degree of `degrees` under growing budgets of clones, for a search that chooses among them. A budget that the policy does
/// not use up is the last.
///
/// # Errors
/// As [`replay`].
pub fn by_degree(
    trace: &Trace,
    policy: &dyn Policy,
    degrees: &[usize],
    setting: impl Fn(usize) -> Result<Setting, ClusterError>,
    span: Span,
) -> Result<BTreeMap<usize, Vec<Balanced>>, ClusterError> {
    let one = |ranks: usize| {
        let mut found: Vec<Balanced> = Vec::new();
        let homes = trace.num_experts.div_ceil(ranks);
        let budgets: &[usize] = if policy.plans_micro_batches() { &[0, 1, 2, 4, 8] } else { &[0] };
        for &clones in budgets.iter().filter(|b| **b <= homes) {
            let mut setting = setting(ranks)?;
            setting.limits.max_clones = clones;
            let s = replay(trace, policy, &setting, span)?;
            let next = Balanced { clones, imbalance: s.mean, cloned: s.cloned, slots: s.slots };
            if found.last().is_some_and(|last| next == Balanced { clones, ..*last }) {
                break;
            }
            found.push(next);
        }
        Ok((ranks, found))
    };
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

/// Plans, step by step.
fn replay_layer(
    window: &Window<'_>,
    num_experts: usize,
    policy: &dyn Policy,
    setting: &Setting,
    steps: usize,
    start: usize,
) -> Result<Vec<Planned>, collegium_balance::BalanceError> {
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
        found.push(Planned {
            fullest: max_over_mean(&plan.loads()),
            clones: plan.num_clones(),
            slots: plan.max_clones(),
        });
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
    fn budgets_of_clones_grow_until_the_policy_has_enough() {
        let span = Span { steps: 6, layers: 3, tokens_per_rank: 128 };
        let run = |name| {
            by_degree(&skewed(), policy::by_name(name).unwrap(), &[1, 2], |r| Ok(setting(r)), span).unwrap()
        };
        let (fixed, exact) = (run("static"), run("exact"));
        assert_eq!(fixed.keys().collect::<Vec<_>>(), [&2], "one rank has nothing to balance");
        assert_eq!((fixed[&2].len(), fixed[&2][0].clones), (1, 0));
        let found = &exact[&2];
        assert!(found[0].imbalance > 1.4 && found[0].cloned == 0.0, "{found:?}");
        let last = found.last().unwrap();
        assert!(last.imbalance < 1.01 && last.cloned > 0.9 && last.slots >= 1.0, "{found:?}");
        assert!(found.windows(2).all(|w| w[1].imbalance <= w[0].imbalance + 1e-12), "{found:?}");
    }

    #[test]
    fn a_trace_without_a_token_a_rank_is_refused() {
        let span = Span { steps: 1, layers: 1, tokens_per_rank: 1 };
        let error = replay(&skewed(), policy::by_name("static").unwrap(), &setting(1024), span).unwrap_err();
        assert!(error.to_string().contains("512 tokens for 1024 ranks"), "{error}");
    }
}
