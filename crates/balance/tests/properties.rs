//! What every policy promises, on random and adversarial loads.

use collegium_balance::policy::POLICIES;
use collegium_balance::{CostModel, Counts, History, Layout, Limits, Plan, Policy, Setting, Topology};
use collegium_core::RankId;
use proptest::prelude::*;

/// A setting of one node with no limits but those of the policy.
fn setting(ranks: usize) -> Setting {
    let cost = CostModel::machine("trn2").unwrap();
    Setting { topology: Topology::one_node(ranks), cost, limits: Limits::default() }
}

/// Loads of `ranks` sources and `experts` experts, by how they are skewed.
fn counts(ranks: usize, experts: usize) -> impl Strategy<Value = Counts> {
    let uniform = prop::collection::vec(0u32..200, ranks * experts);
    let sparse = prop::collection::vec(prop_oneof![8 => Just(0u32), 1 => 1u32..3], ranks * experts);
    let steep = prop::collection::vec((0u32..20).prop_map(|n| 1 << n), ranks * experts);
    let one = (0..experts, 0u32..10_000).prop_map(move |(hot, rows)| {
        (0..ranks * experts).map(|i| if i % experts == hot { rows } else { 0 }).collect()
    });
    let one_source = (0..ranks, prop::collection::vec(0u32..500, experts)).prop_map(move |(source, rows)| {
        (0..ranks * experts).map(|i| if i / experts == source { rows[i % experts] } else { 0 }).collect()
    });
    prop_oneof![3 => uniform, 1 => sparse, 2 => steep, 1 => one, 1 => one_source]
        .prop_map(move |rows| Counts::new(experts, rows).unwrap())
}

/// Ranks and counts; experts divide over the ranks or not, and may be fewer.
fn case() -> impl Strategy<Value = Counts> {
    (1usize..17, 1usize..40).prop_flat_map(|(ranks, experts)| counts(ranks, experts))
}

fn spread(plan: &Plan) -> u64 {
    let loads = plan.loads();
    loads.iter().max().unwrap() - loads.iter().min().unwrap()
}

fn history(counts: &Counts) -> History {
    let mut history = History::new(1, counts.num_experts());
    history.observe(counts);
    history
}

/// A layout of `policy` for these counts, from contiguous homes.
fn relayout(policy: &dyn Policy, counts: &Counts, setting: &Setting) -> Layout {
    let start = Layout::contiguous(counts.num_ranks(), counts.num_experts()).unwrap();
    policy.relayout(&history(counts), &start, setting).unwrap()
}

/// Every source gives every share its part of the expert's rows, to within one row for each share.
fn assert_proportional(plan: &Plan, counts: &Counts) {
    let load = counts.by_expert();
    for (i, share) in plan.shares().iter().enumerate() {
        let part = f64::from(share.rows) / load[share.expert.index()] as f64;
        let among = plan.shares_of(share.expert).len() as f64;
        for source in 0..counts.num_ranks() {
            let ideal = f64::from(counts.rows(source, share.expert.index())) * part;
            let given = f64::from(plan.source(source)[i]);
            assert!(
                (given - ideal).abs() <= among,
                "{share:?} gets {given} of source {source}, ideal {ideal}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Rows are conserved, slots exist, limits are kept; the same input gives the same plan, and an unchanged load an
    /// unchanged plan and layout.
    #[test]
    fn every_policy_makes_sound_plans(now in case(), seed in any::<u64>()) {
        let setting = setting(now.num_ranks());
        let before = reversed(&now);
        for policy in POLICIES {
            let layout = relayout(*policy, if seed % 2 == 0 { &now } else { &before }, &setting);
            let plan = policy.plan(&now, &layout, None, &setting).unwrap();
            // Spilling (`lpt`, and `auto` where it is quickest) promises no bound of its own.
            let most = if ["lpt", "auto"].contains(&policy.name()) { usize::MAX } else { layout.num_slots() };
            plan.verify(&now, most).unwrap();
            assert_proportional(&plan, &now);
            prop_assert_eq!(&plan, &policy.plan(&now, &layout, None, &setting).unwrap());
            prop_assert_eq!(&plan, &policy.plan(&now, &layout, Some(&plan), &setting).unwrap());
            let later = policy.plan(&before, &layout, Some(&plan), &setting).unwrap();
            later.verify(&before, most).unwrap();
            let again = policy.relayout(&history(&now), &relayout(*policy, &now, &setting), &setting).unwrap();
            prop_assert_eq!(&again, &relayout(*policy, &now, &setting), "{}", policy.name());
        }
    }

    /// `exact` leaves no more than one row between ranks, with no more clones than there are homes, whatever the load, the
    /// layout and the clones before.
    #[test]
    fn exact_is_exact(now in case(), seed in any::<u64>()) {
        let exact = collegium_balance::policy::by_name("exact").unwrap();
        let setting = setting(now.num_ranks());
        let layout = shuffled(&now, seed);
        let plan = exact.plan(&now, &layout, None, &setting).unwrap();
        plan.verify(&now, layout.num_slots()).unwrap();
        prop_assert!(spread(&plan) <= 1, "{:?}", plan.loads());
        let next = exact.plan(&reversed(&now), &layout, Some(&plan), &setting).unwrap();
        next.verify(&reversed(&now), layout.num_slots()).unwrap();
        prop_assert!(spread(&next) <= 1, "{:?}", next.loads());
    }

    /// With fewer clones allowed than `exact` needs, the limit holds and no rank gets fuller than it was.
    #[test]
    fn clone_limits_hold(now in case(), most in 0usize..3) {
        let mut setting = setting(now.num_ranks());
        setting.limits.max_clones = most;
        let layout = Layout::contiguous(now.num_ranks(), now.num_experts()).unwrap();
        let before = Plan::homes(&layout, &now).unwrap().max_over_mean();
        for policy in POLICIES {
            let plan = policy.plan(&now, &layout, None, &setting).unwrap();
            plan.verify(&now, most).unwrap();
            prop_assert!(plan.max_over_mean() <= before + 1e-9, "{}", policy.name());
        }
    }
}

/// The same rows for the experts in opposite order.
fn reversed(counts: &Counts) -> Counts {
    let rows = (0..counts.num_ranks()).flat_map(|s| counts.source(s).iter().rev().copied());
    Counts::new(counts.num_experts(), rows.collect()).unwrap()
}

/// Some layout: homes anywhere, some experts with copies.
fn shuffled(counts: &Counts, seed: u64) -> Layout {
    let (ranks, experts) = (counts.num_ranks(), counts.num_experts());
    let mut state = seed;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut slots = vec![Vec::new(); ranks];
    for expert in 0..experts {
        let copies = if next(4) == 0 { 1 + next(ranks) } else { 1 };
        let first = next(ranks);
        (0..copies).for_each(|i| slots[(first + i) % ranks].push(collegium_core::ExpertId::from(expert)));
    }
    Layout::new(experts, slots).unwrap()
}

#[test]
fn a_plan_prefers_clones_that_exist_and_the_node_of_the_clone() {
    // Ranks 0 and 2 have 30 rows too many each, ranks 1 and 3 lack 30 each; nodes are {0, 1} and {2, 3}.
    let rows = |load: [u32; 4]| {
        Counts::new(4, load.iter().copied().chain(std::iter::repeat_n(0, 12)).collect()).unwrap()
    };
    let layout = Layout::contiguous(4, 4).unwrap();
    let exact = collegium_balance::policy::by_name("exact").unwrap();
    let one_node = setting(4);
    let two_nodes = Setting { topology: Topology::new(4, 2).unwrap(), ..one_node };
    let clones = |p: &Plan| -> Vec<Vec<usize>> {
        (0..4).map(|r| p.clones(RankId(r)).iter().map(|e| e.index()).collect()).collect()
    };
    let near = exact.plan(&rows([90, 30, 90, 30]), &layout, None, &two_nodes).unwrap();
    assert_eq!(clones(&near), [vec![], vec![0], vec![], vec![2]]);
    // On one node, the fullest rank gives to the most deficient: 2 to 1.
    let first = exact.plan(&rows([88, 28, 92, 32]), &layout, None, &one_node).unwrap();
    assert_eq!(clones(&first), [vec![], vec![2], vec![], vec![0]]);
    // A moment later 0 would give to 1, but the clones that are there serve as well.
    let next = exact.plan(&rows([90, 30, 90, 30]), &layout, Some(&first), &one_node).unwrap();
    assert_eq!(clones(&next), clones(&first));
    let fresh = exact.plan(&rows([90, 30, 90, 30]), &layout, None, &one_node).unwrap();
    assert_eq!(clones(&fresh), [vec![], vec![0], vec![], vec![2]]);
}
