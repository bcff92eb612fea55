//! Policies on real loads: counts derived from deepseek-ai/ESFT (see `data/make_counts.py`).

use collegium_balance::{
    CostModel, Counts, History, Layout, Limits, Plan, Setting, Topology, max_over_mean, policy::by_name,
};

const TABLE: &str = include_str!("data/counts.csv");

/// Rows by expert of the two halves of one layer of one domain.
struct Layer {
    domain: &'static str,
    halves: [Vec<u32>; 2],
}

fn layers() -> Vec<Layer> {
    let lines: Vec<Vec<&str>> = TABLE.lines().skip(2).map(|l| l.split(',').collect()).collect();
    let rows = |line: &[&str]| line[3..].iter().map(|n| n.parse().unwrap()).collect();
    let layer = |pair: &[Vec<&'static str>]| {
        assert_eq!((pair[0][0], pair[0][1], pair[0][2], pair[1][2]), (pair[1][0], pair[1][1], "0", "1"));
        Layer { domain: pair[0][0], halves: [rows(&pair[0]), rows(&pair[1])] }
    };
    lines.chunks_exact(2).map(layer).collect()
}

/// The same load from every source, as near as whole rows allow.
fn from_all(ranks: usize, load: &[u32]) -> Counts {
    let n = ranks as u32;
    let rows = (0..n).flat_map(|s| {
        load.iter().enumerate().map(move |(e, c)| c / n + u32::from((s + e as u32) % n < c % n))
    });
    Counts::new(load.len(), rows.collect()).unwrap()
}

fn setting(ranks: usize, nodes: usize) -> Setting {
    let cost = CostModel::machine("trn2").unwrap();
    Setting { topology: Topology::new(ranks, nodes).unwrap(), cost, limits: Limits::default() }
}

/// What one policy makes of the second half of a layer after its slow tier has seen `seen`.
fn plan(policy: &str, ranks: usize, seen: &[u32], now: &[u32]) -> Plan {
    let (policy, setting) = (by_name(policy).unwrap(), setting(ranks, 1));
    let start = Layout::contiguous(ranks, now.len()).unwrap();
    let mut history = History::new(1, now.len());
    history.observe(&from_all(ranks, seen));
    let layout = policy.relayout(&history, &start, &setting).unwrap();
    let counts = from_all(ranks, now);
    let plan = policy.plan(&counts, &layout, None, &setting).unwrap();
    plan.verify(&counts, usize::MAX).unwrap();
    plan
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn exact_is_exact_with_two_clones_at_most() {
    for layer in layers() {
        for ranks in [8, 16, 32, 64] {
            let plan = plan("exact", ranks, &layer.halves[0], &layer.halves[1]);
            let loads = plan.loads();
            assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1);
            assert!(plan.max_clones() <= 2, "{} {ranks}: {}", layer.domain, plan.max_clones());
            // The matrix of sources and ranks is flat: an even source sends every rank the same, give or take a row a share.
            assert!(plan.pair_rows() as u64 <= loads[0] / ranks as u64 + 1 + plan.shares().len() as u64);
        }
    }
}

/// Homes planned on the first half, in the second: the fullest rank, and rows that must still move, by share.
fn stale(policy: &str, ranks: usize) -> (f64, f64) {
    let layers = layers();
    let plans: Vec<Plan> = layers.iter().map(|l| plan(policy, ranks, &l.halves[0], &l.halves[1])).collect();
    let excess = |loads: Vec<u64>| {
        let total: u64 = loads.iter().sum();
        loads.iter().map(|&n| n.saturating_sub(total / ranks as u64)).sum::<u64>() as f64 / total as f64
    };
    (mean(plans.iter().map(Plan::max_over_mean)), mean(plans.iter().map(|p| excess(p.loads()))))
}

#[test]
fn homes_planned_on_the_half_before_nearly_balance_the_next() {
    let (full, moved) = stale("relayout", 8);
    assert!(full <= 1.06 && moved <= 0.02, "R = 8: {full:.3}, {moved:.4}");
    let (_, moved) = stale("relayout", 64);
    assert!(moved <= 0.05, "R = 64: {moved:.4}");
    // Levelling rows over copies is what helps: the same copies with even splits are worse.
    let (even, _) = stale("eplb", 64);
    let (levelled, _) = stale("waterfill", 64);
    assert!(levelled < even, "{levelled:.3} {even:.3}");
}

#[test]
fn a_plan_from_another_domain_is_worth_little_and_the_fast_tier_makes_up_for_it() {
    let layers = layers();
    let (intent, law) = layers.split_at(layers.len() / 2);
    assert!(intent[0].domain == "intent" && law[0].domain == "law");
    let foreign = || intent.iter().zip(law).map(|(i, l)| (&i.halves[0], &l.halves[1]));
    let homes = mean(foreign().map(|(seen, now)| plan("eplb", 8, seen, now).max_over_mean()));
    assert!(homes > 1.2, "{homes:.3}");
    let both = mean(foreign().map(|(seen, now)| plan("two-tier", 8, seen, now).max_over_mean()));
    // Up to what a clone costs is let be: 260 rows of 3,123.
    assert!(both < 1.09, "{both:.3}");
}

/// Clones come from the node of the rank where they can, and fewer cross nodes than without regard for nodes.
#[test]
fn clones_stay_on_their_node_where_they_can() {
    let exact = by_name("exact").unwrap();
    let crossing = |nodes: usize| -> usize {
        let near = Topology::new(16, 2).unwrap();
        let count = |layer: &Layer| {
            let counts = from_all(16, &layer.halves[0]);
            let layout = Layout::contiguous(16, 64).unwrap();
            let plan = exact.plan(&counts, &layout, None, &setting(16, nodes)).unwrap();
            assert!(max_over_mean(&plan.loads()) < 1.001);
            let far = |s: &&collegium_balance::Share| {
                layout.homes(s.expert).iter().all(|&h| !near.same_node(h, s.rank))
            };
            plan.shares().iter().filter(far).count()
        };
        layers().iter().map(count).sum()
    };
    let (blind, aware) = (crossing(1), crossing(2));
    assert!(aware * 5 < blind * 3, "{aware} of {blind}");
}
