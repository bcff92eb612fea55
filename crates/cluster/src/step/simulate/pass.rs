//! One pass through layers on one rank: what its engines, its memory and its links do when.
//!
//! Work of a layer is a chain. A collective holds the chain up for the share of it that nothing hides; the rest goes on beside the work that
//! follows, until the next collective needs the links. So what is hidden is never more than there is work to hide it behind, which a
//! sum of shares cannot say.

use collegium_model::config::LayerConfig;
use serde::Serialize;

use super::super::Pricer;
use super::super::layers::Priced;
use crate::ClusterError;
use crate::layout::{Layout, Recompute, Software};

/// What is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Matrix engines.
    Engine,
    /// Memory: element-wise work.
    Memory,
    /// Links between ranks.
    Links,
    /// None of these: gaps between kernels, waiting for the fullest rank.
    Waiting,
}

/// Something that one lane does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Span {
    /// The lane.
    pub lane: Lane,
    /// What it does.
    pub what: &'static str,
    /// Seconds from the beginning of the pass.
    pub start: f64,
    /// The same.
    pub end: f64,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    lane: Lane,
    what: &'static str,
    seconds: f64,
    /// Share that may go on beside what follows.
    hidden: f64,
}

impl Segment {
    fn new(lane: Lane, what: &'static str, seconds: f64) -> Self {
        Self { lane, what, seconds, hidden: 0.0 }
    }
}

/// Seconds of one pass of a micro-batch through the model.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pass {
    pub(super) layers: f64,
    pub(super) embed: f64,
    pub(super) head: f64,
}

impl Pass {
    pub(super) fn total(&self) -> f64 {
        self.layers + self.embed + self.head
    }
}

/// Plays a chain; seconds, and the spans where they are wanted.
pub(super) fn play<'a>(
    chain: impl IntoIterator<Item = &'a Segment>,
    mut spans: Option<&mut Vec<Span>>,
) -> f64 {
    let (mut now, mut links_free) = (0.0f64, 0.0f64);
    for segment in chain.into_iter().filter(|s| s.seconds > 0.0) {
        let start = if segment.lane == Lane::Links { now.max(links_free) } else { now };
        let end = start + segment.seconds;
        now = start + segment.seconds * (1.0 - segment.hidden);
        if segment.lane == Lane::Links {
            links_free = end;
        }
        if let Some(spans) = spans.as_deref_mut() {
            spans.push(Span { lane: segment.lane, what: segment.what, start, end });
        }
    }
    now.max(links_free)
}

impl Pricer<'_> {
    /// A layer's chain, forward or backward.
    pub(super) fn chain(
        &self,
        kind: usize,
        layout: &Layout,
        software: &Software,
        backward: bool,
    ) -> Result<Vec<Segment>, ClusterError> {
        let layer: &LayerConfig = &self.kinds[kind].0;
        let own = self.layer(kind, self.local(layout, software), software)?;
        let experts = self.expert_layer(kind, layout, software)?;
        let whole = self.layer_parts(layer, &own, experts.as_ref(), layout, software);
        let c = &self.device.calibration;
        let passes = if layout.recompute == Recompute::Recompute { 3.0 } else { 2.0 };
        let (share, third) =
            if backward { ((passes - 1.0) / passes, 2.0 / 3.0) } else { (1.0 / passes, 1.0 / 3.0) };
        let half = |p: &Priced| if backward { p.backward } else { p.forward };
        let sparse = if experts.is_some() { software.sparse } else { 1.0 };
        let engine = |what, seconds: f64| Segment::new(Lane::Engine, what, seconds * software.compute);
        let memory = |seconds: f64| Segment::new(Lane::Memory, "element-wise", seconds * sparse);
        let launch = |seconds| Segment::new(Lane::Waiting, "launch", seconds);
        let overlap_tensor = if software.sequence_parallel { c.overlap_tensor } else { 0.0 };
        let tensor = self.tensor_traffic(layer, layout, software) * share / 2.0;
        let rows = Segment { hidden: overlap_tensor, ..Segment::new(Lane::Links, "rows of heads", tensor) };
        let context = self.context_traffic(layout, own.forward.attention + own.backward.attention) * third;
        let block = half(&own);
        // Rows are gathered before attention and scattered after its last product, with norms around.
        let mut chain = vec![
            memory(block.vector / 2.0),
            rows,
            engine("attention", block.attention * software.attention),
            Segment::new(Lane::Links, "keys and values", context),
            engine("products", block.products),
            launch(block.launch),
            rows,
            memory(block.vector / 2.0),
        ];
        // What the host needs beyond the device's time. It comes between kernels, so traffic goes on meanwhile.
        let launched = |p: &Priced| p.forward.launch + p.backward.launch;
        let launched = launched(&own) + experts.as_ref().map_or(0.0, launched);
        let host = (whole.parts.launch - launched).max(0.0) * third / 2.0;
        let host = Segment::new(Lane::Waiting, "host", host);
        if let Some(e) = experts {
            let hidden = software.overlap_expert.unwrap_or(c.overlap_expert);
            let exchange = self.dispatch(layer, layout, software) * software.sparse * share / 2.0;
            let link = |what| Segment { hidden, ..Segment::new(Lane::Links, what, exchange) };
            let clones = self.clone_traffic(layer, layout, software)[usize::from(backward)];
            let clones = Segment::new(Lane::Links, "clones", clones);
            // Their weights come before the first row, their gradients go after the last.
            chain.extend((!backward).then_some(clones));
            chain.push(link(if backward { "combine" } else { "dispatch" }));
            chain.push(host);
            let inner = half(&e);
            chain.extend([
                memory(inner.vector / 2.0),
                engine("experts", inner.products),
                launch(inner.launch),
                memory(inner.vector / 2.0),
            ]);
            chain.push(Segment::new(Lane::Waiting, "fullest rank", whole.parts.imbalance * third));
            chain.push(link(if backward { "dispatch" } else { "combine" }));
            chain.extend(backward.then_some(clones));
        } else {
            chain.push(host);
        }
        chain.push(host);
        if backward {
            chain.reverse();
        }
        Ok(chain)
    }

    /// Both passes through the model, forward and backward.
    pub(super) fn both_passes(
        &self,
        layout: &Layout,
        software: &Software,
    ) -> Result<[Pass; 2], ClusterError> {
        let (embed, head) = self.model_ends(self.local(layout, software), software)?;
        let mut passes = [Pass::default(); 2];
        for (pass, seconds) in passes.iter_mut().enumerate() {
            let backward = pass == 1;
            let mut chains = Vec::new();
            for kind in 0..self.kinds.len() {
                chains.push(self.chain(kind, layout, software, backward)?);
            }
            let of = |layer: &LayerConfig| self.kinds.iter().position(|k| &k.0 == layer).unwrap_or(0);
            let layers = self.model.config.layers.iter().flat_map(|l| &chains[of(l)]);
            seconds.layers = play(layers, None);
            seconds.embed = if backward { embed.backward.total() } else { embed.forward.total() };
            // The head's program is both its passes.
            seconds.head = head.forward.total() * if backward { 2.0 / 3.0 } else { 1.0 / 3.0 };
        }
        Ok(passes)
    }
}
