//! A plan as the tables of a dispatch in two stages: tokens to every node, then rows inside the node.
//!
//! Ranks with the same place in their nodes are peers. A rank of node `n` speaks for itself and its peers, its sources in the order of
//! their nodes, and sends on what goes to ranks of `n`: its tables are those of [`Tables`] for each source, cut to these
//! ranks, with rows of all sources in one cell. The rest is the business of its peers.

use crate::tables::{ReceiverTables, SourceTables, receiver, source};
use crate::{Bucket, Plan, Topology};

/// The tables of all ranks of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct StagedTables {
    /// By rank: `first` is `[source][expert][boundary]` with a boundary for each rank of the node and one behind, where the next node's
    /// begin; `offset` is `[source][expert][rank of the node]`.
    pub senders: Vec<SourceTables>,
    /// By rank; cells are those of the ranks of the node.
    pub receivers: Vec<ReceiverTables>,
}

impl StagedTables {
    /// What a plan needs, in blocks of `block` rows: `places` are rows of a pair of ranks of a node, peers' included.
    pub fn need(plan: &Plan, topology: Topology, block: usize) -> Bucket {
        let (ranks, local) = (plan.num_ranks(), topology.ranks_per_node());
        let mut rows = vec![0; ranks * local];
        for (pair, n) in plan.pairs().into_iter().enumerate() {
            let (source, rank) = (pair / ranks, pair % ranks);
            rows[rank * local + source % local] += n;
        }
        let places = rows.into_iter().max().unwrap_or(0).max(1) as usize;
        Bucket { slots: plan.num_slots().max(1), places, blocks: plan.blocks(block).max(1) }
    }

    /// The tables of `plan` for programs of `bucket`.
    ///
    /// # Panics
    /// If the plan does not fit the bucket: pick it by [`StagedTables::need`].
    pub fn new(plan: &Plan, topology: Topology, bucket: Bucket, block: usize) -> Self {
        assert!(bucket.fits(Self::need(plan, topology, block)), "the bucket was picked for this plan");
        let (ranks, local) = (plan.num_ranks(), topology.ranks_per_node());
        let peers = |place: usize| (place..ranks).step_by(local).collect::<Vec<_>>();
        let flat: Vec<SourceTables> = (0..ranks).map(|s| source(plan, s)).collect();
        let cells: Vec<Vec<usize>> = (0..local).map(peers).collect();
        Self {
            senders: (0..ranks)
                .map(|rank| sender(plan, &flat, &cells[rank % local], rank / local, local))
                .collect(),
            receivers: (0..ranks).map(|rank| receiver(plan, rank, &cells, bucket, block)).collect(),
        }
    }
}

/// The tables of a rank of node `node` that speaks for `sources`.
fn sender(plan: &Plan, flat: &[SourceTables], sources: &[usize], node: usize, local: usize) -> SourceTables {
    let (ranks, experts) = (plan.num_ranks(), plan.num_experts());
    let own = node * local..(node + 1) * local;
    let (mut first, mut offset) = (Vec::new(), Vec::new());
    let mut filled = vec![0u32; local];
    for &source in sources {
        for expert in 0..experts {
            let bounds = &flat[source].first[expert * ranks..(expert + 1) * ranks];
            let rows = |rank: usize| plan.rows(source, expert, rank);
            let end = own.clone().map(rows).sum::<u32>() as f32 + bounds[own.start];
            first.extend_from_slice(&bounds[own.clone()]);
            first.push(end);
            for (filled, rank) in filled.iter_mut().zip(own.clone()) {
                offset.push(*filled as f32);
                *filled += rows(rank);
            }
        }
    }
    SourceTables { first, offset }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Counts, Layout, Share};
    use collegium_core::{ExpertId, RankId};
    use proptest::prelude::*;

    /// Nodes, ranks of each, experts, choices of every source, and for every expert some parts of its rows on ranks.
    type Case = (usize, usize, usize, Vec<Vec<usize>>, Vec<Vec<usize>>);

    fn cases() -> impl Strategy<Value = Case> {
        (1usize..4, 1usize..4, 1usize..8, 1usize..40).prop_flat_map(|(nodes, local, experts, rows)| {
            let ranks = nodes * local;
            // Half of the draws fall on expert 0.
            let row = (0..experts * 2).prop_map(move |e| if e >= experts { 0 } else { e });
            let choices = prop::collection::vec(prop::collection::vec(row, rows), ranks);
            let spread = prop::collection::vec(prop::collection::vec(0..ranks, 1..4), experts);
            (Just(nodes), Just(local), Just(experts), choices, spread)
        })
    }

    /// A plan in which each expert's rows are cut evenly over some ranks.
    fn plan(ranks: usize, experts: usize, choices: &[Vec<usize>], spread: &[Vec<usize>]) -> Plan {
        let count =
            |c: &Vec<usize>| (0..experts).map(|e| c.iter().filter(|&&x| x == e).count() as f32).collect();
        let reports: Vec<Vec<f32>> = choices.iter().map(count).collect();
        let counts = Counts::from_reports(&reports, &vec![choices[0].len(); reports.len()]).unwrap();
        let mut shares = Vec::new();
        for (expert, rows) in counts.by_expert().into_iter().enumerate() {
            let parts = spread[expert].len() as u64;
            for (i, &rank) in spread[expert].iter().enumerate() {
                let rows = (rows / parts + u64::from((i as u64) < rows % parts)) as u32;
                shares.push(Share { expert: ExpertId::from(expert), rank: RankId::from(rank), rows });
            }
        }
        let homes = (0..ranks).map(|r| (r..experts).step_by(ranks).map(ExpertId::from).collect()).collect();
        Plan::new(&Layout::new(experts, homes).unwrap(), &counts, shares).unwrap()
    }

    proptest! {
        /// Follows every row as the programs do: on each node its peer either sends it on, to its expert's slot, or leaves it; one does.
        #[test]
        fn every_row_reaches_its_expert_once(case in cases(), block in 1usize..9) {
            let (nodes, local, experts, choices, spread) = case;
            let plan = plan(nodes * local, experts, &choices, &spread);
            let topology = Topology::new(nodes * local, nodes).unwrap();
            let need = StagedTables::need(&plan, topology, block);
            let bucket = Bucket { slots: need.slots + 1, places: need.places + 3, blocks: need.blocks + 2 };
            let tables = StagedTables::new(&plan, topology, bucket, block);
            let mut seen = std::collections::HashSet::new();
            for (source, chosen) in choices.iter().enumerate() {
                let (at, place) = (source / local, source % local);
                let mut arrived = vec![0; experts];
                for &e in chosen {
                    let arrival = arrived[e] as f32;
                    arrived[e] += 1;
                    let mut reached = 0;
                    for node in 0..nodes {
                        let t = &tables.senders[node * local + place];
                        let row = at * experts + e;
                        let first = &t.first[row * (local + 1)..(row + 1) * (local + 1)];
                        let passed = first.iter().filter(|&&b| b <= arrival).count();
                        if !(1..=local).contains(&passed) {
                            continue;
                        }
                        reached += 1;
                        let to = passed - 1;
                        let cell = (arrival - first[to] + t.offset[row * local + to]) as usize;
                        prop_assert!(cell < bucket.places);
                        let receiver = &tables.receivers[node * local + to];
                        let expert_row = receiver.cell_target[place * bucket.places + cell];
                        prop_assert_eq!(receiver.row_source[expert_row as usize] as usize, place * bucket.places + cell);
                        prop_assert!(seen.insert((node, to, expert_row)), "two rows at one place");
                        let slot = receiver.block_slot[expert_row as usize / block] as usize;
                        prop_assert_eq!(plan.slots(RankId::from(node * local + to))[slot].index(), e);
                    }
                    prop_assert_eq!(reached, 1);
                }
            }
            let rows: usize = tables.receivers.iter().flat_map(|r| &r.row_source).filter(|&&s| s >= 0).count();
            prop_assert_eq!(rows, seen.len());
        }
    }
}
