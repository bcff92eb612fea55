//! Expert layer with explicit dispatch: every token goes to its k experts wherever their slots are, static shapes, no drops.
//!
//! The host knows the counts before this program runs, and gives each source two small tables: for expert `e` and rank `d`,
//! `first[e][d]` is the first arrival index of `e` on this source that goes to `d`, and `offset[e][d]` the place where those
//! rows begin inside the cell this source -> `d`. A row's arrival index (how many earlier choices of its expert there are on
//! this source) then says its destination, the number of boundaries at or below it, and its place. No sort, no second count.
//! Look-ups by expert are one-hot products, counts travel in f32 (exact below 2^24).
//!
//! With one rank in the group the cells are the expert rows themselves (`offset` is the block-aligned start of each expert).
//! With more, the host also gives the receiver the order of its rows, since it knows who sent what.
//!
//! Gathers carry their inverse, so that no gradient is a scatter.

use collegium_core::DType;
use collegium_hlo::{Inverse, Name, Value, dim, running_sum};

use super::gathered::{self, Intervals};

/// Mesh axis that an expert-parallel group spans.
pub const EXPERT_AXIS: Name = "expert";

/// Weights of the slots of one rank.
#[derive(Clone, Copy)]
pub struct ExpertWeights<'g> {
    /// {slot, intermediate, hidden}
    pub gate: Value<'g>,
    /// {slot, intermediate, hidden}
    pub up: Value<'g>,
    /// {slot, hidden, intermediate}
    pub down: Value<'g>,
}

/// The host's tables for one micro-batch.
#[derive(Clone, Copy)]
pub struct Addressing<'g> {
    /// {expert, rank} f32
    pub first: Value<'g>,
    /// {expert, rank} f32
    pub offset: Value<'g>,
    /// Rows of one cell.
    pub places: usize,
    /// Slot of every block of rows, {block} i32; as many as slots for an unused block.
    pub block_slot: Value<'g>,
    /// How rows reach the slots.
    pub transport: Transport<'g>,
    /// Element type that rows travel in between ranks.
    pub sent_as: DType,
}

/// How rows reach the rank of their slot.
#[derive(Clone, Copy)]
pub enum Transport<'g> {
    /// One rank in the group: cells are expert rows already.
    Local,
    /// Equal-split all-to-all of the cells.
    AllToAll {
        /// Received cell row behind each expert row, {row} i32; negative for padding.
        row_source: Value<'g>,
        /// Expert row of each received cell row, {cell} i32; negative for an empty place.
        cell_target: Value<'g>,
    },
    /// All-gather of the tokens, reduce-scatter of the sums.
    AllGather {
        /// Which rows are this rank's.
        own: Intervals<'g>,
        /// Expert rows there is room for.
        rows: usize,
    },
}

/// Sum over a token's choices of gate times expert: `x` {token, hidden}, `gates` and `choices` {token, choice}; {token, hidden}.
#[track_caller]
pub fn experts<'g>(
    x: Value<'g>,
    gates: Value<'g>,
    choices: Value<'g>,
    weights: &ExpertWeights<'g>,
    how: &Addressing<'g>,
) -> Value<'g> {
    if let Transport::AllGather { own, rows } = how.transport {
        return gathered::experts(x, gates, choices, weights, how.block_slot, &own, rows);
    }
    let g = x.graph();
    let route = Route::new(choices, how);
    let top_k = choices.size("choice");
    let zero = g.scalar(x.dtype(), 0.0);

    let readers =
        route.cell_of_choice.split("choice_row", &[dim("token", x.size("token")), dim("choice", top_k)]);
    let always = readers.equals(readers);
    let token_of_cell = quotient(route.source_of_cell, top_k);
    let sent = x.take_with_inverse(token_of_cell, "token", Inverse { readers, mask: always, fan: "choice" });
    let sent = route.cell_used.select(sent, zero);

    let computed = match how.transport {
        Transport::Local => {
            expert_rows(sent.rename(&[("cell", "row")]), weights, how.block_slot).rename(&[("row", "cell")])
        }
        Transport::AllToAll { row_source, cell_target } => {
            let received = exchange(sent, how);
            let (source, source_ok) = checked(row_source);
            let (target, target_ok) = checked(cell_target);
            let rows = received.take_with_inverse(source, "cell", single(target, target_ok));
            let rows = source_ok.select(rows, zero);
            let out = expert_rows(rows, weights, how.block_slot);
            let back = out.take_with_inverse(target, "row", single(source, source_ok));
            exchange(target_ok.select(back, zero), how)
        }
        Transport::AllGather { .. } => unreachable!("left above"),
    };
    let picked = computed.take_with_inverse(
        route.cell_of_choice,
        "cell",
        single(route.source_of_cell, route.cell_used),
    );
    let parts = picked.split("choice_row", &[dim("token", x.size("token")), dim("choice", top_k)]);
    (parts.convert(DType::F32) * gates).sum(&["choice"]).convert(x.dtype())
}

/// Where every choice of this source goes.
struct Route<'g> {
    /// Cell row of every choice, {choice_row} i32.
    cell_of_choice: Value<'g>,
    /// Choice behind every cell row, {cell} i32; 0 where there is none.
    source_of_cell: Value<'g>,
    /// Whether a cell row holds a choice, {cell}.
    cell_used: Value<'g>,
}

impl<'g> Route<'g> {
    fn new(choices: Value<'g>, how: &Addressing<'g>) -> Self {
        let g = choices.graph();
        let (ranks, experts) = (how.first.size("rank"), how.first.size("expert"));
        let flat = choices.merge(&["token", "choice"], "choice_row");
        let rows = flat.size("choice_row");
        let hit = flat.one_hot(dim("expert", experts), DType::F32);
        let arrival = (running_sum(hit, "choice_row") * hit).sum(&["expert"]) - 1.0;
        let first = hit.dot(how.first, &["expert"]);
        let reached = first.at_most(arrival.broadcast(&first.shape().dims)).convert(DType::F32);
        let destination = reached.sum(&["rank"]) - 1.0;
        let at = destination.one_hot(dim("rank", ranks), DType::F32);
        let start = ((hit.dot(how.offset, &["expert"]) - first) * at).sum(&["rank"]);
        let cell = destination * how.places as f64 + start + arrival;
        // A plan fits its bucket; one made ahead may not, and is then run again, but no index leaves its table meanwhile.
        let last = g.scalar(DType::F32, (ranks * how.places - 1) as f64);
        let cell = cell.min(last).convert(DType::I32);
        // The inverse: choice numbers, counted from one so that zero means none, put at their cells.
        let number = g.iota(DType::F32, &[dim("choice_row", rows)], "choice_row") + 1.0;
        let source = number.scatter_add(cell, dim("cell", ranks * how.places));
        let used = source.greater(g.scalar(DType::F32, 0.0));
        let source_of_cell = (source - 1.0).max(g.scalar(DType::F32, 0.0)).convert(DType::I32);
        Self { cell_of_choice: cell, source_of_cell, cell_used: used }
    }
}

/// Gated feed-forward of every row in its block's slot: {row, hidden} to {row, hidden}.
pub(super) fn expert_rows<'g>(
    rows: Value<'g>,
    weights: &ExpertWeights<'g>,
    block_slot: Value<'g>,
) -> Value<'g> {
    let gate = rows.grouped_dot(weights.gate, block_slot, "hidden");
    let up = rows.grouped_dot(weights.up, block_slot, "hidden");
    let inner = (gate.silu() * up).convert(rows.dtype());
    inner.grouped_dot(weights.down, block_slot, "intermediate").convert(rows.dtype())
}

/// Sends cell `d` to rank `d`; {cell, hidden} both ways.
fn exchange<'g>(cells: Value<'g>, how: &Addressing<'g>) -> Value<'g> {
    let ranks = how.first.size("rank");
    let places = cells.size("cell") / ranks;
    cells
        .convert(how.sent_as)
        .split("cell", &[dim("rank", ranks), dim("place", places)])
        .all_to_all("rank", &[EXPERT_AXIS])
        .merge(&["rank", "place"], "cell")
        .convert(cells.dtype())
}

/// An index with negative entries as an index in range and a mask.
fn checked<'g>(index: Value<'g>) -> (Value<'g>, Value<'g>) {
    let zero = index.graph().scalar(DType::I32, 0.0);
    (index.max(zero), index.at_least(zero))
}

/// An inverse with one reader.
pub(super) fn single<'g>(reader: Value<'g>, mask: Value<'g>) -> Inverse<'g> {
    let dims = [reader.shape().dims[0], dim("reader", 1)];
    Inverse { readers: reader.reshape(&dims), mask: mask.reshape(&dims), fan: "reader" }
}

/// Whole part of `x / by` for i32 from 0 to 2^22, computed in f32: a division of integers is off by one here and there on Neuron. Half a
/// step keeps `x` off the multiples of `by`, where rounding would decide.
pub(super) fn quotient<'g>(x: Value<'g>, by: usize) -> Value<'g> {
    if by == 1 { x } else { ((x.convert(DType::F32) + 0.5) / by as f64).floor().convert(DType::I32) }
}
