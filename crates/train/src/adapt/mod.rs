//! Adaptive expert parallelism: observe what the routers chose, plan where rows go, apply it. Here the routing of a
//! micro-batch meets the balancer: counts in; a plan's slots, bucket and tables out.

mod groups;
mod report;
mod slots;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use collegium_balance::{Bucket, Counts, Ladder, Layout, Plan, Tables};
use collegium_core::{ExpertId, RankId};
use collegium_hlo::Mesh;
use collegium_runtime::{Array, Backend};

use crate::TrainError;
use crate::engine::Env;

pub use groups::Groups;
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
pub struct Adapter {
    groups: Groups,
    block: usize,
    /// Homes, by MoE layer.
    layouts: Vec<Layout>,
    /// The slots used last, by MoE layer.
    slots: Vec<Option<Arc<Slots>>>,
    /// By number of experts.
    ladders: HashMap<usize, Ladder>,
}

impl Adapter {
    /// A balancer for MoE layers of `experts` experts each, in blocks of `block` rows; homes are contiguous at first.
    ///
    /// # Errors
    /// Experts that do not divide over the ranks.
    pub fn new(mesh: &Mesh, block: usize, experts: &[usize]) -> Result<Self, TrainError> {
        let groups = Groups::of(mesh);
        let home = |&e: &usize| Layout::contiguous(groups.ranks(), e);
        let layouts = experts.iter().map(home).collect::<Result<_, _>>()?;
        Ok(Self { block, layouts, slots: vec![None; experts.len()], ladders: HashMap::new(), groups })
    }

    /// Another balancer with the same homes that never clones: for generation, whose rows are few.
    pub fn at_home(&self) -> Self {
        Self {
            groups: self.groups.clone(),
            block: self.block,
            layouts: self.layouts.clone(),
            slots: self.slots.clone(),
            ladders: HashMap::new(),
        }
    }

    /// Rows of a block.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Ranks of one expert-parallel group.
    pub fn ranks(&self) -> usize {
        self.groups.ranks()
    }

    /// Plans MoE layer `layer` from the counts that its routers report, {expert} on every rank.
    ///
    /// # Errors
    /// Counts that do not add up (scores that are not finite), or what the device says.
    pub fn plan(
        &mut self,
        layer: usize,
        counts: &Array,
        rows_per_rank: usize,
        backend: &dyn Backend,
    ) -> Result<Dispatch, TrainError> {
        let reports: Vec<Vec<f32>> = counts.download()?.iter().map(|t| t.to_vec::<f32>()).collect();
        let started = Instant::now();
        let experts = reports[0].len();
        let of_group = |group: &Vec<usize>| {
            let own: Vec<Vec<f32>> = group.iter().map(|&rank| reports[rank].clone()).collect();
            Counts::from_reports(&own, rows_per_rank)
        };
        let counts = self.groups.members().iter().map(of_group).collect::<Result<Vec<_>, _>>()?;
        let plans: Vec<Plan> = counts.iter().map(|c| Plan::homes(&self.layouts[layer], c)).collect();
        let need = plans.iter().map(|p| Tables::need(p, self.block)).reduce(Bucket::union);
        let bucket = self.bucket(layer, need.expect("a mesh has a group"), experts, rows_per_rank);
        let tables: Vec<Tables> = plans.iter().map(|p| Tables::new(p, bucket, self.block)).collect();
        let planner_us = started.elapsed().as_secs_f64() * 1e6;
        let report = DispatchReport { planner_us, ..self.report(layer, &counts, &plans, bucket) };
        let slots = self.slots_of(layer, &plans, bucket.slots, experts, backend)?;
        let tables = upload::upload(&tables, bucket, self.block, experts, &self.groups, backend)?;
        Ok(Dispatch { bucket, slots, tables, report })
    }

    /// With one rank the worst case is hardly more than any other, so one bucket serves every routing.
    pub fn only_bucket(&self, experts: usize, rows_per_rank: usize) -> Bucket {
        let blocks = (rows_per_rank / self.block + experts.min(rows_per_rank)).max(1);
        Bucket { slots: experts, places: blocks * self.block, blocks }
    }

    fn bucket(&mut self, layer: usize, need: Bucket, experts: usize, rows_per_rank: usize) -> Bucket {
        if self.ranks() == 1 {
            return self.only_bucket(experts, rows_per_rank);
        }
        let new = || Ladder::new(self.groups.ranks(), self.block, self.layouts[layer].num_slots());
        self.ladders.entry(experts).or_insert_with(new).pick(need)
    }

    /// The slots of these plans on the devices; the last ones where nothing changed.
    fn slots_of(
        &mut self,
        layer: usize,
        plans: &[Plan],
        num_slots: usize,
        experts: usize,
        backend: &dyn Backend,
    ) -> Result<Arc<Slots>, TrainError> {
        let held =
            |&(group, member): &(usize, usize)| plans[group].layout().slots(RankId::from(member)).to_vec();
        let assignment: Vec<Vec<ExpertId>> = self.groups.places().iter().map(held).collect();
        match &self.slots[layer] {
            Some(slots) if slots.are(&assignment, num_slots) => Ok(slots.clone()),
            _ => {
                let slots = Slots::new(assignment, num_slots, experts, backend)?;
                self.slots[layer] = Some(slots.clone());
                Ok(slots)
            }
        }
    }

    fn report(&self, layer: usize, counts: &[Counts], plans: &[Plan], bucket: Bucket) -> DispatchReport {
        let layout = &self.layouts[layer];
        let homes: Vec<Plan> = counts.iter().map(|c| Plan::homes(layout, c)).collect();
        let by_rank = |plans: &[Plan]| -> Vec<u64> {
            let loads: Vec<Vec<u64>> = plans.iter().map(Plan::loads).collect();
            self.groups.places().iter().map(|&(group, member)| loads[group][member]).collect()
        };
        let worst = |plans: &[Plan]| plans.iter().map(Plan::max_over_mean).fold(1.0, f64::max);
        let mut rows_per_expert = vec![0; counts[0].num_experts()];
        for group in counts {
            rows_per_expert.iter_mut().zip(group.by_expert()).for_each(|(sum, n)| *sum += n);
        }
        let ranks = self.ranks();
        let clones = |p: &Plan| {
            (0..ranks)
                .map(|r| p.layout().slots(RankId::from(r)).len() - layout.slots(RankId::from(r)).len())
                .sum::<usize>()
        };
        let room = if ranks == 1 { 0 } else { self.groups.places().len() * ranks * bucket.places };
        DispatchReport {
            rows: rows_per_expert.iter().sum(),
            rows_per_expert,
            rank_rows_at_home: by_rank(&homes),
            rank_rows: by_rank(plans),
            home_max_over_mean: worst(&homes),
            rank_max_over_mean: worst(plans),
            clones: plans.iter().map(clones).sum::<usize>() as u64,
            rows_computed: plans.iter().map(|p| computed_rows(p, self.block)).sum(),
            rows_sent: plans.iter().map(sent_rows).sum(),
            rows_sent_room: room as u64,
            planner_us: 0.0,
        }
    }
}

/// Rows in the blocks that some slot uses, over all ranks.
fn computed_rows(plan: &Plan, block: usize) -> u64 {
    let rank = |r| plan.slot_rows(r).iter().map(|n| (n.div_ceil(block) * block) as u64).sum::<u64>();
    (0..plan.layout().num_ranks()).map(rank).sum()
}

/// Rows that leave their rank.
fn sent_rows(plan: &Plan) -> u64 {
    let ranks = plan.layout().num_ranks();
    let own = |r| (0..plan.num_experts()).map(|e| u64::from(plan.rows(r, e, r))).sum::<u64>();
    plan.loads().iter().sum::<u64>() - (0..ranks).map(own).sum::<u64>()
}
