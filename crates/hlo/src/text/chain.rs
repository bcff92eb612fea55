//! Kernels of serving that run one after another, as one custom call: what a call costs by itself, some microseconds, is paid once for all.
//!
//! A kernel joins the chain that is open; anything else that reads what the chain makes closes it, and is written behind it. So a chain depends on nothing that depends on it. What kernels
//! read of a larger value, where it lies in one piece (a slice of the first dim, reshaped or not), is not cut out: the call is given the whole value and says where the part begins.
//!
//! The call's operands are those values; its results are those of all its kernels in turn. Attributes, texts and numbers, say the rest:
//!
//! | attribute | what |
//! | --- | --- |
//! | `kernels` | names of kernels, without their prefix, separated by spaces |
//! | `names` | names of their attributes |
//! | `steps` | for each kernel its place among `kernels`; how many attributes, and of each the place among `names` and the value; how many operands, and of each the buffer (an operand of the call, or behind these a result), the first element, the rank and the sizes; how many results |

use std::collections::HashMap;

use super::Writer;
use crate::{Composite, Node, NodeId, Op, Shape};

/// Custom-call target of kernels one after another.
pub const CHAIN: &str = "collegium.chain";

/// A call to which kernels are still added.
pub(super) struct Chain {
    /// What the call will be named.
    name: String,
    links: Vec<Link>,
    results: Vec<Shape>,
}

/// One kernel of a chain.
struct Link {
    what: Composite,
    inputs: Vec<NodeId>,
    /// Number of its first result among those of the chain, and how many it has.
    results: (usize, usize),
}

/// A part of a value, in one piece.
struct View {
    of: NodeId,
    start: usize,
}

/// Texts by the order in which they were first met.
#[derive(Default)]
struct Names(Vec<&'static str>);

impl Names {
    fn place(&mut self, name: &'static str) -> usize {
        self.0.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        })
    }
}

impl Writer<'_> {
    /// Whether a node is a kernel of a chain.
    fn is_chained(&self, node: &Node) -> bool {
        self.dialect.cpu_kernels && matches!(node.op, Op::Composite { what, .. } if what.is_chained())
    }

    /// The node of which `node` is a part in one piece, and where it begins in it.
    fn part_of(&self, node: &Node) -> Option<View> {
        let of = *node.inputs.first()?;
        let whole = self.program.shape(of);
        let start = match node.op {
            Op::Rename | Op::Reshape => 0,
            Op::Slice { dim, start } if whole.position(dim) == Some(0) => {
                start * whole.dims[1..].iter().map(|d| d.size).product::<usize>()
            }
            _ => return None,
        };
        Some(View { of, start })
    }

    /// The largest value of which `id` is a part in one piece.
    fn view(&self, id: NodeId) -> View {
        match self.part_of(&self.program.nodes[id.index()]) {
            None => View { of: id, start: 0 },
            Some(part) => {
                let outer = self.view(part.of);
                View { start: outer.start + part.start, ..outer }
            }
        }
    }

    /// By node: whether it is written. Parts that only chains read are not.
    pub(super) fn written(&self) -> Vec<bool> {
        let nodes = &self.program.nodes;
        let mut written: Vec<bool> = nodes.iter().map(|node| self.part_of(node).is_none()).collect();
        self.program.outputs.iter().for_each(|(_, id)| written[id.index()] = true);
        for (at, node) in nodes.iter().enumerate().rev() {
            match node.op {
                // What is changed in place must be a value of its own.
                Op::Composite { what, .. } if self.is_chained(node) => {
                    node.inputs[..what.num_in_place()].iter().for_each(|id| written[id.index()] = true);
                }
                _ if written[at] => node.inputs.iter().for_each(|id| written[id.index()] = true),
                _ => {}
            }
        }
        written
    }

    /// What a result of a kernel is called that joins the chain or has done so before; nothing for other nodes.
    pub(super) fn joined(&mut self, node: &Node) -> Option<String> {
        let Op::Composite { what, result } = node.op else { return None };
        if !self.is_chained(node) {
            return None;
        }
        let key = (what, node.inputs.clone());
        let (name, first) = match self.chained.get(&key) {
            Some(known) => known.clone(),
            None => {
                let joined = self.join(node, what);
                self.chained.insert(key, joined.clone());
                joined
            }
        };
        Some(format!("{name}#{}", first + result))
    }

    /// Adds a kernel: the name of the chain, and the number of the first result.
    fn join(&mut self, node: &Node, what: Composite) -> (String, usize) {
        let count = self.results_used(node, what);
        let shapes: Vec<&Shape> = node.inputs.iter().map(|&i| self.program.shape(i)).collect();
        let shapes = what.shapes(&shapes).unwrap_or_default();
        let mut chain = self.chain.take().unwrap_or_else(|| Chain {
            name: self.name(),
            links: Vec::new(),
            results: Vec::new(),
        });
        let first = chain.results.len();
        chain.results.extend_from_slice(&shapes[..count]);
        chain.links.push(Link { what, inputs: node.inputs.clone(), results: (first, count) });
        let name = chain.name.clone();
        self.chain = Some(chain);
        (name, first)
    }

    /// Writes the open chain, if `node` reads of it.
    pub(super) fn close_before(&mut self, node: &Node) {
        // These are other names of what they read.
        let Some(chain) = self.chain.as_ref().filter(|_| !matches!(node.op, Op::Rename | Op::StopGradient))
        else {
            return;
        };
        let of_chain = format!("{}#", chain.name);
        if node.inputs.iter().any(|&id| self.of(id).starts_with(&of_chain)) {
            self.close();
        }
    }

    /// Writes the open chain, if there is one.
    pub(super) fn close(&mut self) {
        let Some(chain) = self.chain.take() else { return };
        let mut operands: Vec<NodeId> = Vec::new();
        let mut places = HashMap::new();
        for link in &chain.links {
            for view in link.inputs.iter().map(|&id| self.view(id)) {
                if self.result_of(&chain, view.of).is_none() {
                    places.entry(view.of).or_insert_with(|| {
                        operands.push(view.of);
                        operands.len() - 1
                    });
                }
            }
        }
        let place = |of| match self.result_of(&chain, of) {
            Some(result) => operands.len() + result,
            None => places[&of],
        };
        let (mut kernels, mut names, mut steps) = (Names::default(), Names::default(), Vec::new());
        let mut aliases = Vec::new();
        for link in &chain.links {
            steps.push(kernels.place(link.what.name()) as i64);
            let attributes = link.what.attributes();
            steps.push(attributes.len() as i64);
            steps.extend(attributes.iter().flat_map(|&(name, value)| [names.place(name) as i64, value]));
            steps.push(link.inputs.len() as i64);
            for (at, &id) in link.inputs.iter().enumerate() {
                let view = self.view(id);
                let sizes = self.program.shape(id).sizes();
                steps.extend([place(view.of), view.start, sizes.len()].map(|n| n as i64));
                steps.extend(sizes.iter().map(|&size| size as i64));
                if at < link.what.num_in_place() {
                    aliases.push((place(view.of), link.results.0 + at));
                }
            }
            steps.push(link.results.1 as i64);
        }
        let steps: Vec<String> = steps.iter().map(i64::to_string).collect();
        let attributes = format!(
            "kernels = \"{}\", names = \"{}\", steps = array<i64: {}>",
            kernels.0.join(" "),
            names.0.join(" "),
            steps.join(", ")
        );
        let x: Vec<String> = operands.iter().map(|&id| self.of(id).to_string()).collect();
        let shapes: Vec<Shape> = operands.iter().map(|&id| self.program.shape(id).clone()).collect();
        self.named_call(&chain.name, (CHAIN, &attributes), (&x, &shapes), &chain.results, &aliases);
    }

    /// The number of this node among the results of `chain`, if it is one.
    fn result_of(&self, chain: &Chain, id: NodeId) -> Option<usize> {
        let node = &self.program.nodes[id.index()];
        let Op::Composite { what, result } = node.op else { return None };
        let link = chain.links.iter().find(|link| link.what == what && link.inputs == node.inputs)?;
        Some(link.results.0 + result)
    }
}
