//! `exact` and `waterfill` beside all there is, on cases small enough to try everything.

use collegium_balance::{CostModel, Counts, Layout, Limits, Plan, Setting, Share, Topology, policy::by_name};
use collegium_core::{ExpertId, RankId, SplitMix64};

fn setting(ranks: usize) -> Setting {
    let cost = CostModel::machine("trn2").unwrap();
    Setting { topology: Topology::one_node(ranks), cost, limits: Limits::default() }
}

/// The lowest load of the fullest rank over all splits of every expert over the ranks that `allowed` lists for it.
fn least_full(load: &[u32], allowed: &[Vec<usize>], loads: &mut [u64]) -> u64 {
    let Some((&rows, load)) = load.split_first() else {
        return *loads.iter().max().unwrap();
    };
    splits(rows, allowed[0].len())
        .into_iter()
        .map(|split| {
            allowed[0].iter().zip(&split).for_each(|(&r, &n)| loads[r] += u64::from(n));
            let least = least_full(load, &allowed[1..], loads);
            allowed[0].iter().zip(&split).for_each(|(&r, &n)| loads[r] -= u64::from(n));
            least
        })
        .min()
        .unwrap()
}

/// All ways to write `rows` as a sum of `parts` numbers.
fn splits(rows: u32, parts: usize) -> Vec<Vec<u32>> {
    if parts == 1 {
        return vec![vec![rows]];
    }
    (0..=rows)
        .flat_map(|first| {
            splits(rows - first, parts - 1).into_iter().map(move |rest| [&[first], &rest[..]].concat())
        })
        .collect()
}

/// The fewest clones on the fullest rank with which the fullest load can be as low as the mean allows.
fn fewest_clones(load: &[u32], layout: &Layout) -> usize {
    let ranks = layout.num_ranks();
    let best = load.iter().map(|&n| u64::from(n)).sum::<u64>().div_ceil(ranks as u64);
    let mut fewest = usize::MAX;
    // Every set of ranks for every expert, as bits; homes are always among them.
    for choice in 0..1u32 << (ranks * load.len()) {
        let mut clones = vec![0; ranks];
        let allowed: Vec<Vec<usize>> = (0..load.len())
            .map(|e| {
                let home = layout.homes(ExpertId::from(e))[0].index();
                let chosen = |r: &usize| *r == home || choice >> (e * ranks + r) & 1 == 1;
                let of: Vec<usize> = (0..ranks).filter(chosen).collect();
                of.iter().filter(|&&r| r != home).for_each(|&r| clones[r] += 1);
                of
            })
            .collect();
        let most = clones.into_iter().max().unwrap();
        if most < fewest && least_full(load, &allowed, &mut vec![0; ranks]) == best {
            fewest = most;
        }
    }
    fewest
}

/// One source per rank; all rows come from the first.
fn counts(ranks: usize, load: &[u32]) -> Counts {
    let mut rows = vec![0; ranks * load.len()];
    rows[..load.len()].copy_from_slice(load);
    Counts::new(load.len(), rows).unwrap()
}

fn random_load(random: &mut SplitMix64, experts: usize, most: u32) -> Vec<u32> {
    (0..experts).map(|_| (random.uniform() * random.uniform() * f64::from(most + 1)) as u32).collect()
}

#[test]
fn no_assignment_is_better_balanced_than_exact_and_none_needs_far_fewer_clones() {
    let mut random = SplitMix64::new(3);
    let (mut more, mut cases) = (0, 0);
    for (ranks, experts, most) in [(2, 2, 9), (2, 3, 7), (2, 4, 5), (3, 3, 6), (2, 5, 4)] {
        for _ in 0..30 {
            let load = random_load(&mut random, experts, most);
            let layout = Layout::contiguous(ranks, experts).unwrap();
            let plan = by_name("exact")
                .unwrap()
                .plan(&counts(ranks, &load), &layout, None, &setting(ranks))
                .unwrap();
            let least = fewest_clones(&load, &layout);
            let free: Vec<Vec<usize>> = vec![(0..ranks).collect(); experts];
            let best = least_full(&load, &free, &mut vec![0; ranks]);
            assert_eq!(*plan.loads().iter().max().unwrap(), best, "{load:?}");
            assert!(
                plan.max_clones() <= layout.num_slots().min(least + 1),
                "{load:?}: {} {least}",
                plan.max_clones()
            );
            more += usize::from(plan.max_clones() > least);
            cases += 1;
        }
    }
    assert!(more * 20 <= cases, "more clones than needed in {more} of {cases} cases");
}

#[test]
fn waterfill_is_as_level_as_the_layout_allows() {
    let mut random = SplitMix64::new(5);
    let layout = |slots: &[&[usize]], experts| {
        Layout::new(experts, slots.iter().map(|s| s.iter().map(|&e| ExpertId::from(e)).collect()).collect())
            .unwrap()
    };
    let layouts = [
        layout(&[&[0, 1], &[1, 2]], 3),
        layout(&[&[0, 1], &[0, 2], &[2, 3]], 4),
        layout(&[&[0, 3], &[0, 1], &[1, 2]], 4),
        layout(&[&[0], &[0, 1], &[0, 2]], 3),
    ];
    for layout in &layouts {
        for _ in 0..60 {
            let load = random_load(&mut random, layout.num_experts(), 12);
            let ranks = layout.num_ranks();
            let counts = counts(ranks, &load);
            let plan = by_name("waterfill").unwrap().plan(&counts, layout, None, &setting(ranks)).unwrap();
            let homes: Vec<Vec<usize>> = (0..load.len())
                .map(|e| layout.homes(ExpertId::from(e)).iter().map(|r| r.index()).collect())
                .collect();
            let best = least_full(&load, &homes, &mut vec![0; ranks]);
            let full = *plan.loads().iter().max().unwrap();
            // Experts are poured one at a time, so a row can stay where two would have to move at once.
            assert!(full <= best + 1, "{load:?}: {full}, best {best}");
        }
    }
}

/// The verifier finds what a wrong plan does, and says so.
#[test]
fn a_wrong_plan_is_stopped() {
    let counts = counts(2, &[6, 2]);
    let layout = Layout::contiguous(2, 2).unwrap();
    let share = |expert: u32, rank: u32, rows| Share { expert: ExpertId(expert), rank: RankId(rank), rows };
    let make =
        |shares: &[Share]| Plan::new(&layout, &counts, shares.to_vec()).map(drop).unwrap_err().to_string();
    let wrong = "the plan is wrong and was not run: ";
    let report = "; please report this with the counts";
    assert_eq!(
        make(&[share(0, 0, 5), share(1, 1, 2)]),
        format!("{wrong}expert 0 has 6 rows and 5 are planned{report}")
    );
    assert_eq!(
        make(&[share(0, 2, 6), share(1, 1, 2)]),
        format!("{wrong}expert 0 on rank 2, of 2 experts and 2 ranks{report}")
    );
    let plan = Plan::new(&layout, &counts, vec![share(0, 0, 4), share(0, 1, 2), share(1, 1, 2)]).unwrap();
    plan.verify(&counts, 1).unwrap();
    let error = plan.verify(&counts, 0).unwrap_err().to_string();
    assert_eq!(error, format!("{wrong}rank 1 has 1 clones, 0 are allowed{report}"));
    let other = Counts::new(2, vec![6, 1, 0, 1]).unwrap();
    let error = plan.verify(&other, 1).unwrap_err().to_string();
    assert_eq!(error, format!("{wrong}source 0 has 1 rows of expert 1 and sends 2{report}"));
    let fewer = Counts::new(2, vec![6, 2]).unwrap();
    let error = plan.verify(&fewer, 1).unwrap_err().to_string();
    assert_eq!(error, format!("{wrong}it is for (2, 2) ranks and experts, the counts for (1, 2){report}"));
}

#[test]
fn layouts_without_a_home_for_every_expert_are_refused() {
    let e = ExpertId;
    let error = |experts, slots: Vec<Vec<ExpertId>>| Layout::new(experts, slots).unwrap_err().to_string();
    assert_eq!(
        error(2, vec![vec![e(0)], vec![e(0)]]),
        "expert 1 has no home in the layout; give every expert at least one home slot"
    );
    assert_eq!(
        error(1, vec![vec![e(0), e(0)]]),
        "expert 0 has two slots on rank 0; a second copy serves on another rank only"
    );
    // Not side by side either.
    assert_eq!(
        error(2, vec![vec![e(0), e(1), e(0)]]),
        "expert 0 has two slots on rank 0; a second copy serves on another rank only"
    );
    assert_eq!(error(2, vec![vec![e(0), e(2)]]), "rank 0 holds expert 2, but a layer has experts 0 to 1");
    assert_eq!(error(0, vec![]), "a layout of 0 experts on 0 ranks; give at least one of each");
    assert_eq!(
        Layout::contiguous(0, 4).unwrap_err().to_string(),
        "a layout of 4 experts on 0 ranks; give at least one of each"
    );
    let uneven = Layout::contiguous(3, 8).unwrap();
    let sizes: Vec<usize> = (0..3).map(|r| uneven.slots(RankId(r)).len()).collect();
    assert_eq!(sizes, [3, 3, 2]);
}

#[test]
fn names_that_do_not_exist_list_those_that_do() {
    let error = by_name("best").err().unwrap().to_string();
    assert_eq!(
        error,
        "no balancing policy `best`; the policies are static, waterfill, eplb, relayout, lpt, exact, two-tier, auto"
    );
    let error = CostModel::machine("tpu").unwrap_err().to_string();
    assert_eq!(error, "no machine `tpu`; the machines are trn2, trn2-ultra, h100, cpu");
    let error = Topology::new(8, 3).unwrap_err().to_string();
    assert_eq!(error, "8 ranks do not divide over 3 nodes; use one of 1, 2, 4, 8 nodes");
}
