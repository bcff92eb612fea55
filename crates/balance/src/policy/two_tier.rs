//! `two-tier`: homes from history, so that little remains, and exact balance of what remains where that pays.
//!
//! The slow tier is that of `relayout`. The fast tier is the construction of `exact` with a tolerance and a price: ranks are relieved
//! only while one is above the mean by more than the tolerance, and a clone is made only for at least as many rows as pay for
//! its weights, by the link that they come over ([`CostModel::break_even_rows`](crate::CostModel::break_even_rows)). So clones are made freely inside a node and rarely
//! across a slow network. With a tolerance of 0 there is no price and balance is exact.

use super::{Policy, Setting, exact, relayout::Relayout};
use crate::{BalanceError, Counts, History, Layout, Plan};

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
        exact::plan(counts, layout, previous, rules(setting, counts.total() / layout.num_ranks() as u64))
    }
}

/// Tolerance and price. Without a tolerance of the user's, it is what a clone inside a node costs.
fn rules(setting: &Setting, mean: u64) -> exact::Rules {
    let exact = exact::Rules::exact(setting);
    let rows = |near| setting.cost.break_even_rows(near).ceil() as u64;
    match setting.limits.tolerance {
        Some(0.0) => exact,
        Some(share) => exact::Rules { ceiling: mean + (share * mean as f64) as u64, ..exact },
        None => {
            exact::Rules { ceiling: mean + rows(true), near_rows: rows(true), far_rows: rows(false), ..exact }
        }
    }
}
