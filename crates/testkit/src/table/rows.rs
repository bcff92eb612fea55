//! Rows picked and put by index.

use collegium_hlo::{Dim, dim};

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
    ]
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
