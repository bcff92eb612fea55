//! `auto`: whichever policy is predicted to take the least time, doing nothing included.
//!
//! The fast tier plans with every other policy and keeps the plan that the cost model says is quickest: rows of the fullest
//! rank, rows that move, and clones. The slow tier moves homes as `two-tier` does.

use super::{Policy, Setting, exact::Exact, lpt::Lpt, two_tier::TwoTier, waterfill::Waterfill};
use crate::{BalanceError, Counts, History, Layout, Plan};

/// The policies that plan differently on one layout, cheapest first; the first of equals is kept. Without copies the first does
/// nothing.
const CANDIDATES: &[&dyn Policy] = &[&Waterfill, &Lpt, &TwoTier, &Exact];

/// The quickest plan by prediction.
pub struct Auto;

impl Policy for Auto {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn summary(&self) -> &'static str {
        "the plan with the least predicted time, doing nothing included"
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
        TwoTier.relayout(history, current, setting)
    }

    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        previous: Option<&Plan>,
        setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        let mut best: Option<(f64, Plan)> = None;
        for policy in CANDIDATES {
            let plan = policy.plan_changed(counts, layout, previous, setting)?;
            let seconds = setting.cost.predict(&plan, setting.topology).total_s();
            if best.as_ref().is_none_or(|(least, _)| seconds < *least) {
                best = Some((seconds, plan));
            }
        }
        Ok(best.expect("there are candidates").1)
    }
}
