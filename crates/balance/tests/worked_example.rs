//! The example of docs/balance.md: 4 ranks, 8 experts, 32 rows from every rank. The page quotes what is checked here.

use collegium_balance::{
    CostModel, Counts, Ladder, Layout, Limits, Plan, Setting, Tables, Topology, max_over_mean,
    policy::by_name,
};
use collegium_core::RankId;

fn counts() -> Counts {
    let rows = [
        [12, 5, 5, 4, 2, 1, 2, 1],
        [9, 6, 6, 3, 3, 1, 2, 2],
        [11, 4, 5, 5, 2, 1, 2, 2],
        [8, 5, 6, 4, 3, 1, 3, 2],
    ];
    Counts::new(8, rows.concat()).unwrap()
}

fn plan(policy: &str) -> Plan {
    let cost = CostModel::machine("trn2").unwrap();
    let setting = Setting { topology: Topology::one_node(4), cost, limits: Limits::default() };
    by_name(policy).unwrap().plan(&counts(), &Layout::contiguous(4, 8).unwrap(), None, &setting).unwrap()
}

fn slots(plan: &Plan) -> Vec<Vec<usize>> {
    (0..4).map(|r| plan.slots(RankId(r)).iter().map(|e| e.index()).collect()).collect()
}

#[test]
fn loads_before_and_after() {
    assert_eq!(counts().by_expert(), [40, 20, 22, 16, 10, 4, 9, 7]);
    let fixed = plan("static");
    assert_eq!(fixed.loads(), [60, 38, 14, 16]);
    assert_eq!(format!("{:.2}", max_over_mean(&fixed.loads())), "1.88");
    assert_eq!(
        fixed.pairs().chunks(4).map(<[u64]>::to_vec).collect::<Vec<_>>(),
        [[17, 9, 3, 3], [15, 9, 4, 4], [15, 10, 3, 4], [13, 10, 4, 5]]
    );
    let exact = plan("exact");
    assert_eq!(exact.loads(), [32; 4]);
    assert_eq!(slots(&exact), [vec![0, 1, 2], vec![2, 3], vec![4, 5, 0], vec![6, 7, 0]]);
    let shares: Vec<(u32, u32, u32)> = exact
        .shares()
        .iter()
        .filter(|s| s.expert.0 == 0 || s.expert.0 == 2)
        .map(|s| (s.expert.0, s.rank.0, s.rows))
        .collect();
    assert_eq!(shares, [(0, 0, 6), (0, 2, 18), (0, 3, 16), (2, 0, 6), (2, 1, 16)]);
    assert_eq!(exact.rows_moved(), 40);
}

#[test]
fn rows_of_expert_0_and_the_matrix() {
    let exact = plan("exact");
    let of_expert_0: Vec<Vec<u32>> =
        (0..4).map(|s| [0, 2, 3].map(|r| exact.rows(s, 0, r)).to_vec()).collect();
    assert_eq!(of_expert_0, [[1, 6, 5], [2, 4, 3], [1, 5, 5], [2, 3, 3]]);
    assert_eq!(
        exact.pairs().chunks(4).map(<[u64]>::to_vec).collect::<Vec<_>>(),
        [[7, 8, 9, 8], [10, 7, 8, 7], [6, 9, 8, 9], [9, 8, 7, 8]]
    );
}

#[test]
fn tables_and_bucket() {
    let exact = plan("exact");
    let need = Tables::need(&exact, 8);
    let bucket = Ladder::new(4, 8, 2).pick(need);
    assert_eq!((need.slots, need.places, need.blocks), (3, 10, 6));
    assert_eq!((bucket.slots, bucket.places, bucket.blocks), (3, 16, 6));
    let tables = Tables::new(&exact, bucket, 8);
    assert_eq!(tables.sources[0].first[..4], [0.0, 1.0, 1.0, 7.0]);
    assert_eq!(tables.sources[0].offset[..4], [0.0, 0.0, 0.0, 0.0]);
}
