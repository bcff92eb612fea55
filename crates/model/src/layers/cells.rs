//! Dispatch through cells: every token goes to its k experts wherever their slots are, static shapes, no drops.
//!
//! A rank fills one cell for each rank that it sends to, with the rows of its sources: itself, or, where tokens were gathered before,
//! everybody it speaks for. The host knows the counts before this program runs, and gives each source two small tables: for expert `e`
//! and rank `d`, `first[e][d]` is the first arrival index of `e` on this source that goes to `d`, and `offset[e][d]` the place where those
//! rows begin inside the cell to `d`. A row's arrival index (how many earlier choices of its expert there are on
//! this source) then says its destination, the number of boundaries at or below it, and its place. No sort, no second count.
//! Look-ups by expert are one-hot products, counts travel in f32 (exact below 2^24).
//!
//! With one rank in the group the cells are the expert rows themselves (`offset` is the block-aligned start of each expert).
//! With more, the host also gives the receiver the order of its rows, since it knows who sent what.
//!
//! Gathers carry their inverse, so that no gradient is a scatter.

use collegium_core::DType;
use collegium_hlo::{Graph, Links, Name, Value, dim, running_sum};

use super::experts::{ExpertWeights, expert_rows};
use super::sent::{returned_as, sent};
use super::transport::{Routed, group_axes};

/// The host's tables for one micro-batch.
#[derive(Clone, Copy)]
pub struct Addressing<'g> {
    /// {source, expert, rank} f32. One boundary more than there are cells where the choices below the first one and from the last one on
    /// are no business of this rank.
    pub first: Value<'g>,
    /// {source, expert, rank} f32, a rank for each cell.
    pub offset: Value<'g>,
    /// Rows of one cell.
    pub places: usize,
    /// Slot of every block of rows, {block} i32; as many as slots for an unused block.
    pub block_slot: Value<'g>,
    /// Whether there are choices that are no business of this rank: outside the boundaries, or below zero.
    pub skips: bool,
    /// The exchange of the cells; without, they are the expert rows.
    pub order: Option<Order<'g>>,
}

/// Equal-split all-to-all of the cells, and what the receiver makes of them.
#[derive(Clone, Copy)]
pub struct Order<'g> {
    /// Received cell row behind each expert row, {row} i32; negative for padding.
    pub row_source: Value<'g>,
    /// Expert row of each received cell row, {cell} i32; negative for an empty place.
    pub cell_target: Value<'g>,
    /// Mesh axes of the ranks that exchange.
    pub axes: &'static [Name],
    /// Element type of rows on the way.
    pub sent_as: DType,
}

impl<'g> Addressing<'g> {
    /// For one source: `first` and `offset` {expert, rank}.
    pub fn of_one_source(
        first: Value<'g>,
        offset: Value<'g>,
        places: usize,
        block_slot: Value<'g>,
        order: Option<Order<'g>>,
    ) -> Self {
        let [first, offset] = [first, offset].map(one_source);
        Self { first, offset, places, block_slot, skips: false, order }
    }

    /// The same where choices may be below zero, which are none.
    pub fn with_gaps(self) -> Self {
        Self { skips: true, ..self }
    }
}

impl<'g> Order<'g> {
    /// An exchange between all ranks of the group.
    pub fn over_group(graph: &Graph, row_source: Value<'g>, cell_target: Value<'g>, sent_as: DType) -> Self {
        Self { row_source, cell_target, axes: group_axes(graph.mesh()), sent_as }
    }
}

/// The same value with a leading dim `source` of one.
pub(super) fn one_source(x: Value<'_>) -> Value<'_> {
    x.reshape(&[&[dim("source", 1)], &x.shape().dims[..]].concat())
}

/// Sum over a token's choices of gate times expert, for this rank's own tokens; {token, hidden}.
#[track_caller]
pub fn experts<'g>(routed: &Routed<'g>, how: &Addressing<'g>) -> Value<'g> {
    let choices = one_source(routed.choices.merge(&["token", "choice"], "choice_row"));
    combined(routed.x, choices, routed.gates, &routed.weights, how)
}

/// [`experts`] by any computation, for serving: `compute` takes received cells, the links of its rows to them, and the gates of the rows.
/// A choice below zero is none.
#[track_caller]
pub fn served_experts<'g>(
    [x, gates, choices]: [Value<'g>; 3],
    how: &Addressing<'g>,
    compute: impl FnOnce(Value<'g>, Links<'g>, Value<'g>) -> Value<'g>,
) -> Value<'g> {
    through_cells(x, one_source(choices.merge(&["token", "choice"], "choice_row")), gates, how, compute)
}

/// Sum over a token's choices of gate times expert, {token, hidden}, without those that are no business of this rank. `x` {token, hidden}
/// holds the tokens of all sources, `choices` {source, choice_row} the experts they chose, `gates` {token, choice} their weights.
#[track_caller]
pub(super) fn combined<'g>(
    x: Value<'g>,
    choices: Value<'g>,
    gates: Value<'g>,
    weights: &ExpertWeights<'g>,
    how: &Addressing<'g>,
) -> Value<'g> {
    through_cells(x, choices, gates, how, |cells, links, scale| {
        expert_rows(cells, links, Some(scale), weights, how.block_slot)
    })
}

/// [`combined`], where `compute` makes results of rows: of given cells, the links of the rows to them, and the gates of the rows.
#[track_caller]
fn through_cells<'g>(
    x: Value<'g>,
    choices: Value<'g>,
    gates: Value<'g>,
    how: &Addressing<'g>,
    compute: impl FnOnce(Value<'g>, Links<'g>, Value<'g>) -> Value<'g>,
) -> Value<'g> {
    let (links, scale) = Route::new(choices, how).links(gates);
    let made = match how.order {
        None => compute(x, links, scale),
        Some(order) => order.through(x.gathered_sum(links), |cells, links| {
            compute(cells, links, gathered_scale(order.exchange(scale), links))
        }),
    };
    made.gathered_sum(links.reversed())
}

impl<'g> Order<'g> {
    /// Cells {cell, hidden} to their ranks, `compute` there, and back. `compute` gets the received cells and the links of its rows to them, and gives rows.
    fn through(
        &self,
        cells: Value<'g>,
        compute: impl FnOnce(Value<'g>, Links<'g>) -> Value<'g>,
    ) -> Value<'g> {
        let links = Links { index: one_wide(self.row_source), inverse: one_wide(self.cell_target) };
        let received = sent(cells, self.sent_as, |v| self.exchange(v));
        let back = compute(received, links).gathered_sum(links.reversed());
        sent(back, returned_as(self.sent_as), |v| self.exchange(v))
    }

    /// Sends cell `d` to rank `d`; {cell, ..} both ways.
    fn exchange(&self, cells: Value<'g>) -> Value<'g> {
        let mesh = cells.graph().mesh();
        let ranks = self.axes.iter().filter_map(|a| mesh.size(a)).product();
        let places = cells.size("cell") / ranks;
        cells
            .split("cell", &[dim("rank", ranks), dim("place", places)])
            .all_to_all("rank", self.axes)
            .merge(&["rank", "place"], "cell")
    }
}

/// Where every choice of the sources goes.
struct Route<'g> {
    /// Cell row of every choice, {choice_row} i32; -1 for those that are no business of this rank.
    cell_of_choice: Value<'g>,
    /// Choice behind every cell row, {cell} i32; -1 where there is none.
    choice_of_cell: Value<'g>,
}

impl<'g> Route<'g> {
    fn new(choices: Value<'g>, how: &Addressing<'g>) -> Self {
        let g = choices.graph();
        let (ranks, experts) = (how.offset.size("rank"), how.offset.size("expert"));
        let all = dim("choice_row", choices.size("source") * choices.size("choice_row"));
        let hit = choices.one_hot(dim("expert", experts), DType::F32);
        let arrival = (running_sum(hit, "choice_row") * hit).sum(&["expert"]) - 1.0;
        let first = hit.dot(how.first, &["expert"]);
        let reached = first.at_most(arrival.broadcast(&first.shape().dims)).convert(DType::F32);
        let destination = reached.sum(&["rank"]) - 1.0;
        let at = destination.one_hot(dim("rank", ranks), DType::F32);
        let first = first.slice("rank", 0, ranks);
        let start = ((hit.dot(how.offset, &["expert"]) - first) * at).sum(&["rank"]);
        let cell = destination * how.places as f64 + start + arrival;
        // A plan fits its bucket; one made ahead may not, and is then run again, but no index leaves its table meanwhile.
        let zero = g.scalar(DType::F32, 0.0);
        let cell = cell.min(g.scalar(DType::F32, (ranks * how.places - 1) as f64));
        // The inverse: choice numbers, counted from one so that zero means none, put at their cells.
        let number = g.iota(DType::F32, &[all], "choice_row") + 1.0;
        let elsewhere = how.skips.then(|| at.sum(&["rank"]).equals(zero).reshape(&[all]));
        let cell = cell.reshape(&[all]);
        let (place, number, cell) = match elsewhere {
            Some(mask) => {
                let none = g.scalar(DType::F32, -1.0);
                (mask.select(zero, cell), mask.select(zero, number), mask.select(none, cell))
            }
            None => (cell, number, cell),
        };
        let behind = number.scatter_add(place.convert(DType::I32), dim("cell", ranks * how.places));
        Self { cell_of_choice: cell.convert(DType::I32), choice_of_cell: (behind - 1.0).convert(DType::I32) }
    }
}

impl<'g> Route<'g> {
    /// The links between the tokens of `gates` {token, choice} and cells, and the gates of the cells, {cell}.
    fn links(&self, gates: Value<'g>) -> (Links<'g>, Value<'g>) {
        let links_by = |inverse| Links { index: one_wide(self.choice_of_cell), inverse };
        let each = gates.merge(&["token", "choice"], "choice_row");
        let scale = gathered_scale(each, links_by(one_wide(self.cell_of_choice)));
        (links_by(self.cell_of_choice.reshape(&gates.shape().dims)), scale)
    }
}

/// Scales {n} of rows, gathered as the rows are: {m}.
pub(super) fn gathered_scale<'g>(scale: Value<'g>, links: Links<'g>) -> Value<'g> {
    let scale = scale.reshape(&[scale.shape().dims[0], dim("gate", 1)]).gathered_sum(links);
    scale.reshape(&[scale.shape().dims[0]])
}

/// {n} as {n, 1}.
pub(super) fn one_wide(x: Value<'_>) -> Value<'_> {
    x.reshape(&[x.shape().dims[0], dim("reader", 1)])
}
