//! Rules on the exchange between devices.

use std::collections::HashSet;

use super::rule::{Found, each};
use super::{Generation, Severity, Target};
use crate::{Op, Program};

const COMMUNICATORS: usize = 16;

pub(super) fn integer(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        let reduces = matches!(node.op, Op::AllReduce { .. } | Op::ReduceScatter { .. });
        (reduces && !node.shape.dtype.is_float())
            .then(|| format!("`{}` of integers; convert to f32, which is exact below 2^24", node.op.name()))
    })
}

pub(super) fn all_to_all_type(program: &Program, _: Target) -> Found {
    each(program, Severity::Error, |node| {
        (matches!(node.op, Op::AllToAll { .. }) && !node.shape.dtype.is_float())
            .then(|| format!("all_to_all of {}; send floats", node.shape))
    })
}

pub(super) fn all_to_all_dim(program: &Program, _: Target) -> Found {
    each(program, Severity::Warning, |node| match &node.op {
        Op::AllToAll { dim, .. } if node.shape.position(dim) != Some(0) => {
            Some(format!("all_to_all along `{dim}` of {}; transpose it to the front first", node.shape))
        }
        _ => None,
    })
}

pub(super) fn communicators(program: &Program, _: Target) -> Found {
    let axes = program.nodes.iter().filter_map(|n| n.op.axes());
    let groups: HashSet<Vec<Vec<usize>>> = axes.map(|a| program.mesh.groups(a)).collect();
    let complaint = format!(
        "{} different sets of replica groups, at most {COMMUNICATORS} are allowed; cut the program",
        groups.len()
    );
    if groups.len() > COMMUNICATORS { vec![(Severity::Error, None, complaint)] } else { Vec::new() }
}

pub(super) fn group_size(program: &Program, target: Target) -> Found {
    let devices = program.mesh.num_devices();
    if target == Target::Neuron(Generation::Trn1) {
        let allowed = matches!(devices, 1 | 2 | 8 | 16) || devices.is_multiple_of(32);
        let complaint =
            format!("a mesh of {devices} devices; trn1 connects 1, 2, 8, 16, 32 or a multiple of 32");
        return if allowed { Vec::new() } else { vec![(Severity::Error, None, complaint)] };
    }
    each(program, Severity::Warning, |node| {
        let groups = program.mesh.groups(node.op.axes()?);
        let group = &groups[0];
        let consecutive = group.windows(2).all(|w| w[1] == w[0] + 1);
        (consecutive && matches!(group.len(), 8 | 32)).then(|| {
            format!(
                "`{}` over {} consecutive cores, which no link pattern fits; use groups of 4, 16 or 64",
                node.op.name(),
                group.len()
            )
        })
    })
}

pub(super) fn ring(program: &Program, _: Target) -> Found {
    each(program, Severity::Warning, |node| match node.op {
        Op::RingShift { axis, by } if by != 1 && Some(by + 1) != program.mesh.size(axis) => {
            Some(format!("ring shift by {by}: only neighbours are linked; shift by one several times"))
        }
        _ => None,
    })
}
