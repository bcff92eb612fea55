//! `two-tier`: homes from history, so that little remains, and clones for what remains where they pay.
//!
//! The slow tier is that of `relayout`. The fast tier is the construction of `exact`, run under a few rules; the result with the
//! least predicted time is kept. Time is that of the fullest rank's rows and of the rank whose clones take longest:
//!
//! - no clones: nothing costs, and the fullest rank sets the pace;
//! - exact: rows are level, whatever the clones cost. Where it needs one clone of a rank at most, and none from another node,
//!   no other plan with clones can be quicker, and nothing else is tried;
//! - exact inside nodes: no clone crosses the slow links;
//! - one clone of a rank, and from another node only for as many rows as pay for it;
//! - priced: ranks are relieved only while one is above the mean by more rows than a clone is worth, and a clone is made only
//!   for as many rows as pay for its weights, by the link they come over ([`CostModel::break_even_rows`](crate::CostModel::break_even_rows)).
//!
//! So clones are made freely inside a node, rarely across a slow network, and not at all for a handful of rows. With a tolerance
//! of the user's the rule is that instead: relieve ranks that are above it, at any price.

use super::{
    Policy, Setting,
    exact::{Exchanged, Rules, exchange},
    relayout::Relayout,
    waterfill,
};
use crate::{BalanceError, Counts, History, Layout, Plan, home_rows::HomeRows};

/// Homes from history, clones for the rest.
pub struct TwoTier;

impl Policy for TwoTier {
    fn name(&self) -> &'static str {
        "two-tier"
    }

    fn summary(&self) -> &'static str {
        "homes from past load, then clones for what remains where they pay"
    }

    fn plans_micro_batches(&self) -> bool {
        true
    }

    fn relayout(
        &self,
        history: &History,
        current: &Layout,
        setting: &Setting,
    ) -> Result<Layout, BalanceError> {
        Relayout.relayout(history, current, setting)
    }

    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        previous: Option<&Plan>,
        setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        let homes = waterfill::filled(layout, &counts.by_expert());
        let mean = counts.total() / layout.num_ranks() as u64;
        let exact = Rules::exact(setting);
        let done = match setting.limits.tolerance {
            Some(share) => {
                let ceiling = if share == 0.0 { 0 } else { mean + (share * mean as f64) as u64 };
                exchange(homes, layout, previous, Rules { ceiling, ..exact })
            }
            None => {
                let run = |rules| exchange(homes.clone(), layout, previous, rules);
                quickest(layout, setting, &homes, &run)
            }
        };
        Plan::new(layout, counts, done.shares(layout))
    }
}

/// The result with the least predicted time; the first of equals, and fewer clones come first.
fn quickest(
    layout: &Layout,
    setting: &Setting,
    homes: &HomeRows,
    run: &dyn Fn(Rules) -> Exchanged,
) -> Exchanged {
    let mean = homes.loads.iter().sum::<u64>() / homes.loads.len() as u64;
    let exact = Rules::exact(setting);
    let clones_s = |done: &Exchanged| clones_s(layout, setting, done);
    let seconds = |done: &Exchanged| {
        // Loads of the exchange count the rows of clones.
        let fullest = done.homes.loads.iter().max().copied().unwrap_or(0);
        fullest as f64 * setting.cost.one_row_s() + clones_s(done)
    };
    let rows = |near| setting.cost.break_even_rows(near).ceil() as u64;
    let level = run(exact);
    let one_clone_s = rows(true) as f64 * setting.cost.one_row_s();
    let mut tried = vec![Exchanged { homes: homes.clone(), clones: Vec::new() }];
    if clones_s(&level) > one_clone_s {
        let priced =
            Rules { ceiling: mean + rows(true), near_rows: rows(true), far_rows: rows(false), ..exact };
        tried.push(run(priced));
        tried.push(run(Rules { max_clones: exact.max_clones.min(1), far_rows: rows(false), ..exact }));
        tried.push(run(Rules { far_rows: u64::MAX, ..exact }));
    }
    tried.push(level);
    let quicker =
        |best: Exchanged, next: Exchanged| if seconds(&next) < seconds(&best) { next } else { best };
    tried.into_iter().reduce(quicker).expect("two rules at least were tried")
}

/// Seconds for the clones of the rank whose clones take longest.
fn clones_s(layout: &Layout, setting: &Setting, done: &Exchanged) -> f64 {
    let mut seconds = vec![0.0f64; layout.num_ranks()];
    for clone in &done.clones {
        seconds[clone.rank.index()] +=
            setting.cost.one_clone_s(clone.expert, clone.rank, layout, setting.topology);
    }
    seconds.into_iter().fold(0.0, f64::max)
}
