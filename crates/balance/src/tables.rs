//! A plan as the index arrays that the dispatch program reads.
//!
//! On source `s`, the rows of expert `e` in arrival order are cut into intervals, one per destination: `first[e][d]` is where
//! the interval of rank `d` begins, `offset[e][d]` where its rows begin inside the cell `s -> d`. Cells hold rows by expert.
//! Rank `d` knows from the counts alone which place of which cell belongs to which slot, so the order of its rows is made
//! here and uploaded. Every slot's rows begin at a block of their own.

use collegium_core::{ExpertId, RankId};

use crate::{Bucket, Plan};

/// Addressing of one source, both `[expert][rank]`, as f32 (exact below 2^24).
#[derive(Clone, Debug, PartialEq)]
pub struct SourceTables {
    /// First arrival index of the expert that goes to the rank.
    pub first: Vec<f32>,
    /// Where those rows begin: in the cell, or, with one rank, among the expert rows.
    pub offset: Vec<f32>,
}

/// Order of the rows of one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverTables {
    /// Slot of every block; the number of slots for an unused one.
    pub block_slot: Vec<i32>,
    /// Received cell row behind every expert row; -1 for padding. Empty with one rank.
    pub row_source: Vec<i32>,
    /// Expert row of every received cell row; -1 for an empty place. Empty with one rank.
    pub cell_target: Vec<i32>,
}

/// The tables of all ranks of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// By source.
    pub sources: Vec<SourceTables>,
    /// By receiver.
    pub receivers: Vec<ReceiverTables>,
}

impl Tables {
    /// What a plan needs, in blocks of `block` rows. With one rank the cell is the block-aligned expert rows.
    pub fn need(plan: &Plan, block: usize) -> Bucket {
        let blocks = plan.blocks(block).max(1);
        let places = if plan.num_ranks() == 1 { blocks * block } else { plan.pair_rows().max(1) };
        Bucket { slots: plan.num_slots().max(1), places, blocks }
    }

    /// The tables of `plan` for programs of `bucket`.
    ///
    /// # Panics
    /// If the plan does not fit the bucket: pick it by [`Tables::need`].
    pub fn new(plan: &Plan, bucket: Bucket, block: usize) -> Self {
        assert!(bucket.fits(Self::need(plan, block)), "the bucket was picked for this plan");
        let ranks = plan.num_ranks();
        if ranks == 1 {
            let (block_slot, starts) = blocks_of(plan, 0, bucket, block);
            let mut offset = vec![0.0; plan.num_experts()];
            for (slot, expert) in plan.slots(RankId(0)).iter().enumerate() {
                offset[expert.index()] = starts[slot] as f32;
            }
            let source = SourceTables { first: vec![0.0; plan.num_experts()], offset };
            let receiver = ReceiverTables { block_slot, row_source: Vec::new(), cell_target: Vec::new() };
            return Self { sources: vec![source], receivers: vec![receiver] };
        }
        let cells: Vec<Vec<usize>> = (0..ranks).map(|s| vec![s]).collect();
        Self {
            sources: (0..ranks).map(|s| source(plan, s)).collect(),
            receivers: (0..ranks).map(|d| receiver(plan, d, &cells, bucket, block)).collect(),
        }
    }
}

/// How one source cuts its rows.
pub(crate) fn source(plan: &Plan, source: usize) -> SourceTables {
    let (ranks, experts) = (plan.num_ranks(), plan.num_experts());
    let (mut first, mut offset) = (vec![0.0; experts * ranks], vec![0.0; experts * ranks]);
    let rows = plan.source(source);
    let mut filled = vec![0u32; ranks];
    for expert in 0..experts {
        let row = expert * ranks;
        let (mut arrived, mut next) = (0, 0);
        for share in plan.shares_of(ExpertId::from(expert)) {
            let rank = plan.shares()[share].rank.index();
            // Ranks without a share have an empty interval where the next one begins.
            first[row + next..=row + rank].fill(arrived as f32);
            offset[row + rank] = filled[rank] as f32;
            arrived += rows[share];
            filled[rank] += rows[share];
            next = rank + 1;
        }
        first[row + next..row + ranks].fill(arrived as f32);
    }
    SourceTables { first, offset }
}

/// How a rank orders what arrives, from cells of these sources each.
pub(crate) fn receiver(
    plan: &Plan,
    rank: usize,
    cells: &[Vec<usize>],
    bucket: Bucket,
    block: usize,
) -> ReceiverTables {
    let (block_slot, mut next) = blocks_of(plan, rank, bucket, block);
    let own: Vec<usize> =
        (0..plan.shares().len()).filter(|&i| plan.shares()[i].rank.index() == rank).collect();
    let mut row_source = vec![-1; bucket.blocks * block];
    let mut cell_target = vec![-1; cells.len() * bucket.places];
    for (at, sources) in cells.iter().enumerate() {
        let mut cell = at * bucket.places;
        for (source, &share) in sources.iter().flat_map(|s| own.iter().map(move |share| (*s, share))) {
            let row = &mut next[plan.slot_of(share).index()];
            for _ in 0..plan.source(source)[share] {
                row_source[*row] = cell as i32;
                cell_target[cell] = *row as i32;
                *row += 1;
                cell += 1;
            }
        }
    }
    ReceiverTables { block_slot, row_source, cell_target }
}

/// Slot of every block of a rank, and the first row of every slot.
fn blocks_of(plan: &Plan, rank: usize, bucket: Bucket, block: usize) -> (Vec<i32>, Vec<usize>) {
    let unused = bucket.slots as i32;
    let mut block_slot = Vec::with_capacity(bucket.blocks);
    let mut starts = Vec::new();
    for (slot, rows) in plan.slot_rows(rank).into_iter().enumerate() {
        starts.push(block_slot.len() * block);
        block_slot.extend(std::iter::repeat_n(slot as i32, rows.div_ceil(block)));
    }
    block_slot.resize(bucket.blocks, unused);
    (block_slot, starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CostModel, Counts, Layout, Limits, Setting, Topology, policy};
    use proptest::prelude::*;

    fn counts(rows: &[Vec<u32>]) -> Counts {
        let total = rows[0].iter().sum::<u32>() as usize;
        let reports: Vec<Vec<f32>> = rows.iter().map(|r| r.iter().map(|&c| c as f32).collect()).collect();
        Counts::from_reports(&reports, &vec![total; reports.len()]).unwrap()
    }

    fn planned(policy: &str, counts: &Counts, layout: &Layout) -> Plan {
        let cost = CostModel::machine("cpu").unwrap();
        let topology = Topology::one_node(layout.num_ranks());
        let setting = Setting { topology, cost, limits: Limits::default() };
        policy::by_name(policy).unwrap().plan(counts, layout, None, &setting).unwrap()
    }

    /// Random choices of every source: expert by row.
    fn choices() -> impl Strategy<Value = (usize, usize, Vec<Vec<usize>>)> {
        (prop_oneof![Just(1usize), Just(2), Just(3), Just(4)], 1usize..10, 1usize..60).prop_flat_map(
            |(ranks, experts, rows)| {
                let row = prop::collection::vec(0..experts * 2, rows);
                // Half of the draws fall on expert 0, so that loads are skewed and some experts are empty.
                let row =
                    row.prop_map(move |r| r.into_iter().map(|e| if e >= experts { 0 } else { e }).collect());
                (Just(ranks), Just(experts), prop::collection::vec(row, ranks))
            },
        )
    }

    proptest! {
        /// Follows every row as the programs do: from its source to a cell, to the receiver's rows, to the slot's block. With
        /// homes alone, and with clones.
        #[test]
        fn every_row_reaches_its_expert_once((ranks, experts, choices) in choices(), block in 1usize..9, policy in prop_oneof![Just("static"), Just("exact")]) {
            let table: Vec<Vec<u32>> = choices.iter().map(|c| (0..experts).map(|e| c.iter().filter(|&&x| x == e).count() as u32).collect()).collect();
            let layout = Layout::contiguous(ranks, experts).unwrap();
            let plan = planned(policy, &counts(&table), &layout);
            let need = Tables::need(&plan, block);
            let bucket = Bucket { slots: need.slots + 2, places: need.places + if ranks == 1 { 3 * block } else { 3 }, blocks: need.blocks + 3 };
            let tables = Tables::new(&plan, bucket, block);
            let mut seen = std::collections::HashSet::new();
            for (s, chosen) in choices.iter().enumerate() {
                let mut arrived = vec![0; experts];
                for &e in chosen {
                    let arrival = arrived[e] as f32;
                    arrived[e] += 1;
                    let t = &tables.sources[s];
                    let d = (0..ranks).filter(|&d| t.first[e * ranks + d] <= arrival).count() - 1;
                    let place = (arrival - t.first[e * ranks + d] + t.offset[e * ranks + d]) as usize;
                    prop_assert!(place < bucket.places);
                    let receiver = &tables.receivers[d];
                    let row = if ranks == 1 { place } else {
                        let row = receiver.cell_target[s * bucket.places + place];
                        prop_assert_eq!(receiver.row_source[row as usize] as usize, s * bucket.places + place);
                        row as usize
                    };
                    prop_assert!(seen.insert((d, row)), "two rows at one place");
                    let slot = receiver.block_slot[row / block] as usize;
                    prop_assert_eq!(plan.slots(RankId::from(d))[slot].index(), e);
                }
            }
        }
    }

    #[test]
    fn counts_that_do_not_add_up_are_refused() {
        let error = Counts::from_reports(&[vec![3.0, f32::NAN]], &[4]).unwrap_err().to_string();
        assert_eq!(error, "rank 0 counts NaN routed rows where it has 4; the router's scores are not finite");
    }
}
