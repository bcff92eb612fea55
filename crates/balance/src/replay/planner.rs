//! How long planning takes, on loads of any size.

use std::time::Instant;

use collegium_core::SplitMix64;
use serde::Serialize;

use super::Options;
use crate::{BalanceError, CostModel, Counts, Layout, Policy};

/// Time of a policy's fast tier on one core.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannerTime {
    /// Name of the policy.
    pub policy: &'static str,
    /// Ranks.
    pub ranks: usize,
    /// Experts.
    pub experts: usize,
    /// The whole plan, split over sources included; the quickest of the repetitions, in microseconds.
    pub plan_us: f64,
    /// The same by the time of `static`, which only splits, in the same run.
    pub over_static: f64,
    /// Clones on the rank that has most.
    pub max_clones: usize,
}

/// Plans Zipf-skewed loads (exponent 1, every rank 8,192 rows), each several times.
///
/// # Errors
/// None for sizes above zero.
pub fn planner_times(
    policies: &[&dyn Policy],
    (ranks, experts): (usize, usize),
    cost: CostModel,
) -> Result<Vec<PlannerTime>, BalanceError> {
    let setting = Options::new(ranks, cost).setting()?;
    let counts = zipf(ranks, experts, 8192)?;
    let layout = Layout::contiguous(ranks, experts)?;
    let fixed = crate::policy::by_name("static")?;
    let measure = |policy: &dyn Policy| -> Result<(f64, usize), BalanceError> {
        let mut times = Vec::new();
        let mut clones = 0;
        for _ in 0..REPETITIONS {
            let started = Instant::now();
            let plan = policy.plan(&counts, &layout, None, &setting)?;
            times.push(started.elapsed().as_secs_f64() * 1e6);
            clones = plan.max_clones();
        }
        Ok((times.into_iter().fold(f64::INFINITY, f64::min), clones))
    };
    let (static_us, _) = measure(fixed)?;
    let time = |policy: &&dyn Policy| {
        let (plan_us, max_clones) = measure(*policy)?;
        Ok(PlannerTime {
            policy: policy.name(),
            ranks,
            experts,
            plan_us,
            over_static: plan_us / static_us,
            max_clones,
        })
    };
    policies.iter().map(time).collect()
}

/// Enough for one that no other process interrupts.
const REPETITIONS: usize = 15;

/// Rows of every source for every expert where expert ranks in popularity are random and shares fall as 1 / place.
fn zipf(ranks: usize, experts: usize, rows: u32) -> Result<Counts, BalanceError> {
    let mut random = SplitMix64::new(1);
    let mut places: Vec<usize> = (1..=experts).collect();
    random.shuffle(&mut places);
    let harmonic: f64 = (1..=experts).map(|i| 1.0 / i as f64).sum();
    let expected = |e: usize| f64::from(rows) / (places[e] as f64 * harmonic);
    // Each source's rows vary by their square root, as counts do.
    let count = |e: usize, random: &mut SplitMix64| {
        let mean = expected(e);
        (mean + mean.sqrt() * (random.uniform() + random.uniform() - 1.0) * 2.4).max(0.0) as u32
    };
    let mut all = Vec::with_capacity(ranks * experts);
    for _ in 0..ranks {
        all.extend((0..experts).map(|e| count(e, &mut random)));
    }
    Counts::new(experts, all)
}
