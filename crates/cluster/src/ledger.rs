//! What the trainer runs in one step, program by program: the same programs, as often as its engine calls them. A test in `train` holds
//! this list against what a real step does.

use std::collections::HashMap;
use std::collections::hash_map;

use collegium_balance::{Bucket, Counts, Ladder, Layout, Plan, Tables};
use collegium_hlo::{Cost, Program};
use collegium_model::layers::EXPERT_AXIS;
use collegium_model::params::{self, GroupKey};
use collegium_model::programs::{self, Collect, GroupShape, Shape};
use serde::Serialize;

use crate::ClusterError;

/// Rows of a block of the grouped products.
pub const BLOCK: usize = 128;

/// One program of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub program: String,
    /// Cost of one run on one device.
    pub cost: Cost,
    /// Runs in the step.
    pub runs: u64,
}

/// Everything one device runs in a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// In order of first use.
    pub entries: Vec<Entry>,
}

/// A ledger's sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LedgerTotals {
    /// Operations of one device.
    pub flops: u64,
    /// Bytes its kernels read and write.
    pub bytes: u64,
    /// Bytes it sends in collectives.
    pub bytes_sent: u64,
}

impl Ledger {
    fn add(&mut self, program: &Program, runs: u64) {
        let cost = program.cost();
        match self.entries.iter_mut().find(|e| e.program == program.name && e.cost == cost) {
            Some(entry) => entry.runs += runs,
            None => self.entries.push(Entry { program: program.name.clone(), cost, runs }),
        }
    }

    /// Cost of all runs on one device.
    pub fn total(&self) -> Cost {
        let mut total = Cost::default();
        self.entries.iter().for_each(|e| total.add(&e.cost, e.runs));
        total
    }

    /// The sums.
    pub fn totals(&self) -> LedgerTotals {
        let total = self.total();
        LedgerTotals {
            flops: total.flops,
            bytes: total.bytes_read + total.bytes_written,
            bytes_sent: total.collectives.iter().map(|t| t.bytes_per_device).sum(),
        }
    }
}

/// The bucket that evenly routed rows need, as the trainer's ladder rounds it.
///
/// # Errors
/// Experts that do not divide over the ranks.
pub fn even_bucket(
    experts: usize,
    top_k: usize,
    tokens: usize,
    ranks: usize,
) -> Result<Bucket, ClusterError> {
    let rows = tokens * top_k;
    if ranks == 1 {
        let blocks = (rows / BLOCK + experts.min(rows)).max(1);
        return Ok(Bucket { slots: experts, places: blocks * BLOCK, blocks });
    }
    let wrong = |e: collegium_balance::BalanceError| ClusterError::Request(e.to_string());
    let share = |e: usize| (rows / experts + usize::from(e < rows % experts)) as f32;
    let report: Vec<f32> = (0..experts).map(share).collect();
    let counts = Counts::from_reports(&vec![report; ranks], &vec![rows; ranks]).map_err(wrong)?;
    let layout = Layout::contiguous(ranks, experts).map_err(wrong)?;
    let plan = Plan::homes(&layout, &counts).map_err(wrong)?;
    Ok(Ladder::new(ranks, BLOCK, experts / ranks).pick(Tables::need(&plan, BLOCK)))
}

/// What one device runs in a step of `micro_batches` micro-batches on `shape`'s mesh; `bucket` names that of a sparse layer in a micro-batch.
///
/// # Errors
/// Sizes that do not fit together.
pub fn step_ledger(
    shape: &Shape<'_>,
    micro_batches: usize,
    bucket: &mut dyn FnMut(usize, usize) -> Bucket,
) -> Result<Ledger, ClusterError> {
    let (config, mesh) = (shape.config, &shape.mesh);
    let ranks = mesh.size(EXPERT_AXIS).unwrap_or(1);
    let n = micro_batches as u64;
    let mut ledger = Ledger::default();
    let mut shards = Vec::new();
    let working = programs::Working::nearest(shape.dtype);
    for group in params::groups(config) {
        let own = GroupShape::of(&group);
        match (group.experts, group.key) {
            (Some(experts), GroupKey::Experts(layer)) => {
                let mut held = None;
                for micro in 0..micro_batches {
                    let slots = bucket(layer, micro).slots;
                    // A lone device trains the shards themselves, and a copy in another type comes of the update.
                    let lone = programs::slots_are_experts(experts, slots, mesh);
                    // Homes are made once an update; clones lie elsewhere in every micro-batch.
                    if !lone && (held != Some(slots) || slots * ranks > experts) {
                        ledger.add(&programs::materialise_experts(&own, experts, slots, mesh, working)?, 1);
                        held = Some(slots);
                    }
                    let how = if micro == 0 { Collect::Begin } else { Collect::Add };
                    if !lone || how == Collect::Add {
                        ledger.add(&programs::collect_experts(&own, experts, slots, how, mesh)?, 1);
                    }
                }
            }
            _ => {
                let tied = config.tie_word_embeddings && group.key == GroupKey::Embed;
                let twice = tied.then(|| (own.params[0].0.as_str(), "tied"));
                ledger.add(&programs::materialise(&own, mesh, working)?, 1);
                ledger.add(&programs::collect(&own, twice, Collect::Begin, mesh)?, 1);
                if n > 1 {
                    ledger.add(&programs::collect(&own, twice, Collect::Add, mesh)?, n - 1);
                }
            }
        }
        let written = programs::working_of_update(group.experts, mesh, working);
        for shard in own.shards(group.experts, mesh.num_devices()) {
            ledger.add(&programs::adamw(&shard, written, mesh)?, 1);
            shards.push(shard);
        }
    }
    ledger.add(&programs::squared_norm(&shards, mesh)?, 1);
    let embed = programs::embed(shape)?;
    ledger.add(&embed.forward, n);
    ledger.add(&embed.backward, n);
    ledger.add(&programs::head(shape)?, n);
    let mut known = HashMap::new();
    for (index, layer) in config.layers.iter().enumerate() {
        let block = programs::block(shape, layer)?;
        ledger.add(&block.forward, n);
        ledger.add(&block.backward, n);
        let Some(moe) = layer.feed_forward.moe() else { continue };
        for micro in 0..micro_batches {
            let bucket = bucket(index, micro);
            let key = (moe.num_experts, moe.top_k, moe.intermediate, bucket);
            let halves = match known.entry(key) {
                hash_map::Entry::Occupied(place) => place.into_mut(),
                hash_map::Entry::Vacant(place) => {
                    place.insert(programs::expert_layer(shape, moe, bucket, BLOCK)?)
                }
            };
            ledger.add(&halves.forward, 1);
            ledger.add(&halves.backward, 1);
        }
    }
    Ok(ledger)
}
