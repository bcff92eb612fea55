//! The tables of a dispatch, made on the device from the counts of this micro-batch, for plans that were made ahead.
//!
//! A plan made ahead cannot say how many rows go where, only in which slots experts lie and which share of an expert's rows
//! each rank takes. With `n[s][e]` rows of expert `e` on source `s`, rank `d` takes arrivals `first[s][e][d]` up to
//! `first[s][e][d + 1]`, where `first[s][e][d] = floor(below[e][d] n[s][e] + 1/2)` and `below[e][d]` is the share of all earlier
//! ranks. Every device computes the same numbers from the gathered counts, so nothing but counts is exchanged. They are f32, exact
//! below 2^24; sums over earlier experts, slots and sources are triangular products; nothing is sorted.
//!
//! What did not fit a bucket is told by `need`, and indices are clamped to the bucket: results are then worthless, but defined.

use collegium_core::DType;
use collegium_hlo::{Value, dim, running_sum};

use super::cells::{Addressing, Order, one_source};
use super::transport::group_axes;

/// A plan made ahead, as the program reads it.
#[derive(Clone, Copy)]
pub struct PlanAhead<'g> {
    /// Share of an expert's rows that ranks before this one take, {expert, rank} f32: not falling, 0 at rank 0.
    pub below: Value<'g>,
    /// One where a slot of this rank holds an expert, {slot, expert} f32.
    pub slots: Value<'g>,
    /// One at this rank's own place in its group, {rank} f32.
    pub member: Value<'g>,
}

/// Room of the program, see [`Addressing`].
#[derive(Clone, Copy)]
pub struct Room {
    /// Rows of one cell.
    pub places: usize,
    /// Blocks of rows.
    pub blocks: usize,
    /// Rows of a block.
    pub block: usize,
}

/// The tables, and what they would have needed.
pub struct Placed<'g> {
    /// The tables.
    pub addressing: Addressing<'g>,
    /// Rows of the fullest cell that this rank sends, and blocks that it computes, {need = 2} f32.
    pub need: Value<'g>,
}

/// The tables for `counts` {expert} f32 of this rank, for rows that travel as `sent_as`.
#[track_caller]
pub fn place<'g>(counts: Value<'g>, plan: &PlanAhead<'g>, room: Room, sent_as: DType) -> Placed<'g> {
    let g = counts.graph();
    let (expert, ranks) = (counts.shape().dims[0], plan.member.size("rank"));
    let all = one_source(counts).all_gather("source", group_axes(g.mesh()));
    let (first, rows) = intervals(all, plan.below);
    let offset = running_sum(rows, "expert") - rows;
    let own = |x: Value<'g>| x.dot(plan.member.rename(&[("rank", "source")]), &["source"]);
    let here = |x: Value<'g>| x.dot(plan.member, &["rank"]);
    let slots = Filling::new(here(rows), plan.slots, room);
    let sent = own(rows).sum(&["expert"]).reduce_max(&["rank"]);
    let (offset, order, sent) = if ranks == 1 {
        let start = slots.start.dot(plan.slots, &["slot"]).sum(&["source"]);
        (start.reshape(&[expert, dim("rank", 1)]), None, slots.blocks * room.block as f64)
    } else {
        let (row_source, cell_target) = slots.order(here(rows), here(offset), room);
        (own(offset), Some(Order::over_group(g, row_source, cell_target, sent_as)), sent)
    };
    let need = [sent, slots.blocks].map(|n| n.reshape(&[dim("need", 1)]));
    let block_slot = slots.block_slot(g.iota(DType::F32, &[dim("block", room.blocks)], "block"));
    Placed {
        addressing: Addressing::of_one_source(own(first), offset, room.places, block_slot, order),
        need: Value::concat(&need, "need"),
    }
}

/// First arrival that goes to each rank, and how many go there: {source, expert, rank}.
fn intervals<'g>(counts: Value<'g>, below: Value<'g>) -> (Value<'g>, Value<'g>) {
    let shape = counts.shape();
    let rank = dim("rank", below.size("rank"));
    let dims = [shape.dims[0], shape.dims[1], rank];
    let first = (below.broadcast(&dims) * counts.broadcast(&dims) + 0.5).floor();
    let last = counts.reshape(&[dims[0], dims[1], dim("rank", 1)]);
    let next = match rank.size {
        1 => last,
        ranks => Value::concat(&[first.slice("rank", 1, ranks), last], "rank"),
    };
    (first, next - first)
}

/// How the slots of this rank fill.
struct Filling<'g> {
    /// First expert row of a source in a slot, {source, slot}.
    start: Value<'g>,
    /// Blocks of this slot and all before, {slot}.
    block_end: Value<'g>,
    /// Experts in the slots, {slot, expert}.
    slots: Value<'g>,
    /// Blocks of all slots, a scalar.
    blocks: Value<'g>,
}

impl<'g> Filling<'g> {
    /// `rows` {source, expert} come to this rank.
    fn new(rows: Value<'g>, slots: Value<'g>, room: Room) -> Self {
        let by_slot = rows.dot(slots, &["expert"]);
        let blocks = (by_slot.sum(&["source"]) / room.block as f64).ceil();
        let block_end = running_sum(blocks, "slot");
        let begin = (block_end - blocks) * room.block as f64;
        let earlier = running_sum(by_slot, "source") - by_slot;
        let start = begin.broadcast(&by_slot.shape().dims) + earlier;
        Self { start, block_end, slots, blocks: blocks.sum(&["slot"]) }
    }

    /// Slot of every block in `block` {block} f32; the number of slots for an unused one.
    fn block_slot(&self, block: Value<'g>) -> Value<'g> {
        let dims = [block.shape().dims[0], self.block_end.shape().dims[0]];
        let passed = self.block_end.broadcast(&dims).at_most(block.broadcast(&dims));
        passed.convert(DType::F32).sum(&["slot"]).convert(DType::I32)
    }

    /// Which place of which cell belongs to which expert row, and the other way round ([`Order`]), from what arrives here: `rows` and `offset`
    /// {source, expert}.
    fn order(&self, rows: Value<'g>, offset: Value<'g>, room: Room) -> (Value<'g>, Value<'g>) {
        let g = rows.graph();
        let (source, expert) = (rows.shape().dims[0], rows.shape().dims[1]);
        let place = dim("place", room.places);
        let (all, total) = ([source, place, expert], source.size * room.places);
        let at = g.iota(DType::F32, &[source, place], "place");
        // The expert of a place is the number of experts whose rows end at or before it.
        let passed = (offset + rows).broadcast(&all).at_most(at.broadcast(&all)).convert(DType::F32);
        let hit = passed.sum(&["expert"]).convert(DType::I32).one_hot(expert, DType::F32);
        let shift = self.start.dot(self.slots, &["slot"]) - offset;
        let target = hit.dot(shift, &["expert"]) + at;
        let used = at.less(rows.sum(&["expert"]).broadcast(&[source, place]));
        let number = |n: f64| g.scalar(DType::F32, n);
        let (cell, row) = (dim("cell", total), dim("row", room.blocks * room.block));
        let target = target.max(number(0.0)).min(number((row.size - 1) as f64)).reshape(&[cell]);
        let used = used.reshape(&[cell]);
        // Cell numbers counted from one, put at their rows: zero means none.
        let numbers = used.select(g.iota(DType::F32, &[cell], "cell") + 1.0, number(0.0));
        let source = numbers.scatter_add(target.convert(DType::I32), row) - 1.0;
        (
            source.min(number((total - 1) as f64)).convert(DType::I32),
            used.select(target, number(-1.0)).convert(DType::I32),
        )
    }
}
