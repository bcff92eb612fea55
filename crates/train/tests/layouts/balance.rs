//! Policies, and layouts and clones drawn at random.

use std::sync::atomic::{AtomicU64, Ordering};

use collegium_balance::policy::{self, Policy, Setting};
use collegium_balance::{BalanceError, Counts, History, Layout, Plan, Share};
use collegium_core::{ExpertId, RankId};
use collegium_hlo::Residuals;
use collegium_train::adapt::BalanceOptions;
use collegium_train::engine::Settings;

use crate::harness::{assert_equal, model, plugin, run, run_for, settings};

/// Settings of a policy that lets nothing be.
pub fn balanced(data: usize, expert: usize, policy: &'static dyn Policy) -> Settings {
    let balance =
        BalanceOptions { policy, relayout_every: 1, tolerance: Some(0.0), ..BalanceOptions::default() };
    Settings { balance, ..settings(data, expert, Residuals::Dots) }
}

#[test]
fn every_policy_gives_the_loss_and_gradients_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
    for policy in policy::POLICIES {
        let many = run(&plugin, &model, 2, 4, balanced(2, 4, *policy));
        assert_equal(&many, &one, policy.name());
    }
}

#[test]
fn exact_balance_is_exact_where_static_is_not() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 2, &[0, 1]);
    let exact = run(&plugin, &model, 1, 4, balanced(1, 4, policy::by_name("exact").unwrap()));
    for report in exact.dispatch.iter().flatten() {
        let (least, most) = (report.rank_rows.iter().min().unwrap(), report.rank_rows.iter().max().unwrap());
        assert!(most - least <= 1, "{:?}", report.rank_rows);
        assert!(report.home_max_over_mean > 1.2 && report.clones > 0, "{report:?}");
        assert_eq!(report.rank_rows.iter().sum::<u64>(), report.rows);
    }
}

/// A policy of that seed.
pub fn random(seed: u64) -> &'static dyn Policy {
    Box::leak(Box::new(Random(AtomicU64::new(seed))))
}

/// Homes and rows thrown about without any sense, the same for the same seed.
struct Random(AtomicU64);

impl Random {
    fn below(&self, n: usize) -> usize {
        let step =
            |s: u64| Some(s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let state = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap();
        (state >> 33) as usize % n
    }
}

impl Policy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn summary(&self) -> &'static str {
        "homes and clones at random"
    }

    fn plans_micro_batches(&self) -> bool {
        true
    }

    fn relayout(&self, _: &History, now: &Layout, _: &Setting) -> Result<Layout, BalanceError> {
        let mut slots = vec![Vec::new(); now.num_ranks()];
        for expert in (0..now.num_experts()).map(ExpertId::from) {
            slots[self.below(now.num_ranks())].push(expert);
        }
        Layout::new(now.num_experts(), slots)
    }

    fn plan(
        &self,
        counts: &Counts,
        layout: &Layout,
        _: Option<&Plan>,
        _: &Setting,
    ) -> Result<Plan, BalanceError> {
        let mut shares = Vec::new();
        for (expert, mut rows) in counts.by_expert().into_iter().enumerate() {
            while rows > 0 {
                let part = 1 + self.below(rows as usize);
                let rank = RankId::from(self.below(layout.num_ranks()));
                shares.push(Share { expert: ExpertId::from(expert), rank, rows: part as u32 });
                rows -= part as u64;
            }
        }
        Plan::new(layout, counts, shares)
    }
}

#[test]
fn random_layouts_and_clones_give_the_loss_and_gradients_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    // Experts that do not divide over the ranks, one choice a token, as many choices as experts.
    for (experts, top_k, ranks) in [(8, 3, 4), (6, 1, 4), (8, 8, 8)] {
        let model = model(experts, top_k, &[0, 1]);
        let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
        let many = run(&plugin, &model, 1, ranks, balanced(1, ranks, random(experts as u64)));
        assert_equal(&many, &one, &format!("{experts} experts, top-{top_k}, {ranks} ranks"));
        assert!(many.dispatch.iter().flatten().all(|d| d.rows == 8 * 12 * top_k as u64));
    }
}

#[test]
fn the_same_run_twice_is_the_same_to_the_bit() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let once = || run(&plugin, &model, 1, 4, balanced(1, 4, policy::by_name("exact").unwrap()));
    let (a, b) = (once(), once());
    assert_eq!(a.losses, b.losses);
    assert!(a.gradients == b.gradients);
}

#[test]
fn ten_steps_with_new_homes_every_step_are_the_curve_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let one = run_for(10, &plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
    let many = run_for(10, &plugin, &model, 1, 4, balanced(1, 4, policy::by_name("two-tier").unwrap()));
    assert!(one.losses[9] < 0.9 * one.losses[0], "it learns: {:?}", one.losses);
    for (a, b) in many.losses.iter().zip(&one.losses) {
        assert!((a - b).abs() <= 1e-3 * b, "losses {:?} and {:?}", many.losses, one.losses);
    }
}
