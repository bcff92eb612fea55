//! One step of training: what it takes, on what it waits, what it holds.

#[cfg(test)]
pub(crate) mod case;
mod host;
mod layers;
mod memory;
mod parts;
mod roofline;
mod simulate;
mod traffic;

use collegium_model::config::LayerConfig;

use crate::ClusterError;
use crate::layout::{Layout, Recompute, Sharding, Software};
use crate::schedule::{Schedule, Turn};

use layers::Priced;
pub use layers::Pricer;

pub use memory::MemoryFit;
pub use parts::{Estimate, MemoryUse, Parts};
pub use roofline::{ProgramPoint, Roofline};
pub use simulate::{Kind, Lane, Op, Span, Timeline};

/// Share of the way between stages that nothing hides.
const EXPOSED_HOPS: f64 = 0.2;

/// Seconds of a layer that the device and the host each need so many for: more than the longer of both, since in some stretches of a layer the
/// device waits for the host and in others it does not. The exponent is one for all rows of the validation: of 2.5, 3, 4, 6 and infinity,
/// 4 leaves the smallest median error on sparse models.
fn longer(device: f64, host: f64) -> f64 {
    (device.powi(4) + host.powi(4)).powf(0.25)
}

/// Least seconds that the last of `full` fullest stages waits for others of a pipeline, where those after it are lighter: the ones before it fill and drain,
/// and while a micro-batch goes through the lighter ones and back it has passes of its own to do, as many as there are stages after it, and more
/// where it holds several pieces or both directions, or gradients of weights wait.
fn least_wait(layout: &Layout, fullest: f64, all: f64, full: f64) -> f64 {
    let after = layout.pipeline as f64 - full;
    let lighter = (all - full * fullest) / after;
    let alone = layout.virtual_stages == 1 && layout.schedule == Schedule::OneForwardOneBackward;
    (full - 1.0) * fullest + if alone { after * (2.0 * lighter - fullest).max(0.0) } else { 0.0 }
}

impl Pricer<'_> {
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
        // Without sequence parallelism it is a sum that everything after it waits for.
        let overlap_tensor = if software.sequence_parallel { c.overlap_tensor } else { 0.0 };
        parts.tensor = self.tensor_traffic(layer, layout, software) * (1.0 - overlap_tensor)
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
        parts.products = seconds.products * software.compute;
        parts.attention = seconds.attention * software.attention * software.compute;
        parts.vector = seconds.vector;
        parts.launch = seconds.launch;
        if experts.is_some() {
            parts.vector *= software.sparse;
            parts.expert *= software.sparse;
            parts.expert += self.clone_traffic(layer, layout, software).iter().sum::<f64>();
        }
        let host = if experts.is_some() { software.host_layer } else { software.host_dense };
        let passes = if layout.recompute == Recompute::Recompute { 1.5 } else { 1.0 };
        let device = parts.total();
        parts.launch += longer(device, host * passes) - device;
        Stage { parts, kept, working }
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
        // The fullest stage: an even share of everything, or whole layers where these do not divide, or an end on top.
        let whole = (layers / stages).ceil() / layers;
        let layer_total = stage.parts.total();
        let fair = (layer_total + ends.total()) / stages;
        let last = self.layers_of_last(layout, software);
        let last = last.map_or(0.0, |n| n as f64 / layers * layer_total + head.forward.total());
        let all = layer_total + ends.total();
        let (fullest, others) = if layout.pipeline == 1 {
            (fair, 0.0)
        } else if last > fair && (!self.has_ends_on_top(software) || last > whole * layer_total) {
            // Every other stage is passed on the way to it and back.
            (last, all - last)
        } else if whole * layer_total > fair {
            let full = (self.model.config.num_layers % layout.pipeline).max(1) as f64;
            (whole * layer_total, least_wait(layout, whole * layer_total, all, full))
        } else {
            (fair, (stages - 1.0) * fair)
        };
        let share = fullest / all;
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
        if layout.pipeline > 1 {
            let passes = if layout.recompute == Recompute::Recompute { 4.0 } else { 3.0 };
            let (forward, weight) = (micro / passes, parts.products / (passes * n));
            let turn = Turn { forward, input: micro - forward - weight, weight };
            // Neighbours' gradients of weights fill the hops where these are work of their own.
            let hops = if layout.schedule.splits_backward() { 0.0 } else { others / micro };
            // Both directions of DualPipe meet where each has a micro-batch for every stage.
            let meets = layout.schedule != Schedule::DualPipe || n >= 2.0 * stages;
            let idle = layout.schedule.idle(layout.pipeline, layout.virtual_stages, others, &turn);
            let idle = if meets { idle } else { 0.0 };
            parts.bubble = idle + EXPOSED_HOPS * hops * self.stage_traffic(layout, software);
        }
        // Whole micro-batches are one program each way there.
        parts.launch += self.barrier(layout) * 2.0 * n;
        let (each, once) = self.data_traffic(layout, software, micro);
        parts.data = each * n + once;
        let state = self.parameters(layout);
        let shards = match layout.sharding {
            Sharding::None => (1.0, 1.0),
            _ => ((layout.data * layout.context) as f64, layout.expert_data() as f64),
        };
        let held = state.0 / shards.0 + state.1 / shards.1;
        parts.optimizer = held * (2.0 * software.state_bytes + 2.0 * software.gradient_bytes + 2.0)
            / (self.rank().bandwidth * c.update_share);
        if layout.offload {
            let state = held * software.state_bytes;
            parts.optimizer = parts.optimizer.max(self.crossing(state, state));
        }
        self.wait(&mut parts, layout, software);
        let memory = self.memory(layout, software, stage, state, held);
        Estimate { step: parts.total(), parts, memory }
    }

    /// Seconds that an execution of a program with collectives waits.
    fn barrier(&self, layout: &Layout) -> f64 {
        if layout.ranks() > 1 { self.device.calibration.barrier } else { 0.0 }
    }

    /// Whether embedding and head lie on top of whole layers. Second predictions have layouts of their own.
    fn has_ends_on_top(&self, software: &Software) -> bool {
        software.ends_on_top && self.model.predictions == 0
    }

    /// Layers of a stage with the ends on top. Where the layers do not divide over the pieces and two more would, each end counts as one of them
    /// (`account_for_embedding_in_pipeline_split` of Megatron, for which Llama 3.1 405B has 126 layers and Qwen3-235B 94).
    fn layers_of_stage(&self, layout: &Layout, stage: usize) -> usize {
        let (layers, stages) = (self.model.config.num_layers, layout.pipeline);
        let pieces = stages * layout.virtual_stages;
        if !layers.is_multiple_of(pieces) && (layers + 2).is_multiple_of(pieces) {
            return (layers + 2) / stages - usize::from(stage == 0) - usize::from(stage + 1 == stages);
        }
        layers / stages + usize::from(stage < layers % stages)
    }

    /// Layers on the last stage where its share cannot be made as small as the head beside them asks for: with the head on top, and where
    /// more than the next token is predicted, since layers of that kind stay with the head. Recipes give that stage what is left over
    /// (`pp_layout` of Megatron-Bridge: `Et*4|(t*4|)*14tmL`).
    fn layers_of_last(&self, layout: &Layout, software: &Software) -> Option<usize> {
        let layers = self.model.config.num_layers;
        if self.has_ends_on_top(software) {
            return Some(self.layers_of_stage(layout, layout.pipeline - 1));
        }
        let pieces = layout.pipeline * layout.virtual_stages;
        let piece = layers.div_ceil(pieces);
        let left = layers.saturating_sub((pieces - 1) * piece).max(self.model.predictions);
        (self.model.predictions > 0).then_some((layout.virtual_stages - 1) * piece + left)
    }

    /// Adds to the parts what is waited for beside all else: the slowest instance, and batches.
    fn wait(&self, parts: &mut Parts, layout: &Layout, software: &Software) {
        (parts.straggle, parts.loading) = (0.0, 0.0);
        parts.straggle = parts.total() * self.straggle(layout);
        let hidden = if software.feed.ahead { parts.total() } else { 0.0 };
        parts.loading = (self.loading(layout, software) - hidden).max(0.0);
    }

    /// Share of a step that the slowest of many instances adds.
    fn straggle(&self, layout: &Layout) -> f64 {
        let instances = layout.ranks() as f64 / (self.instance.devices * self.device.cores) as f64;
        self.device.calibration.straggle_per_doubling * instances.log2().max(0.0)
    }

    /// Parameters of the fullest stage on one rank: beside experts, and of experts.
    fn parameters(&self, layout: &Layout) -> (f64, f64) {
        let m = self.model;
        let (stages, tensor) = (layout.pipeline as f64, layout.tensor as f64);
        let dense: f64 = self.kinds.iter().map(|k| m.layer_parameters(&k.0) * k.1 as f64).sum();
        // A stage of whole layers may have none of the dense ones.
        let sparse: f64 =
            self.kinds.iter().filter(|k| k.0.feed_forward.moe().is_some()).map(|k| k.1 as f64).sum();
        let all: f64 = self.kinds.iter().map(|k| m.expert_parameters(&k.0) * k.1 as f64).sum();
        let fullest = (m.config.num_layers as f64 / stages).min(sparse);
        let experts = if sparse > 0.0 { all / sparse * fullest } else { 0.0 };
        let table = if layout.pipeline == 1 { m.end_parameters() } else { m.end_parameters() / 2.0 };
        (dense / stages / tensor + table / tensor, experts / (layout.expert * layout.expert_tensor) as f64)
    }
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
    use super::*;
    use crate::catalog::Catalog;
    use crate::model::{PlanModel, Sizes};
    use crate::roofline::Precision;

    #[test]
    fn the_last_stage_keeps_second_predictions_with_the_head() {
        // 61 layers and one of a second prediction, as recipes lay them out: stages and pieces, and what the last stage gets of the 62.
        let cases = [(16, 1, 2), (8, 4, 7), (4, 4, 14), (2, 8, 30)];
        let sizes = Sizes { layers: 62, vocab: 1 << 20, ..Sizes::SMALL };
        let plain = PlanModel::plain("test", sizes.config().unwrap());
        let model = PlanModel { predictions: 1, ..plain.clone() };
        let catalog = Catalog::default();
        let instance = catalog.instance("p5.48xlarge").unwrap();
        let device = catalog.device(&instance.device).unwrap();
        let [spread, pricer] = [&plain, &model].map(|m| Pricer::new(m, device, instance, 256).unwrap());
        let software = Software::trainer(&device.platform, Precision::Bfloat16);
        for (pipeline, virtual_stages, layers) in cases {
            let layout = Layout {
                data: 1,
                tensor: 1,
                context: 1,
                pipeline,
                virtual_stages,
                schedule: Schedule::OneForwardOneBackward,
                expert: 1,
                expert_tensor: 1,
                clones: 0,
                micro_batch: 1,
                micro_batches: 64,
                recompute: Recompute::SaveEverything,
                sharding: Sharding::Optimizer,
                offload: false,
            };
            assert_eq!(
                pricer.layers_of_last(&layout, &software),
                Some(layers),
                "{pipeline} {virtual_stages}"
            );
            // Most of this model is its head: twice on one stage, where it is else shared by all.
            let step = |p: &Pricer<'_>| p.simulate(&layout, &software).unwrap().step;
            let more = step(&pricer) / step(&spread);
            assert!(more > 1.5, "{pipeline} {virtual_stages}: {more}");
        }
    }

    #[test]
    fn ends_lie_on_top_or_count_as_a_layer_each() {
        let layers = |layers: usize, pipeline: usize, virtual_stages: usize| -> Vec<usize> {
            let case = case::Case::new(Sizes { layers, ..Sizes::SMALL });
            let pricer = case.pricer(256);
            let layout = Layout { data: 1, pipeline, virtual_stages, ..case::LAYOUT };
            (0..pipeline).map(|s| pricer.layers_of_stage(&layout, s)).collect()
        };
        // Llama 3 70B in five pieces; 405B and Qwen3-235B, which have two layers less than divide; neither.
        assert_eq!(layers(80, 4, 5), [20; 4]);
        assert_eq!(layers(126, 8, 8), [15, 16, 16, 16, 16, 16, 16, 15]);
        assert_eq!(layers(94, 4, 12), [23, 24, 24, 23]);
        assert_eq!(layers(61, 4, 1), [16, 15, 15, 15]);
    }

    #[test]
    fn a_layer_takes_more_than_the_longer_of_device_and_host() {
        assert_eq!((longer(3.0, 0.0), longer(0.0, 3.0)), (3.0, 3.0));
        assert!((longer(1.0, 1.0) - 2f64.powf(0.25)).abs() < 1e-12);
        assert!(longer(2.0, 1.0) > 2.0 && longer(2.0, 1.0) < 2.1);
    }
}
