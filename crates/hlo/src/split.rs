//! One differentiated graph becomes two programs: the forward half, and the backward half that runs when the
//! cotangents are known. What the forward half keeps for the backward half is a policy, not a rewrite.

use std::collections::{HashMap, HashSet};

use crate::graph::reachable;
use crate::{Graph, GraphError, Node, NodeId, Op, Program, Value};

/// What the forward half keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Residuals {
    /// Every value that the backward half reads, short of free ones (constants, broadcasts, masks, reshapes) and of those that element-wise
    /// work makes from others that are kept.
    Everything,
    /// Results of matrix products and collectives; element-wise work is done again.
    Dots,
    /// Nothing: the backward half starts again from the forward half's inputs.
    Recompute,
}

impl Residuals {
    /// All policies with the names the configuration uses.
    pub const ALL: [(&'static str, Self); 3] =
        [("save-everything", Self::Everything), ("save-dots", Self::Dots), ("recompute", Self::Recompute)];
}

/// The two halves of a differentiated graph.
#[derive(Clone, Debug)]
pub struct ForwardBackward {
    /// Computes the forward outputs and the residuals.
    pub forward: Program,
    /// Computes the gradients. Its inputs are inputs of the forward half (by the same names), the cotangents, and the
    /// residuals.
    pub backward: Program,
    /// Names of the forward outputs that are inputs of the backward half.
    pub residuals: Vec<String>,
}

/// Splits a graph. `cotangents` are the parameters known only after the forward half has run; whatever depends on
/// them is computed by the backward half, whatever it reads besides is kept or computed again as `residuals` says.
///
/// # Errors
/// The first error made while building, or a doubled name: forward outputs must not be called like forward inputs.
pub fn split<'g>(
    name: &str,
    forward: &[(&str, Value<'g>)],
    cotangents: &[Value<'g>],
    backward: &[(&str, Value<'g>)],
    residuals: Residuals,
) -> Result<ForwardBackward, GraphError> {
    let graph = forward[0].1.graph();
    let nodes: Vec<Node> = (0..graph.num_nodes()).map(|i| graph.node(NodeId(i as u32))).collect();
    let late = late_nodes(&nodes, cotangents);
    let needed = reachable(&nodes, backward.iter().map(|b| b.1.id));
    let computed = computed(&nodes, reachable(&nodes, forward.iter().map(|f| f.1.id)));
    let mut outputs: Vec<(String, NodeId)> = forward.iter().map(|(n, v)| ((*n).to_string(), v.id)).collect();

    let frontier: Vec<NodeId> = (0..nodes.len())
        .filter(|&i| needed[i] && late[i])
        .flat_map(|i| nodes[i].inputs.clone())
        .chain(backward.iter().map(|b| b.1.id))
        .filter(|n| !late[n.index()])
        .collect();
    let kept = choose(&nodes, &computed, &frontier, residuals);
    let mut saved: HashMap<NodeId, String> = HashMap::new();
    for &id in &kept {
        let known = outputs.iter().find(|(_, o)| *o == id).map(|o| o.0.clone());
        let name = known.unwrap_or_else(|| {
            let name = format!("residual.{}", saved.len());
            outputs.push((name.clone(), id));
            name
        });
        saved.insert(id, name);
    }
    not_an_input(name, &nodes, saved.values())?;
    Ok(ForwardBackward {
        forward: graph.extract(&format!("{name}.forward"), &outputs)?,
        backward: rebuild(graph, &nodes, &saved, backward)?.named(format!("{name}.backward")),
        residuals: kept.iter().map(|id| saved[id].clone()).collect(),
    })
}

/// The backward half knows kept values by name only: one called like an input would be taken for it.
fn not_an_input<'a>(
    program: &str,
    nodes: &[Node],
    mut kept: impl Iterator<Item = &'a String>,
) -> Result<(), GraphError> {
    let is_input =
        |wanted: &String| nodes.iter().any(|n| matches!(&n.op, Op::Parameter { name } if name == wanted));
    match kept.find(|name| is_input(name)) {
        Some(name) => {
            Err(GraphError::DoubledName { program: program.into(), kind: "values", name: name.clone() })
        }
        None => Ok(()),
    }
}

/// Nodes that depend on a cotangent.
fn late_nodes(nodes: &[Node], cotangents: &[Value<'_>]) -> Vec<bool> {
    let mut late = vec![false; nodes.len()];
    cotangents.iter().for_each(|c| late[c.id.index()] = true);
    for i in 0..nodes.len() {
        late[i] |= nodes[i].inputs.iter().any(|n| late[n.index()]);
    }
    late
}

/// Whatever is `reachable`, and the other results of the composites among that: the same call makes them.
fn computed(nodes: &[Node], mut reachable: Vec<bool>) -> Vec<bool> {
    let call = |node: &Node| match node.op {
        Op::Composite { what, .. } => Some((what, node.inputs.clone())),
        _ => None,
    };
    let calls: HashSet<_> =
        nodes.iter().zip(&reachable).filter(|(_, r)| **r).filter_map(|(n, _)| call(n)).collect();
    for (node, reachable) in nodes.iter().zip(&mut reachable) {
        *reachable |= call(node).is_some_and(|c| calls.contains(&c));
    }
    reachable
}

/// The nodes to keep, in graph order, so that every frontier node can be had from them and the parameters.
fn choose(nodes: &[Node], computed: &[bool], frontier: &[NodeId], residuals: Residuals) -> Vec<NodeId> {
    let mut visit = vec![false; nodes.len()];
    frontier.iter().for_each(|n| visit[n.index()] = true);
    let mut kept = Vec::new();
    for i in (0..nodes.len()).rev().filter(|&i| !matches!(nodes[i].op, Op::Parameter { .. })) {
        if !visit[i] {
            continue;
        }
        let keep = match residuals {
            Residuals::Everything => !is_free(&nodes[i].op),
            Residuals::Dots => is_product(&nodes[i].op),
            Residuals::Recompute => false,
        };
        if keep && computed[i] {
            kept.push(NodeId(i as u32));
        } else {
            nodes[i].inputs.iter().for_each(|n| visit[n.index()] = true);
        }
    }
    kept.reverse();
    if residuals == Residuals::Everything {
        drop_made_from_others(nodes, &mut kept);
    }
    kept
}

/// Forgets nodes that element-wise work makes from other kept ones and parameters: the passes that read them do it again as they go, which costs
/// no memory. The last first, so that a chain keeps its beginning.
fn drop_made_from_others(nodes: &[Node], kept: &mut Vec<NodeId>) {
    fn is_made(nodes: &[Node], kept: &[NodeId], of: NodeId) -> bool {
        let node = &nodes[of.index()];
        (is_free(&node.op) || is_element_wise(&node.op))
            && node.inputs.iter().all(|&input| {
                matches!(nodes[input.index()].op, Op::Parameter { .. })
                    || kept.binary_search(&input).is_ok()
                    || is_made(nodes, kept, input)
            })
    }
    for at in (0..kept.len()).rev() {
        if is_made(nodes, kept, kept[at]) {
            kept.remove(at);
        }
    }
}

/// One pass of any number of these is fused into what reads them.
fn is_element_wise(op: &Op) -> bool {
    matches!(op, Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Concat { .. })
}

/// Cheaper to compute again than to keep in memory.
fn is_free(op: &Op) -> bool {
    matches!(
        op,
        Op::Constant(_)
            | Op::Literal(_)
            | Op::Iota { .. }
            | Op::RankId
            | Op::Compare(_)
            | Op::Convert
            | Op::Bitcast
            | Op::StopGradient
            | Op::Broadcast
            | Op::Transpose
            | Op::Reshape
            | Op::Rename
            | Op::Slice { .. }
            | Op::Pad { .. }
    ) || matches!(op, Op::Composite { what, .. } if what.is_free())
}

/// Costly to compute again.
fn is_product(op: &Op) -> bool {
    matches!(op, Op::Dot { .. } | Op::GroupedDot { .. } | Op::GroupedOuter | Op::ScatterAdd { .. })
        || matches!(op, Op::Composite { what, .. } if what.is_product())
        || op.is_collective()
}

/// The backward half in a graph of its own, where kept nodes are parameters.
fn rebuild(
    graph: &Graph,
    nodes: &[Node],
    saved: &HashMap<NodeId, String>,
    outputs: &[(&str, Value<'_>)],
) -> Result<Program, GraphError> {
    let half = Graph::new(graph.mesh().clone());
    let mut wanted = vec![false; nodes.len()];
    outputs.iter().for_each(|o| wanted[o.1.id.index()] = true);
    for i in (0..nodes.len()).rev() {
        if wanted[i] && !saved.contains_key(&NodeId(i as u32)) {
            nodes[i].inputs.iter().for_each(|n| wanted[n.index()] = true);
        }
    }
    let mut renumber = vec![NodeId(0); nodes.len()];
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| wanted[*i]) {
        renumber[i] = match saved.get(&NodeId(i as u32)) {
            Some(name) => half.push(Op::Parameter { name: name.clone() }, &[], node.shape.clone()).id,
            None => {
                let inputs: Vec<NodeId> = node.inputs.iter().map(|n| renumber[n.index()]).collect();
                half.push(node.op.clone(), &inputs, node.shape.clone()).id
            }
        };
    }
    let outputs: Vec<_> = outputs.iter().map(|(n, v)| ((*n).to_string(), renumber[v.id.index()])).collect();
    // Names are checked after the caller's own: the half borrows the forward graph's error state.
    graph.extract("check", &[])?;
    half.extract("backward", &outputs)
}
