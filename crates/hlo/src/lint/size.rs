//! Rules on how large a program may be.

use collegium_core::DType;

use super::rule::Found;
use super::{Severity, Target};
use crate::{Node, Op, Program};

const WARN_INSTRUCTIONS: u64 = 3_000_000;
const MOST_INSTRUCTIONS: u64 = 5_000_000;

pub(super) fn instructions(program: &Program, _: Target) -> Found {
    let count: u64 = program.nodes.iter().map(|n| tiles(program, n)).sum();
    let complaint = || {
        format!(
            "about {} thousand instructions, {} million are the limit; cut the program",
            count / 1000,
            MOST_INSTRUCTIONS / 1_000_000
        )
    };
    match count {
        0..WARN_INSTRUCTIONS => Vec::new(),
        WARN_INSTRUCTIONS..=MOST_INSTRUCTIONS => vec![(Severity::Warning, None, complaint())],
        _ => vec![(Severity::Error, None, complaint())],
    }
}

/// Tiles of an operation, one instruction each: products by 128 (stationary) times 128 (contracted) times 512 (moving)
/// elements, everything else by 128 partitions of 2 KiB. Loops count as if unrolled, as the compiler does.
fn tiles(program: &Program, node: &Node) -> u64 {
    let x = |i: usize| program.shape(node.inputs[i]);
    let blocks = |bytes: usize| bytes.div_ceil(128 * 2048) as u64;
    let product = |batch: usize, rows: usize, inner: usize, columns: usize| {
        (batch * rows.div_ceil(128) * inner.div_ceil(128) * columns.div_ceil(512)) as u64
    };
    match &node.op {
        Op::Dot { contract } => {
            let inner: usize = contract.iter().filter_map(|d| x(0).size(d)).product();
            let batch: usize =
                x(0).dims_without(contract).iter().filter(|d| x(1).has(d.name)).map(|d| d.size).product();
            let (rows, columns) =
                (x(0).num_elements() / (inner * batch).max(1), x(1).num_elements() / (inner * batch).max(1));
            product(batch, rows, inner, columns)
        }
        Op::GroupedDot { .. } => {
            let blocks = x(2).num_elements();
            product(blocks, x(0).dims[0].size / blocks.max(1), x(0).dims[1].size, node.shape.dims[1].size)
        }
        Op::GroupedOuter => {
            let blocks = x(2).num_elements();
            product(blocks, x(0).dims[1].size, x(0).dims[0].size / blocks.max(1), x(1).dims[1].size)
        }
        Op::Take { dim, .. } => {
            x(1).num_elements().div_ceil(128) as u64
                * blocks(x(0).num_bytes() / x(0).size(dim).unwrap_or(1).max(1))
        }
        Op::Parameter { .. }
        | Op::Constant(_)
        | Op::Reshape
        | Op::Rename
        | Op::StopGradient
        | Op::Barrier => 0,
        Op::Reduce { .. } => blocks(x(0).num_bytes()),
        _ if node.shape.dtype == DType::Bool => blocks(4 * node.shape.num_elements()),
        _ => blocks(node.shape.num_bytes()),
    }
}

pub(super) fn memory(program: &Program, target: Target) -> Found {
    let Some(limit) = target.memory_bytes() else { return Vec::new() };
    let needed = program.cost().peak_live_bytes;
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let complaint = || {
        format!(
            "about {:.1} GiB live at once, a device has {:.0}; use a smaller batch, more ranks or keep fewer residuals",
            gib(needed),
            gib(limit)
        )
    };
    if needed > limit { vec![(Severity::Error, None, complaint())] } else { Vec::new() }
}
