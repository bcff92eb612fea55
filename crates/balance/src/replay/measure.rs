//! One layer under one policy.

use std::time::Instant;

use collegium_core::{ExpertId, RankId};

use super::{
    Figures, LayerFigures, Options,
    figures::Step,
    scene::{Kind, SceneLayer},
};
use crate::{BalanceError, Counts, Layout, Plan, Policy, Setting, max_over_mean, policy};

/// Lays out, plans and checks every micro-batch.
pub(super) fn layer(
    layer: &SceneLayer,
    policy: &dyn Policy,
    setting: &Setting,
    options: &Options,
    kind: Kind,
) -> Result<LayerFigures, BalanceError> {
    let experts = layer.batches[0].num_experts();
    let start = Layout::contiguous(options.ranks, experts)?;
    let mut layout = start.clone();
    let mut relayout_us = 0.0;
    let mut previous: Option<Plan> = None;
    let mut steps = Vec::with_capacity(layer.batches.len());
    for (batch, counts) in layer.batches.iter().enumerate() {
        // A layout that was planned on all there is to see stays.
        if let Some(history) = layer.histories.get(batch).filter(|_| kind == Kind::Routing) {
            let started = Instant::now();
            layout = policy.relayout(history, &start, setting)?;
            relayout_us = started.elapsed().as_secs_f64() * 1e6;
        }
        let started = Instant::now();
        let plan = policy.plan(counts, &layout, previous.as_ref(), setting)?;
        let planner_us = started.elapsed().as_secs_f64() * 1e6;
        plan.verify(counts, setting.limits.max_clones)?;
        steps.push(Step { planner_us, relayout_us, ..step(&start, counts, &plan, setting, options, kind) });
        previous = Some(plan);
    }
    Ok(LayerFigures { layer: layer.name.clone(), figures: Figures::of(&steps) })
}

fn step(
    start: &Layout,
    counts: &Counts,
    plan: &Plan,
    setting: &Setting,
    options: &Options,
    kind: Kind,
) -> Step {
    let load = counts.by_expert();
    let (rows, ranks) = (counts.total() as f64, options.ranks as f64);
    let levelled = policy::levelled_loads(plan.layout(), &load);
    let loads = plan.loads();
    let routing = kind == Kind::Routing;
    let share = |n: f64| if rows == 0.0 { 0.0 } else { n / rows };
    let ratio = |n: f64| if rows == 0.0 { 1.0 } else { n / rows };
    Step {
        before: max_over_mean(&policy::levelled_loads(start, &load)),
        homes: max_over_mean(&levelled),
        must_move: share(excess(&levelled) as f64),
        after: max_over_mean(&loads),
        spread_rows: loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0),
        max_clones: plan.max_clones(),
        clones_a_rank: plan.num_clones() as f64 / ranks,
        rows_moved: share(plan.rows_moved() as f64),
        pair_factor: routing.then(|| ratio(plan.pair_rows() as f64 * ranks * ranks)),
        padding: routing.then(|| ratio(rows_computed(plan, options.block) as f64)),
        tax: setting.cost.predict(plan, setting.topology).total_s() / ideal_s(counts, setting) - 1.0,
        planner_us: 0.0,
        relayout_us: 0.0,
    }
}

/// Rows above the mean: those that must change ranks before all are equal, give or take one row.
fn excess(loads: &[u64]) -> u64 {
    let (total, ranks) = (loads.iter().sum::<u64>(), loads.len() as u64);
    let above: u64 = loads.iter().map(|&n| n.saturating_sub(total / ranks)).sum();
    // `total % ranks` ranks may keep one row more than the others.
    above.saturating_sub(total % ranks)
}

/// Rows in the blocks that some slot uses.
fn rows_computed(plan: &Plan, block: usize) -> usize {
    plan.shares().iter().map(|s| (s.rows as usize).next_multiple_of(block)).sum()
}

/// Predicted seconds if every source had the same rows for every rank, with no clone.
fn ideal_s(counts: &Counts, setting: &Setting) -> f64 {
    let ranks = counts.num_ranks();
    let each = (counts.total() / (ranks * ranks) as u64).max(1) as u32;
    let flat = Counts::new(ranks, vec![each; ranks * ranks]).expect("no more rows than the counts have");
    let layout = Layout::new(ranks, (0..ranks).map(|r| vec![ExpertId::from(r)]).collect()).expect("one each");
    let plan = Plan::homes(&layout, &flat).expect("the same group");
    debug_assert!(plan.clones(RankId(0)).is_empty());
    setting.cost.predict(&plan, setting.topology).total_s()
}
