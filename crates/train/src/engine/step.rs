//! Forward and backward of one micro-batch.

use std::sync::Arc;
use std::time::Instant;

use collegium_core::{DType, HostTensor};
use collegium_data::Batch;
use collegium_model::params::GroupKey;
use collegium_runtime::Array;

use super::program::{Env, Halves};
use super::{Engine, Execution};
use crate::TrainError;
use crate::adapt::{DispatchReport, Slots};

/// Weights of the parts of the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossWeights {
    /// Of the cross-entropy of each counted token: one over their number in the whole step.
    pub token: f64,
    /// Of the load-balancing loss, this micro-batch's share of the step included.
    pub aux: f64,
    /// Of the z-loss, this micro-batch's share of the step included.
    pub z: f64,
}

/// Loss of one micro-batch, weighted as [`LossWeights`] says, and what routing did.
#[derive(Clone, Debug, Default)]
pub struct StepLoss {
    /// Weighted cross-entropy.
    pub ce: f64,
    /// Load-balancing loss, not weighted.
    pub aux: f64,
    /// z-loss, not weighted.
    pub z: f64,
    /// Weighted sum of all.
    pub total: f64,
    /// By MoE layer.
    pub dispatch: Vec<DispatchReport>,
    /// Seconds until the loss was known.
    pub forward_seconds: f64,
}

/// A forward pass, kept for its backward pass.
pub struct Forward {
    inputs: Env,
    layers: Vec<LayerRun>,
    /// Output of the last layer, {token, hidden}.
    pub hidden: Array,
    sums: Vec<RouterSums>,
    /// By MoE layer.
    pub dispatch: Vec<DispatchReport>,
}

impl Forward {
    /// What each layer was given, {token, hidden}.
    pub fn layer_inputs(&self) -> impl Iterator<Item = &Array> {
        self.layers.iter().map(|l| &l.hidden)
    }
}

struct LayerRun {
    hidden: Array,
    block: Env,
    experts: Option<ExpertRun>,
}

/// What the backward half of a layer's experts needs.
struct ExpertRun {
    halves: Halves,
    /// Residuals, tables and weights.
    env: Env,
    slots: Arc<Slots>,
}

/// Sums over all ranks' tokens of one layer.
struct RouterSums {
    counts: Vec<f64>,
    probability: Vec<f64>,
    z: f64,
    tokens: usize,
}

impl Engine {
    /// Loss of a micro-batch; its gradients are added to the groups' sums.
    ///
    /// # Errors
    /// A router whose scores are not finite, or what the device says.
    pub fn micro_step(&mut self, batch: &Batch, weights: LossWeights) -> Result<StepLoss, TrainError> {
        self.groups.iter_mut().try_for_each(|group| group.ensure_moments(&*self.backend))?;
        if self.settings.execution == Execution::Fused {
            return self.fused_micro_step(batch, weights);
        }
        let started = Instant::now();
        let forward = self.forward(batch)?;
        let scale = self.backend.replicate(&HostTensor::scalar(weights.token as f32))?;
        let mut head = self.call_head(&self.head.clone(), &forward, Some(scale))?;
        let ce: f64 = head.take("loss").download()?.iter().map(|t| t.to_f64()[0]).sum();
        let (aux, z) = router_losses(&forward.sums);
        let total = ce + weights.aux * aux + weights.z * z;
        let dispatch = forward.dispatch.clone();
        let forward_seconds = started.elapsed().as_secs_f64();
        self.backward(forward, head, weights)?;
        Ok(StepLoss { ce, aux, z, total, dispatch, forward_seconds })
    }

    /// Sum of the cross-entropies of a micro-batch's counted tokens.
    ///
    /// # Errors
    /// A router whose scores are not finite, or what the device says.
    pub fn loss_sum(&mut self, batch: &Batch) -> Result<f64, TrainError> {
        let forward = self.forward(batch)?;
        let loss = self.call_head(&self.sum_loss.clone(), &forward, None)?.take("loss");
        Ok(loss.download()?.iter().map(|t| t.to_f64()[0]).sum())
    }

    fn call_head(
        &self,
        program: &super::Compiled,
        forward: &Forward,
        scale: Option<Array>,
    ) -> Result<Env, TrainError> {
        program.call(&*self.backend, |name| match name {
            "hidden" => Some(forward.hidden.clone()),
            "loss_scale" => scale.clone(),
            "lm_head" => self.head_weight(),
            _ => forward.inputs.get(name).cloned().or_else(|| self.working(GroupKey::Head, name)),
        })
    }

    /// The head's weights: its own, or the embedding where they are tied.
    pub(crate) fn head_weight(&self) -> Option<Array> {
        if self.config.tie_word_embeddings {
            self.working(GroupKey::Embed, "embed")
        } else {
            self.working(GroupKey::Head, "lm_head")
        }
    }

    /// All layers, without the head.
    ///
    /// # Errors
    /// A batch of another shape, a router whose scores are not finite, or what the device says.
    pub fn forward(&mut self, batch: &Batch) -> Result<Forward, TrainError> {
        self.refresh_working()?;
        let inputs = self.upload_batch(batch)?;
        let embedded = self.embed.forward.call(&*self.backend, |name| {
            inputs.get(name).cloned().or_else(|| self.working(GroupKey::Embed, name))
        })?;
        let mut forward = Forward {
            inputs,
            layers: Vec::new(),
            hidden: output(embedded),
            sums: Vec::new(),
            dispatch: Vec::new(),
        };
        for layer in 0..self.config.num_layers {
            self.forward_layer(layer, &mut forward)?;
        }
        Ok(forward)
    }

    fn forward_layer(&mut self, layer: usize, forward: &mut Forward) -> Result<(), TrainError> {
        let hidden = forward.hidden.clone();
        let moe_index = forward.sums.len();
        let mut block = self.blocks[layer].forward.call(&*self.backend, |name| match name {
            "hidden" => Some(hidden.clone()),
            "router_bias" | "forced" => self.steering(moe_index, name),
            _ => forward.inputs.get(name).cloned().or_else(|| self.working(GroupKey::Layer(layer), name)),
        })?;
        let Some(moe) = self.config.layers[layer].feed_forward.moe().cloned() else {
            forward.hidden = block.take("hidden_out");
            forward.layers.push(LayerRun { hidden, block, experts: None });
            return Ok(());
        };
        self.record(moe_index, block.get("choices"))?;
        let tokens = self.settings.batch * self.settings.seq;
        let planned = self.adapter.plan(moe_index, &block.take("counts"), tokens * moe.top_k, &*self.backend);
        let mut dispatch = planned.map_err(|e| e.in_layer(layer))?;
        let weights = self.slot_weights(layer, &dispatch.slots)?;
        let halves = self.expert_programs(&moe, dispatch.bucket)?;
        dispatch.report.add_bytes(halves.forward.program());
        dispatch.report.add_bytes(halves.backward.program());
        let known = |name: &str| {
            let given = block.get(name).or_else(|| dispatch.tables.get(name));
            given.or_else(|| weights.get(name)).cloned()
        };
        let mut run = halves.forward.call(&*self.backend, known)?;
        forward.hidden = run.take("hidden_out");
        forward.sums.push(RouterSums::read(&block, &dispatch.report, tokens * self.backend.num_devices())?);
        forward.dispatch.push(dispatch.report);
        let env = run.and(&dispatch.tables).and(&weights);
        if !self.blocks[layer].residuals.iter().any(|name| name == "mixed") {
            block.remove("mixed");
        }
        let experts = Some(ExpertRun { halves, env, slots: dispatch.slots });
        forward.layers.push(LayerRun { hidden, block, experts });
        Ok(())
    }

    fn backward(
        &mut self,
        mut forward: Forward,
        mut head: Env,
        weights: LossWeights,
    ) -> Result<(), TrainError> {
        let mut d_hidden = head.take("d.hidden");
        let d_lm_head = head.get("d.lm_head").cloned();
        self.collect(GroupKey::Head, &head, None)?;
        let cotangents = self.router_cotangents(&forward.sums, weights)?;
        let mut moe_index = forward.sums.len();
        for layer in (0..self.config.num_layers).rev() {
            let LayerRun { hidden, block, experts } = forward.layers.pop().expect("one run for every layer");
            let mut given = Env::default().with("d.hidden_out", d_hidden.clone()).with("d.mixed", d_hidden);
            // What experts kept is gone before the block's gradients take room: in the room of experts' passes they would be in the way of the next one.
            if let Some(experts) = experts {
                moe_index -= 1;
                let gradients = experts.halves.backward.call(&*self.backend, |name| {
                    let own = experts.env.get(name).or_else(|| given.get(name));
                    own.or_else(|| block.get(name)).cloned()
                })?;
                self.collect(GroupKey::Experts(layer), &gradients, Some(&experts.slots))?;
                gradients.get("d.normed").expect("an output").wait()?;
                let (d_probability, d_z) = cotangents[moe_index].clone();
                given = ["d.normed", "d.gates"]
                    .iter()
                    .fold(given, |g, n| g.with(n, gradients.get(n).cloned().expect("an output")));
                given = given.with("d.probability_sum", d_probability).with("d.z_sum", d_z);
            }
            let mut gradients = self.blocks[layer].backward.call(&*self.backend, |name| match name {
                "hidden" => Some(hidden.clone()),
                "router_bias" | "forced" => self.steering(moe_index, name),
                _ => {
                    let known =
                        given.get(name).or_else(|| block.get(name)).or_else(|| forward.inputs.get(name));
                    known.cloned().or_else(|| self.working(GroupKey::Layer(layer), name))
                }
            })?;
            d_hidden = gradients.take("d.hidden");
            self.collect(GroupKey::Layer(layer), &gradients, None)?;
        }
        let gradients = self.embed.backward.call(&*self.backend, |name| match name {
            "d.hidden_out" => Some(d_hidden.clone()),
            _ => forward.inputs.get(name).cloned().or_else(|| self.working(GroupKey::Embed, name)),
        })?;
        let gradients = match d_lm_head {
            Some(d) if self.config.tie_word_embeddings => gradients.with("d.lm_head", d),
            _ => gradients,
        };
        self.collect(GroupKey::Embed, &gradients, None)
    }

    /// Cotangents of each layer's probability sum and z sum.
    fn router_cotangents(
        &self,
        sums: &[RouterSums],
        weights: LossWeights,
    ) -> Result<Vec<(Array, Array)>, TrainError> {
        let choices = choice_shares(sums);
        sums.iter()
            .map(|layer| {
                let rows = (layer.tokens * sums.len()) as f64;
                let experts = layer.counts.len() as f64;
                let d: Vec<f32> = choices.iter().map(|f| (weights.aux * experts * f / rows) as f32).collect();
                let d = self.backend.replicate(&HostTensor::new(&[d.len()], &d))?;
                let d_z = self.backend.replicate(&HostTensor::scalar((weights.z / rows) as f32))?;
                Ok((d, d_z))
            })
            .collect()
    }

    pub(super) fn upload_batch(&self, batch: &Batch) -> Result<Env, TrainError> {
        let (rows, ranks) = (self.settings.batch, self.backend.num_devices());
        if (batch.batch, batch.seq) != (rows * ranks, self.settings.seq) {
            return Err(TrainError::BatchShape {
                given: (batch.batch, batch.seq),
                expected: (rows * ranks, self.settings.seq),
            });
        }
        let sizes = [rows, batch.seq];
        let upload = |values: &[i32]| {
            let pieces: Vec<HostTensor> =
                values.chunks(rows * batch.seq).map(|piece| HostTensor::new(&sizes, piece)).collect();
            self.backend.upload(&pieces)
        };
        Ok(Env::default()
            .with("tokens", upload(&batch.tokens)?)
            .with("targets", upload(&batch.targets)?)
            .with("segments", upload(&batch.segments)?)
            .with_rotation(self.rotation(&batch.positions, rows, batch.seq)?))
    }
}

fn output(mut env: Env) -> Array {
    env.take("hidden_out")
}

impl RouterSums {
    fn read(block: &Env, report: &DispatchReport, tokens: usize) -> Result<Self, TrainError> {
        let sum = |name: &str| -> Result<Vec<f64>, TrainError> {
            let pieces = block.get(name).expect("a sparse block has it").download()?;
            let mut total = vec![0.0; pieces[0].num_elements()];
            for piece in &pieces {
                debug_assert_eq!(piece.dtype(), DType::F32);
                total.iter_mut().zip(piece.to_f64()).for_each(|(t, v)| *t += v);
            }
            Ok(total)
        };
        Ok(Self {
            counts: report.rows_per_expert.iter().map(|&n| n as f64).collect(),
            probability: sum("probability_sum")?,
            z: sum("z_sum")?[0],
            tokens,
        })
    }
}

/// Share of the routed tokens that chose each expert, over all layers (the sum over experts is k).
fn choice_shares(sums: &[RouterSums]) -> Vec<f64> {
    let rows: f64 = sums.iter().map(|l| l.tokens as f64).sum();
    let experts = sums.first().map_or(0, |l| l.counts.len());
    (0..experts)
        .map(|e| sums.iter().map(|l| l.counts.get(e).copied().unwrap_or(0.0)).sum::<f64>() / rows)
        .collect()
}

/// Load-balancing loss and z-loss over all layers together, as Hugging Face's `load_balancing_loss_func` defines the first
/// (Fedus et al., 2101.03961, eq. 4 to 6): experts times the sum of (share of choices x mean probability).
fn router_losses(sums: &[RouterSums]) -> (f64, f64) {
    if sums.is_empty() {
        return (0.0, 0.0);
    }
    let rows: f64 = sums.iter().map(|l| l.tokens as f64).sum();
    let shares = choice_shares(sums);
    let mean = |e: usize| sums.iter().map(|l| l.probability[e]).sum::<f64>() / rows;
    let aux = shares.len() as f64 * shares.iter().enumerate().map(|(e, f)| f * mean(e)).sum::<f64>();
    (aux, sums.iter().map(|l| l.z).sum::<f64>() / rows)
}
