//! Rules on element types.

use collegium_core::DType;

use super::rule::{Found, each};
use super::{Severity, Target};
use crate::{Binary, Node, NodeId, Op, Program, Reduction};

pub(super) fn f64(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        (node.shape.dtype == DType::F64).then(|| format!("`{}` computes in f64; use f32", node.op.name()))
    })
}

pub(super) fn integer_remainder(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        (node.op == Op::Binary(Binary::Rem) && !node.shape.dtype.is_float())
            .then(|| "remainder of integers; divide, multiply back and subtract".into())
    })
}

pub(super) fn integer_quotient(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        let divides = node.op == Op::Binary(Binary::Div) && !node.shape.dtype.is_float();
        (divides && !is_power_of_two(program, node.inputs[1])).then(|| {
            "quotient of integers; use floor((x + 0.5) / n) in f32, which is exact below 2^22".into()
        })
    })
}

/// Whether a value is a power of two everywhere, seen through broadcasts.
fn is_power_of_two(program: &Program, id: NodeId) -> bool {
    let node = &program.nodes[id.index()];
    match &node.op {
        Op::Constant(value) => value.get() >= 1.0 && value.get().log2().fract() == 0.0,
        Op::Broadcast => is_power_of_two(program, node.inputs[0]),
        _ => false,
    }
}

pub(super) fn integer_power(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        (node.op == Op::Binary(Binary::Pow) && node.shape.dtype == DType::I64)
            .then(|| "power of 64-bit integers; convert to f32".into())
    })
}

pub(super) fn integer_product(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        let product = matches!(node.op, Op::Dot { .. } | Op::GroupedDot { .. } | Op::GroupedOuter);
        let given = node.inputs.first().map(|&i| program.shape(i).dtype);
        (product && given.is_some_and(|d| !d.is_float()))
            .then(|| format!("`{}` of integers; convert to f32, which is exact below 2^24", node.op.name()))
    })
}

pub(super) fn integer_reduction(program: &Program, _: Target) -> Found {
    let by = |op: &Op| match op {
        Op::Reduce { reduction, .. } => Some(*reduction),
        _ => None,
    };
    let words = |node: &Node, reduction: Reduction| {
        format!(
            "{} over integers ({}); convert to f32, which is exact below 2^24",
            reduction.combiner(),
            node.shape
        )
    };
    each(program, Severity::Error, |node| {
        by(&node.op).filter(|_| !node.shape.dtype.is_float()).map(|reduction| words(node, reduction))
    })
}

pub(super) fn integer_scatter(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        (matches!(node.op, Op::ScatterAdd { .. }) && !node.shape.dtype.is_float())
            .then(|| "scatter of integers; convert to f32, which is exact below 2^24".into())
    })
}

/// Counting in a type that cannot hold the count.
pub(super) fn inexact_iota(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        let Op::Iota { dim } = node.op else { return None };
        let largest = match node.shape.dtype {
            DType::F32 => 1 << 24,
            DType::F16 => 1 << 11,
            DType::Bf16 => 1 << 8,
            _ => return None,
        };
        let size = node.shape.size(dim)?;
        (size > largest + 1).then(|| {
            format!(
                "iota up to {} in {}, which is exact up to {largest}; count in i32 or f32",
                size - 1,
                node.shape.dtype
            )
        })
    })
}

pub(super) fn narrow_product(program: &Program, _: Target) -> Found {
    each(program, Severity::Warning, |node| {
        (matches!(node.op, Op::Dot { .. }) && node.shape.dtype == DType::Bf16)
            .then(|| "product with a bf16 result; ask for f32 (`dot_as`) and convert".into())
    })
}
