//! What a program costs one device, counted without running it.
//!
//! Conventions:
//! - A multiply-add is 2 FLOPs; an element-wise operation is 1 per element of its result (a transcendental one too), a
//!   reduction 1 per element of its input, a scatter 1 per element of its updates; moving elements is none. Combining
//!   inside a collective is not counted.
//! - Memory traffic assumes the fusion that every compiler does: element-wise operations, broadcasts and constants live
//!   in registers, unless a matrix product, a look-up, a collective or the caller reads them. A value that lives in memory
//!   is written once, and read once by each kernel that uses it. Transposes, reshapes and renames are views.
//!   Look-ups and slices read what they return, not their table; an update is in place. A grouped product reads the
//!   weights of every slot once.
//! - Composite operations count as their plain form, whether or not a kernel spares some of it.
//! - A collective sends, per device of a group of r and n bytes: all-reduce 2 (r - 1) / r n; all-gather (r - 1) / r of its
//!   result, reduce-scatter and all-to-all (r - 1) / r of their input; a ring shift n.
//! - Live bytes follow the order of the nodes: inputs live throughout, donated ones until their last reader, and
//!   every other value in memory from its kernel to its last reader. Compilers reorder, so this is an estimate.

mod memory;

use crate::{Name, Node, Op, Program, Shape};
use memory::Memory;

/// Counts of one run on one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point (and integer) operations.
    pub flops: u64,
    /// Those of matrix products, which matrix engines do.
    pub matmul_flops: u64,
    /// Bytes kernels read from memory.
    pub bytes_read: u64,
    /// Bytes kernels write to memory.
    pub bytes_written: u64,
    /// Collectives, by kind and axes, in order of first use.
    pub collectives: Vec<Traffic>,
    /// The most bytes held at once, inputs and outputs included.
    pub peak_live_bytes: u64,
}

/// Collectives of one kind over the same axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Name of the operation, for example `all_to_all`.
    pub kind: &'static str,
    /// Mesh axes that a group spans.
    pub axes: Vec<Name>,
    /// Devices in a group.
    pub group_size: usize,
    /// How many there are.
    pub count: u64,
    /// Bytes that each device sends in all of them.
    pub bytes_per_device: u64,
}

/// What one node that is a kernel of its own costs one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Index into [`Program::nodes`].
    pub node: usize,
    /// Bytes it reads from memory.
    pub bytes_read: u64,
    /// Bytes it writes to memory.
    pub bytes_written: u64,
}

impl Program {
    /// The nodes that read and write memory; all others are views, or computed in registers where they are used.
    pub fn kernels(&self) -> Vec<Kernel> {
        let memory = Memory::of(self);
        let is_kernel = |&i: &usize| memory.holds[i] && !matches!(self.nodes[i].op, Op::Parameter { .. });
        let kernel = |node| {
            let (bytes_read, bytes_written) = memory.traffic(self, node);
            Kernel { node, bytes_read, bytes_written }
        };
        (0..self.nodes.len()).filter(is_kernel).map(kernel).collect()
    }

    /// What one run costs one device.
    pub fn cost(&self) -> Cost {
        let plain = &*self.plain();
        let peak_live_bytes = Memory::of(plain).peak_live_bytes(plain);
        let mut cost = Cost { peak_live_bytes, ..Cost::default() };
        for node in &plain.nodes {
            let inputs: Vec<&Shape> = node.inputs.iter().map(|&n| plain.shape(n)).collect();
            let (matmul, other) = flops(&node.op, &inputs, &node.shape);
            cost.matmul_flops += matmul;
            cost.flops += matmul + other;
        }
        for kernel in plain.kernels() {
            cost.bytes_read += kernel.bytes_read;
            cost.bytes_written += kernel.bytes_written;
        }
        plain.collectives().iter().for_each(|traffic| cost.add_traffic(traffic, 1));
        cost
    }

    /// Every collective of the program, in order.
    pub fn collectives(&self) -> Vec<Traffic> {
        self.nodes.iter().filter_map(|node| self.traffic(node)).collect()
    }

    /// What a node sends, if it is a collective.
    pub fn traffic(&self, node: &Node) -> Option<Traffic> {
        let axes = node.op.axes()?;
        let group_size: usize = axes.iter().filter_map(|a| self.mesh.size(a)).product();
        let (r, given, made) =
            (group_size as u64, self.shape(node.inputs[0]).num_bytes() as u64, node.shape.num_bytes() as u64);
        let bytes_per_device = match node.op {
            Op::AllReduce { .. } => 2 * given * (r - 1) / r,
            Op::AllGather { .. } => made * (r - 1) / r,
            Op::RingShift { .. } => given,
            _ => given * (r - 1) / r,
        };
        Some(Traffic { kind: node.op.name(), axes: axes.to_vec(), group_size, count: 1, bytes_per_device })
    }
}

impl Cost {
    /// Adds the cost of `times` runs of another program, one after another.
    pub fn add(&mut self, other: &Self, times: u64) {
        self.flops += other.flops * times;
        self.matmul_flops += other.matmul_flops * times;
        self.bytes_read += other.bytes_read * times;
        self.bytes_written += other.bytes_written * times;
        self.peak_live_bytes = self.peak_live_bytes.max(other.peak_live_bytes);
        other.collectives.iter().for_each(|t| self.add_traffic(t, times));
    }

    fn add_traffic(&mut self, traffic: &Traffic, times: u64) {
        let same = |t: &&mut Traffic| {
            t.kind == traffic.kind && t.axes == traffic.axes && t.group_size == traffic.group_size
        };
        match self.collectives.iter_mut().find(same) {
            Some(sum) => {
                sum.count += traffic.count * times;
                sum.bytes_per_device += traffic.bytes_per_device * times;
            }
            None => {
                let (count, bytes_per_device) = (traffic.count * times, traffic.bytes_per_device * times);
                self.collectives.push(Traffic { count, bytes_per_device, ..traffic.clone() });
            }
        }
    }
}

/// FLOPs on the matrix engine, and others.
fn flops(op: &Op, x: &[&Shape], y: &Shape) -> (u64, u64) {
    let elements = y.num_elements() as u64;
    let size =
        |shape: &Shape, names: &[Name]| names.iter().filter_map(|n| shape.size(n)).product::<usize>() as u64;
    match op {
        Op::Dot { contract } => (2 * elements * size(x[0], contract), 0),
        Op::GroupedDot { contract } => (2 * elements * size(x[0], &[contract]), 0),
        Op::GroupedOuter => (2 * (x[0].num_elements() * x[1].dims[1].size) as u64, 0),
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Convert | Op::Bitcast => {
            (0, elements)
        }
        Op::Reduce { .. } => (0, x[0].num_elements() as u64),
        Op::ScatterAdd { .. } => (0, x[1].num_elements() as u64),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests;
