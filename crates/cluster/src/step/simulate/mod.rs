//! A step as it happens: passes through layers on the lanes of a rank, passes through stages, then gradients and the update.
//!
//! The closed form of [`Pricer::price`] adds shares; here what is hidden needs work to hide behind, a stage waits for its neighbours, and what every
//! micro-batch sends lengthens the turn that others wait for. The closed form is therefore a bound from below (a test holds it), which a
//! search can afford for every layout; a simulation finishes the few that are left.

mod pass;
mod pipeline;

use serde::Serialize;

use super::{Estimate, Pricer};
use crate::ClusterError;
use crate::layout::{Layout, Recompute, Software};
use crate::schedule::Turn;

use pass::Pass;
pub use pass::{Lane, Span};
pub use pipeline::{Kind, Op};

/// Rounds of a pipeline that are simulated; the steady state between goes on at the pace of the fullest stage.
const ROUNDS: usize = 4;
/// Stages from which on an interleaved pipeline is drawn for one round.
const WIDE: usize = 16;
/// Micro-batches of a drawing, at least.
const DRAWN: usize = 4;

/// A step, drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Timeline {
    /// What every stage does, for the first `micro_batches` of a step as if it had no more.
    pub ops: Vec<Op>,
    /// How many are drawn.
    pub micro_batches: usize,
    /// One layer (a sparse one where there are), forward.
    pub forward: Vec<Span>,
    /// The same backward.
    pub backward: Vec<Span>,
    /// Seconds after the last backward pass: gradients and weights on the way that nothing hides.
    pub data: f64,
    /// Seconds of the update.
    pub optimizer: f64,
    /// Seconds before the first pass that the devices wait for the batch.
    pub loading: f64,
}

/// One rank's share of a step before the pipeline is put together.
struct Setup {
    stages: Vec<Turn>,
    pieces: usize,
    hop: f64,
    /// Seconds of gradients and weights on the way that nothing hides: of every micro-batch, in its turn already, and once a step.
    each: f64,
    data: f64,
}

impl Pricer<'_> {
    fn setup(&self, layout: &Layout, software: &Software, closed: &Estimate) -> Result<Setup, ClusterError> {
        let passes = self.both_passes(layout, software)?;
        let p = layout.pipeline;
        let seconds = self.stage_seconds(layout, software, &passes);
        let fullest = seconds.iter().map(|s| s[0] + s[1]).fold(0.0, f64::max);
        let (each, once) = self.data_traffic(layout, software, fullest);
        let barrier = self.barrier(layout);
        let products = if layout.recompute == Recompute::Recompute { 4.0 } else { 3.0 };
        // One of three passes through the products (of four with recomputation) makes the gradients of weights.
        let weight = closed.parts.products / (products * layout.micro_batches as f64);
        let turn = |[forward, backward]: &[f64; 2]| {
            let weight = weight * (forward + backward) / fullest;
            let forward = forward + each / 3.0 + barrier;
            Turn { forward, input: backward + each * 2.0 / 3.0 + barrier - weight, weight }
        };
        let stages = seconds.iter().map(turn).collect();
        let hop = if p > 1 { super::EXPOSED_HOPS * self.stage_traffic(layout, software) / 2.0 } else { 0.0 };
        Ok(Setup { stages, pieces: layout.virtual_stages, hop, each, data: once })
    }

    /// Forward and backward of one micro-batch on every stage.
    fn stage_seconds(&self, layout: &Layout, software: &Software, passes: &[Pass; 2]) -> Vec<[f64; 2]> {
        let (p, layers) = (layout.pipeline, self.model.config.num_layers);
        if p > 1 && self.has_ends_on_top(software) {
            let own = |s: usize| self.layers_of_stage(layout, s) as f64 / layers as f64;
            let first = |s: usize| if s == 0 { 1.0 } else { 0.0 };
            let last = |s: usize| if s + 1 == p { 1.0 } else { 0.0 };
            let of = |s, pass: &Pass| own(s) * pass.layers + first(s) * pass.embed + last(s) * pass.head;
            return (0..p).map(|s| [of(s, &passes[0]), of(s, &passes[1])]).collect();
        }
        // As in the closed form: even shares, or whole layers where these do not divide; the other stages share the rest.
        let whole: f64 = passes.iter().map(Pass::total).sum();
        if let Some(last) = self.layers_of_last(layout, software).map(|n| n as f64 / layers as f64) {
            let last = passes.each_ref().map(|pass| last * pass.layers + pass.head);
            if last[0] + last[1] > whole / p as f64 && p > 1 {
                let share = |i: usize| (passes[i].total() - last[i]) / (p - 1) as f64;
                let mut stages = vec![[share(0), share(1)]; p - 1];
                stages.push(last);
                return stages;
            }
        }
        let of_layers = passes.iter().map(|p| p.layers).sum::<f64>() / whole;
        let full = (layers.div_ceil(p) as f64 / layers as f64 * of_layers).max(1.0 / p as f64);
        let fullest = if full > 1.0 / p as f64 + 1e-12 { (layers % p).max(1) } else { p };
        let rest = if fullest < p { (1.0 - full * fullest as f64) / (p - fullest) as f64 } else { 0.0 };
        let share = |s: usize| if s < fullest { full } else { rest };
        (0..p).map(|s| [share(s) * passes[0].total(), share(s) * passes[1].total()]).collect()
    }

    /// What `layout` does when its step is played, operation by operation.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn simulate(&self, layout: &Layout, software: &Software) -> Result<Estimate, ClusterError> {
        let closed = self.price(layout, software)?;
        let setup = self.setup(layout, software, &closed)?;
        let (p, n) = (layout.pipeline, layout.micro_batches);
        let fullest = setup.stages.iter().map(Turn::total).fold(0.0, f64::max);
        // Whole rounds, as interleaving needs them; what was added or left out goes at the pace of the fullest stage.
        let played = match (p, setup.pieces) {
            (1, _) => 1,
            (_, 1) => n.min(ROUNDS * p),
            _ => n.div_ceil(p).min(ROUNDS) * p,
        };
        let ops = pipeline::run(layout.schedule, &setup.stages, setup.pieces, played, setup.hop);
        let span = pipeline::makespan(&ops) + (n as f64 - played as f64) * fullest;
        let mut parts = closed.parts;
        let each = setup.each;
        parts.data = setup.data + each * n as f64;
        let busy = fullest * n as f64;
        // What hidden traffic found no work to hide behind.
        let known =
            parts.products + parts.attention + parts.vector + parts.launch + parts.tensor + parts.imbalance;
        let extra = (busy - each * n as f64 - known - parts.expert).max(0.0);
        let sent = parts.expert + parts.tensor;
        if sent > 0.0 {
            parts.expert += extra * parts.expert / sent;
            parts.tensor += extra * closed.parts.tensor / sent;
        }
        parts.bubble = (span - busy).max(0.0);
        self.wait(&mut parts, layout, software);
        Ok(Estimate { step: parts.total(), parts, ..closed })
    }

    /// The step to be drawn.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate).
    pub fn timeline(&self, layout: &Layout, software: &Software) -> Result<Timeline, ClusterError> {
        let closed = self.price(layout, software)?;
        let setup = self.setup(layout, software, &closed)?;
        // Two rounds show the steady state; of a wide and deep pipeline one is enough to look at.
        let rounds = if setup.pieces > 1 && layout.pipeline > WIDE { 1 } else { 2 };
        let whole = rounds * layout.pipeline;
        let micro_batches = if setup.pieces > 1 {
            layout.micro_batches.next_multiple_of(layout.pipeline).min(whole)
        } else {
            layout.micro_batches.min(whole.max(DRAWN))
        };
        let ops = pipeline::run(layout.schedule, &setup.stages, setup.pieces, micro_batches, setup.hop);
        let kind = self.kinds.iter().position(|k| k.0.feed_forward.moe().is_some()).unwrap_or(0);
        let spans = |backward: bool| -> Result<Vec<Span>, ClusterError> {
            let mut spans = Vec::new();
            pass::play(&self.chain(kind, layout, software, backward)?, Some(&mut spans));
            Ok(spans)
        };
        Ok(Timeline {
            ops,
            micro_batches,
            forward: spans(false)?,
            backward: spans(true)?,
            data: setup.data,
            optimizer: closed.parts.optimizer,
            loading: closed.parts.loading,
        })
    }
}
