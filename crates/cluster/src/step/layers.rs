//! Layers priced on one rank, each once.
//!
//! Costs of layers depend on few numbers (sizes of the layer, tensor and context degree, tokens, policy), so they are priced once and kept: a
//! candidate is then a few look-ups and some arithmetic. Programs do not depend on the device, so pricers of one model share them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use collegium_core::DType;
use collegium_model::config::LayerConfig;

use crate::ClusterError;
use crate::collective::Links;
use crate::device::Device;
use crate::instance::Instance;
use crate::layout::{Layout, Recompute, Software};
use crate::model::PlanModel;
use crate::programs::{self, Halves, Local};
use crate::roofline::{Precision, Rank, Seconds};
use crate::work::Work;

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
pub(super) struct Priced {
    pub(super) forward: Seconds,
    pub(super) backward: Seconds,
    /// Bytes kept.
    pub(super) kept: f64,
    /// Bytes of one layer's values while it works.
    pub(super) working: f64,
}

/// What was built once, by what it depends on.
type Built<Key, Counted> = Mutex<HashMap<Key, Arc<Counted>>>;

/// Programs of one model, counted.
#[derive(Default)]
struct Programs {
    blocks: Built<(usize, Local), Halves>,
    experts: Built<(usize, usize, usize, usize, Local), Halves>,
    ends: Built<Local, (Halves, Work)>,
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
    pub(super) rank: Rank<'a>,
    /// Distinct layers, with how many of each there are.
    pub(super) kinds: Vec<(LayerConfig, usize)>,
    programs: Arc<Programs>,
    layers: Mutex<HashMap<LayerKey, Priced>>,
    experts: Mutex<HashMap<ExpertKey, Priced>>,
    ends: Mutex<HashMap<LayerKey, (Priced, Priced)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The tables are sound after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `make` gives, made once for a key. Two threads may both make it; both get the same.
fn kept<K: Copy + Eq + std::hash::Hash, V, E>(
    table: &Mutex<HashMap<K, Arc<V>>>,
    key: K,
    make: impl FnOnce() -> Result<V, E>,
) -> Result<Arc<V>, E> {
    let known = locked(table).get(&key).cloned();
    match known {
        Some(known) => Ok(known),
        None => {
            // Made outside the lock.
            let made = Arc::new(make()?);
            Ok(locked(table).entry(key).or_insert(made).clone())
        }
    }
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
            programs: Arc::default(),
            layers: Mutex::default(),
            experts: Mutex::default(),
            ends: Mutex::default(),
        })
    }

    /// The same question about another device, on the programs that are built already.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn on<'b>(&'b self, device: &'b Device) -> Result<Pricer<'b>, ClusterError> {
        let mut other = Pricer::new(self.model, device, self.instance, self.seq)?;
        other.programs = self.programs.clone();
        Ok(other)
    }

    /// One rank of the cluster.
    pub fn rank(&self) -> &Rank<'a> {
        &self.rank
    }

    /// Ranks that share fast links.
    pub fn domain(&self) -> usize {
        self.instance.domain * self.device.cores
    }

    pub(super) fn links(&self) -> Links<'_> {
        Links { device: self.device, instance: self.instance }
    }

    pub(super) fn local(&self, layout: &Layout, software: &Software) -> Local {
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

    pub(super) fn layer(
        &self,
        kind: usize,
        local: Local,
        software: &Software,
    ) -> Result<Priced, ClusterError> {
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
        let halves = self.block_programs(kind, local)?;
        let rows = if software.sequence_parallel { local.tensor as f64 } else { 1.0 };
        let priced = self.priced(&halves, software, rows);
        locked(&self.layers).insert(key, priced);
        Ok(priced)
    }

    /// A layer without its experts, counted.
    pub(super) fn block_programs(&self, kind: usize, local: Local) -> Result<Arc<Halves>, ClusterError> {
        let make = || programs::block(self.model, &self.kinds[kind].0, &local);
        Ok(kept(&self.programs.blocks, (kind, local), make)?)
    }

    /// Tokens of a micro-batch that one rank brings to the experts of a layer.
    fn expert_tokens(&self, layout: &Layout, local: &Local) -> usize {
        let share = layout.tensor as f64 / layout.expert_tensor as f64;
        ((local.tokens() as f64 / share).round() as usize).max(1)
    }

    /// The experts of a layer, counted; none of a dense one.
    pub(super) fn expert_programs(
        &self,
        kind: usize,
        layout: &Layout,
        software: &Software,
    ) -> Result<Option<Arc<Halves>>, ClusterError> {
        let Some(moe) = self.kinds[kind].0.feed_forward.moe() else { return Ok(None) };
        let local = self.local(layout, software);
        let tokens = self.expert_tokens(layout, &local);
        let program = (kind, tokens, layout.expert, layout.expert_tensor, local);
        let make = || programs::experts(self.model, moe, tokens, layout.expert, layout.expert_tensor, &local);
        Ok(Some(kept(&self.programs.experts, program, make)?))
    }

    /// Embedding and head, counted.
    pub(super) fn end_programs(&self, local: Local) -> Result<Arc<(Halves, Work)>, ClusterError> {
        Ok(kept(&self.programs.ends, local, || programs::ends(self.model, &local))?)
    }

    pub(super) fn expert_layer(
        &self,
        kind: usize,
        layout: &Layout,
        software: &Software,
    ) -> Result<Option<Priced>, ClusterError> {
        if self.kinds[kind].0.feed_forward.moe().is_none() {
            return Ok(None);
        }
        let local = self.local(layout, software);
        let tokens = self.expert_tokens(layout, &local);
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
        let Some(halves) = self.expert_programs(kind, layout, software)? else { return Ok(None) };
        let priced = self.priced(&halves, software, 1.0);
        locked(&self.experts).insert(key, priced);
        Ok(Some(priced))
    }

    pub(super) fn model_ends(
        &self,
        local: Local,
        software: &Software,
    ) -> Result<(Priced, Priced), ClusterError> {
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
        let ends = self.end_programs(local)?;
        let (embed, head) = &*ends;
        // Once for the next token, and once for each after it that is predicted.
        // Never in less than 16 bits: recipes of 8 bits and fewer leave the head alone.
        let precision = software.precision.min(Precision::Bfloat16);
        let once = self.rank.seconds(head, precision, &software.kernels, 1.0);
        let head = Priced { forward: once.plus(once, self.model.predictions as f64), ..Priced::default() };
        let found = (self.priced(embed, software, 1.0), head);
        locked(&self.ends).insert(key, found);
        Ok(found)
    }
}
