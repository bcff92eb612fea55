//! Exchange between devices, on one axis, on each axis of a grid, and on both.

use collegium_hlo::{Dim, Name, dim};

use super::{bf16, f32};
use crate::case::Build;
use crate::{Gradient, OpCase};

const PAIR: [(Name, usize); 1] = [("expert", 2)];
const FOUR: [(Name, usize); 1] = [("expert", 4)];
const GRID: [(Name, usize); 2] = [("data", 2), ("expert", 2)];
const WIDE: [(Name, usize); 2] = [("data", 2), ("expert", 4)];
const X: [Dim; 2] = [dim("rank", 4), dim("hidden", 3)];

pub(super) fn cases() -> Vec<OpCase> {
    let pair: [Dim; 2] = [dim("hidden", 3), dim("rank", 2)];
    let case = |name: &str, axes: &[(Name, usize)], dims: &[Dim], build: Build| {
        OpCase::new(name, vec![f32(dims)], build).on(axes)
    };
    vec![
        case("all_reduce_pair", &PAIR, &X, |_, x| x[0].all_reduce(&["expert"])),
        case("all_reduce_four", &FOUR, &X, |_, x| x[0].all_reduce(&["expert"])),
        case("all_reduce_outer_axis", &GRID, &X, |_, x| x[0].all_reduce(&["data"])),
        case("all_reduce_both_axes", &GRID, &X, |_, x| x[0].all_reduce(&["data", "expert"])),
        case("all_reduce_wide", &WIDE, &X, |_, x| x[0].all_reduce(&["data"])),
        case("all_reduce_max", &FOUR, &X, |_, x| {
            x[0].all_reduce_by(collegium_hlo::Reduction::Max, &["expert"])
        })
        .gradient(Gradient::None),
        case("all_reduce_min", &FOUR, &X, |_, x| {
            x[0].all_reduce_by(collegium_hlo::Reduction::Min, &["expert"])
        })
        .gradient(Gradient::None),
        OpCase::new("all_reduce_bf16", vec![bf16(&X)], |_, x| x[0].all_reduce(&["expert"])).on(&FOUR),
        case("all_gather_first_dim", &FOUR, &X, |_, x| x[0].all_gather("rank", &["expert"])),
        case("all_gather_inner_dim", &PAIR, &pair, |_, x| x[0].all_gather("rank", &["expert"])),
        case("all_gather_outer_axis", &GRID, &X, |_, x| x[0].all_gather("hidden", &["data"])),
        OpCase::new("all_gather_bf16", vec![bf16(&X)], |_, x| x[0].all_gather("rank", &["expert"])).on(&FOUR),
        case("reduce_scatter_first_dim", &FOUR, &X, |_, x| x[0].reduce_scatter("rank", &["expert"])),
        case("reduce_scatter_inner_dim", &PAIR, &pair, |_, x| x[0].reduce_scatter("rank", &["expert"])),
        case("reduce_scatter_outer_axis", &GRID, &X, |_, x| x[0].reduce_scatter("rank", &["data"])),
        case("reduce_scatter_both_axes", &GRID, &X, |_, x| x[0].reduce_scatter("rank", &["data", "expert"])),
        OpCase::new("reduce_scatter_bf16", vec![bf16(&X)], |_, x| x[0].reduce_scatter("rank", &["expert"]))
            .on(&FOUR),
        case("all_to_all_first_dim", &FOUR, &X, |_, x| x[0].all_to_all("rank", &["expert"])),
        case("all_to_all_inner_dim", &PAIR, &pair, |_, x| x[0].all_to_all("rank", &["expert"])),
        case("all_to_all_outer_axis", &GRID, &pair, |_, x| x[0].all_to_all("rank", &["data"])),
        case("all_to_all_wide", &WIDE, &X, |_, x| x[0].all_to_all("rank", &["expert"])),
        OpCase::new("all_to_all_bf16", vec![bf16(&X)], |_, x| x[0].all_to_all("rank", &["expert"])).on(&FOUR),
        case("ring_shift_one", &FOUR, &X, |_, x| x[0].ring_shift("expert", 1)),
        case("ring_shift_three", &FOUR, &X, |_, x| x[0].ring_shift("expert", 3)),
        case("ring_shift_outer_axis", &GRID, &X, |_, x| x[0].ring_shift("data", 1)),
        case("gather_product_scatter", &GRID, &[dim("a", 2), dim("b", 2)], |_, x| {
            let all = x[0].all_gather("a", &["expert"]);
            all.dot(all.rename(&[("a", "c")]), &["b"]).reduce_scatter("c", &["data", "expert"]).tanh()
        }),
    ]
}
