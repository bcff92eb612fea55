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
        let [forward, backward] = self.both_passes(layout, software)?;
        let (p, layers) = (layout.pipeline, self.model.config.num_layers);
        let whole = forward + backward;
        let (embed, head) = self.model_ends(self.local(layout, software), software)?;
        let ends = embed.forward.plus(embed.backward, 1.0).plus(head.forward, 1.0).total();
        // As in the closed form: even shares, or whole layers where these do not divide; the other stages share the rest.
        let full = (layers.div_ceil(p) as f64 / layers as f64 * (1.0 - ends / whole)).max(1.0 / p as f64);
        let fullest = if full > 1.0 / p as f64 + 1e-12 { (layers % p).max(1) } else { p };
        let rest = if fullest < p { (1.0 - full * fullest as f64) / (p - fullest) as f64 } else { 0.0 };
        let (each, once) = self.data_traffic(layout, software, whole * full);
        let barrier = self.barrier(layout);
        let products = if layout.recompute == Recompute::Recompute { 4.0 } else { 3.0 };
        // One of three passes through the products (of four with recomputation) makes the gradients of weights.
        let weight = closed.parts.products / (products * layout.micro_batches as f64);
        let turn = |share: f64| {
            let weight = weight * share / full;
            let forward = forward * share + each / 3.0 + barrier;
            Turn { forward, input: backward * share + each * 2.0 / 3.0 + barrier - weight, weight }
        };
        let stages = (0..p).map(|s| turn(if s < fullest { full } else { rest })).collect();
        let hop = if p > 1 { super::EXPOSED_HOPS * self.stage_traffic(layout, software) / 2.0 } else { 0.0 };
        Ok(Setup { stages, pieces: layout.virtual_stages, hop, each, data: once })
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
        parts.straggle = 0.0;
        parts.straggle = parts.total() * self.straggle(layout);
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
        })
    }
}
