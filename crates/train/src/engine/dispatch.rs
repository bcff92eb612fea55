//! Where the routing of a micro-batch meets the balancer: counts in, a plan and its tables out.

use std::collections::HashMap;
use std::time::Instant;

use collegium_balance::{Bucket, Counts, Ladder, Layout, Plan, Tables};
use collegium_core::{HostTensor, RankId};
use collegium_hlo::Mesh;
use collegium_model::layers::EXPERT_AXIS;
use collegium_runtime::{Array, Backend};

use super::program::Env;
use crate::TrainError;

/// What one layer's dispatch of one micro-batch was.
#[derive(Clone, Debug, Default)]
pub struct DispatchReport {
    /// Rows of every expert, over all ranks.
    pub rows_per_expert: Vec<u64>,
    /// Rows of the fullest rank over the mean.
    pub rank_max_over_mean: f64,
    /// Rows there are.
    pub rows: u64,
    /// Rows there is room for in the blocks that were computed.
    pub rows_computed: u64,
    /// Host time to plan and to build tables.
    pub planner_us: f64,
}

/// The dispatcher of one mesh: layouts, and the ladder of buckets of each number of experts.
pub struct Dispatcher {
    groups: Vec<Vec<usize>>,
    block: usize,
    layouts: HashMap<usize, Layout>,
    ladders: HashMap<usize, Ladder>,
}

impl Dispatcher {
    /// A dispatcher with contiguous homes for blocks of `block` rows.
    pub fn new(mesh: &Mesh, block: usize) -> Self {
        let groups = match mesh.size(EXPERT_AXIS) {
            Some(_) => mesh.groups(&[EXPERT_AXIS]),
            None => (0..mesh.num_devices()).map(|d| vec![d]).collect(),
        };
        Self { groups, block, layouts: HashMap::new(), ladders: HashMap::new() }
    }

    /// Rows of a block.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Ranks of one expert-parallel group.
    pub fn ranks(&self) -> usize {
        self.groups[0].len()
    }

    /// The layout of layers with that many experts.
    ///
    /// # Errors
    /// Experts that do not divide over the ranks.
    pub fn layout(&mut self, experts: usize) -> Result<&Layout, TrainError> {
        if !self.layouts.contains_key(&experts) {
            self.layouts.insert(experts, Layout::contiguous(self.ranks(), experts)?);
        }
        Ok(&self.layouts[&experts])
    }

    /// One where a slot of a rank holds an expert: {rank, slot, expert}, over all ranks of the mesh.
    ///
    /// # Errors
    /// Experts that do not divide over the ranks, or what the device says.
    pub fn slot_table(&mut self, experts: usize, backend: &dyn Backend) -> Result<Array, TrainError> {
        let groups = self.groups.clone();
        let layout = self.layout(experts)?;
        let (slots, ranks) = (layout.num_slots(), backend.num_devices());
        let mut table = vec![0f32; ranks * slots * experts];
        for group in &groups {
            for (member, &rank) in group.iter().enumerate() {
                for (slot, expert) in layout.slots(RankId::from(member)).iter().enumerate() {
                    table[(rank * slots + slot) * experts + expert.index()] = 1.0;
                }
            }
        }
        Ok(backend.replicate(&HostTensor::new(&[ranks, slots, experts], &table))?)
    }

    /// Plans one layer from the counts that its routers report, {expert} on every rank.
    ///
    /// # Errors
    /// Counts that do not add up (scores that are not finite), or what the device says.
    pub fn plan(
        &mut self,
        counts: &Array,
        rows_per_rank: usize,
        backend: &dyn Backend,
    ) -> Result<(Bucket, Env, DispatchReport), TrainError> {
        let reports: Vec<Vec<f32>> = counts.download()?.iter().map(|t| t.to_vec::<f32>()).collect();
        let started = Instant::now();
        let experts = reports[0].len();
        let layout = self.layout(experts)?.clone();
        let mut plans = Vec::with_capacity(self.groups.len());
        let mut by_expert = vec![0; experts];
        for group in &self.groups {
            let own: Vec<Vec<f32>> = group.iter().map(|&d| reports[d].clone()).collect();
            let counts = Counts::from_reports(&own, rows_per_rank)?;
            by_expert.iter_mut().zip(counts.by_expert()).for_each(|(sum, n)| *sum += n);
            plans.push(Plan::homes(&layout, &counts)?);
        }
        let needs: Vec<Bucket> = plans.iter().map(|p| Tables::need(p, self.block)).collect();
        let need = needs.into_iter().reduce(Bucket::union).expect("a mesh has a group");
        let bucket = self.bucket(need, experts, rows_per_rank);
        let tables: Vec<Tables> = plans.iter().map(|p| Tables::new(p, bucket, self.block)).collect();
        let planner_us = started.elapsed().as_secs_f64() * 1e6;
        let report = DispatchReport {
            rows: by_expert.iter().sum(),
            rows_per_expert: by_expert,
            rank_max_over_mean: plans.iter().map(Plan::max_over_mean).fold(1.0, f64::max),
            rows_computed: plans.iter().map(|p| computed_rows(p, self.block)).sum(),
            planner_us,
        };
        Ok((bucket, self.upload(&tables, bucket, experts, backend)?, report))
    }

    /// With one rank the worst case is hardly more than any other, so one bucket serves every routing.
    pub fn only_bucket(&self, experts: usize, rows_per_rank: usize) -> Bucket {
        let blocks = (rows_per_rank / self.block + experts.min(rows_per_rank)).max(1);
        Bucket { slots: experts, places: blocks * self.block, blocks }
    }

    fn bucket(&mut self, need: Bucket, experts: usize, rows_per_rank: usize) -> Bucket {
        if self.ranks() == 1 {
            return self.only_bucket(experts, rows_per_rank);
        }
        let (ranks, block, homes) = (self.ranks(), self.block, self.layouts[&experts].num_slots());
        self.ladders.entry(experts).or_insert_with(|| Ladder::new(ranks, block, homes)).pick(need)
    }

    fn upload(
        &self,
        tables: &[Tables],
        bucket: Bucket,
        experts: usize,
        backend: &dyn Backend,
    ) -> Result<Env, TrainError> {
        let ranks = self.ranks();
        let mut per_device: Vec<Option<(usize, usize)>> = vec![None; backend.num_devices()];
        for (g, group) in self.groups.iter().enumerate() {
            group.iter().enumerate().for_each(|(member, &device)| per_device[device] = Some((g, member)));
        }
        let at: Vec<(usize, usize)> = per_device.into_iter().flatten().collect();
        let upload = |make: &dyn Fn(usize, usize) -> HostTensor| {
            backend.upload(&at.iter().map(|&(g, m)| make(g, m)).collect::<Vec<_>>())
        };
        let sizes = [experts, ranks];
        let env = Env::default()
            .with("first", upload(&|g, m| HostTensor::new(&sizes, &tables[g].sources[m].first))?)
            .with("offset", upload(&|g, m| HostTensor::new(&sizes, &tables[g].sources[m].offset))?)
            .with(
                "block_slot",
                upload(&|g, m| HostTensor::new(&[bucket.blocks], &tables[g].receivers[m].block_slot))?,
            );
        if ranks == 1 {
            return Ok(env);
        }
        let (rows, cells) = (bucket.blocks * self.block, ranks * bucket.places);
        Ok(env
            .with("row_source", upload(&|g, m| HostTensor::new(&[rows], &tables[g].receivers[m].row_source))?)
            .with(
                "cell_target",
                upload(&|g, m| HostTensor::new(&[cells], &tables[g].receivers[m].cell_target))?,
            ))
    }
}

/// Rows in the blocks that some slot uses, over all ranks.
fn computed_rows(plan: &Plan, block: usize) -> u64 {
    let rank = |r| plan.slot_rows(r).iter().map(|n| (n.div_ceil(block) * block) as u64).sum::<u64>();
    (0..plan.layout().num_ranks()).map(rank).sum()
}
