//! One micro-batch as one program (`execution = "fused"`): plans are made ahead, the program says what room they would have
//! needed, and nothing is committed before that was looked at.

use std::sync::Arc;
use std::time::Instant;

use collegium_balance::Bucket;
use collegium_core::HostTensor;
use collegium_data::Batch;
use collegium_model::params::GroupKey;
use collegium_model::programs::{self, FusedShape};

use super::program::{Compiled, Env};
use super::step::{LossWeights, StepLoss};
use super::{Engine, program_shape};
use crate::TrainError;
use crate::adapt::{DispatchReport, PlannedAhead};

impl Engine {
    /// Loss of a micro-batch by the fused program; its gradients are added to the groups' sums.
    pub(super) fn fused_micro_step(
        &mut self,
        batch: &Batch,
        weights: LossWeights,
    ) -> Result<StepLoss, TrainError> {
        let started = Instant::now();
        self.refresh_working()?;
        let inputs = self.fused_inputs(batch, weights)?;
        let layers = self.sparse_layers();
        let tokens = self.settings.batch * self.settings.seq;
        let top_k = |l: &usize| self.config.layers[*l].feed_forward.moe().map_or(0, |m| m.top_k);
        let rows: Vec<usize> = layers.iter().map(|l| tokens * top_k(l)).collect();
        let planning = Instant::now();
        let mut ahead = self.adapter.ahead(&rows, &*self.backend)?;
        let planner_us = planning.elapsed().as_secs_f64() * 1e6 / layers.len().max(1) as f64;
        let mut reruns = 0;
        loop {
            let mut out = self.run_fused(&inputs, &layers, &ahead)?;
            let need = needed(&mut out, &layers, ahead.bucket.slots)?;
            if !ahead.bucket.fits(need) {
                // Layers behind the first that overflowed were given garbage, so their needs may change once more.
                self.adapter.make_room(&mut ahead, need);
                reruns += 1;
                continue;
            }
            let mut dispatch = Vec::with_capacity(layers.len());
            for (at, &layer) in layers.iter().enumerate() {
                let counts = out.take(&format!("layers.{layer}.counts"));
                self.record(at, out.get(&format!("layers.{layer}.choices")))?;
                let seen = self.adapter.saw(at, &counts, rows[at], &ahead).map_err(|e| e.in_layer(layer))?;
                dispatch.push(DispatchReport { reruns, planner_us, ..seen });
            }
            // The program is one for all layers: its bytes stand with the first.
            let program = self.fused_program(ahead.bucket)?;
            if let Some(first) = dispatch.first_mut() {
                first.add_bytes(program.program());
            }
            let sum = |name: &str, out: &mut Env| -> Result<f64, TrainError> {
                Ok(out.take(name).download()?.iter().map(|t| t.to_f64()[0]).sum())
            };
            let (ce, aux, z) = (sum("loss", &mut out)?, sum("aux", &mut out)?, sum("z", &mut out)?);
            let forward_seconds = started.elapsed().as_secs_f64();
            self.collect_fused(out, &ahead)?;
            let total = ce + weights.aux * aux + weights.z * z;
            return Ok(StepLoss { ce, aux, z, total, dispatch, forward_seconds });
        }
    }

    fn fused_inputs(&self, batch: &Batch, weights: LossWeights) -> Result<Env, TrainError> {
        let scalar = |v: f64| self.backend.replicate(&HostTensor::scalar(v as f32));
        Ok(self
            .upload_batch(batch)?
            .with("loss_scale", scalar(weights.token)?)
            .with("aux_weight", scalar(weights.aux)?)
            .with("z_weight", scalar(weights.z)?)
            .with("member", self.adapter.member(&*self.backend)?))
    }

    fn run_fused(&mut self, inputs: &Env, layers: &[usize], ahead: &PlannedAhead) -> Result<Env, TrainError> {
        let mut given = inputs.clone();
        for (at, &layer) in layers.iter().enumerate() {
            let plan = &ahead.layers[at];
            for (name, array) in self.slot_weights(layer, &plan.slots)?.iter() {
                given = given.with(&format!("layers.{layer}.{name}"), array.clone());
            }
            given = given
                .with(&format!("layers.{layer}.below"), plan.below.clone())
                .with(&format!("layers.{layer}.slots"), plan.slots.own().clone())
                .with(&format!("layers.{layer}.router_bias"), self.router_bias_arrays[at].clone());
            if let Some(forced) = self.forced.get(at) {
                given = given.with(&format!("layers.{layer}.forced"), forced.clone());
            }
        }
        let program = self.fused_program(ahead.bucket)?;
        program.call(&*self.backend, |name| given.get(name).cloned().or_else(|| self.whole_weight(name)))
    }

    /// A weight that lies whole on every rank, by its name in the fused program.
    fn whole_weight(&self, name: &str) -> Option<super::Array> {
        if let Some((layer, local)) = layer_local(name) {
            return self.working(GroupKey::Layer(layer), local);
        }
        match name {
            "embed" => self.working(GroupKey::Embed, name),
            "lm_head" => self.head_weight(),
            _ => self.working(GroupKey::Head, name),
        }
    }

    fn fused_program(&mut self, bucket: Bucket) -> Result<Arc<Compiled>, TrainError> {
        if let Some(program) = self.fused.get(&bucket) {
            return Ok(program.clone());
        }
        let shape = program_shape(&self.config, &self.mesh, self.settings);
        let how = FusedShape { bucket, block: self.adapter.block() };
        let program = Compiled::new(programs::fused(&shape, how)?);
        self.fused.insert(bucket, program.clone());
        Ok(program)
    }

    fn collect_fused(&mut self, gradients: Env, ahead: &PlannedAhead) -> Result<(), TrainError> {
        let layers = self.sparse_layers();
        for at in 0..self.groups.len() {
            let key = self.groups[at].spec.key;
            let prefix = match key {
                GroupKey::Layer(layer) | GroupKey::Experts(layer) => format!("d.layers.{layer}."),
                GroupKey::Embed | GroupKey::Head => "d.".to_string(),
            };
            let own = gradients.iter().filter_map(|(name, array)| Some((name.strip_prefix(&prefix)?, array)));
            let own =
                own.fold(Env::default(), |env, (name, array)| env.with(&format!("d.{name}"), array.clone()));
            let slots = match key {
                GroupKey::Experts(layer) => {
                    let at = layers.iter().position(|&l| l == layer).expect("experts are of a sparse layer");
                    Some(ahead.layers[at].slots.clone())
                }
                _ => None,
            };
            self.collect(key, &own, slots.as_ref())?;
        }
        Ok(())
    }

    /// Layers with experts.
    fn sparse_layers(&self) -> Vec<usize> {
        let sparse = |&l: &usize| self.config.layers[l].feed_forward.moe().is_some();
        (0..self.config.num_layers).filter(sparse).collect()
    }
}

/// `layers.3.x` as (3, `x`).
fn layer_local(name: &str) -> Option<(usize, &str)> {
    let (layer, local) = name.strip_prefix("layers.")?.split_once('.')?;
    Some((layer.parse().ok()?, local))
}

/// The room that the fullest rank and layer needed.
fn needed(out: &mut Env, layers: &[usize], slots: usize) -> Result<Bucket, TrainError> {
    let mut need = Bucket { slots, places: 1, blocks: 1 };
    for layer in layers {
        for rank in out.take(&format!("layers.{layer}.need")).download()? {
            let [places, blocks] = [rank.to_f64()[0] as usize, rank.to_f64()[1] as usize];
            need = need.union(Bucket { slots, places, blocks });
        }
    }
    Ok(need)
}
