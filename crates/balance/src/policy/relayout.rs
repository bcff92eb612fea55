//! `relayout`: homes and copies for the load that was observed, greedily, with candidates.
//!
//! After LAER-MoE (2602.11686; `greedy_balancer.cpp`). How many copies an expert gets has two candidates: *even*, all the same,
//! and *priority queue*, the next copy to the expert with the most load per copy, where an expert that has one on every
//! node gets one more on each at once. Copies are then placed, heaviest first: of the nodes with the fewest copies of the
//! expert, on the rank with the least load that has a free slot.
//!
//! Departures: a copy is never placed on a rank that has the expert already. Placements are [`refine`]d by exchanging homes. Candidates
//! are compared by the fullest rank after rows are levelled over copies (`waterfill`), and the layout that is there is a
//! candidate too, which wins unless another is better by [`WORTHWHILE`]: so an unchanged load leaves the layout as it is.

use std::cmp::Reverse;

use collegium_core::{ExpertId, RankId};

use super::{Policy, Setting, waterfill};
use crate::{BalanceError, Counts, History, Layout, Plan, Topology};

/// Homes from history; rows levelled over copies.
pub struct Relayout;

/// A new layout must lower the fullest rank by this share of the mean.
const WORTHWHILE: f64 = 0.002;

impl Policy for Relayout {
    fn name(&self) -> &'static str {
        "relayout"
    }

    fn summary(&self) -> &'static str {
        "homes and copies from past load (after LAER-MoE), rows levelled over copies"
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
        let load = history.by_expert();
        let mean = load.iter().sum::<u64>() as f64 / current.num_ranks() as f64;
        if history.is_empty() || mean == 0.0 {
            return Ok(current.clone());
        }
        let slots = setting.slots(current.num_experts());
        let mut best = (fullest(current, &load) - WORTHWHILE * mean, current.clone());
        for copies in
            [even_copies(&load, current.num_ranks(), slots), queued_copies(&load, setting.topology, slots)]
        {
            let placed = place(&load, &copies, setting.topology, slots);
            let layout = Layout::new(load.len(), refine(&load, &copies, placed))?;
            let score = fullest(&layout, &load);
            if score < best.0 {
                best = (score, layout);
            }
        }
        Ok(best.1)
    }

    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        _previous: Option<&Plan>,
        _setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        Plan::new(layout, counts, waterfill::filled(layout, &counts.by_expert()).shares(layout))
    }
}

/// Load of the fullest rank, levelled.
fn fullest(layout: &Layout, load: &[u64]) -> f64 {
    waterfill::filled(layout, load).loads.into_iter().max().unwrap_or(0) as f64
}

/// As many copies of every expert as of any other; those that remain go to the heaviest.
fn even_copies(load: &[u64], ranks: usize, slots: usize) -> Vec<usize> {
    let (each, more) = (ranks * slots / load.len(), ranks * slots % load.len());
    let mut order: Vec<usize> = (0..load.len()).collect();
    order.sort_by_key(|&e| Reverse(load[e]));
    let mut copies = vec![each.min(ranks); load.len()];
    order.into_iter().take(more).for_each(|e| copies[e] = (each + 1).min(ranks));
    copies
}

/// The next copy to the expert with the most load per copy; from one copy a node on, one for each node at once.
fn queued_copies(load: &[u64], topology: Topology, slots: usize) -> Vec<usize> {
    let (ranks, nodes) = (topology.num_ranks(), topology.num_nodes());
    let start = if nodes * load.len() <= ranks * slots { nodes } else { 1 };
    let mut copies = vec![start; load.len()];
    let mut left = ranks * slots - start * load.len();
    let mut open: Vec<usize> = (0..load.len()).collect();
    while left > 0 {
        open.retain(|&e| copies[e] < ranks && (copies[e] < nodes || left >= nodes));
        // The most load per copy, compared as fractions; the first of equals.
        let heavier = |a: usize, b: usize| {
            u128::from(load[a]) * copies[b] as u128 > u128::from(load[b]) * copies[a] as u128
        };
        let Some(next) = open.iter().copied().reduce(|best, e| if heavier(e, best) { e } else { best })
        else {
            break;
        };
        let more = if copies[next] < nodes { 1 } else { nodes };
        copies[next] += more;
        left -= more;
    }
    copies
}

/// Copies on ranks: heaviest first, spread over nodes, on the lightest rank with a free slot.
fn place(load: &[u64], copies: &[usize], topology: Topology, slots: usize) -> Vec<Vec<ExpertId>> {
    let ranks = topology.num_ranks();
    let per_copy = |e: usize| load[e] as f64 / copies[e] as f64;
    let mut order: Vec<usize> = (0..load.len()).flat_map(|e| std::iter::repeat_n(e, copies[e])).collect();
    order.sort_by(|&a, &b| per_copy(b).total_cmp(&per_copy(a)));
    let mut placed: Vec<Vec<ExpertId>> = vec![Vec::new(); ranks];
    let mut loads = vec![0f64; ranks];
    let mut homeless: usize = load.len();
    let mut free = ranks * slots;
    for expert in order {
        let id = ExpertId::from(expert);
        // Copies of the expert on every node, so far.
        let mut on_node = vec![0; topology.num_nodes()];
        for (rank, slots) in placed.iter().enumerate() {
            on_node[topology.node(RankId::from(rank))] += usize::from(slots.contains(&id));
        }
        let first_copy = on_node.iter().all(|&n| n == 0);
        // Slots that experts without a home still need are not for second copies.
        if !first_copy && free <= homeless {
            continue;
        }
        let open = (0..ranks).filter(|&r| placed[r].len() < slots && !placed[r].contains(&id));
        let key = |r: usize| (on_node[topology.node(RankId::from(r))], loads[r]);
        let less = |a: usize, b: usize| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).is_lt()
        };
        let Some(rank) = open.reduce(|best, r| if less(r, best) { r } else { best }) else { continue };
        placed[rank].push(id);
        loads[rank] += per_copy(expert);
        homeless -= usize::from(first_copy);
        free -= 1;
    }
    placed
}

/// Exchanges slots of the fullest rank with slots of others as long as that lowers the fuller of the two most.
fn refine(load: &[u64], copies: &[usize], mut placed: Vec<Vec<ExpertId>>) -> Vec<Vec<ExpertId>> {
    let per_copy = |e: ExpertId| load[e.index()] as f64 / copies[e.index()] as f64;
    let mut loads: Vec<f64> = placed.iter().map(|s| s.iter().map(|&e| per_copy(e)).sum()).collect();
    for _ in 0..4 * placed.len() {
        let full = (1..loads.len()).fold(0, |best, r| if loads[r] > loads[best] { r } else { best });
        // (level of the fuller of the two after the exchange, other rank, own slot, its slot)
        let mut best = (loads[full] * (1.0 - 1e-9), None);
        for other in (0..placed.len()).filter(|&r| r != full) {
            for (i, &mine) in placed[full].iter().enumerate() {
                for (j, &theirs) in placed[other].iter().enumerate() {
                    let moved = per_copy(mine) - per_copy(theirs);
                    let level = (loads[full] - moved).max(loads[other] + moved);
                    if level < best.0 && !placed[other].contains(&mine) && !placed[full].contains(&theirs) {
                        best = (level, Some((other, i, j, moved)));
                    }
                }
            }
        }
        let Some((other, i, j, moved)) = best.1 else { break };
        let mine = placed[full][i];
        placed[full][i] = placed[other][j];
        placed[other][j] = mine;
        loads[full] -= moved;
        loads[other] += moved;
    }
    placed
}
