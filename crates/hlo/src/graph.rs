//! The graph under construction and the finished program.
//!
//! Building never panics and needs no `?`: every operation returns a handle, the graph keeps its first error
//! with module path and call site, and [`Graph::finish`] returns it. Equal nodes are stored once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::Location;

use collegium_core::DType;

use crate::build::layout::doubled_name;
use crate::{Dim, GraphError, Mesh, Op, Shape};

/// Index of a node in its graph or program; inputs always have smaller indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The index into [`Program::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation with its inputs and the shape of its result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From what.
    pub inputs: Vec<NodeId>,
    /// The result.
    pub shape: Shape,
}

#[derive(Default)]
struct Inner {
    nodes: Vec<Node>,
    known: HashMap<Node, NodeId>,
    /// Values whose gradient goes to another value, see [`Value::with_gradient_of`].
    gradient_of: HashMap<NodeId, NodeId>,
    scope: Vec<String>,
    error: Option<GraphError>,
}

/// A graph under construction, for the devices of one mesh.
pub struct Graph {
    mesh: Mesh,
    inner: RefCell<Inner>,
}

/// A handle to one value of a graph. Operations are methods on it and the arithmetic operators.
#[derive(Clone, Copy)]
pub struct Value<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) id: NodeId,
}

/// A finished, verified graph: named inputs (its parameters, in order of their definition) and named outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Name of the entry point, for messages and profiles.
    pub name: String,
    /// Devices the program is written for.
    pub mesh: Mesh,
    /// All nodes, inputs before their users, nothing unused but parameters.
    pub nodes: Vec<Node>,
    /// Outputs by name.
    pub outputs: Vec<(String, NodeId)>,
    /// Pairs (input, output) that share one buffer: the input is given away and updated in place.
    pub donations: Vec<(usize, usize)>,
}

impl Graph {
    /// An empty graph for the devices of `mesh`.
    pub fn new(mesh: Mesh) -> Self {
        Self { mesh, inner: RefCell::default() }
    }

    /// The mesh it is written for.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// An argument of the program.
    #[track_caller]
    pub fn parameter(&self, name: impl Into<String>, dtype: DType, dims: &[Dim]) -> Value<'_> {
        self.push(Op::Parameter { name: name.into() }, &[], Shape::new(dtype, dims))
    }

    /// A scalar constant.
    #[track_caller]
    pub fn scalar(&self, dtype: DType, value: f64) -> Value<'_> {
        self.full(dtype, &[], value)
    }

    /// One number everywhere.
    #[track_caller]
    pub fn full(&self, dtype: DType, dims: &[Dim], value: f64) -> Value<'_> {
        self.push(Op::Constant(value.into()), &[], Shape::new(dtype, dims))
    }

    /// Given numbers in row-major order.
    #[track_caller]
    pub fn literal(&self, dtype: DType, dims: &[Dim], values: &[f64]) -> Value<'_> {
        let shape = Shape::new(dtype, dims);
        if shape.num_elements() != values.len() {
            return self.fail(format!(
                "literal: {} numbers given for shape {shape}; give one per element",
                values.len()
            ));
        }
        self.push(Op::Literal(values.iter().map(|&v| v.into()).collect()), &[], shape)
    }

    /// 0, 1, 2, ... along `along`, which must be one of `dims`.
    #[track_caller]
    pub fn iota(&self, dtype: DType, dims: &[Dim], along: crate::Name) -> Value<'_> {
        let shape = Shape::new(dtype, dims);
        if !shape.has(along) {
            return self.fail(format!("iota: no dim `{along}` in {shape}"));
        }
        self.push(Op::Iota { dim: along }, &[], shape)
    }

    /// Number of the device that runs the program (i32 scalar).
    pub fn rank_id(&self) -> Value<'_> {
        self.push(Op::RankId, &[], Shape::new(DType::I32, &[]))
    }

    /// Runs `build` with `name` appended to the module path that errors report.
    pub fn scope<T>(&self, name: impl Into<String>, build: impl FnOnce() -> T) -> T {
        self.inner.borrow_mut().scope.push(name.into());
        let result = build();
        self.inner.borrow_mut().scope.pop();
        result
    }

    /// Number of nodes so far.
    pub fn num_nodes(&self) -> usize {
        self.inner.borrow().nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> Node {
        self.inner.borrow().nodes[id.index()].clone()
    }

    pub(crate) fn value(&self, id: NodeId) -> Value<'_> {
        Value { graph: self, id }
    }

    /// Adds a node, or returns the equal one that is already there.
    #[track_caller]
    pub(crate) fn push(&self, op: Op, inputs: &[NodeId], shape: Shape) -> Value<'_> {
        if let Some(name) = doubled_name(&shape.dims) {
            return self
                .fail(format!("{}: dim name `{name}` appears twice in {shape}; rename one", op.name()));
        }
        let node = Node { op, inputs: inputs.to_vec(), shape };
        let mut inner = self.inner.borrow_mut();
        if let Some(&id) = inner.known.get(&node) {
            return self.value(id);
        }
        let id = NodeId(u32::try_from(inner.nodes.len()).expect("a graph has far fewer than 2^32 nodes"));
        inner.nodes.push(node.clone());
        inner.known.insert(node, id);
        self.value(id)
    }

    /// Where the gradient of a value goes instead of to its inputs.
    pub(crate) fn gradient_of(&self, id: NodeId) -> Option<NodeId> {
        self.inner.borrow().gradient_of.get(&id).copied()
    }

    /// Records an error (the first one is kept) and returns a placeholder.
    #[track_caller]
    pub(crate) fn fail(&self, message: String) -> Value<'_> {
        let site = Location::caller();
        let mut inner = self.inner.borrow_mut();
        if inner.error.is_none() {
            inner.error = Some(GraphError::Build {
                scope: inner.scope.join("."),
                message,
                site: format!("{}:{}", site.file(), site.line()),
            });
        }
        drop(inner);
        self.scalar(DType::F32, 0.0)
    }

    /// Whether an error has been recorded: shapes of placeholders mean nothing then.
    pub(crate) fn failed(&self) -> bool {
        self.inner.borrow().error.is_some()
    }

    /// The program that computes `outputs`; parameters that no output needs are left out.
    ///
    /// # Errors
    /// The first error made while building, a doubled parameter or output name, or a broken invariant.
    pub fn finish(&self, name: &str, outputs: &[(&str, Value<'_>)]) -> Result<Program, GraphError> {
        let named: Vec<(String, NodeId)> = outputs.iter().map(|(n, v)| ((*n).to_string(), v.id)).collect();
        self.extract(name, &named)
    }

    pub(crate) fn extract(&self, name: &str, outputs: &[(String, NodeId)]) -> Result<Program, GraphError> {
        self.extract_nodes(name, outputs, |_| false)
    }

    /// [`extract`](Self::extract) with every parameter, whether an output needs it or not.
    pub(crate) fn extract_with_all_inputs(
        &self,
        name: &str,
        outputs: &[(String, NodeId)],
    ) -> Result<Program, GraphError> {
        self.extract_nodes(name, outputs, |op| matches!(op, Op::Parameter { .. }))
    }

    /// The nodes that outputs need, and those that are `wanted` anyway.
    fn extract_nodes(
        &self,
        name: &str,
        outputs: &[(String, NodeId)],
        wanted: impl Fn(&Op) -> bool,
    ) -> Result<Program, GraphError> {
        let inner = self.inner.borrow();
        if let Some(error) = &inner.error {
            return Err(error.clone());
        }
        let mut keep = reachable(&inner.nodes, outputs.iter().map(|o| o.1));
        inner.nodes.iter().zip(&mut keep).for_each(|(node, keep)| *keep |= wanted(&node.op));
        let mut renumber = vec![NodeId(0); inner.nodes.len()];
        let mut nodes = Vec::new();
        for (i, node) in inner.nodes.iter().enumerate().filter(|(i, _)| keep[*i]) {
            renumber[i] = NodeId(nodes.len() as u32);
            let inputs = node.inputs.iter().map(|n| renumber[n.index()]).collect();
            nodes.push(Node { op: node.op.clone(), inputs, shape: node.shape.clone() });
        }
        let outputs = outputs.iter().map(|(n, id)| (n.clone(), renumber[id.index()])).collect();
        let program = Program {
            name: name.to_string(),
            mesh: self.mesh.clone(),
            nodes,
            outputs,
            donations: Vec::new(),
        };
        crate::verify::verify(&program)?;
        Ok(program)
    }
}

/// Which nodes the `roots` depend on, themselves included.
pub(crate) fn reachable(nodes: &[Node], roots: impl Iterator<Item = NodeId>) -> Vec<bool> {
    let mut keep = vec![false; nodes.len()];
    roots.for_each(|r| keep[r.index()] = true);
    for i in (0..nodes.len()).rev() {
        if keep[i] {
            nodes[i].inputs.iter().for_each(|n| keep[n.index()] = true);
        }
    }
    keep
}

impl Program {
    /// The inputs, in call order: name and shape of every parameter.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Op::Parameter { name } => Some((name.as_str(), &node.shape)),
            _ => None,
        })
    }

    /// Shape of a node's result.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.nodes[id.index()].shape
    }

    /// Name and shape of every output, in order.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.outputs.iter().map(|(name, id)| (name.as_str(), self.shape(*id)))
    }

    /// Gives the input called `input` away: its buffer becomes the output called `output`.
    ///
    /// # Errors
    /// Where either is missing or donated already, or their shapes differ.
    pub fn donate(mut self, input: &str, output: &str) -> Result<Self, GraphError> {
        let from = self.inputs().position(|(n, _)| n == input);
        let to = self.outputs.iter().position(|(n, _)| n == output);
        let (Some(from), Some(to)) = (from, to) else {
            return Err(GraphError::Donation {
                input: input.into(),
                output: output.into(),
                why: "no such input or output",
            });
        };
        let given = self.inputs().nth(from).map(|(_, s)| (s.dtype, s.sizes()));
        let made = self.shape(self.outputs[to].1);
        if given != Some((made.dtype, made.sizes())) {
            return Err(GraphError::Donation {
                input: input.into(),
                output: output.into(),
                why: "their shapes differ",
            });
        }
        if self.donations.iter().any(|d| d.0 == from || d.1 == to) {
            return Err(GraphError::Donation {
                input: input.into(),
                output: output.into(),
                why: "one of them is in another donation",
            });
        }
        self.donations.push((from, to));
        Ok(self)
    }
}

impl<'g> Value<'g> {
    /// The graph it belongs to.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// Its shape.
    pub fn shape(self) -> Shape {
        self.graph.inner.borrow().nodes[self.id.index()].shape.clone()
    }

    /// Its element type.
    pub fn dtype(self) -> DType {
        self.shape().dtype
    }

    /// Size of a dim; 0, with an error recorded, where there is none of that name.
    #[track_caller]
    pub fn size(self, name: crate::Name) -> usize {
        let shape = self.shape();
        shape.size(name).unwrap_or_else(|| {
            self.graph.fail(format!("no dim `{name}` in {shape}"));
            0
        })
    }

    /// The same value with the gradient of `exact`, which it is an approximation of. Gradients taken later go to `exact` whole; programs
    /// compute `exact` only if something else needs it.
    #[track_caller]
    pub fn with_gradient_of(self, exact: Self) -> Self {
        let shape = self.shape();
        if exact.shape() != shape {
            return self
                .graph
                .fail(format!("with_gradient_of: {shape} does not stand in for {}", exact.shape()));
        }
        // A node of its own, never an equal one that is known already: that has another gradient.
        let mut inner = self.graph.inner.borrow_mut();
        let id = NodeId(u32::try_from(inner.nodes.len()).expect("a graph has far fewer than 2^32 nodes"));
        inner.nodes.push(Node { op: Op::StopGradient, inputs: vec![self.id], shape });
        inner.gradient_of.insert(id, exact.id);
        self.graph.value(id)
    }

    #[track_caller]
    pub(crate) fn derive(self, op: Op, shape: Shape) -> Self {
        self.graph.push(op, &[self.id], shape)
    }
}

impl Program {
    /// The same program under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}
