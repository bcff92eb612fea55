//! Sources of values, and operations that only move them.

use collegium_core::DType;
use collegium_hlo::{Value, dim};

use super::{AB, ABC, bf16, bools, f32, given};
use crate::OpCase;

pub(super) fn cases() -> Vec<OpCase> {
    [sources(), moves(), windows()].concat()
}

fn sources() -> Vec<OpCase> {
    vec![
        OpCase::new("constant_f32", vec![], |g, _| g.full(DType::F32, &AB, 0.1)),
        OpCase::new("constant_bf16_infinite", vec![], |g, _| g.full(DType::Bf16, &AB, f64::NEG_INFINITY)),
        OpCase::new("constant_f32_tiny", vec![], |g, _| g.full(DType::F32, &AB, 1e-30)),
        OpCase::new("constant_i32", vec![], |g, _| g.full(DType::I32, &AB, -7.0)),
        OpCase::new("constant_u32", vec![], |g, _| g.full(DType::U32, &AB, 4_294_967_295.0)),
        OpCase::new("constant_bool", vec![], |g, _| g.full(DType::Bool, &AB, 1.0)),
        OpCase::new("literal_f32", vec![], |g, _| {
            g.literal(DType::F32, &AB, &[1.0, -0.1, 1e-7, 3e38, f64::INFINITY, f64::NAN])
        }),
        OpCase::new("literal_bf16", vec![], |g, _| {
            g.literal(DType::Bf16, &AB, &[1.0, -0.1, 1e-7, 3e38, f64::NEG_INFINITY, 0.0])
        }),
        OpCase::new("literal_f16", vec![], |g, _| {
            g.literal(DType::F16, &AB, &[1.0, -0.1, 1e-5, 65_504.0, f64::INFINITY, 0.0])
        }),
        OpCase::new("literal_i32", vec![], |g, _| {
            g.literal(DType::I32, &AB, &[0.0, 1.0, -1.0, 2_147_483_647.0, 5.0, 6.0])
        }),
        OpCase::new("literal_bool", vec![], |g, _| {
            g.literal(DType::Bool, &AB, &[0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
        }),
        OpCase::new("literal_scalar", vec![], |g, _| g.literal(DType::F32, &[], &[2.5])),
        OpCase::new("iota_i32", vec![], |g, _| g.iota(DType::I32, &ABC, "b")),
        OpCase::new("iota_f32", vec![], |g, _| g.iota(DType::F32, &ABC, "c")),
        OpCase::new("rank_id", vec![], |g, _| g.rank_id()).on(&[("expert", 4)]),
    ]
}

fn moves() -> Vec<OpCase> {
    vec![
        OpCase::new("broadcast_scalar", vec![f32(&[])], |_, x| x[0].broadcast(&AB)),
        OpCase::new("broadcast_middle", vec![f32(&[dim("a", 2), dim("c", 4)])], |_, x| x[0].broadcast(&ABC)),
        OpCase::new("broadcast_reordered", vec![f32(&[dim("c", 4), dim("a", 2)])], |_, x| {
            x[0].broadcast(&ABC)
        }),
        OpCase::new("broadcast_bf16", vec![bf16(&[dim("a", 2)])], |_, x| x[0].broadcast(&ABC)),
        OpCase::new("transpose_f32", vec![f32(&ABC)], |_, x| x[0].transpose(&["c", "a", "b"])),
        OpCase::new("transpose_bool", vec![bools(&AB)], |_, x| x[0].transpose(&["b", "a"])),
        OpCase::new("reshape_f32", vec![f32(&ABC)], |_, x| x[0].reshape(&[dim("d", 6), dim("c", 4)])),
        OpCase::new("split_f32", vec![f32(&ABC)], |_, x| x[0].split("c", &[dim("d", 2), dim("e", 2)])),
        OpCase::new("merge_f32", vec![f32(&ABC)], |_, x| x[0].merge(&["b", "c"], "d")),
        OpCase::new("rename_f32", vec![f32(&AB)], |_, x| x[0].rename(&[("a", "d")]).dot(x[0], &["b"])),
        OpCase::new("concat_f32", vec![f32(&AB), f32(&[dim("a", 2), dim("b", 1)]), f32(&AB)], |_, x| {
            Value::concat(x, "b")
        }),
        OpCase::new("concat_same", vec![f32(&AB)], |_, x| Value::concat(&[x[0], x[0]], "a")),
        OpCase::new("reverse_f32", vec![f32(&ABC)], |_, x| x[0].reverse("b")),
    ]
}

fn windows() -> Vec<OpCase> {
    let at = |start: f64| given(DType::I32, &[start]);
    vec![
        OpCase::new("slice_f32", vec![f32(&ABC)], |_, x| x[0].slice("c", 1, 3)),
        OpCase::new("index_f32", vec![f32(&ABC)], |_, x| x[0].index("b", 2)),
        OpCase::new("pad_f32", vec![f32(&AB)], |_, x| x[0].pad("b", 1, 2)),
        OpCase::new("pad_i32", vec![given(DType::I32, &[4.0, 5.0])], |_, x| x[0].pad("v", 2, 0)),
        OpCase::new("pad_bool", vec![bools(&AB)], |_, x| x[0].pad("a", 0, 1)),
        OpCase::new("dynamic_slice_f32", vec![f32(&ABC), at(1.0)], |_, x| {
            x[0].dynamic_slice("c", x[1].reshape(&[]), 2)
        }),
        OpCase::new("dynamic_slice_clamped", vec![f32(&ABC), at(9.0)], |_, x| {
            x[0].dynamic_slice("b", x[1].reshape(&[]), 2)
        }),
        OpCase::new("dynamic_slice_negative", vec![f32(&[dim("a", 5)]), at(-3.0)], |_, x| {
            x[0].dynamic_slice("a", x[1].reshape(&[]), 2)
        }),
        OpCase::new(
            "dynamic_update_f32",
            vec![f32(&ABC), f32(&[dim("a", 2), dim("b", 1), dim("c", 4)]), at(2.0)],
            |_, x| x[0].dynamic_update("b", x[1], x[2].reshape(&[])),
        ),
        OpCase::new(
            "dynamic_update_clamped",
            vec![f32(&AB), f32(&[dim("a", 2), dim("b", 2)]), at(2.0)],
            |_, x| x[0].dynamic_update("b", x[1], x[2].reshape(&[])),
        ),
    ]
}
