//! Rows picked and put by index.

use collegium_core::DType;
use collegium_hlo::{Dim, Inverse, Value, dim};

use super::{bf16, f32, index};
use crate::OpCase;

const TABLE: [Dim; 2] = [dim("row", 5), dim("hidden", 3)];
const TOKENS: [Dim; 1] = [dim("token", 7)];

pub(super) fn cases() -> Vec<OpCase> {
    [takes(), scatters()].concat()
}

fn takes() -> Vec<OpCase> {
    let pair = [dim("token", 2), dim("choice", 3)];
    vec![
        OpCase::new("take_f32", vec![f32(&TABLE), index(&TOKENS, 5)], |_, x| x[0].take(x[1], "row")),
        OpCase::new("take_bf16", vec![bf16(&TABLE), index(&TOKENS, 5)], |_, x| x[0].take(x[1], "row")),
        OpCase::new("take_pairs", vec![f32(&TABLE), index(&pair, 5)], |_, x| x[0].take(x[1], "row")),
        OpCase::new(
            "take_inner",
            vec![f32(&[dim("hidden", 3), dim("row", 5)]), index(&TOKENS, 5)],
            |_, x| x[0].take(x[1], "row"),
        ),
        OpCase::new("take_scalars", vec![f32(&[dim("row", 5)]), index(&TOKENS, 5)], |_, x| {
            x[0].take(x[1], "row")
        }),
        OpCase::new("take_one", vec![f32(&TABLE), index(&[], 5)], |_, x| x[0].take(x[1], "row")),
        OpCase::new("take_same_name", vec![f32(&TABLE), index(&[dim("row", 7)], 5)], |_, x| {
            x[0].take(x[1], "row")
        }),
        OpCase::new("take_i32", vec![index(&TABLE, 100), index(&TOKENS, 5)], |_, x| x[0].take(x[1], "row")),
        OpCase::new("take_with_inverse_f32", vec![f32(&TABLE)], |_, x| take_known(x[0])),
        OpCase::new("take_with_inverse_bf16", vec![bf16(&TABLE)], |_, x| take_known(x[0])),
    ]
}

/// Seven tokens that read rows 0, 4, 4, 2, 0, 4, 3: row 1 has no reader, row 4 has three.
fn take_known(table: Value<'_>) -> Value<'_> {
    let g = table.graph();
    let index = g.literal(DType::I32, &TOKENS, &[0.0, 4.0, 4.0, 2.0, 0.0, 4.0, 3.0]);
    let dims = [dim("row", 5), dim("reader", 3)];
    let readers = [0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 6.0, 0.0, 0.0, 1.0, 2.0, 5.0];
    let mask = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let inverse = Inverse {
        readers: g.literal(DType::I32, &dims, &readers),
        mask: g.literal(DType::Bool, &dims, &mask),
        fan: "reader",
    };
    table.take_with_inverse(index, "row", inverse)
}

fn scatters() -> Vec<OpCase> {
    let updates = [TOKENS[0], dim("hidden", 3)];
    let pair = [dim("token", 2), dim("choice", 3)];
    vec![
        OpCase::new("scatter_add_f32", vec![f32(&updates), index(&TOKENS, 5)], |_, x| {
            x[0].scatter_add(x[1], dim("row", 5))
        }),
        OpCase::new(
            "scatter_add_pairs",
            vec![f32(&[pair[0], pair[1], dim("hidden", 2)]), index(&pair, 4)],
            |_, x| x[0].scatter_add(x[1], dim("row", 4)),
        ),
        OpCase::new("scatter_add_scalars", vec![f32(&TOKENS), index(&TOKENS, 5)], |_, x| {
            x[0].scatter_add(x[1], dim("row", 5))
        }),
        OpCase::new("scatter_add_same_name", vec![f32(&updates), index(&TOKENS, 5)], |_, x| {
            x[0].scatter_add(x[1], dim("token", 5))
        }),
    ]
}
