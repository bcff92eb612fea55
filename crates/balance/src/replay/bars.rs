//! The figures that the balancer is held to, measured on traces.

use serde::Serialize;

use super::{Options, Outcome, PlanOn, Scene, planner_times, replay};
use crate::{
    BalanceError, CostModel,
    policy::by_name,
    trace::{RankLoads, Recording, Trace, TraceLayer},
};

/// One figure beside its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// What is measured.
    pub what: String,
    /// Most that it may be.
    pub limit: f64,
    /// What it is: the mean over layers of the worst trace, or the worst case where `what` says so.
    pub measured: f64,
    /// Whether it is within the limit.
    pub met: bool,
}

/// Measures everything that the recordings allow; figures that need what they lack are left out.
///
/// # Errors
/// As for [`replay`].
pub fn bars(recordings: &[Recording], cost: CostModel) -> Result<Vec<Bar>, BalanceError> {
    let mut bars = Vec::new();
    exactness(recordings, cost, &mut bars)?;
    let traces: Vec<&Trace> = recordings
        .iter()
        .filter_map(|r| if let Recording::Routing(t) = r { Some(t) } else { None })
        .collect();
    let mut worst = |what: &str, limit, policy, options: Options, figure: &dyn Fn(&Outcome) -> f64| {
        bars.extend(
            over_traces(&traces, policy, options)?
                .iter()
                .map(figure)
                .reduce(f64::max)
                .map(|m| bar(what, limit, m)),
        );
        Ok::<(), BalanceError>(())
    };
    let at = |ranks| Options { plan_on: PlanOn::PreviousHalf, ..Options::new(ranks, cost) };
    worst(
        "max/mean of the slow tier's homes, planned on the previous half, R = 8",
        1.06,
        "two-tier",
        at(8),
        &|o| o.all.homes.mean,
    )?;
    worst("rows that must move after the slow tier, %, R = 8", 2.0, "two-tier", at(8), &|o| {
        100.0 * o.all.must_move.mean
    })?;
    worst("rows that must move after the slow tier, %, R = 64", 5.0, "two-tier", at(64), &|o| {
        100.0 * o.all.must_move.mean
    })?;
    let shuffled = Options { shuffle: true, ..Options::new(8, cost) };
    worst("pair-capacity factor, exact, R = 8, shuffled", 1.10, "exact", shuffled, &|o| {
        o.all.pair_factor.map_or(1.0, |p| p.mean)
    })?;
    let long = |k: usize| Options { tokens_per_rank: Some(8192usize.div_ceil(k)), ..Options::new(8, cost) };
    let k = traces.first().and_then(|t| t.layers.first()).map_or(1, |l| l.top_k);
    worst("padding at block 128, exact, R = 8, 8,192 rows a rank", 1.10, "exact", long(k), &|o| {
        o.all.padding.map_or(1.0, |p| p.mean)
    })?;
    for (size, limit) in [((64, 256), 0.2), ((1024, 1024), 5.0)] {
        let time = planner_times(&[by_name("exact")?], size, cost)?.remove(0);
        let what = format!("planner, exact, one layer, R = {}, E = {}, ms", size.0, size.1);
        bars.push(bar(&what, limit, time.plan_us / 1e3));
    }
    Ok(bars)
}

/// Exact balance and few clones, on every recording at 8 to 64 ranks.
fn exactness(recordings: &[Recording], cost: CostModel, bars: &mut Vec<Bar>) -> Result<(), BalanceError> {
    let exact = by_name("exact")?;
    let (mut spread, mut clones) = (0, 0);
    for recording in recordings {
        match recording {
            Recording::Routing(trace) => {
                for options in [8, 16, 32, 64].map(|r| Options::new(r, cost)) {
                    if tokens(trace) < options.ranks {
                        continue;
                    }
                    let all = replay(&Scene::of_routing(trace, None, &options)?, exact, &options)?.all;
                    (spread, clones) = (all.spread_rows.max(spread), all.max_clones.max(clones));
                }
            }
            Recording::RankLoads(all) => {
                for loads in all {
                    spread = spread.max(rank_loads(loads, cost)?.all.spread_rows);
                }
            }
        }
    }
    bars.push(bar("rows between fullest and emptiest rank, exact, same step, worst", 1.0, spread as f64));
    if recordings.iter().any(|r| matches!(r, Recording::Routing(_))) {
        bars.push(bar("clones of a rank, exact, same step, R = 8 to 64, worst", 2.0, clones as f64));
    }
    Ok(())
}

fn rank_loads(loads: &RankLoads, cost: CostModel) -> Result<Outcome, BalanceError> {
    let options = Options::new(loads.num_ranks, cost);
    replay(&Scene::of_rank_loads(loads, &options)?, by_name("exact")?, &options)
}

/// The outcome on every trace that has tokens enough.
fn over_traces(traces: &[&Trace], policy: &str, options: Options) -> Result<Vec<Outcome>, BalanceError> {
    let policy = by_name(policy)?;
    let long = traces.iter().filter(|t| tokens(t) >= 2 * options.ranks);
    long.map(|t| replay(&Scene::of_routing(t, None, &options)?, policy, &options)).collect()
}

fn tokens(trace: &Trace) -> usize {
    trace.layers.first().map_or(0, TraceLayer::num_tokens)
}

fn bar(what: &str, limit: f64, measured: f64) -> Bar {
    Bar { what: what.to_owned(), limit, measured, met: measured <= limit }
}
