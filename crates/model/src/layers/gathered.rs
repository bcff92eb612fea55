//! The transport by all-gather and reduce-scatter: every rank gets all tokens of its group, runs those rows that the plan gives
//! to its slots, and the sums over experts come back by reduce-scatter. It moves (R - 1) T rows each way, whatever the routing,
//! against k T (R - 1) / R of an all-to-all: the choice where k is near R, or where all-to-all is poor (one Trn2 node).
//!
//! Which rows are a rank's own it finds itself, from everybody's choices: of source `s` the arrivals of expert `e` from `low[s][e]` up to
//! `high[s][e]`, which begin at its expert row `start[s][e]`.

use collegium_core::DType;
use collegium_hlo::{Inverse, Value, dim, running_sum};

use super::EXPERT_AXIS;
use super::experts::{ExpertWeights, expert_rows, quotient, single};

/// What one rank takes of every source's rows, all {source, expert} f32.
#[derive(Clone, Copy)]
pub struct Intervals<'g> {
    /// First arrival index that is this rank's.
    pub low: Value<'g>,
    /// First arrival index after those.
    pub high: Value<'g>,
    /// Expert row of the first.
    pub start: Value<'g>,
}

/// Sum over a token's choices of gate times expert, as [`experts`](super::experts); `block_slot` has `rows` rows of blocks.
#[track_caller]
pub(super) fn experts<'g>(
    x: Value<'g>,
    gates: Value<'g>,
    choices: Value<'g>,
    weights: &ExpertWeights<'g>,
    block_slot: Value<'g>,
    own: &Intervals<'g>,
    rows: usize,
) -> Value<'g> {
    let g = x.graph();
    let top_k = choices.size("choice");
    let all = x.all_gather("token", &[EXPERT_AXIS]);
    let (token, choice) = (all.shape().dims[0], dim("choice", top_k));
    let mine = OwnRows::new(choices, own, dim("row", rows));
    let by_token = |v: Value<'g>| v.reshape(&[token, choice]);
    let inverse =
        Inverse { readers: by_token(mine.row_of_choice), mask: by_token(mine.chosen), fan: "choice" };
    let token_of_row = quotient(mine.choice_of_row, top_k);
    let given = all.take_with_inverse(token_of_row, "token", inverse);
    let given = mine.used.select(given, g.scalar(x.dtype(), 0.0));
    let out = expert_rows(given, weights, block_slot).convert(DType::F32);
    let gates = gates.merge(&["token", "choice"], "choice_row").all_gather("choice_row", &[EXPERT_AXIS]);
    let gate =
        gates.take_with_inverse(mine.choice_of_row, "choice_row", single(mine.row_of_choice, mine.chosen));
    let gate = mine.used.select(gate, g.scalar(DType::F32, 0.0));
    let sums = (out * gate.broadcast(&out.shape().dims)).scatter_add(token_of_row, token);
    sums.reduce_scatter("token", &[EXPERT_AXIS]).convert(x.dtype())
}

/// Which choices of the whole group are rows of this rank.
struct OwnRows<'g> {
    /// Expert row of every choice of every source, {choice_row} i32; 0 where it is another rank's.
    row_of_choice: Value<'g>,
    /// Whether it is this rank's, {choice_row}.
    chosen: Value<'g>,
    /// Choice behind every expert row, {row} i32; 0 for padding.
    choice_of_row: Value<'g>,
    /// Whether there is one, {row}.
    used: Value<'g>,
}

impl<'g> OwnRows<'g> {
    fn new(choices: Value<'g>, own: &Intervals<'g>, row: collegium_hlo::Dim) -> Self {
        let g = choices.graph();
        let (experts, sources) = (own.low.size("expert"), own.low.size("source"));
        let flat = choices.merge(&["token", "choice"], "choice_row");
        let each = dim("choice_row", flat.size("choice_row"));
        let all = flat.reshape(&[dim("source", 1), each]).all_gather("source", &[EXPERT_AXIS]);
        let hit = all.one_hot(dim("expert", experts), DType::F32);
        let arrival = (running_sum(hit, "choice_row") * hit).sum(&["expert"]) - 1.0;
        let of_choice = |table: Value<'g>| hit.dot(table, &["expert"]);
        let (low, high) = (of_choice(own.low), of_choice(own.high));
        let chosen = low.at_most(arrival).and(arrival.less(high));
        let zero = g.scalar(DType::F32, 0.0);
        let place = chosen.select(of_choice(own.start) + arrival - low, zero);
        let choice = dim("choice_row", sources * each.size);
        let (chosen, place) = (chosen.reshape(&[choice]), place.reshape(&[choice]));
        // Choice numbers counted from one, put at their rows: zero means none.
        let number = chosen.select(g.iota(DType::F32, &[choice], "choice_row") + 1.0, zero);
        let row_of_choice = place.convert(DType::I32);
        let behind = number.scatter_add(row_of_choice, row);
        Self {
            row_of_choice,
            chosen,
            choice_of_row: (behind - 1.0).max(zero).convert(DType::I32),
            used: behind.greater(zero),
        }
    }
}
