//! Invariants that every program keeps; run after every pass.

use std::collections::HashSet;

use collegium_core::DType;

use crate::{GraphError, Node, Op, Program, Shape};

/// Checks names, order, arity and shapes.
pub(crate) fn verify(program: &Program) -> Result<(), GraphError> {
    unique(program, "parameters", program.inputs().map(|i| i.0))?;
    unique(program, "outputs", program.outputs().map(|o| o.0))?;
    for (index, node) in program.nodes.iter().enumerate() {
        let inputs: Option<Vec<&Shape>> =
            node.inputs.iter().map(|n| (n.index() < index).then(|| program.shape(*n))).collect();
        let why = match inputs {
            None => Some("reads a later node".to_string()),
            Some(inputs) => check(node, &inputs),
        };
        if let Some(why) = why {
            return Err(GraphError::Malformed {
                program: program.name.clone(),
                node: index,
                op: node.op.name(),
                why,
            });
        }
    }
    Ok(())
}

fn unique<'a>(
    program: &Program,
    kind: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), GraphError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(GraphError::DoubledName { program: program.name.clone(), kind, name: name.into() });
        }
    }
    Ok(())
}

/// What is wrong with a node, if anything.
fn check(node: &Node, x: &[&Shape]) -> Option<String> {
    let arity = match &node.op {
        Op::Parameter { .. } | Op::Constant(_) | Op::Literal(_) | Op::Iota { .. } | Op::RankId => 0..=0,
        Op::Binary(_) | Op::Compare(_) | Op::Dot { .. } | Op::DynamicSlice { .. } | Op::ScatterAdd { .. } => {
            2..=2
        }
        Op::Select | Op::DynamicUpdate { .. } | Op::GroupedDot { .. } | Op::GroupedOuter => 3..=3,
        Op::Take { fan: None, .. } => 2..=2,
        Op::Take { fan: Some(_), .. } => 4..=4,
        Op::Concat { .. } => 2..=usize::MAX,
        _ => 1..=1,
    };
    if !arity.contains(&x.len()) {
        return Some(format!("has {} inputs", x.len()));
    }
    let y = &node.shape;
    let same_dims = |s: &Shape| s.dims == y.dims;
    let sound = match &node.op {
        Op::Unary(_) | Op::Convert => same_dims(x[0]),
        Op::StopGradient
        | Op::Barrier
        | Op::Reverse { .. }
        | Op::AllReduce { .. }
        | Op::AllToAll { .. }
        | Op::RingShift { .. } => x[0] == y,
        Op::Binary(_) => x[0] == y && x[1] == y,
        Op::Compare(_) => x[0] == x[1] && same_dims(x[0]) && y.dtype == DType::Bool,
        Op::Select => x[0].dtype == DType::Bool && same_dims(x[0]) && x[1] == y && x[2] == y,
        Op::Broadcast => x[0].dtype == y.dtype && subsequence(x[0], y),
        Op::Transpose => {
            x[0].dtype == y.dtype
                && x[0].dims.len() == y.dims.len()
                && x[0].dims.iter().all(|d| y.dims.contains(d))
        }
        Op::Reshape => x[0].dtype == y.dtype && x[0].num_elements() == y.num_elements(),
        Op::Rename => x[0].dtype == y.dtype && x[0].sizes() == y.sizes(),
        Op::Slice { dim, start } => {
            x[0].size(dim).zip(y.size(dim)).is_some_and(|(full, kept)| start + kept <= full)
                && others(x[0], dim) == others(y, dim)
        }
        Op::Pad { dim, low } => {
            x[0].size(dim).zip(y.size(dim)).is_some_and(|(size, full)| low + size <= full)
                && others(x[0], dim) == others(y, dim)
        }
        Op::Reduce { dims, .. } => y.dims == x[0].dims_without(dims) && x[0].dtype == y.dtype,
        Op::Literal(values) => values.len() == y.num_elements(),
        _ => true,
    };
    (!sound).then(|| {
        format!(
            "result {y} does not follow from {}",
            x.iter().map(|s| s.to_string()).collect::<Vec<_>>().join(", ")
        )
    })
}

fn others(shape: &Shape, name: crate::Name) -> Vec<crate::Dim> {
    shape.dims_without(&[name])
}

/// Whether the dims of `small` are those of `large` with some left out.
fn subsequence(small: &Shape, large: &Shape) -> bool {
    let mut rest = large.dims.iter();
    small.dims.iter().all(|d| rest.any(|l| l == d))
}
