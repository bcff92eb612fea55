//! The transport by all-gather and reduce-scatter: every rank gets all tokens of its group, runs those rows that the plan gives
//! to its slots, and the sums over experts come back by reduce-scatter. It moves (R - 1) T rows each way, whatever the routing,
//! against k T (R - 1) / R of an all-to-all: the choice where k is near R, or where all-to-all is poor (one Trn2 node).
//!
//! Which rows are a rank's own it finds itself, from everybody's choices: of source `s` the arrivals of expert `e` from `low[s][e]` up to
//! `high[s][e]`, which begin at its expert row `start[s][e]`.

use collegium_balance::{Bucket, Plan, Tables};
use collegium_core::{DType, HostTensor};
use collegium_hlo::{Links, Value, dim, running_sum};

use super::all_to_all::whole;
use super::{Routed, Sizes, Table, Transport, group_axes};
use crate::layers::cells::{gathered_scale, one_source, one_wide};
use crate::layers::experts::expert_rows;
use crate::layers::sent::sent;

/// All-gather of the tokens, reduce-scatter of the sums.
pub struct AllGather;

const NAMES: [&str; 3] = ["low", "high", "start"];

impl Transport for AllGather {
    fn name(&self) -> &'static str {
        "all-gather"
    }

    fn inputs(&self, sizes: &Sizes) -> Vec<Table> {
        let table = [dim("source", sizes.topology.num_ranks()), dim("expert", sizes.experts)];
        let mut inputs = vec![Table::block_slot(sizes)];
        inputs.extend(NAMES.map(|name| Table::new(name, DType::F32, &table)));
        inputs
    }

    fn tables(&self, plan: &Plan, sizes: &Sizes) -> Vec<Vec<HostTensor>> {
        let made = Tables::new(plan, sizes.bucket, sizes.block);
        let table = [sizes.topology.num_ranks(), sizes.experts];
        let of_rank = |(rank, receiver): (usize, &collegium_balance::ReceiverTables)| {
            let own = own_rows(plan, &made, rank, sizes.bucket);
            let own = own.map(|values| HostTensor::new(&table, &values));
            std::iter::once(whole(&receiver.block_slot)).chain(own).collect()
        };
        made.receivers.iter().enumerate().map(of_rank).collect()
    }

    fn experts<'g>(&self, routed: &Routed<'g>, tables: &[Value<'g>], sizes: &Sizes) -> Value<'g> {
        let [block_slot, low, high, start] = tables[..] else { unreachable!("as many as inputs") };
        let Routed { x, gates, choices, weights, sent_as } = *routed;
        let axes = group_axes(x.graph().mesh());
        let top_k = choices.size("choice");
        let all = sent(x, sent_as, |v| v.all_gather("token", axes));
        let (token, choice) = (all.shape().dims[0], dim("choice", top_k));
        let mine = OwnRows::new(choices, &Intervals { low, high, start }, dim("row", sizes.rows()));
        let index = one_wide(mine.choice_of_row);
        let links = Links { index, inverse: mine.row_of_choice.reshape(&[token, choice]) };
        let gates = gates.merge(&["token", "choice"], "choice_row").all_gather("choice_row", axes);
        let scale = gathered_scale(gates, Links { index, inverse: one_wide(mine.row_of_choice) });
        let out = expert_rows(all, links, Some(scale), &weights, block_slot).convert(DType::F32);
        let sums = out.gathered_sum(links.reversed());
        sums.reduce_scatter("token", axes).convert(x.dtype())
    }
}

/// What one rank takes of every source's rows, `[source][expert]`: arrivals from `low` up to `high`, from expert row `start` on.
fn own_rows(plan: &Plan, tables: &Tables, rank: usize, bucket: Bucket) -> [Vec<f32>; 3] {
    let (ranks, experts) = (plan.num_ranks(), plan.num_experts());
    let [mut low, mut high, mut start] = NAMES.map(|_| vec![0f32; ranks * experts]);
    for share in plan.shares().iter().filter(|s| s.rank.index() == rank) {
        let expert = share.expert.index();
        for source in 0..ranks {
            let rows = plan.rows(source, expert, rank);
            if rows == 0 {
                continue;
            }
            let at = source * experts + expert;
            let table = &tables.sources[source];
            let cell = source * bucket.places + table.offset[expert * ranks + rank] as usize;
            low[at] = table.first[expert * ranks + rank];
            high[at] = low[at] + rows as f32;
            start[at] = tables.receivers[rank].cell_target[cell] as f32;
        }
    }
    [low, high, start]
}

/// What one rank takes of every source's rows, all {source, expert} f32.
struct Intervals<'g> {
    /// First arrival index that is this rank's.
    low: Value<'g>,
    /// First arrival index after those.
    high: Value<'g>,
    /// Expert row of the first.
    start: Value<'g>,
}

/// Which choices of the whole group are rows of this rank.
struct OwnRows<'g> {
    /// Expert row of every choice of every source, {choice_row} i32; negative where it is another rank's.
    row_of_choice: Value<'g>,
    /// Choice behind every expert row, {row} i32; negative for padding.
    choice_of_row: Value<'g>,
}

impl<'g> OwnRows<'g> {
    fn new(choices: Value<'g>, own: &Intervals<'g>, row: collegium_hlo::Dim) -> Self {
        let g = choices.graph();
        let (experts, sources) = (own.low.size("expert"), own.low.size("source"));
        let flat = choices.merge(&["token", "choice"], "choice_row");
        let each = dim("choice_row", flat.size("choice_row"));
        let all = one_source(flat).all_gather("source", group_axes(g.mesh()));
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
        let behind = number.scatter_add(place.convert(DType::I32), row);
        let none = g.scalar(DType::F32, -1.0);
        Self {
            row_of_choice: chosen.select(place, none).convert(DType::I32),
            choice_of_row: (behind - 1.0).convert(DType::I32),
        }
    }
}
