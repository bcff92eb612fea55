//! A trace made ready for a number of ranks.

use collegium_core::SplitMix64;

use super::Options;
use crate::{
    BalanceError, Counts, History,
    trace::{RankLoads, Trace, TraceLayer},
};

/// What the slow tier has seen of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanOn {
    /// The very micro-batch that is planned: the best that a slow tier can do.
    SameStep,
    /// The first half of the tokens; the second is planned.
    PreviousHalf,
    /// Another trace.
    OtherDomain,
}

/// What is known of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Expert and source.
    Routing,
    /// Only the rank: every rank's rows stand for one expert, and come from all sources alike.
    RankLoads,
}

/// One layer: what the slow tier has seen, and what is planned.
pub(super) struct SceneLayer {
    pub name: String,
    /// One for all micro-batches, or, planned on themselves, one for each.
    pub histories: Vec<History>,
    pub batches: Vec<Counts>,
}

/// A trace at a number of ranks.
pub struct Scene {
    pub(super) kind: Kind,
    pub(super) layers: Vec<SceneLayer>,
}

impl Scene {
    /// Routing of a trace over `options.ranks` ranks; `other` is the domain that [`PlanOn::OtherDomain`] plans on.
    ///
    /// # Errors
    /// Fewer tokens than ranks, or another domain that is missing or of another model.
    pub fn of_routing(trace: &Trace, other: Option<&Trace>, options: &Options) -> Result<Self, BalanceError> {
        let tokens = trace.layers.first().map_or(0, TraceLayer::num_tokens);
        let halves = options.plan_on == PlanOn::PreviousHalf;
        let start = if halves { tokens / 2 } else { 0 };
        if tokens - start < options.ranks || (halves && start == 0) {
            return Err(BalanceError::FewTokens { tokens: tokens - start, ranks: options.ranks });
        }
        let other = match (options.plan_on, other) {
            (PlanOn::OtherDomain, Some(o))
                if (o.num_experts, o.layers.len()) == (trace.num_experts, trace.layers.len()) =>
            {
                Some(o)
            }
            (PlanOn::OtherDomain, other) => {
                let of = |t: &Trace| format!("{} experts in {} layers", t.num_experts, t.layers.len());
                return Err(BalanceError::OtherDomain {
                    needed: of(trace),
                    given: other.map_or("none".into(), of),
                });
            }
            _ => None,
        };
        let batches = micro_batches(start..tokens, options);
        let layer = |(i, layer): (usize, &TraceLayer)| -> Result<SceneLayer, BalanceError> {
            let count = |sources: &Vec<Vec<usize>>| counts(layer, trace.num_experts, sources);
            let batches = batches.iter().map(count).collect::<Result<Vec<_>, _>>()?;
            let histories = match other {
                Some(other) => {
                    vec![whole(&other.layers[i], trace.num_experts, 0..other.layers[i].num_tokens())?]
                }
                None if halves => vec![whole(layer, trace.num_experts, 0..start)?],
                None => batches.iter().map(history).collect(),
            };
            Ok(SceneLayer { name: layer.name.clone(), histories, batches })
        };
        let layers = trace.layers.iter().enumerate().map(layer).collect::<Result<_, _>>()?;
        Ok(Self { kind: Kind::Routing, layers })
    }

    /// Rows of ranks, every iteration a micro-batch. There is nothing that a slow tier could lay out anew.
    ///
    /// # Errors
    /// Options for another number of ranks than were recorded.
    pub fn of_rank_loads(loads: &RankLoads, options: &Options) -> Result<Self, BalanceError> {
        if loads.num_ranks != options.ranks {
            return Err(BalanceError::RecordedRanks { recorded: loads.num_ranks, asked: options.ranks });
        }
        let mut layers: Vec<SceneLayer> = Vec::new();
        for iteration in &loads.iterations {
            let name = format!("layer_{:02}", iteration.layer);
            if layers.last().is_none_or(|l| l.name != name) {
                layers.push(SceneLayer { name, histories: Vec::new(), batches: Vec::new() });
            }
            let counts = from_everywhere(&iteration.rows)?;
            let layer = layers.last_mut().expect("one was pushed");
            layer.histories.push(history(&counts));
            layer.batches.push(counts);
        }
        Ok(Self { kind: Kind::RankLoads, layers })
    }

    /// Micro-batches of each layer.
    pub fn num_batches(&self) -> usize {
        self.layers.first().map_or(0, |l| l.batches.len())
    }
}

fn history(counts: &Counts) -> History {
    let mut history = History::new(1, counts.num_experts());
    history.observe(counts);
    history
}

/// The load of a range of tokens.
fn whole(
    layer: &TraceLayer,
    num_experts: usize,
    tokens: std::ops::Range<usize>,
) -> Result<History, BalanceError> {
    Ok(history(&counts(layer, num_experts, &[tokens.collect()])?))
}

/// The tokens of every source of every micro-batch. A trace that is too short for one is used again from its start.
fn micro_batches(tokens: std::ops::Range<usize>, options: &Options) -> Vec<Vec<Vec<usize>>> {
    let size = options.tokens_per_rank.map_or(tokens.len(), |n| n * options.ranks);
    let num_batches = (tokens.len() / size).max(1);
    let mut random = SplitMix64::new(0);
    (0..num_batches)
        .map(|batch| {
            let at = |i: usize| tokens.start + (batch * size + i) % tokens.len();
            let mut own: Vec<usize> = (0..size).map(at).collect();
            if options.shuffle {
                random.shuffle(&mut own);
            }
            split(&own, options.ranks)
        })
        .collect()
}

/// Neighbouring tokens to the same source; the first sources have one more where they do not divide.
fn split(tokens: &[usize], ranks: usize) -> Vec<Vec<usize>> {
    let first = |r: usize| r * (tokens.len() / ranks) + r.min(tokens.len() % ranks);
    (0..ranks).map(|r| tokens[first(r)..first(r + 1)].to_vec()).collect()
}

fn counts(layer: &TraceLayer, num_experts: usize, sources: &[Vec<usize>]) -> Result<Counts, BalanceError> {
    let mut rows = vec![0; sources.len() * num_experts];
    for (rows, tokens) in rows.chunks_exact_mut(num_experts).zip(sources) {
        for &token in tokens {
            let chosen = &layer.experts[token * layer.top_k..(token + 1) * layer.top_k];
            chosen.iter().for_each(|&e| rows[e as usize] += 1);
        }
    }
    Counts::new(num_experts, rows)
}

/// Every rank's rows as one expert's, from all sources alike.
fn from_everywhere(rows: &[u32]) -> Result<Counts, BalanceError> {
    let ranks = rows.len() as u32;
    let part = |source: u32| {
        rows.iter()
            .enumerate()
            .map(move |(e, n)| n / ranks + u32::from((source + e as u32) % ranks < n % ranks))
    };
    Counts::new(rows.len(), (0..ranks).flat_map(part).collect())
}
