//! Plans made ahead of the counts, for the fused execution: from the last micro-batch's counts, as shares of each expert's rows.
//! The program makes its tables from the real counts itself, and says what room they needed.

use std::sync::Arc;

use collegium_balance::{Bucket, Counts, Plan, Share};
use collegium_core::{ExpertId, HostTensor, RankId};
use collegium_runtime::{Array, Backend};

use super::{Adapter, DispatchReport, Slots};
use crate::TrainError;

/// Plans of all MoE layers, and the room that the program has.
pub struct PlannedAhead {
    /// By MoE layer.
    pub layers: Vec<LayerAhead>,
    /// Slots, rows of a pair and blocks of every layer.
    pub bucket: Bucket,
}

/// The plan of one MoE layer.
pub struct LayerAhead {
    /// Where the experts' weights lie.
    pub slots: Arc<Slots>,
    /// Share of an expert's rows that earlier ranks take, {expert, rank} f32 on every rank.
    pub below: Array,
    /// The same on the host, by group.
    shares: Vec<Vec<f32>>,
    /// The plans they are from, by group.
    plans: Vec<Plan>,
}

/// Room beyond what the last micro-batch would have needed, since the next one is another.
const SLACK: f64 = 1.2;

impl Adapter {
    /// Plans of all layers from what was seen last; rows are spread evenly where nothing was. `rows` by MoE layer are those that each
    /// rank routes.
    ///
    /// # Errors
    /// A plan that fails its check, or what the device says.
    pub fn ahead(&mut self, rows: &[usize], backend: &dyn Backend) -> Result<PlannedAhead, TrainError> {
        let mut all = Vec::with_capacity(self.layers.len());
        let mut need = Bucket { slots: 1, places: 1, blocks: 1 };
        for (layer, &rows) in rows.iter().enumerate() {
            let counts = self.expected(layer, rows)?;
            let plans = self.plans(layer, &counts)?;
            need = need.union(self.need(&plans));
            all.push(plans);
        }
        let bucket = self.room_for(need, rows);
        let mut layers = Vec::with_capacity(all.len());
        for (layer, plans) in all.into_iter().enumerate() {
            let slots = self.slots_of(layer, &plans, bucket.slots, backend)?;
            let shares: Vec<Vec<f32>> = plans.iter().map(shares_below).collect();
            let sizes = [self.layers[layer].experts, self.ranks()];
            let piece = |&(group, _): &(usize, usize)| HostTensor::new(&sizes, &shares[group]);
            let below = backend.upload(&self.groups.places().iter().map(piece).collect::<Vec<_>>())?;
            layers.push(LayerAhead { slots, below, shares, plans });
        }
        Ok(PlannedAhead { layers, bucket })
    }

    /// The bucket of a layer whose rows are spread evenly, or as they were seen last.
    ///
    /// # Errors
    /// A plan that fails its check.
    pub fn expected_bucket(&mut self, layer: usize, rows_per_rank: usize) -> Result<Bucket, TrainError> {
        let counts = self.expected(layer, rows_per_rank)?;
        let plans = self.plans(layer, &counts)?;
        Ok(self.bucket(layer, self.need(&plans), rows_per_rank))
    }

    /// The program with more room, for plans that turned out to need `need`.
    pub fn make_room(&mut self, ahead: &mut PlannedAhead, need: Bucket) {
        let need = need.union(ahead.bucket);
        let experts = self.layers[0].experts;
        ahead.bucket = if self.ranks() == 1 { need } else { self.ladder(experts).rung(need) };
        self.room = Some(self.room.map_or(ahead.bucket, |room| room.union(ahead.bucket)));
    }

    /// One at each rank's own place in its group, {rank} f32.
    ///
    /// # Errors
    /// What the device says.
    pub fn member(&self, backend: &dyn Backend) -> Result<Array, TrainError> {
        let own = |&(_, member): &(usize, usize)| {
            let mut one = vec![0f32; self.ranks()];
            one[member] = 1.0;
            HostTensor::new(&[one.len()], &one)
        };
        Ok(backend.upload(&self.groups.places().iter().map(own).collect::<Vec<_>>())?)
    }

    /// What MoE layer `layer` did by a plan made ahead, from the counts that it reports.
    ///
    /// # Errors
    /// Counts that do not add up: scores that are not finite.
    pub fn saw(
        &mut self,
        layer: usize,
        counts: &Array,
        rows_per_rank: usize,
        ahead: &PlannedAhead,
    ) -> Result<DispatchReport, TrainError> {
        let counts = self.counts(counts, &self.even(rows_per_rank))?;
        let made = &ahead.layers[layer];
        let done = |(group, counts): (usize, &Counts)| {
            let shares = taken(counts, &made.shares[group], self.ranks());
            Plan::new(made.plans[group].layout(), counts, shares)
        };
        let plans = counts.iter().enumerate().map(done).collect::<Result<Vec<_>, _>>()?;
        let report = self.report(layer, &counts, &plans, ahead.bucket)?;
        *self.uses.entry((self.layers[layer].experts, ahead.bucket)).or_default() += 1;
        self.observe(layer, counts, made.plans.clone());
        Ok(report)
    }

    /// The counts of the last micro-batch, or even ones.
    fn expected(&self, layer: usize, rows_per_rank: usize) -> Result<Vec<Counts>, TrainError> {
        let state = &self.layers[layer];
        if !state.counts.is_empty() {
            return Ok(state.counts.clone());
        }
        let each = |e: usize| {
            (rows_per_rank / state.experts + usize::from(e < rows_per_rank % state.experts)) as f32
        };
        let report: Vec<f32> = (0..state.experts).map(each).collect();
        let rows = vec![rows_per_rank; self.ranks()];
        let group = |_: &Vec<usize>| Counts::from_reports(&vec![report.clone(); self.ranks()], &rows);
        Ok(self.groups.members().iter().map(group).collect::<Result<_, _>>()?)
    }

    fn room_for(&mut self, need: Bucket, rows: &[usize]) -> Bucket {
        // A dense model has no room to speak of.
        if self.ranks() == 1 || self.layers.is_empty() {
            let buckets = self.layers.iter().zip(rows).map(|(l, &rows)| self.only_bucket(l.experts, rows));
            return buckets.fold(need, Bucket::union);
        }
        let with_slack = |n: usize| (n as f64 * SLACK).ceil() as usize;
        let need = Bucket { places: with_slack(need.places), blocks: with_slack(need.blocks), ..need };
        let need = self.room.map_or(need, |room| room.union(need));
        let experts = self.layers[0].experts;
        let bucket = self.ladder(experts).rung(need);
        self.room = Some(bucket);
        bucket
    }
}

/// Share of every expert's rows that ranks before each one take, `[expert][rank]`; an expert without rows stays at home.
fn shares_below(plan: &Plan) -> Vec<f32> {
    let (ranks, experts) = (plan.num_ranks(), plan.num_experts());
    let mut below = Vec::with_capacity(experts * ranks);
    for expert in (0..experts).map(ExpertId::from) {
        let mut rows = vec![0u64; ranks];
        plan.shares()[plan.shares_of(expert)].iter().for_each(|s| rows[s.rank.index()] = u64::from(s.rows));
        if rows.iter().all(|&n| n == 0) {
            rows[plan.layout().homes(expert)[0].index()] = 1;
        }
        let total: u64 = rows.iter().sum();
        let mut before = 0;
        for n in rows {
            below.push(before as f32 / total as f32);
            before += n;
        }
    }
    below
}

/// What each rank takes of these counts, by the formula of the program (`layers/placement.rs`).
fn taken(counts: &Counts, below: &[f32], ranks: usize) -> Vec<Share> {
    let mut shares = Vec::new();
    for expert in 0..counts.num_experts() {
        let below = &below[expert * ranks..(expert + 1) * ranks];
        for rank in 0..ranks {
            let rows = |source: usize| {
                let n = counts.rows(source, expert) as f32;
                let first = |rank: usize| below.get(rank).map_or(n, |b| (b * n + 0.5).floor());
                (first(rank + 1) - first(rank)) as u32
            };
            let rows = (0..ranks).map(rows).sum();
            shares.push(Share { expert: ExpertId::from(expert), rank: RankId::from(rank), rows });
        }
    }
    shares
}
