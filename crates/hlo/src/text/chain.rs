//! Chains of kernels as custom calls. A kernel joins the chain that is open; anything else that reads what the chain makes closes it, and is written behind it. So a chain depends on
//! nothing that depends on it.

use super::Writer;
use crate::chain::{Chain, Links};
use crate::{Node, Op, Shape};

/// Custom-call target of kernels one after another.
pub const CHAIN: &str = "collegium.chain";

/// A call to which kernels are still added.
pub(super) struct OpenChain {
    /// What the call will be named.
    name: String,
    links: Links,
}

impl Writer<'_> {
    fn is_chained(&self, node: &Node) -> bool {
        self.dialect.cpu_kernels && self.program.is_chained(node)
    }

    /// By node: whether it is written. Parts that only chains read are not.
    pub(super) fn written(&self) -> Vec<bool> {
        let nodes = &self.program.nodes;
        let mut written: Vec<bool> = nodes.iter().map(|node| self.program.part_of(node).is_none()).collect();
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
        let (name, first) = match self.calls.get(&key) {
            Some(known) => known.clone(),
            None => {
                let open = self.chain.take();
                let mut open =
                    open.unwrap_or_else(|| OpenChain { name: self.name(), links: Links::default() });
                let joined = (open.name.clone(), open.links.add(self.program, node, what));
                self.chain = Some(open);
                self.calls.insert(key, joined.clone());
                joined
            }
        };
        Some(format!("{name}#{}", first + result))
    }

    /// Writes the open chain, if `node` reads of it.
    pub(super) fn close_before(&mut self, node: &Node) {
        // These are other names of what they read.
        let is_name = matches!(node.op, Op::Rename | Op::StopGradient);
        let Some(chain) = self.chain.as_ref().filter(|_| !is_name) else { return };
        let of_chain = format!("{}#", chain.name);
        if node.inputs.iter().any(|&id| self.of(id).starts_with(&of_chain)) {
            self.close();
        }
    }

    /// Writes the open chain, if there is one.
    pub(super) fn close(&mut self) {
        let Some(OpenChain { name, links }) = self.chain.take() else { return };
        let Chain { kernels, names, steps, operands, results, in_place } = links.chain(self.program);
        let steps: Vec<String> = steps.iter().map(i64::to_string).collect();
        let attributes = format!(
            "kernels = \"{}\", names = \"{}\", steps = array<i64: {}>",
            kernels.join(" "),
            names.join(" "),
            steps.join(", ")
        );
        let x: Vec<String> = operands.iter().map(|&id| self.of(id).to_string()).collect();
        let shapes: Vec<Shape> = operands.iter().map(|&id| self.program.shape(id).clone()).collect();
        self.named_call(&name, (CHAIN, &attributes), (&x, &shapes), &results, &in_place);
    }
}
