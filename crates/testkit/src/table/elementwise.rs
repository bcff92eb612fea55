//! One number at a time.

use collegium_core::DType;
use collegium_hlo::dim;

use super::{AB, ABC, bf16, bools, f32, given, index};
use crate::case::Build;
use crate::{Fill, Gradient, Input, OpCase};

pub(super) fn cases() -> Vec<OpCase> {
    [unary(), binary(), compare(), other()].concat()
}

fn unary() -> Vec<OpCase> {
    let positive = Fill::Between(0.25, 3.0);
    let any = Fill::Between(-2.0, 2.0);
    let floats: [(&str, &Fill, Build); 15] = [
        ("negate", &any, |_, x| -x[0]),
        ("abs", &any, |_, x| x[0].abs()),
        ("sign", &any, |_, x| x[0].sign()),
        ("exp", &any, |_, x| x[0].exp()),
        ("exp_m1", &any, |_, x| x[0].exp_m1()),
        ("log", &positive, |_, x| x[0].log()),
        ("log1p", &positive, |_, x| x[0].log1p()),
        ("sqrt", &positive, |_, x| x[0].sqrt()),
        ("rsqrt", &positive, |_, x| x[0].rsqrt()),
        ("tanh", &any, |_, x| x[0].tanh()),
        ("logistic", &any, |_, x| x[0].logistic()),
        ("sin", &any, |_, x| x[0].sin()),
        ("cos", &any, |_, x| x[0].cos()),
        ("floor", &any, |_, x| x[0].floor()),
        ("ceil", &any, |_, x| x[0].ceil()),
    ];
    let mut cases: Vec<OpCase> = floats
        .iter()
        .map(|(name, fill, build)| {
            OpCase::new(format!("{name}_f32"), vec![f32(&AB).fill((*fill).clone())], *build)
        })
        .collect();
    let narrow = |name: &str| {
        let (_, fill, build) = floats.iter().find(|f| f.0 == name).expect("a name of the list above");
        OpCase::new(format!("{name}_bf16"), vec![bf16(&AB).fill((*fill).clone())], *build)
    };
    cases.extend(["negate", "exp", "log", "rsqrt", "tanh", "logistic"].map(narrow));
    let ends = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, 1e30];
    let integers = [i32::MIN as f64 + 1.0, -3.0, 0.0, 7.0, f64::from(i32::MAX)];
    cases.extend([
        OpCase::new("is_finite_f32", vec![given(DType::F32, &ends)], |_, x| x[0].is_finite()),
        OpCase::new("is_finite_bf16", vec![given(DType::Bf16, &ends)], |_, x| x[0].is_finite()),
        OpCase::new("not_bool", vec![bools(&AB)], |_, x| x[0].not()),
        OpCase::new("negate_i32", vec![given(DType::I32, &integers)], |_, x| -x[0]),
        OpCase::new("abs_i32", vec![given(DType::I32, &integers)], |_, x| x[0].abs()),
        OpCase::new("sign_i32", vec![given(DType::I32, &integers)], |_, x| x[0].sign()),
        OpCase::new("silu_f32", vec![f32(&AB)], |_, x| x[0].silu()),
    ]);
    cases
}

/// No NaN is compared here: XLA's CPU compiler drops NaN in a maximum, against the letter of StableHLO, so no program may
/// rely on it.
fn binary() -> Vec<OpCase> {
    let ops: [(&str, Build); 9] = [
        ("add", |_, x| x[0] + x[1]),
        ("subtract", |_, x| x[0] - x[1]),
        ("multiply", |_, x| x[0] * x[1]),
        ("divide", |_, x| x[0] / x[1]),
        ("power", |_, x| x[0].pow(x[1])),
        ("maximum", |_, x| x[0].max(x[1])),
        ("minimum", |_, x| x[0].min(x[1])),
        ("remainder", |_, x| x[0].rem(x[1])),
        ("scaled", |_, x| (x[0] * 3.0 - 1.0) / 0.5 + x[1]),
    ];
    let mut cases = Vec::new();
    for (name, build) in ops {
        // Bases of powers and divisors stay away from zero.
        let inputs = |new: fn(&[collegium_hlo::Dim]) -> Input| {
            vec![new(&AB).fill(Fill::Between(0.5, 2.0)), new(&AB).fill(Fill::Between(0.4, 2.1))]
        };
        let gradient = if name == "remainder" { Gradient::None } else { Gradient::Derivative };
        cases.push(OpCase::new(format!("{name}_f32"), inputs(f32), build).gradient(gradient));
        if name != "power" && name != "remainder" {
            cases.push(OpCase::new(format!("{name}_bf16"), inputs(bf16), build).gradient(gradient));
        }
        if name != "scaled" {
            let left = [-7.0, 7.0, -2.0, 3.0, 0.0, 65_537.0];
            let right = [2.0, -2.0, 3.0, 5.0, 4.0, if name == "power" { 2.0 } else { 65_539.0 }];
            cases.push(OpCase::new(
                format!("{name}_i32"),
                vec![given(DType::I32, &left), given(DType::I32, &right)],
                build,
            ));
        }
    }
    let high = [4_294_967_295.0, 3.0, 2_147_483_648.0, 17.0];
    let low = [2.0, 4_294_967_295.0, 3.0, 5.0];
    let unsigned = || vec![given(DType::U32, &high), given(DType::U32, &low)];
    cases.extend([
        OpCase::new("multiply_u32", unsigned(), |_, x| x[0] * x[1]),
        OpCase::new("divide_u32", unsigned(), |_, x| x[0] / x[1]),
        OpCase::new("maximum_u32", unsigned(), |_, x| x[0].max(x[1])),
        OpCase::new(
            "shift_right_u32",
            vec![given(DType::U32, &high), given(DType::U32, &[16.0, 0.0, 31.0, 1.0])],
            |_, x| x[0].shift_right(x[1]),
        ),
        OpCase::new("and_bool", vec![bools(&AB), bools(&AB)], |_, x| x[0].and(x[1])),
        OpCase::new("or_bool", vec![bools(&AB), bools(&AB)], |_, x| x[0].or(x[1])),
        OpCase::new("add_broadcast", vec![f32(&ABC), f32(&[dim("c", 4), dim("a", 2)])], |_, x| x[0] + x[1]),
        OpCase::new("multiply_broadcast_left", vec![f32(&[dim("b", 3)]), f32(&ABC)], |_, x| x[0] * x[1]),
        OpCase::new("multiply_reordered", vec![f32(&AB), f32(&[dim("b", 3), dim("a", 2)])], |_, x| {
            x[0] * x[1]
        }),
        OpCase::new("square_f32", vec![f32(&AB)], |_, x| x[0] * x[0]),
    ]);
    cases
}

fn compare() -> Vec<OpCase> {
    let ops: [(&str, Build); 6] = [
        ("equals", |_, x| x[0].equals(x[1])),
        ("differs", |_, x| x[0].differs(x[1])),
        ("less", |_, x| x[0].less(x[1])),
        ("at_most", |_, x| x[0].at_most(x[1])),
        ("greater", |_, x| x[0].greater(x[1])),
        ("at_least", |_, x| x[0].at_least(x[1])),
    ];
    let floats =
        || vec![given(DType::F32, &[1.0, 2.0, 3.0, f64::NAN]), given(DType::F32, &[2.0, 2.0, 2.0, f64::NAN])];
    let mut cases: Vec<OpCase> =
        ops.iter().map(|(name, build)| OpCase::new(format!("{name}_f32"), floats(), *build)).collect();
    let high = [4_294_967_295.0, 1.0];
    cases.extend([
        OpCase::new(
            "less_i32",
            vec![given(DType::I32, &[-1.0, 5.0]), given(DType::I32, &[1.0, 4.0])],
            |_, x| x[0].less(x[1]),
        ),
        OpCase::new("less_u32", vec![given(DType::U32, &high), given(DType::U32, &[1.0, 2.0])], |_, x| {
            x[0].less(x[1])
        }),
        OpCase::new("less_bf16", vec![bf16(&AB), bf16(&AB)], |_, x| x[0].less(x[1])),
        OpCase::new("equals_bool", vec![bools(&AB), bools(&AB)], |_, x| x[0].equals(x[1])),
    ]);
    cases
}

fn other() -> Vec<OpCase> {
    let edges = [-1.9, 1.9, 1e20, -1e20, 0.0, 2.5];
    vec![
        OpCase::new("select_f32", vec![bools(&AB), f32(&AB), f32(&AB)], |_, x| x[0].select(x[1], x[2])),
        OpCase::new(
            "select_broadcast",
            vec![bools(&[dim("b", 3)]), f32(&AB), f32(&[dim("a", 2)])],
            |_, x| x[0].select(x[1], x[2]),
        ),
        OpCase::new("select_i32", vec![bools(&AB), index(&AB, 9), index(&AB, 9)], |_, x| {
            x[0].select(x[1], x[2])
        }),
        OpCase::new("convert_f32_bf16", vec![f32(&AB)], |_, x| x[0].convert(DType::Bf16)),
        OpCase::new("convert_bf16_f32", vec![bf16(&AB)], |_, x| x[0].convert(DType::F32)),
        OpCase::new("convert_f32_f16", vec![f32(&AB)], |_, x| x[0].convert(DType::F16)),
        OpCase::new("convert_f32_i32", vec![given(DType::F32, &edges)], |_, x| x[0].convert(DType::I32)),
        OpCase::new("convert_i32_f32", vec![index(&AB, 1000)], |_, x| x[0].convert(DType::F32)),
        OpCase::new("convert_u32_f32", vec![given(DType::U32, &[4_294_967_295.0, 1.0])], |_, x| {
            x[0].convert(DType::F32)
        }),
        OpCase::new("convert_u32_i32", vec![given(DType::U32, &[4_294_967_295.0, 1.0])], |_, x| {
            x[0].convert(DType::I32)
        }),
        OpCase::new("convert_bool_f32", vec![bools(&AB)], |_, x| x[0].convert(DType::F32)),
        OpCase::new("convert_bool_i32", vec![bools(&AB)], |_, x| x[0].convert(DType::I32)),
        OpCase::new("convert_f32_bool", vec![given(DType::F32, &[0.0, -0.5, 1.0])], |_, x| {
            x[0].convert(DType::Bool)
        }),
        OpCase::new(
            "bitcast_f32_u32",
            vec![given(DType::F32, &[1.0, -0.0, 1e-40, -3.7e38, f64::INFINITY])],
            |_, x| x[0].bitcast(DType::U32),
        ),
        OpCase::new(
            "bitcast_u32_f32",
            vec![given(DType::U32, &[1_065_353_216.0, 2_147_483_649.0])],
            |_, x| x[0].bitcast(DType::F32),
        ),
        OpCase::new("round_stochastically", vec![f32(&ABC)], |_, x| x[0].round_stochastically())
            .gradient(Gradient::None),
        OpCase::new("stop_gradient_f32", vec![f32(&AB)], |_, x| x[0] * x[0].stop_gradient())
            .gradient(Gradient::Chosen),
        OpCase::new("barrier_f32", vec![f32(&AB)], |_, x| (x[0] * x[0]).barrier() * 2.0),
    ]
}
