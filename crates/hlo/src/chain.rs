//! Kernels of serving that run one after another, as one call: what a call costs by itself, some microseconds, is paid once for all.
//!
//! What kernels read of a larger value, where it lies in one piece (a slice of the first dim, reshaped or not), is not cut out: the call is given the whole value and says where the
//! part begins.
//!
//! | part | what |
//! | --- | --- |
//! | operands | the values that kernels read, each once |
//! | results | those of all kernels in turn |
//! | `kernels` | names of kernels, without their prefix |
//! | `names` | names of their attributes |
//! | `steps` | for each kernel its place among `kernels`; how many attributes, and of each the place among `names` and the value; how many operands, and of each the buffer (an operand of the chain, or behind these a result), the first element, the rank and the sizes; how many results |
//!
//! A program for one device that is nothing but a chain ([`Program::as_chain`]) needs no compiler.

use std::collections::HashMap;

use crate::{Composite, Node, NodeId, Op, Program, Shape};

/// Kernels one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Names of kernels, without their prefix.
    pub kernels: Vec<&'static str>,
    /// Names of their attributes.
    pub names: Vec<&'static str>,
    /// What each kernel is given and gives.
    pub steps: Vec<i64>,
    /// What is given to the chain.
    pub operands: Vec<NodeId>,
    /// What kernels give.
    pub results: Vec<Shape>,
    /// Pairs of an operand and the result that takes its place.
    pub in_place: Vec<(usize, usize)>,
}

/// A program that is one chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainProgram {
    /// The chain.
    pub chain: Chain,
    /// By operand.
    pub operands: Vec<Source>,
    /// By output of the program, the number of the result.
    pub outputs: Vec<usize>,
}

/// Where an operand of a program's chain comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// The input of the program of this number.
    Input(usize),
    /// This number everywhere.
    Number(f64),
}

/// A part of a value, in one piece.
pub(crate) struct Part {
    pub(crate) of: NodeId,
    /// Its first element.
    pub(crate) start: usize,
}

/// Kernels of a program that become a chain.
#[derive(Default)]
pub(crate) struct Links {
    links: Vec<Link>,
    num_results: usize,
}

struct Link {
    what: Composite,
    inputs: Vec<NodeId>,
    /// Number of its first result among those of the chain, and how many it has.
    results: (usize, usize),
}

/// Texts by the order in which they were first met.
#[derive(Default)]
struct Names(Vec<&'static str>);

impl Names {
    fn place(&mut self, name: &'static str) -> i64 {
        let place = self.0.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        });
        place as i64
    }
}

impl Links {
    /// Adds the kernel that makes `node`, unless it is there: the number of the first of its results.
    pub(crate) fn add(&mut self, program: &Program, node: &Node, what: Composite) -> usize {
        if let Some(link) = self.link(node) {
            return link.results.0;
        }
        let first = self.num_results;
        let count = program.results_used(node, what);
        self.num_results += count;
        self.links.push(Link { what, inputs: node.inputs.clone(), results: (first, count) });
        first
    }

    fn link(&self, node: &Node) -> Option<&Link> {
        let Op::Composite { what, .. } = node.op else { return None };
        self.links.iter().find(|link| link.what == what && link.inputs == node.inputs)
    }

    /// The number of this value among the results, if it is one.
    fn result(&self, program: &Program, id: NodeId) -> Option<usize> {
        let node = &program.nodes[id.index()];
        let Op::Composite { result, .. } = node.op else { return None };
        Some(self.link(node)?.results.0 + result)
    }

    /// The chain of these kernels.
    pub(crate) fn chain(&self, program: &Program) -> Chain {
        let mut operands: Vec<NodeId> = Vec::new();
        let mut places = HashMap::new();
        let parts = self.links.iter().flat_map(|link| &link.inputs).map(|&id| program.part(id));
        for Part { of, .. } in parts.filter(|part| self.result(program, part.of).is_none()) {
            places.entry(of).or_insert_with(|| {
                operands.push(of);
                operands.len() - 1
            });
        }
        let place = |of| match self.result(program, of) {
            Some(result) => operands.len() + result,
            None => places[&of],
        };
        let (mut kernels, mut names, mut steps) = (Names::default(), Names::default(), Vec::new());
        let (mut results, mut in_place) = (Vec::new(), Vec::new());
        for Link { what, inputs, results: (first, count) } in &self.links {
            steps.push(kernels.place(what.name()));
            let attributes = what.attributes();
            steps.push(attributes.len() as i64);
            steps.extend(attributes.iter().flat_map(|&(name, value)| [names.place(name), value]));
            steps.push(inputs.len() as i64);
            for (at, &id) in inputs.iter().enumerate() {
                let part = program.part(id);
                let sizes = program.shape(id).sizes();
                steps.extend([place(part.of), part.start, sizes.len()].map(|n| n as i64));
                steps.extend(sizes.iter().map(|&size| size as i64));
                if at < what.num_in_place() {
                    in_place.push((place(part.of), first + at));
                }
            }
            steps.push(*count as i64);
            let shapes: Vec<&Shape> = inputs.iter().map(|&i| program.shape(i)).collect();
            results.extend(what.shapes(&shapes).unwrap_or_default().into_iter().take(*count));
        }
        Chain { kernels: kernels.0, names: names.0, steps, operands, results, in_place }
    }
}

impl Program {
    /// The program as one chain, if it has one device and kernels are all there is to it: it reads its inputs and constants, gives results of kernels, and what it changes in place is
    /// given away.
    pub fn as_chain(&self) -> Option<ChainProgram> {
        let mut links = Links::default();
        for node in &self.nodes {
            match node.op {
                Op::Parameter { .. } | Op::Constant(_) => {}
                Op::Composite { what, .. } if self.is_chained(node) => {
                    links.add(self, node, what);
                }
                _ if self.part_of(node).is_some() => {}
                _ => return None,
            }
        }
        let chain = links.chain(self);
        let inputs = self.nodes.iter().enumerate().filter(|(_, n)| matches!(n.op, Op::Parameter { .. }));
        let inputs: HashMap<usize, usize> = inputs.map(|(node, _)| node).zip(0..).collect();
        let source = |id: &NodeId| match self.nodes[id.index()].op {
            Op::Constant(number) => Some(Source::Number(number.get())),
            _ => inputs.get(&id.index()).map(|&input| Source::Input(input)),
        };
        let operands = chain.operands.iter().map(source).collect::<Option<Vec<_>>>()?;
        let output = |id: NodeId| {
            let part = self.part(id);
            let is_whole = self.shape(id).num_elements() == self.shape(part.of).num_elements();
            links.result(self, part.of).filter(|_| is_whole)
        };
        let outputs = self.outputs.iter().map(|&(_, id)| output(id)).collect::<Option<Vec<_>>>()?;
        let is_given_away = |&(operand, result): &(usize, usize)| {
            let given = self.donations.iter().find(|d| operands.get(operand) == Some(&Source::Input(d.0)));
            let times = outputs.iter().filter(|&&output| output == result).count();
            times == 1 && given.is_some_and(|&(_, output)| outputs[output] == result)
        };
        let fits = self.mesh.num_devices() == 1
            && !chain.results.is_empty()
            && chain.in_place.len() == self.donations.len()
            && chain.in_place.iter().all(is_given_away);
        fits.then_some(ChainProgram { chain, operands, outputs })
    }

    /// Whether a node is a kernel of a chain, where there are kernels.
    pub(crate) fn is_chained(&self, node: &Node) -> bool {
        let Op::Composite { what, .. } = node.op else { return false };
        let shapes: Vec<&Shape> = node.inputs.iter().map(|&i| self.shape(i)).collect();
        what.is_chained() && Composite::has_cpu_kernel(&shapes)
    }

    /// How many results the call of a composite has: those behind the last one used are not asked for.
    pub(crate) fn results_used(&self, node: &Node, what: Composite) -> usize {
        let used = |n: &Node| match n.op {
            Op::Composite { what: w, result } if w == what && n.inputs == node.inputs => result + 1,
            _ => 0,
        };
        self.nodes.iter().map(used).max().unwrap_or(1).max(what.least_results())
    }

    /// What `node` is a part of in one piece, if it is one.
    pub(crate) fn part_of(&self, node: &Node) -> Option<Part> {
        let of = *node.inputs.first()?;
        let whole = self.shape(of);
        let start = match node.op {
            Op::Rename | Op::Reshape | Op::StopGradient => 0,
            Op::Slice { dim, start } if whole.position(dim) == Some(0) => {
                start * whole.dims[1..].iter().map(|d| d.size).product::<usize>()
            }
            _ => return None,
        };
        Some(Part { of, start })
    }

    /// The largest value of which `id` is a part in one piece.
    pub(crate) fn part(&self, id: NodeId) -> Part {
        match self.part_of(&self.nodes[id.index()]) {
            None => Part { of: id, start: 0 },
            Some(part) => {
                let outer = self.part(part.of);
                Part { start: outer.start + part.start, ..outer }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use collegium_core::DType;

    use super::*;
    use crate::{Graph, Mesh, Value, dim};

    fn program(build: impl for<'g> FnOnce(Value<'g>, Value<'g>) -> Value<'g>) -> Program {
        let graph = Graph::new(Mesh::single());
        let x = graph.parameter("x", DType::F32, &[dim("token", 2), dim("hidden", 4)]);
        let weights = graph.parameter("weights", DType::F32, &[dim("element", 12)]);
        let out = build(x, weights);
        graph.finish("test", &[("out", out)]).unwrap()
    }

    fn part<'g>(weights: Value<'g>, start: usize) -> Value<'g> {
        weights.slice("element", start, start + 4).rename(&[("element", "hidden")])
    }

    #[test]
    fn a_program_of_kernels_is_a_chain_of_parts() {
        let program = program(|x, w| x.rms_norm_rows(part(w, 8), 0.0).rms_norm_rows(part(w, 4), 0.0));
        let found = program.as_chain().expect("kernels are all there is");
        assert_eq!(found.operands, [Source::Input(0), Source::Input(1)]);
        assert_eq!(found.outputs, [1]);
        assert_eq!(found.chain.kernels, ["rms_norm"]);
        assert_eq!(found.chain.steps[..15], [0, 1, 0, 0, 2, 0, 0, 2, 2, 4, 1, 8, 1, 4, 1]);
        assert_eq!(found.chain.steps[15..], [0, 1, 0, 0, 2, 2, 0, 2, 2, 4, 1, 4, 1, 4, 1]);
    }

    #[test]
    fn anything_else_makes_it_none() {
        assert_eq!(program(|x, w| x.rms_norm_rows(part(w, 0), 0.0) + x).as_chain(), None);
        assert_eq!(program(|x, _| x.rename(&[("hidden", "feature")])).as_chain(), None);
    }
}
