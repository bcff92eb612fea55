//! A program as StableHLO text (the pretty form where it has one, the generic form otherwise).

mod call;
mod chain;
mod collective;
mod grouped;
mod literal;

pub use call::{
    ADAMW, ATTENTION, ATTENTION_GRADIENT, CROSS_ENTROPY, EXPERT_ROWS, EXPERT_ROWS_GRADIENT, GATHERED_SUM,
    GROUPED_DOT, GROUPED_DOT_SUM, GROUPED_OUTER, SLOT_SHARDS, SLOT_SUMS, SUM_OF_SQUARES, SWIGLU_GRADIENT,
};
pub use chain::CHAIN;

use std::collections::HashMap;
use std::fmt::Write;

use chain::OpenChain;
use collegium_core::DType;

use crate::{Composite, Dim, Mesh, Name, Node, NodeId, Op, Program, Shape};

/// How a program is written for a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// Whether grouped products and composite operations become custom calls to this process's CPU kernels. Everywhere
    /// else, and as the reference, they are plain StableHLO: loops over blocks, and [`Program::plain`].
    pub cpu_kernels: bool,
}

impl Program {
    /// The program in portable StableHLO: no custom calls.
    pub fn to_stablehlo(&self) -> String {
        self.to_stablehlo_for(Dialect::default())
    }

    /// The program as one device wants it.
    pub fn to_stablehlo_for(&self, dialect: Dialect) -> String {
        let kernels = |inputs: &[&Shape]| dialect.cpu_kernels && Composite::has_cpu_kernel(inputs);
        Writer::new(&self.expanded(kernels), dialect).write()
    }
}

/// `tensor<4x8xf32>`
fn tensor(shape: &Shape) -> String {
    let sizes: String = shape.dims.iter().map(|d| format!("{}x", d.size)).collect();
    format!("tensor<{sizes}{}>", shape.dtype)
}

/// The text under construction.
struct Writer<'p> {
    program: &'p Program,
    dialect: Dialect,
    /// What each node is called in the text.
    refs: Vec<String>,
    /// The calls written so far, by composite and inputs: its results are nodes of their own.
    /// What a call is named, and the number of the first of the composite's results among those of the call, which a chain has several of.
    calls: HashMap<(Composite, Vec<NodeId>), (String, usize)>,
    /// The chain that is open.
    chain: Option<OpenChain>,
    out: String,
    fresh: usize,
}

impl<'p> Writer<'p> {
    fn new(program: &'p Program, dialect: Dialect) -> Self {
        Self {
            program,
            dialect,
            refs: Vec::with_capacity(program.nodes.len()),
            calls: HashMap::new(),
            chain: None,
            out: String::new(),
            fresh: 0,
        }
    }

    fn write(mut self) -> String {
        self.header();
        let written = self.written();
        for (node, is_written) in self.program.nodes.iter().zip(written) {
            let text = if is_written { self.node(node) } else { String::new() };
            self.refs.push(text);
        }
        self.close();
        let outputs: Vec<NodeId> = self.program.outputs.iter().map(|o| o.1).collect();
        let refs: Vec<&str> = outputs.iter().map(|&o| self.of(o)).collect();
        let types: Vec<String> = outputs.iter().map(|&o| tensor(self.program.shape(o))).collect();
        let line = format!("    return {} : {}\n  }}\n}}\n", refs.join(", "), types.join(", "));
        self.out.push_str(&line);
        self.out
    }

    fn header(&mut self) {
        let program = self.program;
        let arguments: Vec<String> = program
            .inputs()
            .enumerate()
            .map(|(i, (_, shape))| {
                let donated = program.donations.iter().find(|d| d.0 == i);
                let alias =
                    donated.map_or(String::new(), |d| format!(" {{tf.aliasing_output = {} : i32}}", d.1));
                format!("%arg{i}: {}{alias}", tensor(shape))
            })
            .collect();
        let results: Vec<String> = program.outputs().map(|(_, s)| tensor(s)).collect();
        let name: String =
            program.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let replicas = program.mesh.num_devices();
        let _ = writeln!(
            self.out,
            "module @{name} attributes {{mhlo.num_replicas = {replicas} : i32, mhlo.num_partitions = 1 : i32}} {{\n  \
             func.func public @main({}) -> ({}) {{",
            arguments.join(", "),
            results.join(", ")
        );
    }

    fn of(&self, id: NodeId) -> &str {
        &self.refs[id.index()]
    }

    fn mesh(&self) -> &Mesh {
        &self.program.mesh
    }

    /// A name that no value has yet.
    fn name(&mut self) -> String {
        self.fresh += 1;
        format!("%{}", self.fresh - 1)
    }

    /// Writes `name = body` and returns the name.
    fn line(&mut self, body: &str) -> String {
        let name = self.name();
        let _ = writeln!(self.out, "    {name} = {body}");
        name
    }

    /// Writes a node; returns what it is called.
    fn node(&mut self, node: &Node) -> String {
        if let Some(result) = self.joined(node) {
            return result;
        }
        self.close_before(node);
        let x: Vec<String> = node.inputs.iter().map(|&i| self.of(i).to_string()).collect();
        let shapes: Vec<Shape> = node.inputs.iter().map(|&i| self.program.shape(i).clone()).collect();
        let y = &node.shape;
        let ty = tensor(y);
        let types: Vec<String> = shapes.iter().map(tensor).collect();
        let positions =
            |s: &Shape, names: &[Name]| names.iter().filter_map(|n| s.position(n)).collect::<Vec<_>>();
        match &node.op {
            Op::Parameter { .. } => {
                let index = self.program.nodes[..self.refs.len()]
                    .iter()
                    .filter(|n| matches!(n.op, Op::Parameter { .. }))
                    .count();
                format!("%arg{index}")
            }
            Op::Constant(value) => self
                .line(&format!("stablehlo.constant dense<{}> : {ty}", literal::number(y.dtype, value.get()))),
            Op::Literal(values) => {
                self.line(&format!("stablehlo.constant dense<{}> : {ty}", literal::nested(y, values)))
            }
            Op::Iota { dim } => {
                self.line(&format!("stablehlo.iota dim = {} : {ty}", list(&positions(y, &[dim]))))
            }
            Op::RankId => {
                let id = self.line("stablehlo.replica_id : tensor<ui32>");
                self.line(&format!("stablehlo.convert {id} : (tensor<ui32>) -> tensor<i32>"))
            }
            Op::Unary(crate::Unary::IsFinite) => {
                self.line(&format!("stablehlo.is_finite {} : ({}) -> {ty}", x[0], types[0]))
            }
            Op::Unary(op) => self.line(&format!("stablehlo.{} {} : {ty}", op.name(), x[0])),
            Op::Binary(op) => self.line(&format!("stablehlo.{} {}, {} : {ty}", op.name(), x[0], x[1])),
            Op::Compare(op) => {
                let kind = if shapes[0].dtype.is_float() {
                    "FLOAT"
                } else if matches!(shapes[0].dtype, DType::Bool | DType::U8 | DType::U32) {
                    "UNSIGNED"
                } else {
                    "SIGNED"
                };
                self.line(&format!(
                    "stablehlo.compare {}, {}, {}, {kind} : ({}, {}) -> {ty}",
                    op.name(),
                    x[0],
                    x[1],
                    types[0],
                    types[1]
                ))
            }
            Op::Select => {
                self.line(&format!("stablehlo.select {}, {}, {} : {}, {ty}", x[0], x[1], x[2], types[0]))
            }
            Op::Convert | Op::Bitcast | Op::Reshape => {
                let name = node.op.name();
                if types[0] == ty {
                    x[0].clone()
                } else {
                    self.line(&format!("stablehlo.{name} {} : ({}) -> {ty}", x[0], types[0]))
                }
            }
            Op::Rename | Op::StopGradient => x[0].clone(),
            Op::Barrier => self.line(&format!("stablehlo.optimization_barrier {} : {ty}", x[0])),
            Op::Broadcast => {
                let names: Vec<Name> = shapes[0].dims.iter().map(|d| d.name).collect();
                let dims = bracketed(&positions(y, &names));
                self.line(&format!(
                    "stablehlo.broadcast_in_dim {}, dims = {dims} : ({}) -> {ty}",
                    x[0], types[0]
                ))
            }
            Op::Transpose => {
                let order: Vec<Name> = y.dims.iter().map(|d| d.name).collect();
                let dims = bracketed(&positions(&shapes[0], &order));
                self.line(&format!("stablehlo.transpose {}, dims = {dims} : ({}) -> {ty}", x[0], types[0]))
            }
            Op::Slice { dim, start } => {
                let range = |d: &Dim| {
                    let from = if d.name == *dim { *start } else { 0 };
                    format!("{from}:{}", from + d.size)
                };
                let ranges: Vec<String> = y.dims.iter().map(range).collect();
                self.line(&format!(
                    "stablehlo.slice {} [{}] : ({}) -> {ty}",
                    x[0],
                    ranges.join(", "),
                    types[0]
                ))
            }
            Op::Pad { dim, low } => self.pad(&x[0], &shapes[0], y, dim, *low),
            Op::Concat { dim } => {
                let at = list(&positions(y, &[dim]));
                self.line(&format!(
                    "stablehlo.concatenate {}, dim = {at} : ({}) -> {ty}",
                    x.join(", "),
                    types.join(", ")
                ))
            }
            Op::Reverse { dim } => self.line(&format!(
                "stablehlo.reverse {}, dims = {} : {ty}",
                x[0],
                bracketed(&positions(y, &[dim]))
            )),
            Op::DynamicSlice { dim } => self.dynamic_slice(&x[0], &shapes[0], &x[1], dim, y),
            Op::DynamicUpdate { dim } => self.dynamic_update(&x[0], y, &x[1], &shapes[1], &x[2], dim),
            Op::Reduce { reduction, dims } => {
                let init = self.line(&format!(
                    "stablehlo.constant dense<{}> : tensor<{}>",
                    literal::identity(y.dtype, *reduction),
                    y.dtype
                ));
                let across = bracketed(&positions(&shapes[0], dims));
                self.line(&format!(
                    "stablehlo.reduce({} init: {init}) applies stablehlo.{} across dimensions = {across} : ({}, tensor<{}>) -> {ty}",
                    x[0],
                    reduction.combiner(),
                    types[0],
                    y.dtype
                ))
            }
            Op::Dot { contract } => {
                let kernels = self.dialect.cpu_kernels;
                if kernels && shapes[0].dtype == DType::Bf16 {
                    self.narrow_dot(&x, &shapes, contract, y)
                } else if let Some(call) =
                    kernels.then(|| self.few_rows_dot(&x, &shapes, contract, y)).flatten()
                {
                    call
                } else {
                    self.dot(&x, &shapes, contract, y)
                }
            }
            Op::Take { dim, .. } => self.take(&x, &shapes, dim, y),
            Op::ScatterAdd { .. } => self.scatter_add(&x, &shapes, y),
            Op::GroupedDot { contract } if self.dialect.cpu_kernels => {
                self.grouped_dot_call(&x, &shapes, contract, y)
            }
            Op::GroupedOuter if self.dialect.cpu_kernels => self.grouped_outer_call(&x, &shapes, y),
            Op::Composite { what, result } => self.composite_call(node, *what, *result, &x, &shapes),
            Op::GroupedDot { contract } => self.grouped_dot_loop(&x, &shapes, contract, y),
            Op::GroupedOuter => self.grouped_outer_loop(&x, &shapes, y),
            Op::AllReduce { .. }
            | Op::AllGather { .. }
            | Op::ReduceScatter { .. }
            | Op::AllToAll { .. }
            | Op::RingShift { .. } => self.collective(&node.op, &x[0], &shapes[0], y),
        }
    }

    fn dot(&mut self, x: &[String], shapes: &[Shape], contract: &[Name], y: &Shape) -> String {
        let batch: Vec<Name> = shapes[0]
            .dims
            .iter()
            .map(|d| d.name)
            .filter(|n| shapes[1].has(n) && !contract.contains(n))
            .collect();
        let positions = |s: &Shape, names: &[Name]| {
            bracketed(&names.iter().filter_map(|n| s.position(n)).collect::<Vec<_>>())
        };
        let pair =
            |names: &[Name]| format!("{} x {}", positions(&shapes[0], names), positions(&shapes[1], names));
        let batching =
            if batch.is_empty() { String::new() } else { format!("batching_dims = {}, ", pair(&batch)) };
        self.line(&format!(
            "stablehlo.dot_general {}, {}, {batching}contracting_dims = {}{} : ({}, {}) -> {}",
            x[0],
            x[1],
            pair(contract),
            precision(&shapes[0]),
            tensor(&shapes[0]),
            tensor(&shapes[1]),
            tensor(y)
        ))
    }

    fn pad(&mut self, x: &str, from: &Shape, to: &Shape, name: Name, low: usize) -> String {
        let zero = self.line(&format!(
            "stablehlo.constant dense<{}> : tensor<{}>",
            literal::number(to.dtype, 0.0),
            to.dtype
        ));
        let at = |inside: &dyn Fn(&Dim) -> usize| {
            bracketed(&to.dims.iter().map(|d| if d.name == name { inside(d) } else { 0 }).collect::<Vec<_>>())
        };
        let size = from.size(name).unwrap_or(0);
        let (lows, highs, none) = (at(&|_| low), at(&|d| d.size - low - size), at(&|_| 0));
        self.line(&format!(
            "stablehlo.pad {x}, {zero}, low = {lows}, high = {highs}, interior = {none} : ({}, tensor<{}>) -> {}",
            tensor(from),
            to.dtype,
            tensor(to)
        ))
    }

    /// Start indices with `start` at `name` and zero elsewhere.
    fn starts(&mut self, shape: &Shape, name: Name, start: &str) -> (String, String) {
        let zero = if shape.dims.len() > 1 {
            self.line("stablehlo.constant dense<0> : tensor<i32>")
        } else {
            String::new()
        };
        let refs: Vec<&str> =
            shape.dims.iter().map(|d| if d.name == name { start } else { zero.as_str() }).collect();
        (refs.join(", "), vec!["tensor<i32>"; shape.dims.len()].join(", "))
    }

    fn dynamic_slice(&mut self, x: &str, from: &Shape, start: &str, name: Name, to: &Shape) -> String {
        let (starts, types) = self.starts(from, name, start);
        let sizes = bracketed(&to.sizes());
        self.line(&format!(
            "stablehlo.dynamic_slice {x}, {starts}, sizes = {sizes} : ({}, {types}) -> {}",
            tensor(from),
            tensor(to)
        ))
    }

    fn dynamic_update(
        &mut self,
        x: &str,
        shape: &Shape,
        new: &str,
        new_shape: &Shape,
        start: &str,
        name: Name,
    ) -> String {
        let (starts, types) = self.starts(shape, name, start);
        self.line(&format!(
            "stablehlo.dynamic_update_slice {x}, {new}, {starts} : ({}, {}, {types}) -> {}",
            tensor(shape),
            tensor(new_shape),
            tensor(shape)
        ))
    }

    fn take(&mut self, x: &[String], shapes: &[Shape], name: Name, y: &Shape) -> String {
        let (table, index) = (&shapes[0], &shapes[1]);
        let at = table.position(name).unwrap_or(0);
        let rank = index.dims.len();
        let offsets: Vec<usize> = (rank..y.dims.len()).collect();
        let sizes: Vec<usize> = table.dims.iter().map(|d| if d.name == name { 1 } else { d.size }).collect();
        self.line(&format!(
            "\"stablehlo.gather\"({}, {}) <{{dimension_numbers = #stablehlo.gather<offset_dims = {}, collapsed_slice_dims = [{at}], \
             start_index_map = [{at}], index_vector_dim = {rank}>, indices_are_sorted = false, slice_sizes = array<i64: {}>}}> : ({}, {}) -> {}",
            x[0],
            x[1],
            bracketed(&offsets),
            list(&sizes),
            tensor(table),
            tensor(index),
            tensor(y)
        ))
    }

    fn scatter_add(&mut self, x: &[String], shapes: &[Shape], y: &Shape) -> String {
        let (index, updates) = (&shapes[0], &shapes[1]);
        let rank = index.dims.len();
        let windows: Vec<usize> = (rank..updates.dims.len()).collect();
        let dtype = y.dtype;
        let zeros =
            self.line(&format!("stablehlo.constant dense<{}> : {}", literal::number(dtype, 0.0), tensor(y)));
        self.line(&format!(
            "\"stablehlo.scatter\"({zeros}, {}, {}) <{{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = {}, \
             inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = {rank}>, unique_indices = false}}> ({{\n    \
             ^bb0(%a: tensor<{dtype}>, %b: tensor<{dtype}>):\n      %s = stablehlo.add %a, %b : tensor<{dtype}>\n      \
             stablehlo.return %s : tensor<{dtype}>\n    }}) : ({}, {}, {}) -> {}",
            x[0],
            x[1],
            bracketed(&windows),
            tensor(y),
            tensor(index),
            tensor(updates),
            tensor(y)
        ))
    }
}

/// f32 products mean f32: GPUs would otherwise round the inputs to ten bits.
fn precision(input: &Shape) -> &'static str {
    if input.dtype == DType::F32 { ", precision = [HIGHEST, HIGHEST]" } else { "" }
}

/// `1, 2, 3`
fn list(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `[1, 2, 3]`
fn bracketed(numbers: &[usize]) -> String {
    format!("[{}]", list(numbers))
}
