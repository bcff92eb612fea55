//! Which values of a program live in memory, who reads them, and until when.

use std::collections::BTreeSet;

use crate::{NodeId, Op, Program};

/// How an operation uses memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Another way to read the same bytes.
    View,
    /// Computed in registers where it is used.
    Fused,
    /// Writes its result, and may compute its inputs on the way.
    FusesInputs,
    /// Writes its result, and reads its inputs from memory.
    Kernel,
}

fn class(op: &Op) -> Class {
    match op {
        Op::Reshape | Op::Rename | Op::Transpose | Op::StopGradient | Op::Barrier => Class::View,
        Op::Constant(_) | Op::Literal(_) | Op::Iota { .. } | Op::RankId => Class::Fused,
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Convert | Op::Bitcast => {
            Class::Fused
        }
        Op::Broadcast | Op::Pad { .. } | Op::Concat { .. } | Op::Reverse { .. } => Class::Fused,
        Op::Reduce { .. } => Class::FusesInputs,
        _ => Class::Kernel,
    }
}

/// Which values live in memory, and who reads them.
pub(super) struct Memory {
    /// For every node, the node whose bytes it reads: itself unless it is a view.
    base: Vec<usize>,
    /// Whether the node has bytes of its own.
    pub(super) holds: Vec<bool>,
}

impl Memory {
    pub(super) fn of(program: &Program) -> Self {
        let mut base: Vec<usize> = Vec::with_capacity(program.nodes.len());
        for (index, node) in program.nodes.iter().enumerate() {
            base.push(if class(&node.op) == Class::View { base[node.inputs[0].index()] } else { index });
        }
        let mut holds = vec![false; program.nodes.len()];
        for (index, node) in program.nodes.iter().enumerate() {
            let class = class(&node.op);
            holds[index] |= class == Class::Kernel || class == Class::FusesInputs;
            if class == Class::Kernel {
                node.inputs.iter().for_each(|n| holds[base[n.index()]] = true);
            }
        }
        program.outputs.iter().for_each(|o| holds[base[o.1.index()]] = true);
        Self { base, holds }
    }

    /// The values in memory that the kernel of node `index` reads.
    fn reads(&self, program: &Program, index: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<NodeId> = program.nodes[index].inputs.clone();
        while let Some(id) = open.pop() {
            let at = self.base[id.index()];
            if !seen.insert(at) {
                continue;
            }
            if self.holds[at] {
                found.insert(at);
            } else {
                open.extend(&program.nodes[at].inputs);
            }
        }
        found
    }

    /// Bytes that the kernel of node `index` reads and writes.
    pub(super) fn traffic(&self, program: &Program, index: usize) -> (u64, u64) {
        let node = &program.nodes[index];
        let bytes = |id: NodeId| program.shape(id).num_bytes() as u64;
        let written = node.shape.num_bytes() as u64;
        match &node.op {
            Op::Slice { .. } | Op::DynamicSlice { .. } => (written, written),
            Op::Take { .. } => (written + bytes(node.inputs[1]), written),
            Op::DynamicUpdate { .. } => (bytes(node.inputs[1]), bytes(node.inputs[1])),
            _ => (
                self.reads(program, index)
                    .into_iter()
                    .map(|i| program.nodes[i].shape.num_bytes() as u64)
                    .sum(),
                written,
            ),
        }
    }

    pub(super) fn peak_live_bytes(&self, program: &Program) -> u64 {
        let end = program.nodes.len();
        let mut last: Vec<usize> = (0..end).collect();
        for index in (0..end).filter(|&i| self.holds[i]) {
            self.reads(program, index).into_iter().for_each(|i| last[i] = index);
        }
        program.outputs.iter().for_each(|o| last[self.base[o.1.index()]] = end);
        let parameter = |i: &usize| matches!(program.nodes[*i].op, Op::Parameter { .. });
        for (position, index) in (0..end).filter(parameter).enumerate() {
            if !program.donations.iter().any(|d| d.0 == position) {
                last[index] = end;
            }
        }
        let bytes = |i: usize| program.nodes[i].shape.num_bytes() as u64;
        let mut live: u64 = (0..end).filter(parameter).map(bytes).sum();
        let mut peak = live;
        let mut ends: Vec<Vec<usize>> = vec![Vec::new(); end + 1];
        (0..end).filter(|i| self.holds[*i] || parameter(i)).for_each(|i| ends[last[i]].push(i));
        for (index, ending) in ends.iter().enumerate().take(end) {
            if self.holds[index] && !parameter(&index) {
                live += bytes(index);
                peak = peak.max(live);
            }
            live -= ending.iter().map(|&i| bytes(i)).sum::<u64>();
        }
        peak
    }
}
