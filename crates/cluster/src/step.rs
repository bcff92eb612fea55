//! One step of training: what it takes, on what it waits, what it holds.
//!
//! Costs of layers depend on few numbers (sizes of the layer, tensor and context degree, tokens, policy), so they are priced once and kept: a
//! candidate is then a few look-ups and some arithmetic.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use collegium_core::DType;
use collegium_model::config::LayerConfig;
use serde::Serialize;

use crate::ClusterError;
use crate::collective::{Kind, Links};
use crate::device::Device;
use crate::instance::Instance;
use crate::layout::{Layout, Recompute, Sharding, Software};
use crate::model::PlanModel;
use crate::programs::{self, Halves, Local};
use crate::roofline::{Precision, Rank, Seconds};

/// Seconds of a step by what they go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Parts {
    /// Products outside attention.
    pub products: f64,
    /// Attention.
    pub attention: f64,
    /// Element-wise work and addressing.
    pub vector: f64,
    /// Gaps between kernels, and barriers of programs with collectives.
    pub launch: f64,
    /// Exposed traffic of tensor and context parallelism.
    pub tensor: f64,
    /// Exposed dispatch and combine.
    pub expert: f64,
    /// Waiting for the fullest rank.
    pub imbalance: f64,
    /// Waiting for other stages.
    pub bubble: f64,
    /// Exposed traffic of gradients and weights.
    pub data: f64,
    /// The update.
    pub optimizer: f64,
    /// Waiting for the slowest of many ranks.
    pub straggle: f64,
}

impl Parts {
    /// All parts with their names.
    pub fn named(&self) -> [(&'static str, f64); 11] {
        [
            ("products", self.products),
            ("attention", self.attention),
            ("vector", self.vector),
            ("launch", self.launch),
            ("tensor traffic", self.tensor),
            ("expert dispatch", self.expert),
            ("imbalance", self.imbalance),
            ("pipeline bubble", self.bubble),
            ("gradient traffic", self.data),
            ("optimizer", self.optimizer),
            ("stragglers", self.straggle),
        ]
    }

    /// Their sum.
    pub fn total(&self) -> f64 {
        self.named().iter().map(|p| p.1).sum()
    }
}

/// Bytes that one rank of the fullest stage holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MemoryUse {
    /// Working weights.
    pub weights: f64,
    /// Gradient sums.
    pub gradients: f64,
    /// Masters and moments.
    pub optimizer: f64,
    /// What forward halves leave for backward halves.
    pub activations: f64,
    /// The largest layer at work, and logits.
    pub transient: f64,
}

impl MemoryUse {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.weights + self.gradients + self.optimizer + self.activations + self.transient
    }
}

/// What a layout is predicted to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Seconds of a step.
    pub step: f64,
    /// Where they go.
    pub parts: Parts,
    /// What a rank holds.
    pub memory: MemoryUse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LayerKey {
    layer: usize,
    local: Local,
    precision: Precision,
    fused: bool,
    address: bool,
    sequence_parallel: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ExpertKey {
    layer: usize,
    tokens: usize,
    expert: usize,
    cut: usize,
    recompute: Recompute,
    dtype: DType,
    precision: Precision,
    address: bool,
}

/// A layer priced on one rank.
#[derive(Clone, Copy, Debug, Default)]
struct Priced {
    forward: Seconds,
    backward: Seconds,
    /// Bytes kept.
    kept: f64,
    /// Bytes of one layer's values while it works.
    working: f64,
}

/// Prices layouts of one model on one cluster. Any number of threads may use it.
pub struct Pricer<'a> {
    /// The model.
    pub model: &'a PlanModel,
    /// The devices.
    pub device: &'a Device,
    /// Where they are.
    pub instance: &'a Instance,
    /// Tokens of a sequence.
    pub seq: usize,
    rank: Rank<'a>,
    /// Distinct layers, with how many of each there are.
    kinds: Vec<(LayerConfig, usize)>,
    layers: Mutex<HashMap<LayerKey, Priced>>,
    experts: Mutex<HashMap<ExpertKey, Priced>>,
    ends: Mutex<HashMap<LayerKey, (Priced, Priced)>>,
    work: Mutex<HashMap<(usize, Local), std::sync::Arc<Halves>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The tables are sound after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Pricer<'a> {
    /// A pricer.
    ///
    /// # Errors
    /// A device without the figures that a price needs.
    pub fn new(
        model: &'a PlanModel,
        device: &'a Device,
        instance: &'a Instance,
        seq: usize,
    ) -> Result<Self, ClusterError> {
        let mut kinds: Vec<(LayerConfig, usize)> = Vec::new();
        for layer in &model.config.layers {
            match kinds.iter_mut().find(|k| &k.0 == layer) {
                Some(known) => known.1 += 1,
                None => kinds.push((layer.clone(), 1)),
            }
        }
        Ok(Self {
            model,
            device,
            instance,
            seq,
            rank: Rank::of(device)?,
            kinds,
            layers: Mutex::default(),
            experts: Mutex::default(),
            ends: Mutex::default(),
            work: Mutex::default(),
        })
    }

    /// One rank of the cluster.
    pub fn rank(&self) -> &Rank<'a> {
        &self.rank
    }

    /// Ranks that share fast links.
    pub fn domain(&self) -> usize {
        self.instance.domain * self.device.cores
    }

    fn links(&self) -> Links<'_> {
        Links { device: self.device, instance: self.instance }
    }

    fn local(&self, layout: &Layout, software: &Software) -> Local {
        Local {
            tensor: layout.tensor,
            context: layout.context,
            batch: layout.micro_batch,
            seq: self.seq,
            dtype: if software.precision == Precision::Float32 { DType::F32 } else { DType::Bf16 },
            residuals: layout.recompute.residuals(),
        }
    }

    fn priced(&self, halves: &Halves, software: &Software, rows: f64) -> Priced {
        let seconds = |w| self.rank.seconds(w, software.precision, &software.kernels, rows);
        let inner = if software.kernels.fused_attention { 0.0 } else { halves.attention_residuals };
        let kept = halves.row_residuals / rows + halves.residuals + inner;
        let moved = halves.forward.row_bytes / rows + halves.forward.bytes;
        Priced {
            forward: seconds(&halves.forward),
            backward: seconds(&halves.backward),
            kept,
            working: 0.5 * moved,
        }
    }

    fn layer(&self, kind: usize, local: Local, software: &Software) -> Result<Priced, ClusterError> {
        let key = LayerKey {
            layer: kind,
            local,
            precision: software.precision,
            fused: software.kernels.fused_attention,
            address: software.kernels.addressing,
            sequence_parallel: software.sequence_parallel,
        };
        if let Some(known) = locked(&self.layers).get(&key) {
            return Ok(*known);
        }
        let known = locked(&self.work).get(&(kind, local)).cloned();
        let halves = match known {
            Some(known) => known,
            None => {
                let made = std::sync::Arc::new(programs::block(self.model, &self.kinds[kind].0, &local)?);
                locked(&self.work).insert((kind, local), made.clone());
                made
            }
        };
        let rows = if software.sequence_parallel { local.tensor as f64 } else { 1.0 };
        let priced = self.priced(&halves, software, rows);
        locked(&self.layers).insert(key, priced);
        Ok(priced)
    }

    fn expert_layer(
        &self,
        kind: usize,
        layout: &Layout,
        software: &Software,
    ) -> Result<Option<Priced>, ClusterError> {
        let Some(moe) = self.kinds[kind].0.feed_forward.moe() else { return Ok(None) };
        let local = self.local(layout, software);
        let share = layout.tensor as f64 / layout.expert_tensor as f64;
        let tokens = ((local.tokens() as f64 / share).round() as usize).max(1);
        let key = ExpertKey {
            layer: kind,
            tokens,
            expert: layout.expert,
            cut: layout.expert_tensor,
            recompute: layout.recompute,
            dtype: local.dtype,
            precision: software.precision,
            address: software.kernels.addressing,
        };
        if let Some(known) = locked(&self.experts).get(&key) {
            return Ok(Some(*known));
        }
        let halves = programs::experts(self.model, moe, tokens, layout.expert, layout.expert_tensor, &local)?;
        let priced = self.priced(&halves, software, 1.0);
        locked(&self.experts).insert(key, priced);
        Ok(Some(priced))
    }

    fn model_ends(&self, local: Local, software: &Software) -> Result<(Priced, Priced), ClusterError> {
        let key = LayerKey {
            layer: usize::MAX,
            local,
            precision: software.precision,
            fused: true,
            address: false,
            sequence_parallel: software.sequence_parallel,
        };
        if let Some(known) = locked(&self.ends).get(&key) {
            return Ok(*known);
        }
        let (embed, head) = programs::ends(self.model, &local)?;
        let head = Priced {
            forward: self.rank.seconds(&head, software.precision, &software.kernels, 1.0),
            ..Priced::default()
        };
        let found = (self.priced(&embed, software, 1.0), head);
        locked(&self.ends).insert(key, found);
        Ok(found)
    }

    /// What `layout` is predicted to do.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn price(&self, layout: &Layout, software: &Software) -> Result<Estimate, ClusterError> {
        let local = self.local(layout, software);
        let mut stage = Stage::default();
        for (kind, (layer, count)) in self.kinds.iter().enumerate() {
            let own = self.layer(kind, local, software)?;
            let experts = self.expert_layer(kind, layout, software)?;
            stage.add(&self.layer_parts(layer, &own, experts.as_ref(), layout, software), *count as f64);
        }
        let (embed, head) = self.model_ends(local, software)?;
        Ok(self.assemble(layout, software, &stage, &embed, &head))
    }

    /// A lower bound on the step of every layout that shares `layout`'s tensor, context and pipeline degrees, micro-batch and
    /// policy: products and attention beside experts' dispatch, traffic, bubbles and the update.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn least_step(&self, layout: &Layout, software: &Software) -> Result<f64, ClusterError> {
        let local = self.local(layout, software);
        let mut least = 0.0;
        for (kind, (_, count)) in self.kinds.iter().enumerate() {
            let own = self.layer(kind, local, software)?;
            least += *count as f64 * own.forward.plus(own.backward, 1.0).total();
        }
        Ok(least * layout.micro_batches as f64 / layout.pipeline as f64)
    }

    /// One layer's seconds of a micro-batch, exposed traffic included.
    fn layer_parts(
        &self,
        layer: &LayerConfig,
        own: &Priced,
        experts: Option<&Priced>,
        layout: &Layout,
        software: &Software,
    ) -> Stage {
        let c = &self.device.calibration;
        let mut seconds = own.forward.plus(own.backward, 1.0);
        let mut parts = Parts::default();
        let mut kept = own.kept;
        let mut working = own.working;
        parts.tensor = self.tensor_traffic(layer, layout, software) * (1.0 - c.overlap_tensor)
            + self.context_traffic(layout, own.forward.attention + own.backward.attention);
        if let Some(e) = experts {
            let compute = e.forward.plus(e.backward, 1.0);
            let overlap = software.overlap_expert.unwrap_or(c.overlap_expert);
            parts.expert = self.dispatch(layer, layout, software) * (1.0 - overlap);
            parts.imbalance = (software.imbalance - 1.0)
                * (compute.products + parts.expert * if layout.expert > 1 { 1.0 } else { 0.0 });
            seconds = seconds.plus(compute, 1.0);
            kept += e.kept;
            working = working.max(e.working);
        }
        parts.products = seconds.products;
        parts.attention = seconds.attention * software.attention;
        parts.vector = seconds.vector;
        parts.launch = seconds.launch;
        if experts.is_some() {
            parts.vector *= software.sparse;
            parts.expert *= software.sparse;
            parts.launch += (software.host_layer - parts.total()).max(0.0);
        }
        Stage { parts, kept, working }
    }

    /// Gathering and scattering rows around attention and feed-forward, forward and backward.
    fn tensor_traffic(&self, layer: &LayerConfig, layout: &Layout, software: &Software) -> f64 {
        if layout.tensor == 1 {
            return 0.0;
        }
        let local = self.local(layout, software);
        let bytes = (local.tokens() * self.model.config.hidden_size * local.dtype.size_bytes()) as f64;
        let group = layout.tensor_group(self.domain());
        let links = self.links();
        let pair =
            links.seconds(Kind::AllGather, group, bytes) + links.seconds(Kind::ReduceScatter, group, bytes);
        // Attention and a dense feed-forward each gather and scatter; experts exchange rows instead.
        let blocks = if layer.feed_forward.moe().is_some() { 1.0 } else { 2.0 };
        // Backward gathers once more for the weights' gradients, and so does recomputation.
        let passes = if layout.recompute == Recompute::Recompute { 3.0 } else { 2.0 };
        blocks * pair * passes
    }

    /// Keys and values going round a ring, hidden behind attention as far as it lasts.
    fn context_traffic(&self, layout: &Layout, attention: f64) -> f64 {
        if layout.context == 1 {
            return 0.0;
        }
        let c = &self.model.config;
        let tokens = (layout.micro_batch * self.seq / layout.context) as f64;
        let bytes = tokens * (2 * c.num_kv_heads * c.head_dim).div_ceil(layout.tensor) as f64 * 2.0;
        let group = layout.context_group(self.domain());
        let whole = bytes * layout.context as f64;
        let links = self.links();
        let forward = links.seconds(Kind::AllGather, group, whole);
        let backward = forward + links.seconds(Kind::ReduceScatter, group, whole);
        (forward + backward - 0.5 * attention).max(0.2 * (forward + backward))
    }

    /// Dispatch and combine of one layer, forward and backward.
    fn dispatch(&self, layer: &LayerConfig, layout: &Layout, software: &Software) -> f64 {
        let Some(moe) = layer.feed_forward.moe() else { return 0.0 };
        let local = self.local(layout, software);
        let domain = self.domain();
        let links = self.links();
        let share = layout.tensor as f64 / layout.expert_tensor as f64;
        let tokens = local.tokens() as f64 / share;
        let width = (self.model.config.hidden_size * local.dtype.size_bytes()) as f64;
        let group = layout.expert_group(domain);
        let nodes = (group.ranks / group.local) as f64;
        let rows = tokens * moe.top_k as f64;
        let once = if software.deduplicated && nodes > 1.0 {
            // Of every row that some rank of a domain needs, one copy crosses; inside it fans out.
            let reached = expected_domains(moe.num_experts as f64, moe.top_k as f64, nodes);
            let network = &self.instance.network;
            let rate = network.bandwidth.get().unwrap_or(f64::INFINITY) * network.share;
            let outside = tokens * reached * (nodes - 1.0) / nodes * width / rate;
            let inside = links.seconds(
                Kind::AllToAll,
                crate::collective::Group { ranks: group.local, local: group.local },
                rows * width,
            );
            outside.max(inside) + 0.25 * outside.min(inside) + network.latency.get().unwrap_or(0.0)
        } else {
            links.seconds(Kind::AllToAll, group, rows * width)
        };
        let cut = layout.expert_tensor_group(domain);
        let gathered = rows / layout.expert_tensor as f64 * width * layout.expert_tensor as f64;
        let shared = if layout.expert_tensor > 1 {
            links.seconds(Kind::AllGather, cut, gathered) + links.seconds(Kind::ReduceScatter, cut, gathered)
        } else {
            0.0
        };
        let passes = if layout.recompute == Recompute::Recompute { 3.0 } else { 2.0 };
        passes * (2.0 * once + shared)
    }

    /// From layers to a step.
    fn assemble(
        &self,
        layout: &Layout,
        software: &Software,
        stage: &Stage,
        embed: &Priced,
        head: &Priced,
    ) -> Estimate {
        let c = &self.device.calibration;
        let (stages, layers) = (layout.pipeline as f64, self.model.config.num_layers as f64);
        let ends = embed.forward.plus(embed.backward, 1.0).plus(head.forward, 1.0);
        // The fullest stage: an even share of everything, or whole layers where these do not divide.
        let whole = (layers / stages).ceil() / layers;
        let layer_total = stage.parts.total();
        let fair = (layer_total + ends.total()) / stages;
        let fullest = if layout.pipeline == 1 { fair } else { fair.max(whole * layer_total) };
        let share = fullest / (layer_total + ends.total());
        let n = layout.micro_batches as f64;
        let mut parts = Parts::default();
        let scale = |x: f64| x * n * share;
        parts.products = scale(stage.parts.products + ends.products);
        parts.attention = scale(stage.parts.attention + ends.attention);
        parts.vector = scale(stage.parts.vector + ends.vector);
        parts.launch = scale(stage.parts.launch + ends.launch);
        parts.tensor = scale(stage.parts.tensor);
        parts.expert = scale(stage.parts.expert);
        parts.imbalance = scale(stage.parts.imbalance);
        let micro = fullest;
        let hops = self.stage_traffic(layout, software);
        parts.bubble = (stages - 1.0) / layout.virtual_stages as f64 * micro * software.bubble
            + if layout.pipeline > 1 { 0.2 * hops * n * layout.virtual_stages as f64 } else { 0.0 };
        if c.barrier > 0.0 && layout.ranks() > 1 {
            // Whole micro-batches are one program each way there.
            parts.launch += c.barrier * 2.0 * n;
        }
        parts.data = self.data_traffic(layout, software, micro);
        let state = self.parameters(layout);
        let shards = match layout.sharding {
            Sharding::None => (1.0, 1.0),
            _ => ((layout.data * layout.context) as f64, layout.expert_data() as f64),
        };
        let held = state.0 / shards.0 + state.1 / shards.1;
        parts.optimizer = held * (2.0 * software.state_bytes + 2.0 * software.gradient_bytes + 2.0)
            / (self.rank.bandwidth * c.update_share);
        let instances = layout.ranks() as f64 / (self.instance.devices * self.device.cores) as f64;
        parts.straggle = parts.total() * c.straggle_per_doubling * instances.log2().max(0.0);
        let memory = self.memory(layout, software, stage, state, held);
        Estimate { step: parts.total(), parts, memory }
    }

    /// Activations between neighbouring stages, there and back, of one micro-batch.
    fn stage_traffic(&self, layout: &Layout, software: &Software) -> f64 {
        let local = self.local(layout, software);
        let rows = if software.sequence_parallel { layout.tensor } else { 1 };
        let bytes = (local.tokens() * self.model.config.hidden_size * 2 / rows) as f64;
        2.0 * self.links().seconds(Kind::Shift, layout.stage_group(self.domain()), bytes)
    }

    /// Parameters of the fullest stage on one rank: beside experts, and of experts.
    fn parameters(&self, layout: &Layout) -> (f64, f64) {
        let m = self.model;
        let (stages, tensor) = (layout.pipeline as f64, layout.tensor as f64);
        let dense: f64 = self.kinds.iter().map(|k| m.layer_parameters(&k.0) * k.1 as f64).sum();
        let experts: f64 = self.kinds.iter().map(|k| m.expert_parameters(&k.0) * k.1 as f64).sum();
        let table = if layout.pipeline == 1 { m.end_parameters() } else { m.end_parameters() / 2.0 };
        (
            dense / stages / tensor + table / tensor,
            experts / stages / (layout.expert * layout.expert_tensor) as f64,
        )
    }

    /// Exposed traffic of gradients and weights in one step.
    fn data_traffic(&self, layout: &Layout, software: &Software, micro: f64) -> f64 {
        let (dense, experts) = self.parameters(layout);
        let (domain, links) = (self.domain(), self.links());
        let (all, own) = (layout.data_group(domain), layout.expert_data_group(domain));
        let both = |kind, bytes: f64| {
            links.seconds(kind, all, dense * bytes) + links.seconds(kind, own, experts * bytes)
        };
        let n = layout.micro_batches as f64;
        let width = if software.precision == Precision::Float32 { 4.0 } else { 2.0 };
        let overlap = self.device.calibration.overlap_data;
        let exposed =
            |traffic: f64, window: f64| (traffic - overlap * window).max((1.0 - overlap) * traffic * 0.5);
        match layout.sharding {
            Sharding::Weights => {
                // Gathered for forward and again for backward.
                let traffic =
                    2.0 * both(Kind::AllGather, width) + both(Kind::ReduceScatter, software.gradient_bytes);
                n * exposed(traffic, micro)
            }
            Sharding::None => exposed(both(Kind::AllReduce, software.gradient_bytes), 0.6 * micro),
            _ => {
                let reduce = both(Kind::ReduceScatter, software.gradient_bytes);
                let times = if software.reduce_every_micro_batch { n } else { 1.0 };
                times * exposed(reduce, 0.6 * micro) + exposed(both(Kind::AllGather, width), 0.3 * micro)
            }
        }
    }

    fn memory(
        &self,
        layout: &Layout,
        software: &Software,
        stage: &Stage,
        state: (f64, f64),
        held: f64,
    ) -> MemoryUse {
        let whole = state.0 + state.1;
        let width = if software.precision == Precision::Float32 { 4.0 } else { 2.0 };
        let stages = layout.pipeline as f64;
        let in_flight = (layout.pipeline.min(layout.micro_batches)) as f64;
        let interleaved = if layout.virtual_stages > 1 {
            1.0 + (stages - 1.0) / (stages * layout.virtual_stages as f64)
        } else {
            1.0
        };
        let local = self.local(layout, software);
        let logits = (local.tokens() * self.model.config.vocab_size.div_ceil(layout.tensor)) as f64;
        MemoryUse {
            weights: width * if layout.sharding == Sharding::Weights { held } else { whole },
            gradients: 4.0
                * match layout.sharding {
                    Sharding::Gradients | Sharding::Weights => held,
                    _ => whole,
                },
            optimizer: software.state_bytes * held,
            activations: software.kept * stage.kept / stages * in_flight * interleaved,
            transient: stage.working.max(if layout.pipeline == 1 { 4.0 * logits } else { 0.0 }),
        }
    }
}

/// Domains that the experts of one row lie in, on average, for `top_k` of `experts` chosen alike over `domains`.
fn expected_domains(experts: f64, top_k: f64, domains: f64) -> f64 {
    let per = experts / domains;
    let mut none = 1.0;
    let mut i = 0.0;
    while i < top_k {
        none *= ((experts - per - i) / (experts - i)).max(0.0);
        i += 1.0;
    }
    domains * (1.0 - none)
}

/// All layers of the model, one micro-batch.
#[derive(Clone, Copy, Debug, Default)]
struct Stage {
    parts: Parts,
    kept: f64,
    working: f64,
}

impl Stage {
    fn add(&mut self, other: &Self, times: f64) {
        self.parts.products += times * other.parts.products;
        self.parts.attention += times * other.parts.attention;
        self.parts.vector += times * other.parts.vector;
        self.parts.launch += times * other.parts.launch;
        self.parts.tensor += times * other.parts.tensor;
        self.parts.expert += times * other.parts.expert;
        self.parts.imbalance += times * other.parts.imbalance;
        self.kept += times * other.kept;
        self.working = self.working.max(other.working);
    }
}

#[cfg(test)]
mod tests {
    use super::expected_domains;

    #[test]
    fn rows_reach_as_many_domains_as_their_experts_lie_in() {
        assert!((expected_domains(8.0, 8.0, 4.0) - 4.0).abs() < 1e-12);
        assert!((expected_domains(8.0, 1.0, 4.0) - 1.0).abs() < 1e-12);
        let eight = expected_domains(256.0, 8.0, 8.0);
        assert!(eight > 5.2 && eight < 5.4, "{eight}");
    }
}
