//! Adaptive expert parallelism: observe what the routers chose, plan where rows go, apply it. Here the routing of a
//! micro-batch meets the balancer: counts in; a plan's slots, bucket and tables out.
//!
//! Two tiers. The fast one plans every micro-batch from its own counts. The slow one gives the experts new homes between steps, from
//! the counts of the last micro-batches. Neither moves an optimizer state: masters are sharded evenly whatever the layout.

mod ahead;
mod groups;
mod options;
mod report;
mod slots;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use collegium_balance::{Bucket, Counts, History, Ladder, Layout, Plan, Setting};
use collegium_core::{ExpertId, RankId};
use collegium_hlo::Mesh;
use collegium_model::config::ModelConfig;
use collegium_model::layers::Transport;
use collegium_model::layers::transport::{self, AllToAll, Sizes};
use collegium_runtime::{Array, Backend};

use crate::TrainError;
use crate::engine::Env;

pub use ahead::{LayerAhead, PlannedAhead};
pub use groups::Groups;
pub use options::BalanceOptions;
pub use report::DispatchReport;
pub use slots::Slots;

/// What the experts of one layer run with in one micro-batch.
pub struct Dispatch {
    /// The static shape of the programs.
    pub bucket: Bucket,
    /// Where the experts' weights lie.
    pub slots: Arc<Slots>,
    /// The tables that the programs read.
    pub tables: Env,
    /// What was planned, in numbers.
    pub report: DispatchReport,
}

/// The balancer of one model on one mesh.
#[derive(Clone)]
pub struct Adapter {
    groups: Groups,
    block: usize,
    transport: &'static dyn Transport,
    options: BalanceOptions,
    setting: Setting,
    /// By MoE layer.
    layers: Vec<LayerState>,
    /// By number of experts.
    ladders: HashMap<usize, Ladder>,
    /// Times that a bucket of so many experts served.
    uses: HashMap<(usize, Bucket), u64>,
    /// Room that plans made ahead turned out to need.
    room: Option<Bucket>,
    steps: u64,
}

/// What is known of one MoE layer.
#[derive(Clone)]
struct LayerState {
    experts: usize,
    layout: Layout,
    history: History,
    /// Counts of the last micro-batch, by group.
    counts: Vec<Counts>,
    /// Plans of the last micro-batch, by group.
    plans: Vec<Plan>,
    slots: Option<Arc<Slots>>,
}

impl Adapter {
    /// A balancer for the sparse layers of `model` on the devices of `backend`; homes are contiguous at first.
    ///
    /// # Errors
    /// A model without experts to lay out.
    pub fn new(
        backend: &dyn Backend,
        mesh: &Mesh,
        model: &ModelConfig,
        transport: &'static dyn Transport,
        options: BalanceOptions,
    ) -> Result<Self, TrainError> {
        let groups = Groups::of(mesh);
        let transport = transport::of_group(transport, groups.ranks());
        let window = options.window.max(1) * groups.members().len();
        let state = |experts: usize| -> Result<LayerState, TrainError> {
            Ok(LayerState {
                experts,
                layout: Layout::contiguous(groups.ranks(), experts)?,
                history: History::new(window, experts),
                counts: Vec::new(),
                plans: Vec::new(),
                slots: None,
            })
        };
        let sparse = model.layers.iter().filter_map(|l| l.feed_forward.moe());
        let layers = sparse.map(|moe| state(moe.num_experts)).collect::<Result<_, _>>()?;
        let setting = options.setting(groups.topology(), backend.name(), model)?;
        let block = backend.block_rows();
        let (ladders, uses) = (HashMap::new(), HashMap::new());
        Ok(Self { groups, block, transport, options, setting, layers, ladders, uses, room: None, steps: 0 })
    }

    /// Another balancer with the same homes that never clones: for generation, whose rows are few.
    pub fn at_home(&self) -> Self {
        Self {
            options: BalanceOptions::default(),
            transport: transport::of_group(&AllToAll, self.ranks()),
            ladders: HashMap::new(),
            ..self.clone()
        }
    }

    /// The same with blocks of so many rows.
    pub fn with_block(self, block: usize) -> Self {
        Self { block, ..self }
    }

    /// Rows of a block.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Ranks of one expert-parallel group.
    pub fn ranks(&self) -> usize {
        self.groups.ranks()
    }

    /// Every bucket that served, with its number of experts and how often; the most used first.
    pub fn uses(&self) -> Vec<(usize, Bucket, u64)> {
        let mut uses: Vec<_> =
            self.uses.iter().map(|(&(experts, bucket), &n)| (experts, bucket, n)).collect();
        uses.sort_by_key(|&(experts, bucket, n)| (std::cmp::Reverse(n), experts, bucket));
        uses
    }

    /// Buckets that layers of `experts` experts will probably need, to be compiled ahead: for several ranks the first clone slots,
    /// with room for what pairs of ranks usually send unevenly.
    pub fn likely_buckets(&mut self, experts: usize, rows_per_rank: usize) -> Vec<Bucket> {
        const PAIR_FACTORS: [f64; 3] = [1.1, 1.25, 1.4];
        let ranks = self.ranks();
        if ranks == 1 {
            return vec![self.only_bucket(experts, rows_per_rank)];
        }
        let (homes, block) = (experts.div_ceil(ranks), self.block);
        let cells = self.transport.cells(self.groups.topology());
        let clones: &[usize] = if self.options.policy.plans_micro_batches() { &[1, 2] } else { &[0] };
        let mut buckets = Vec::new();
        for slots in clones.iter().map(|c| homes + c) {
            for factor in PAIR_FACTORS {
                let places = (rows_per_rank as f64 / cells as f64 * factor).ceil() as usize;
                let blocks = rows_per_rank.div_ceil(block) + slots;
                buckets.push(self.ladder(experts).pick(Bucket { slots, places, blocks }));
            }
        }
        buckets.dedup();
        buckets
    }

    /// Homes of MoE layer `layer`.
    pub fn layout(&self, layer: usize) -> &Layout {
        &self.layers[layer].layout
    }

    /// Gives MoE layer `layer` these homes; nothing else has to know.
    pub fn set_layout(&mut self, layer: usize, layout: Layout) {
        let state = &mut self.layers[layer];
        state.layout = layout;
        state.plans.clear();
    }

    /// Forgets all but the homes, which it returns by MoE layer and rank: a run that goes on from here and one that is taken up from a
    /// checkpoint of this moment are then the same to the bit.
    pub fn start_afresh(&mut self) -> Vec<Vec<Vec<u32>>> {
        let window = self.options.window.max(1) * self.groups.members().len();
        for layer in &mut self.layers {
            layer.history = History::new(window, layer.experts);
            layer.counts.clear();
            layer.plans.clear();
        }
        self.room = None;
        let homes = |layer: &LayerState| -> Vec<Vec<u32>> {
            let ranks = (0..layer.layout.num_ranks()).map(RankId::from);
            ranks.map(|rank| layer.layout.slots(rank).iter().map(|e| e.0).collect()).collect()
        };
        self.layers.iter().map(homes).collect()
    }

    /// Takes up the homes of a checkpoint after `steps` steps, where they are of as many ranks; otherwise they stay.
    ///
    /// # Errors
    /// Homes of other experts than the model's.
    pub fn restore(&mut self, steps: u64, homes: &[Vec<Vec<u32>>]) -> Result<(), TrainError> {
        self.steps = steps;
        for (layer, homes) in homes.iter().enumerate().take(self.layers.len()) {
            if homes.len() != self.ranks() {
                continue;
            }
            let slots = homes.iter().map(|rank| rank.iter().map(|&e| ExpertId(e)).collect()).collect();
            self.set_layout(layer, Layout::new(self.layers[layer].experts, slots)?);
        }
        Ok(())
    }

    /// Plans MoE layer `layer` from the counts that its routers report, {expert} on every rank.
    ///
    /// # Errors
    /// Counts that do not add up (scores that are not finite), a plan that fails its check, or what the device says.
    pub fn plan(
        &mut self,
        layer: usize,
        counts: &Array,
        rows_per_rank: usize,
        backend: &dyn Backend,
    ) -> Result<Dispatch, TrainError> {
        let pick = |own: &mut Self, need| own.bucket(layer, need, rows_per_rank);
        self.plan_in(layer, counts, &self.even(rows_per_rank), backend, pick)
    }

    /// [`plan`](Self::plan) where each rank of the mesh routes `rows` of its own, and `pick` gives the bucket for what the plans need.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_in(
        &mut self,
        layer: usize,
        counts: &Array,
        rows: &[usize],
        backend: &dyn Backend,
        pick: impl FnOnce(&mut Self, Bucket) -> Bucket,
    ) -> Result<Dispatch, TrainError> {
        let counts = self.counts(counts, rows)?;
        let started = Instant::now();
        let plans = self.plans(layer, &counts)?;
        let bucket = pick(self, self.need(&plans));
        *self.uses.entry((self.layers[layer].experts, bucket)).or_default() += 1;
        let experts = self.layers[layer].experts;
        let sizes = Sizes { topology: self.groups.topology(), experts, bucket, block: self.block };
        let tables: Vec<_> = plans.iter().map(|p| self.transport.tables(p, &sizes)).collect();
        let planner_us = started.elapsed().as_secs_f64() * 1e6;
        let report = DispatchReport { planner_us, ..self.report(layer, &counts, &plans, bucket)? };
        let slots = self.slots_of(layer, &plans, bucket.slots, backend)?;
        let tables = upload::upload(&tables, self.transport, &sizes, &self.groups, backend)?;
        self.observe(layer, counts, plans);
        Ok(Dispatch { bucket, slots, tables, report })
    }

    /// One optimizer step is done: on its turn, the experts of every layer get new homes.
    ///
    /// # Errors
    /// What makes a layout impossible.
    pub fn end_step(&mut self) -> Result<(), TrainError> {
        self.steps += 1;
        if !self.steps.is_multiple_of(self.options.relayout_every.max(1)) {
            return Ok(());
        }
        for layer in 0..self.layers.len() {
            let state = &self.layers[layer];
            if state.history.is_empty() {
                continue;
            }
            let policy = self.options.policy;
            let layout = policy.relayout(&state.history, &state.layout, &self.setting)?;
            if layout != state.layout {
                self.set_layout(layer, layout);
            }
        }
        Ok(())
    }

    /// With one rank the worst case is hardly more than any other, so one bucket serves every routing.
    pub fn only_bucket(&self, experts: usize, rows_per_rank: usize) -> Bucket {
        let blocks = (rows_per_rank / self.block + experts.min(rows_per_rank)).max(1);
        Bucket { slots: experts, places: blocks * self.block, blocks }
    }

    /// As many rows on every rank of the mesh.
    fn even(&self, rows_per_rank: usize) -> Vec<usize> {
        vec![rows_per_rank; self.groups.places().len()]
    }

    /// Counts of every group; each rank of the mesh routes so many rows.
    fn counts(&self, reports: &Array, rows: &[usize]) -> Result<Vec<Counts>, TrainError> {
        let reports: Vec<Vec<f32>> = reports.download()?.iter().map(|t| t.to_vec::<f32>()).collect();
        let of_group = |group: &Vec<usize>| {
            let own: Vec<Vec<f32>> = group.iter().map(|&rank| reports[rank].clone()).collect();
            let rows: Vec<usize> = group.iter().map(|&rank| rows[rank]).collect();
            Counts::from_reports(&own, &rows)
        };
        Ok(self.groups.members().iter().map(of_group).collect::<Result<_, _>>()?)
    }

    /// The policy's plan for every group, checked.
    fn plans(&self, layer: usize, counts: &[Counts]) -> Result<Vec<Plan>, TrainError> {
        let (state, setting) = (&self.layers[layer], &self.setting);
        let plan = |(group, counts): (usize, &Counts)| {
            let plan = self.options.policy.plan(counts, &state.layout, state.plans.get(group), setting)?;
            plan.verify(counts, setting.limits.max_clones)?;
            Ok(plan)
        };
        counts.iter().enumerate().map(plan).collect()
    }

    /// What the plans of all groups need.
    fn need(&self, plans: &[Plan]) -> Bucket {
        let topology = self.groups.topology();
        let need = plans.iter().map(|p| self.transport.need(p, topology, self.block));
        need.reduce(Bucket::union).expect("a mesh has a group")
    }

    fn observe(&mut self, layer: usize, counts: Vec<Counts>, plans: Vec<Plan>) {
        let state = &mut self.layers[layer];
        counts.iter().for_each(|c| state.history.observe(c));
        (state.counts, state.plans) = (counts, plans);
    }

    fn bucket(&mut self, layer: usize, need: Bucket, rows_per_rank: usize) -> Bucket {
        let experts = self.layers[layer].experts;
        if self.ranks() == 1 {
            return self.only_bucket(experts, rows_per_rank);
        }
        self.ladder(experts).pick(need)
    }

    fn ladder(&mut self, experts: usize) -> &mut Ladder {
        let (ranks, block) = (self.groups.ranks(), self.block);
        let cells = self.transport.cells(self.groups.topology());
        let new = || Ladder::new(cells, block, experts.div_ceil(ranks));
        self.ladders.entry(experts).or_insert_with(new)
    }

    /// The slots of these plans on the devices; the last ones where nothing changed.
    fn slots_of(
        &mut self,
        layer: usize,
        plans: &[Plan],
        num_slots: usize,
        backend: &dyn Backend,
    ) -> Result<Arc<Slots>, TrainError> {
        let held = |&(group, member): &(usize, usize)| plans[group].slots(RankId::from(member)).to_vec();
        let assignment: Vec<Vec<ExpertId>> = self.groups.places().iter().map(held).collect();
        let state = &mut self.layers[layer];
        if let Some(slots) = state.slots.as_ref().filter(|s| s.are(&assignment, num_slots)) {
            return Ok(slots.clone());
        }
        let slots = Slots::new(assignment, num_slots, state.experts, backend)?;
        state.slots = Some(slots.clone());
        Ok(slots)
    }

    fn report(
        &self,
        layer: usize,
        counts: &[Counts],
        plans: &[Plan],
        bucket: Bucket,
    ) -> Result<DispatchReport, TrainError> {
        let layout = &self.layers[layer].layout;
        let homes = counts.iter().map(|c| Plan::homes(layout, c)).collect::<Result<Vec<_>, _>>()?;
        let by_rank = |plans: &[Plan]| -> Vec<u64> {
            let loads: Vec<Vec<u64>> = plans.iter().map(Plan::loads).collect();
            self.groups.places().iter().map(|&(group, member)| loads[group][member]).collect()
        };
        let worst = |plans: &[Plan]| plans.iter().map(Plan::max_over_mean).fold(1.0, f64::max);
        let mut rows_per_expert = vec![0; self.layers[layer].experts];
        for group in counts {
            rows_per_expert.iter_mut().zip(group.by_expert()).for_each(|(sum, n)| *sum += n);
        }
        let rows: u64 = rows_per_expert.iter().sum();
        let ranks = self.ranks();
        let cells = self.transport.cells(self.groups.topology());
        let room = (self.groups.places().len() * cells * bucket.places) as f64;
        let far = |a: usize, b: usize| !self.setting.topology.same_node(RankId::from(a), RankId::from(b));
        Ok(DispatchReport {
            rows,
            rows_per_expert,
            rank_rows_at_home: by_rank(&homes),
            rank_rows: by_rank(plans),
            home_max_over_mean: worst(&homes),
            rank_max_over_mean: worst(plans),
            clones: plans.iter().map(|p| p.num_clones() as u64).sum(),
            rows_computed: plans.iter().map(|p| computed_rows(p, self.block)).sum(),
            rows_sent: plans.iter().map(|p| sent_rows(p, |a, b| a != b)).sum(),
            rows_sent_far: plans.iter().map(|p| sent_rows(p, far)).sum(),
            rows_cloned: plans.iter().map(Plan::rows_moved).sum(),
            pair_factor: if ranks == 1 { 1.0 } else { room / rows.max(1) as f64 },
            ..DispatchReport::default()
        })
    }
}

/// Rows in the blocks that some slot uses, over all ranks.
fn computed_rows(plan: &Plan, block: usize) -> u64 {
    plan.shares().iter().map(|s| (s.rows as usize).next_multiple_of(block) as u64).sum()
}

/// Rows of the pairs of source and rank that `counted` names.
fn sent_rows(plan: &Plan, counted: impl Fn(usize, usize) -> bool) -> u64 {
    let ranks = plan.num_ranks();
    let pairs = plan.pairs().into_iter().enumerate();
    pairs.filter(|(i, _)| counted(i / ranks, i % ranks)).map(|(_, rows)| rows).sum()
}
