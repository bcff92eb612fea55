//! `eplb`: homes and copies for the load that was observed, as DeepSeek's Expert Parallelism Load Balancer makes them.
//!
//! Two primitives (deepseek-ai/EPLB, `eplb.py`, 2025): [`replicate`] gives the next copy to the expert with the most load per copy;
//! [`pack`] puts items, heaviest first, into the lightest pack that has room, every pack with equally many. *Hierarchical*, where the nodes
//! divide the groups of experts: groups are packed to nodes, each node replicates its experts, and its copies are packed to
//! its ranks. *Global* is the same with one group and one node. Rows of an expert are split evenly over its copies.
//!
//! Departures: the reference may give one rank two copies of an expert; here the second is left out and its slot stays
//! empty. Groups are single experts, as routers here are not limited to groups; with one node the two forms are the same.

use collegium_core::ExpertId;

use super::{Policy, Setting};
use crate::{BalanceError, History, Layout};

/// Homes from history; rows split evenly over copies.
pub struct Eplb;

impl Policy for Eplb {
    fn name(&self) -> &'static str {
        "eplb"
    }

    fn summary(&self) -> &'static str {
        "homes and copies from past load (DeepSeek EPLB), rows split evenly"
    }

    fn plans_micro_batches(&self) -> bool {
        false
    }

    fn relayout(
        &self,
        history: &History,
        current: &Layout,
        setting: &Setting,
    ) -> Result<Layout, BalanceError> {
        if history.is_empty() {
            return Ok(current.clone());
        }
        let (ranks, experts) = (current.num_ranks(), current.num_experts());
        let nodes = setting.topology.num_nodes();
        let cluster = Cluster {
            copies: ranks * setting.slots(experts),
            // Groups that the nodes do not divide cannot be packed to nodes.
            groups: if experts.is_multiple_of(nodes) { experts } else { 1 },
            nodes,
            ranks,
        };
        let copies = rebalance(&history.by_expert(), cluster);
        let slots = copies.chunks_exact(cluster.copies / ranks).map(|rank| {
            let mut slots: Vec<ExpertId> = Vec::with_capacity(rank.len());
            for expert in rank.iter().copied().map(ExpertId::from) {
                if !slots.contains(&expert) {
                    slots.push(expert);
                }
            }
            slots
        });
        Layout::new(experts, slots.collect())
    }
}

/// What copies are spread over.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// Copies of all experts together, a multiple of `ranks`.
    copies: usize,
    /// Groups of neighbouring experts that stay on one node.
    groups: usize,
    nodes: usize,
    ranks: usize,
}

/// The expert of every slot, rank by rank.
fn rebalance(load: &[u64], cluster: Cluster) -> Vec<usize> {
    let Cluster { copies, ranks, .. } = cluster;
    let (groups, nodes) =
        if cluster.groups.is_multiple_of(cluster.nodes) { (cluster.groups, cluster.nodes) } else { (1, 1) };
    let group_size = load.len() / groups;
    let group_load: Vec<f64> =
        load.chunks_exact(group_size).map(|g| g.iter().map(|&n| n as f64).sum()).collect();
    let mut slots = Vec::with_capacity(copies);
    for node in pack(&group_load, nodes) {
        let experts: Vec<usize> = node.iter().flat_map(|g| g * group_size..(g + 1) * group_size).collect();
        let own: Vec<f64> = experts.iter().map(|&e| load[e] as f64).collect();
        let (of, count) = replicate(&own, copies / nodes);
        let copy_load: Vec<f64> = of.iter().map(|&e| own[e] / f64::from(count[e])).collect();
        for rank in pack(&copy_load, ranks / nodes) {
            slots.extend(rank.into_iter().map(|copy| experts[of[copy]]));
        }
    }
    slots
}

/// The item of every copy: each item once, then the item with the most load per copy again and again; and copies by item.
fn replicate(load: &[f64], copies: usize) -> (Vec<usize>, Vec<u32>) {
    let mut of: Vec<usize> = (0..load.len()).collect();
    let mut count = vec![1; load.len()];
    while of.len() < copies {
        let per_copy = |i: usize| load[i] / f64::from(count[i]);
        let next = (1..load.len()).fold(0, |best, i| if per_copy(i) > per_copy(best) { i } else { best });
        of.push(next);
        count[next] += 1;
    }
    (of, count)
}

/// Items by pack, equally many in each: heaviest first into the lightest pack that has room.
fn pack(weight: &[f64], packs: usize) -> Vec<Vec<usize>> {
    let room = weight.len() / packs;
    if room == 1 {
        return (0..packs).map(|i| vec![i]).collect();
    }
    let mut order: Vec<usize> = (0..weight.len()).collect();
    order.sort_by(|&a, &b| weight[b].total_cmp(&weight[a]));
    let (mut packed, mut loads) = (vec![Vec::with_capacity(room); packs], vec![0.0; packs]);
    for item in order {
        let open = (0..packs).filter(|&p| packed[p].len() < room);
        let lightest = open.reduce(|best, p| if loads[p] < loads[best] { p } else { best });
        let pack = lightest.expect("packs have room for all items");
        packed[pack].push(item);
        loads[pack] += weight[item];
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference's README: 2 layers of 12 experts, 16 copies, 4 groups, 2 nodes, 8 ranks.
    #[test]
    fn gives_what_the_reference_gives() {
        let cluster = Cluster { copies: 16, groups: 4, nodes: 2, ranks: 8 };
        let load = [
            [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86],
            [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27],
        ];
        let expected = [
            [5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1],
            [7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1],
        ];
        for (load, expected) in load.iter().zip(&expected) {
            assert_eq!(rebalance(load, cluster), expected);
        }
    }

    #[test]
    fn groups_that_the_nodes_do_not_divide_are_balanced_globally() {
        let load = [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86];
        let uneven = Cluster { copies: 16, groups: 3, nodes: 2, ranks: 8 };
        assert_eq!(rebalance(&load, uneven), rebalance(&load, Cluster { groups: 1, nodes: 1, ..uneven }));
    }
}
