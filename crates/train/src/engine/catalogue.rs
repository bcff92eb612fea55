//! Every program that an engine runs for a model, made without a device: what `collegium lint` judges before anybody waits for a
//! compiler. Made by the functions that make the engine's own; `tests/catalogue.rs` trains and generates on a backend that writes down
//! what it is given to compile, and finds all of it here.

use collegium_balance::{Bucket, Counts, Ladder, Layout, Plan, Tables};
use collegium_hlo::{Mesh, Program};
use collegium_model::config::{LayerConfig, ModelConfig, MoeConfig};
use collegium_model::{params, programs};

use super::generate::{CONTEXT_STEP, PROMPT_STEP};
use super::{Dispatcher, Settings, group, program_shape};
use crate::TrainError;

/// A program, and which part of the model runs it.
#[derive(Clone, Debug)]
pub struct CatalogueEntry {
    /// For example `layers 0-3`, `embed` or `generation layers 0-3`.
    pub part: String,
    /// The program.
    pub program: Program,
}

/// Programs of training, evaluation and generation for blocks of `block` rows; equal ones are listed once.
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
    block: usize,
) -> Result<Vec<CatalogueEntry>, TrainError> {
    let shape = program_shape(config, mesh, settings);
    let mut list = List::default();
    list.halves("embed", programs::embed(&shape)?);
    for (layers, layer) in distinct_layers(config) {
        list.halves(&layers, programs::block(&shape, layer)?);
    }
    for (layers, moe) in distinct_experts(config) {
        let (slots, bucket) = even(mesh, settings, moe, block)?;
        list.halves(&layers, programs::expert_layer(&shape, moe, slots, bucket, block)?);
    }
    list.add("head", programs::head(&shape)?);
    list.add("validation", programs::sum_loss(&shape)?);
    list.add("verification", programs::logits_at(&shape, settings.batch * settings.seq)?);
    list.weights(config, mesh, settings, block)?;
    let context = (settings.seq.next_multiple_of(PROMPT_STEP) + 1).next_multiple_of(CONTEXT_STEP);
    for seq in [settings.seq.next_multiple_of(PROMPT_STEP), 1] {
        list.generation(config, mesh, Settings { seq, ..settings }, context, block)?;
    }
    Ok(list.0)
}

#[derive(Default)]
struct List(Vec<CatalogueEntry>);

impl List {
    fn add(&mut self, part: &str, program: Program) {
        if self.0.iter().all(|e| e.program != program) {
            self.0.push(CatalogueEntry { part: part.into(), program });
        }
    }

    fn halves(&mut self, part: &str, split: collegium_hlo::ForwardBackward) {
        self.add(part, split.forward);
        self.add(part, split.backward);
    }

    /// From masters to working weights and back, and the optimizer.
    fn weights(
        &mut self,
        config: &ModelConfig,
        mesh: &Mesh,
        settings: Settings,
        block: usize,
    ) -> Result<(), TrainError> {
        let mut shards = Vec::new();
        for spec in params::groups(config) {
            let slots = spec
                .experts
                .map_or(Ok(0), |e| Dispatcher::new(mesh, block).layout(e).map(Layout::num_slots))?;
            let tied = config.tie_word_embeddings;
            let made = group::programs_for(&spec, slots, tied, mesh, settings.dtype)?;
            let part = format!("weights of {}", part_of(spec.key));
            for program in [made.materialise, made.collect, made.update] {
                self.add(&part, program.program().clone());
            }
            shards.push(group::shard_sizes(&spec, &group::shape_of(&spec), mesh.num_devices()));
        }
        self.add("optimizer", programs::squared_norm(&shards, mesh)?);
        Ok(())
    }

    fn generation(
        &mut self,
        config: &ModelConfig,
        mesh: &Mesh,
        settings: Settings,
        context: usize,
        block: usize,
    ) -> Result<(), TrainError> {
        let shape = program_shape(config, mesh, settings);
        self.add("generation", programs::embed(&shape)?.forward);
        for (layers, layer) in distinct_layers(config) {
            self.add(&format!("generation {layers}"), programs::generation_block(&shape, layer, context)?);
        }
        for (layers, moe) in distinct_experts(config) {
            let (slots, bucket) = even(mesh, settings, moe, block)?;
            let split = programs::expert_layer(&shape, moe, slots, bucket, block)?;
            self.add(&format!("generation {layers}"), split.forward);
        }
        self.add("generation", programs::logits_at(&shape, settings.batch)?);
        Ok(())
    }
}

/// Slots of a rank, and the bucket for even routing of a micro-batch.
fn even(
    mesh: &Mesh,
    settings: Settings,
    moe: &MoeConfig,
    block: usize,
) -> Result<(usize, Bucket), TrainError> {
    let mut dispatcher = Dispatcher::new(mesh, block);
    let (ranks, rows) = (dispatcher.ranks(), settings.batch * settings.seq * moe.top_k);
    let layout = dispatcher.layout(moe.num_experts)?.clone();
    if ranks == 1 {
        return Ok((layout.num_slots(), dispatcher.only_bucket(moe.num_experts, rows)));
    }
    let share = |e: usize| (rows / moe.num_experts + usize::from(e < rows % moe.num_experts)) as f32;
    let report: Vec<f32> = (0..moe.num_experts).map(share).collect();
    let counts = Counts::from_reports(&vec![report; ranks], rows)?;
    let need = Tables::need(&Plan::homes(&layout, &counts), block);
    Ok((layout.num_slots(), Ladder::new(ranks, block).pick(need)))
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

fn part_of(key: params::GroupKey) -> String {
    match key {
        params::GroupKey::Embed => "embed".into(),
        params::GroupKey::Head => "head".into(),
        params::GroupKey::Layer(layer) => format!("layer {layer}"),
        params::GroupKey::Experts(layer) => format!("experts of layer {layer}"),
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
