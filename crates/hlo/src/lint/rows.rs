//! Rules on look-ups.

use super::rule::{Found, each};
use super::{Severity, Target};
use crate::{Node, NodeId, Op, Program};

/// Below this a descriptor moves less than it costs.
const SMALL_BYTES: usize = 512;
/// No row of tokens or of a vocabulary is as large as this; a matrix of an expert is.
const WEIGHT_BYTES: usize = 64 << 10;

/// Bytes of one slice of a look-up.
fn slice_bytes(program: &Program, node: &Node) -> Option<usize> {
    let Op::Take { dim, .. } = node.op else { return None };
    let table = program.shape(node.inputs[0]);
    Some(table.num_bytes() / table.size(dim)?.max(1))
}

pub(super) fn small_gather(program: &Program, _: Target) -> Found {
    each(program, Severity::Warning, |node| {
        let bytes = slice_bytes(program, node).filter(|&b| b < SMALL_BYTES)?;
        Some(format!(
            "take of slices of {bytes} bytes; use a one-hot product, or widen the rows to {SMALL_BYTES} bytes"
        ))
    })
}

pub(super) fn weight_gather(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        let bytes = slice_bytes(program, node).filter(|&b| b >= WEIGHT_BYTES)?;
        Some(format!(
            "take of slices of {bytes} bytes, as large as weights; select them by a one-hot product over the slots"
        ))
    })
}

/// An index that counts further than its table is long.
pub(super) fn index_range(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        let (index, size) = match &node.op {
            Op::Take { dim, .. } => (node.inputs[1], program.shape(node.inputs[0]).size(dim)?),
            Op::ScatterAdd { dim } => (node.inputs[0], node.shape.size(dim)?),
            _ => return None,
        };
        let largest = largest_known(program, index)?;
        (largest >= size as f64).then(|| {
            format!(
                "`{}` with index {largest} into {size} places; clamp the index and mask the values",
                node.op.name()
            )
        })
    })
}

/// The largest element of a value that is known now, seen through views.
fn largest_known(program: &Program, id: NodeId) -> Option<f64> {
    let node = &program.nodes[id.index()];
    match &node.op {
        Op::Iota { dim } => Some(node.shape.size(dim)? as f64 - 1.0),
        Op::Constant(value) => Some(value.get()),
        Op::Literal(values) => values.iter().map(|v| v.get()).reduce(f64::max),
        Op::Reshape | Op::Rename | Op::Transpose | Op::Broadcast | Op::Barrier | Op::StopGradient => {
            largest_known(program, node.inputs[0])
        }
        _ => None,
    }
}
