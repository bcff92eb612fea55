//! Every program that an engine runs for a model, made without a device: what `collegium lint` judges before anybody waits for a
//! compiler. Made by the functions that make the engine's own; `tests/catalogue.rs` trains and generates on a backend that writes down
//! what it is given to compile, and finds all of it here.

use collegium_hlo::{ForwardBackward, Mesh, Program};
use collegium_model::config::{LayerConfig, ModelConfig, MoeConfig};
use collegium_model::params::{self, GroupKey};
use collegium_model::programs::{self, Exchange, FusedShape};
use collegium_runtime::NullBackend;

use super::generate::{CONTEXT_STEP, PROMPT_STEP};
use super::{Execution, Settings, group, program_shape, weights};
use crate::TrainError;
use crate::adapt::Adapter;

/// A program, and which part of the model runs it.
#[derive(Clone, Debug)]
pub struct CatalogueEntry {
    /// For example `layers 0-3`, `embed` or `generation layers 0-3`.
    pub part: String,
    /// The program.
    pub program: Program,
}

/// Programs of training, evaluation and generation; equal ones are listed once.
///
/// Expert programs are those of the bucket for even routing: other routings run the same program with other sizes. Generation
/// is that of prompts as long as a training sequence, with one new token.
///
/// # Errors
/// Sizes that do not fit together.
pub fn catalogue(
    config: &ModelConfig,
    mesh: &Mesh,
    settings: Settings,
) -> Result<Vec<CatalogueEntry>, TrainError> {
    let nowhere = NullBackend::new(mesh.num_devices());
    let transport = settings.exchange.transport;
    let adapter = Adapter::new(&nowhere, mesh, config, transport, settings.balance)?;
    let mut list = List { config, mesh, settings, adapter, entries: Vec::new() };
    list.layers()?;
    list.ends()?;
    list.weights()?;
    if settings.execution == Execution::Fused {
        list.fused(&nowhere)?;
    }
    let context = (settings.seq.next_multiple_of(PROMPT_STEP) + 1).next_multiple_of(CONTEXT_STEP);
    list.adapter = list.adapter.at_home();
    for seq in [settings.seq.next_multiple_of(PROMPT_STEP), 1] {
        list.settings = Settings { seq, exchange: Exchange::default(), ..settings };
        list.generation(context)?;
    }
    Ok(list.entries)
}

struct List<'c> {
    config: &'c ModelConfig,
    mesh: &'c Mesh,
    settings: Settings,
    adapter: Adapter,
    entries: Vec<CatalogueEntry>,
}

impl<'c> List<'c> {
    fn add(&mut self, part: &str, program: Program) {
        if self.entries.iter().all(|e| e.program != program) {
            self.entries.push(CatalogueEntry { part: part.into(), program });
        }
    }

    fn halves(&mut self, part: &str, split: ForwardBackward) {
        self.add(part, split.forward);
        self.add(part, split.backward);
    }

    fn shape(&self) -> programs::Shape<'c> {
        program_shape(self.config, self.mesh, self.settings)
    }

    fn layers(&mut self) -> Result<(), TrainError> {
        for (layers, layer) in distinct_layers(self.config) {
            self.halves(&layers, programs::block(&self.shape(), layer)?);
        }
        for (layers, moe) in distinct_experts(self.config) {
            let split = self.experts(moe)?;
            self.halves(&layers, split);
        }
        Ok(())
    }

    fn ends(&mut self) -> Result<(), TrainError> {
        let shape = self.shape();
        self.halves("embed", programs::embed(&shape)?);
        self.add("head", programs::head(&shape)?);
        self.add("validation", programs::sum_loss(&shape)?);
        self.add("verification", programs::logits_at(&shape, shape.batch * shape.seq)?);
        Ok(())
    }

    /// From masters to working weights and back, and the optimizer.
    fn weights(&mut self) -> Result<(), TrainError> {
        let (mesh, working, tied) = (self.mesh, self.settings.working(), self.config.tie_word_embeddings);
        let mut shards = Vec::new();
        for spec in params::groups(self.config) {
            let part = format!("weights of {}", part_of(spec.key));
            let made = group::programs_for(&spec, tied, mesh, working)?;
            let (shape, mut between) =
                (programs::GroupShape::of(&spec), made.whole.map(|w| vec![w]).unwrap_or_default());
            if let (GroupKey::Experts(layer), Some(experts)) = (spec.key, spec.experts) {
                let moe = self.config.layers[layer].feed_forward.moe().expect("a sparse layer has experts");
                let slots = self.bucket(moe)?.slots;
                between.push(weights::slot_programs(&shape, experts, slots, mesh, working)?);
            }
            let ways = between.iter().flat_map(|b| [&b.materialise, &b.begin, &b.add]);
            for program in ways.chain(&made.updates) {
                self.add(&part, program.program().clone());
            }
            shards.extend(shape.shards(spec.experts, mesh.num_devices()));
        }
        self.add("optimizer", programs::squared_norm(&shards, mesh)?);
        Ok(())
    }

    /// Forward and backward of a micro-batch as one program.
    fn fused(&mut self, nowhere: &NullBackend) -> Result<(), TrainError> {
        let sparse = self.config.layers.iter().filter_map(|l| l.feed_forward.moe());
        let rows: Vec<usize> = sparse.map(|moe| self.rows(moe)).collect();
        let bucket = self.adapter.ahead(&rows, nowhere)?.bucket;
        let how = FusedShape { bucket, block: self.adapter.block() };
        self.add("all layers", programs::fused(&self.shape(), how)?);
        Ok(())
    }

    fn generation(&mut self, context: usize) -> Result<(), TrainError> {
        let shape = self.shape();
        self.add("generation", programs::embed(&shape)?.forward);
        for (layers, layer) in distinct_layers(self.config) {
            self.add(&format!("generation {layers}"), programs::generation_block(&shape, layer, context)?);
        }
        for (layers, moe) in distinct_experts(self.config) {
            let split = self.experts(moe)?;
            self.add(&format!("generation {layers}"), split.forward);
        }
        self.add("generation", programs::logits_at(&shape, shape.batch)?);
        Ok(())
    }

    fn experts(&mut self, moe: &MoeConfig) -> Result<ForwardBackward, TrainError> {
        let bucket = self.bucket(moe)?;
        Ok(programs::expert_layer(&self.shape(), moe, bucket, self.adapter.block())?)
    }

    fn bucket(&mut self, moe: &MoeConfig) -> Result<collegium_balance::Bucket, TrainError> {
        let mut sparse = self.config.layers.iter().filter_map(|l| l.feed_forward.moe());
        let at = sparse.position(|m| m == moe).expect("one of the model's");
        self.adapter.expected_bucket(at, self.rows(moe))
    }

    /// Rows that every rank routes.
    fn rows(&self, moe: &MoeConfig) -> usize {
        self.settings.batch * self.settings.seq * moe.top_k
    }
}

/// Layers of one configuration share their programs.
fn distinct_layers(config: &ModelConfig) -> Vec<(String, &LayerConfig)> {
    distinct(config.layers.iter().enumerate())
}

fn distinct_experts(config: &ModelConfig) -> Vec<(String, &MoeConfig)> {
    distinct(config.layers.iter().enumerate().filter_map(|(i, l)| Some((i, l.feed_forward.moe()?))))
}

fn distinct<'c, T: PartialEq>(layers: impl Iterator<Item = (usize, &'c T)>) -> Vec<(String, &'c T)> {
    let mut found: Vec<(Vec<usize>, &T)> = Vec::new();
    for (index, layer) in layers {
        match found.iter_mut().find(|f| f.1 == layer) {
            Some(known) => known.0.push(index),
            None => found.push((vec![index], layer)),
        }
    }
    found.into_iter().map(|(indices, layer)| (named(&indices), layer)).collect()
}

/// `layer 3`, or `layers 0-2, 5`.
fn named(layers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &layer in layers {
        match runs.last_mut() {
            Some(run) if run.1 + 1 == layer => run.1 = layer,
            _ => runs.push((layer, layer)),
        }
    }
    let text = |&(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let plural = if layers.len() == 1 { "" } else { "s" };
    format!("layer{plural} {}", runs.iter().map(text).collect::<Vec<_>>().join(", "))
}

fn part_of(key: GroupKey) -> String {
    match key {
        GroupKey::Embed => "embed".into(),
        GroupKey::Head => "head".into(),
        GroupKey::Layer(layer) => format!("layer {layer}"),
        GroupKey::Experts(layer) => format!("experts of layer {layer}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn layers_are_named_by_runs() {
        assert_eq!(super::named(&[3]), "layer 3");
        assert_eq!(super::named(&[0, 1, 2, 5]), "layers 0-2, 5");
    }
}
