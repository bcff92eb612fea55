//! Reductions, matrix products, and what is composed of them.

use collegium_core::DType;
use collegium_hlo::{Dim, Graph, Value, dim, running_sum};

use super::{AB, ABC, bf16, f32, given, index};
use crate::{Fill, Gradient, Input, OpCase};

pub(super) fn cases() -> Vec<OpCase> {
    [reductions(), products(), grouped(), composed()].concat()
}

fn reductions() -> Vec<OpCase> {
    let distinct = |dims: &[Dim]| f32(dims).fill(Fill::Distinct);
    vec![
        OpCase::new("sum_f32", vec![f32(&ABC)], |_, x| x[0].sum(&["b"])),
        OpCase::new("sum_two_dims", vec![f32(&ABC)], |_, x| x[0].sum(&["c", "a"])),
        OpCase::new("sum_all", vec![f32(&ABC)], |_, x| x[0].sum(&["a", "b", "c"])),
        OpCase::new("sum_bf16", vec![bf16(&ABC)], |_, x| x[0].sum(&["c"])),
        OpCase::new("sum_i32", vec![index(&ABC, 1000)], |_, x| x[0].sum(&["b"])),
        OpCase::new("max_f32", vec![distinct(&ABC)], |_, x| x[0].reduce_max(&["b"])),
        OpCase::new("max_two_dims", vec![distinct(&ABC)], |_, x| x[0].reduce_max(&["a", "c"])),
        OpCase::new("max_ties", vec![given(DType::F32, &[3.0, 1.0, 3.0])], |_, x| x[0].reduce_max(&["v"]))
            .gradient(Gradient::Chosen),
        OpCase::new("max_i32", vec![given(DType::I32, &[-5.0, -3.0, -9.0])], |_, x| x[0].reduce_max(&["v"])),
        OpCase::new("max_u32", vec![given(DType::U32, &[5.0, 4_294_967_295.0])], |_, x| {
            x[0].reduce_max(&["v"])
        }),
        OpCase::new("min_f32", vec![distinct(&ABC)], |_, x| x[0].reduce_min(&["c"])),
        OpCase::new("min_i32", vec![given(DType::I32, &[5.0, 3.0, 9.0])], |_, x| x[0].reduce_min(&["v"])),
        OpCase::new("min_u32", vec![given(DType::U32, &[5.0, 4_294_967_295.0])], |_, x| {
            x[0].reduce_min(&["v"])
        }),
        OpCase::new("min_bf16", vec![bf16(&AB).fill(Fill::Distinct)], |_, x| x[0].reduce_min(&["b"])),
    ]
}

fn products() -> Vec<OpCase> {
    let weights = [dim("d", 5), dim("b", 3)];
    vec![
        OpCase::new("dot_f32", vec![f32(&AB), f32(&weights)], |_, x| x[0].dot(x[1], &["b"])),
        OpCase::new("dot_bf16", vec![bf16(&AB), bf16(&weights)], |_, x| x[0].dot(x[1], &["b"])),
        OpCase::new("dot_bf16_to_f32", vec![bf16(&AB), bf16(&weights)], |_, x| {
            x[0].dot_as(x[1], &["b"], DType::F32)
        }),
        OpCase::new("dot_batched", vec![f32(&ABC), f32(&[dim("a", 2), dim("d", 5), dim("c", 4)])], |_, x| {
            x[0].dot(x[1], &["c"])
        }),
        OpCase::new(
            "dot_batch_last",
            vec![f32(&[dim("c", 4), dim("a", 2)]), f32(&[dim("d", 3), dim("a", 2), dim("c", 4)])],
            |_, x| x[0].dot(x[1], &["c"]),
        ),
        OpCase::new(
            "dot_two_dims",
            vec![f32(&ABC), f32(&[dim("c", 4), dim("d", 2), dim("b", 3)])],
            |_, x| x[0].dot(x[1], &["b", "c"]),
        ),
        OpCase::new("dot_outer", vec![f32(&[dim("a", 2)]), f32(&[dim("b", 3)])], |_, x| x[0].dot(x[1], &[])),
        OpCase::new("dot_scalar", vec![f32(&AB), f32(&AB)], |_, x| x[0].dot(x[1], &["a", "b"])),
        OpCase::new("dot_batch_only", vec![f32(&AB), f32(&AB)], |_, x| x[0].dot(x[1], &[])),
        OpCase::new("dot_with_itself", vec![f32(&AB)], |_, x| x[0].dot(x[0].rename(&[("a", "d")]), &["b"])),
        OpCase::new(
            "dot_deep",
            vec![f32(&[dim("a", 3), dim("b", 300)]), f32(&[dim("b", 300), dim("d", 2)])],
            |_, x| x[0].dot(x[1], &["b"]),
        ),
        OpCase::new("dot_i32", vec![index(&AB, 50), index(&weights, 50)], |_, x| x[0].dot(x[1], &["b"])),
    ]
}

const ROWS: Dim = dim("row", 8);
/// Slots of the four blocks of `ROWS`: out of order, one twice, the last block unused.
const BLOCK_SLOTS: [f64; 4] = [2.0, 0.0, 2.0, 3.0];

fn grouped() -> Vec<OpCase> {
    let rows = |name| [ROWS, dim(name, 4)];
    let (ab, ba) = ([dim("slot", 3), dim("a", 4), dim("b", 3)], [dim("slot", 3), dim("b", 3), dim("a", 4)]);
    let dot = |_: &str, x: Input, w: Input| vec![x, w];
    vec![
        OpCase::new("grouped_dot_f32", dot("", f32(&rows("a")), f32(&ab)), grouped_dot),
        OpCase::new("grouped_dot_transposed", dot("", f32(&rows("a")), f32(&ba)), grouped_dot),
        OpCase::new("grouped_dot_bf16", dot("", bf16(&rows("a")), bf16(&ab)), grouped_dot),
        OpCase::new("grouped_dot_bf16_rounded", dot("", bf16(&rows("a")), bf16(&ba)), |g, x| {
            used(g, used(g, x[0]).grouped_dot_as(x[1], block_slot(g), "a", DType::Bf16))
        }),
        OpCase::new("grouped_outer_f32", vec![f32(&rows("a")), f32(&[ROWS, dim("b", 3)])], |g, x| {
            grouped_outer(g, x)
        }),
        OpCase::new("grouped_outer_bf16", vec![bf16(&rows("a")), bf16(&[ROWS, dim("b", 3)])], |g, x| {
            grouped_outer(g, x)
        }),
    ]
}

fn grouped_dot<'g>(g: &'g Graph, x: &[Value<'g>]) -> Value<'g> {
    used(g, used(g, x[0]).grouped_dot(x[1], block_slot(g), "a"))
}

fn grouped_outer<'g>(g: &'g Graph, x: &[Value<'g>]) -> Value<'g> {
    used(g, x[0]).grouped_outer(used(g, x[1]), block_slot(g), dim("slot", 3))
}

fn block_slot(g: &Graph) -> Value<'_> {
    g.literal(DType::I32, &[dim("block", 4)], &BLOCK_SLOTS)
}

/// Rows of the unused block are zero, as grouped products want it of their inputs and of the cotangents.
fn used<'g>(g: &'g Graph, rows: Value<'g>) -> Value<'g> {
    let six = g.scalar(DType::I32, 6.0);
    let used = g.iota(DType::I32, &[ROWS], "row").less(six);
    used.select(rows, g.scalar(rows.dtype(), 0.0))
}

fn composed() -> Vec<OpCase> {
    vec![
        OpCase::new("softmax_f32", vec![f32(&ABC)], |_, x| x[0].softmax("c")),
        OpCase::new("log_sum_exp_f32", vec![f32(&ABC)], |_, x| x[0].log_sum_exp("b")),
        OpCase::new("mean_f32", vec![f32(&ABC)], |_, x| x[0].mean(&["a", "c"])),
        OpCase::new("one_hot_f32", vec![index(&AB, 4)], |_, x| x[0].one_hot(dim("c", 4), DType::F32)),
        OpCase::new("running_sum_short", vec![f32(&ABC)], |_, x| running_sum(x[0], "b")),
        OpCase::new("running_sum_long", vec![f32(&[dim("row", 300), dim("a", 2)])], |_, x| {
            running_sum(x[0], "row")
        }),
    ]
}
