//! Invariants that every program keeps; run after every pass.

use std::collections::HashSet;

use collegium_core::DType;

use crate::build::layout::doubled_name;
use crate::build::product::{dot_shape, grouped_dot_shape, grouped_outer_shape};
use crate::{Binary, Dim, GraphError, Mesh, Name, Node, Op, Program, Shape, Unary};

/// Checks names, order, arity and shapes.
pub(crate) fn verify(program: &Program) -> Result<(), GraphError> {
    unique(program, "parameters", program.inputs().map(|i| i.0))?;
    unique(program, "outputs", program.outputs.iter().map(|o| o.0.as_str()))?;
    for (index, node) in program.nodes.iter().enumerate() {
        let inputs: Option<Vec<&Shape>> =
            node.inputs.iter().map(|n| (n.index() < index).then(|| program.shape(*n))).collect();
        let why = match inputs {
            None => Some("reads a later node".to_string()),
            Some(inputs) => check(&program.mesh, node, &inputs),
        };
        if let Some(why) = why {
            return Err(malformed(program, index, node.op.name(), why));
        }
    }
    ends(program)
}

fn malformed(program: &Program, node: usize, op: &'static str, why: String) -> GraphError {
    GraphError::Malformed { program: program.name.clone(), node, op, why }
}

/// Outputs and donations name what there is.
fn ends(program: &Program) -> Result<(), GraphError> {
    if let Some((name, id)) = program.outputs.iter().find(|o| o.1.index() >= program.nodes.len()) {
        return Err(malformed(program, id.index(), "output", format!("output `{name}` is no node")));
    }
    let (inputs, outputs) = (program.inputs().count(), program.outputs.len());
    match program.donations.iter().find(|d| d.0 >= inputs || d.1 >= outputs) {
        Some(pair) => {
            let why = format!("donation {pair:?} of {inputs} inputs and {outputs} outputs");
            Err(malformed(program, pair.0, "donation", why))
        }
        None => Ok(()),
    }
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
fn check(mesh: &Mesh, node: &Node, x: &[&Shape]) -> Option<String> {
    if !arity(&node.op).contains(&x.len()) {
        return Some(format!("has {} inputs", x.len()));
    }
    if let Some(name) = doubled_name(&node.shape.dims) {
        return Some(format!("has two dims called `{name}`"));
    }
    let given = || x.iter().map(|s| s.to_string()).collect::<Vec<_>>().join(", ");
    (!follows(mesh, &node.op, x, &node.shape))
        .then(|| format!("result {} does not follow from {}", node.shape, given()))
}

fn arity(op: &Op) -> std::ops::RangeInclusive<usize> {
    match op {
        Op::Parameter { .. } | Op::Constant(_) | Op::Literal(_) | Op::Iota { .. } | Op::RankId => 0..=0,
        Op::Binary(_) | Op::Compare(_) | Op::Dot { .. } | Op::DynamicSlice { .. } => 2..=2,
        Op::Take { .. } | Op::ScatterAdd { .. } => 2..=2,
        Op::Select | Op::DynamicUpdate { .. } | Op::GroupedDot { .. } | Op::GroupedOuter => 3..=3,
        Op::Composite { what, .. } => what.num_inputs()..=what.num_inputs(),
        Op::Concat { .. } => 2..=usize::MAX,
        _ => 1..=1,
    }
}

/// Whether the result's shape `y` follows from the inputs' shapes `x`.
fn follows(mesh: &Mesh, op: &Op, x: &[&Shape], y: &Shape) -> bool {
    let group = |axes: &[Name]| axes.iter().map(|a| mesh.size(a)).product::<Option<usize>>();
    // The input `x[0]` with the size at `name` made into another one is the result.
    let resized = |name: Name, size: Option<usize>| {
        size.is_some_and(|s| same_but(x[0], y, name) && y.size(name) == Some(s))
    };
    let size = |name: Name| x[0].size(name);
    match op {
        Op::Parameter { .. } | Op::Constant(_) => true,
        Op::Literal(values) => values.len() == y.num_elements(),
        Op::Iota { dim } => y.has(dim),
        Op::RankId => y.dtype == DType::I32 && y.dims.is_empty(),
        Op::Unary(Unary::IsFinite) => x[0].dims == y.dims && y.dtype == DType::Bool,
        Op::Unary(_) | Op::StopGradient | Op::Barrier => x[0] == y,
        Op::Convert => x[0].dims == y.dims,
        Op::Bitcast => x[0].dims == y.dims && x[0].dtype.size_bytes() == y.dtype.size_bytes(),
        Op::Binary(Binary::ShiftRight) => y.dtype == DType::U32 && x[0] == y && x[1] == y,
        Op::Binary(_) => x[0] == y && x[1] == y,
        Op::Compare(_) => x[0] == x[1] && x[0].dims == y.dims && y.dtype == DType::Bool,
        Op::Select => x[0].dtype == DType::Bool && x[0].dims == y.dims && x[1] == y && x[2] == y,
        Op::Broadcast => x[0].dtype == y.dtype && subsequence(x[0], y),
        Op::Transpose => x[0].dtype == y.dtype && is_order(x[0], y),
        Op::Reshape => x[0].dtype == y.dtype && x[0].num_elements() == y.num_elements(),
        Op::Rename => x[0].dtype == y.dtype && x[0].sizes() == y.sizes(),
        Op::Reverse { dim } => x[0] == y && y.has(dim),
        Op::Slice { dim, start } => {
            same_but(x[0], y, dim) && size(dim) >= y.size(dim).map(|kept| start + kept)
        }
        Op::Pad { dim, low } => same_but(x[0], y, dim) && size(dim).map(|s| s + low) <= y.size(dim),
        Op::Concat { dim } => {
            x.iter().all(|s| same_but(s, y, dim))
                && x.iter().map(|s| s.size(dim)).sum::<Option<usize>>() == y.size(dim)
        }
        Op::DynamicSlice { dim } => is_start(x[1]) && same_but(x[0], y, dim) && size(dim) >= y.size(dim),
        Op::DynamicUpdate { dim } => {
            is_start(x[2]) && x[0] == y && same_but(x[1], y, dim) && x[1].size(dim) <= y.size(dim)
        }
        Op::Reduce { dims, .. } => {
            dims.iter().all(|d| x[0].has(d)) && y.dims == x[0].dims_without(dims) && x[0].dtype == y.dtype
        }
        Op::Dot { contract } => dot_shape(x[0], x[1], contract, y.dtype).is_ok_and(|shape| shape == *y),
        Op::Take { dim, .. } => {
            let rows: Vec<Dim> = x[1].dims.iter().copied().chain(x[0].dims_without(&[dim])).collect();
            x[0].has(dim) && x[1].dtype == DType::I32 && x[0].dtype == y.dtype && rows == y.dims
        }
        Op::ScatterAdd { dim } => {
            let rest = x[1].dims.strip_prefix(x[0].dims.as_slice());
            x[0].dtype == DType::I32
                && x[1].dtype == y.dtype
                && y.dims.first().is_some_and(|d| d.name == *dim)
                && rest == y.dims.get(1..)
        }
        Op::GroupedDot { contract } => {
            grouped_dot_shape(x[0], x[1], x[2], contract, y.dtype).is_some_and(|shape| shape == *y)
        }
        Op::GroupedOuter => y
            .dims
            .first()
            .is_some_and(|&slots| grouped_outer_shape(x[0], x[1], x[2], slots).is_some_and(|s| s == *y)),
        Op::Composite { what, result } => what.shapes(x).is_some_and(|s| s.get(*result) == Some(y)),
        Op::AllReduce { axes, .. } => group(axes).is_some() && x[0] == y,
        Op::AllGather { dim, axes } => resized(dim, size(dim).zip(group(axes)).map(|(s, g)| s * g)),
        Op::ReduceScatter { dim, axes } => {
            resized(dim, size(dim).zip(group(axes)).filter(|(s, g)| s.is_multiple_of(*g)).map(|(s, g)| s / g))
        }
        Op::AllToAll { dim, axes } => group(axes) == y.size(dim) && x[0] == y,
        Op::RingShift { axis, .. } => mesh.size(axis).is_some() && x[0] == y,
    }
}

/// Whether two shapes differ in nothing but the size of one dim, which both have.
fn same_but(a: &Shape, b: &Shape, name: Name) -> bool {
    a.dtype == b.dtype
        && a.position(name) == b.position(name)
        && a.has(name)
        && a.dims_without(&[name]) == b.dims_without(&[name])
}

fn is_start(shape: &Shape) -> bool {
    shape.dtype == DType::I32 && shape.dims.is_empty()
}

fn is_order(a: &Shape, b: &Shape) -> bool {
    a.dims.len() == b.dims.len() && a.dims.iter().all(|d| b.dims.contains(d))
}

/// Whether the dims of `small` are those of `large` with some left out.
fn subsequence(small: &Shape, large: &Shape) -> bool {
    let mut rest = large.dims.iter();
    small.dims.iter().all(|d| rest.any(|l| l == d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Graph, NodeId, dim};

    fn program() -> Program {
        let g = Graph::new(Mesh::new(&[("expert", 2)]));
        let x = g.parameter("x", DType::F32, &[dim("token", 4), dim("hidden", 8)]);
        let w = g.parameter("w", DType::F32, &[dim("out", 3), dim("hidden", 8)]);
        let y = x.dot(w, &["hidden"]).all_gather("token", &["expert"]);
        g.finish("linear", &[("y", y)]).expect("it is sound")
    }

    fn complaint(change: impl FnOnce(&mut Program)) -> String {
        let mut program = program();
        change(&mut program);
        verify(&program).expect_err("the change breaks it").to_string()
    }

    #[test]
    fn a_malformed_node_is_named() {
        assert_eq!(
            complaint(|p| p.nodes[2].shape.dims[0].size = 5),
            "program `linear`: node 2 (dot) is malformed: result f32{token=5, out=3} does not follow from \
             f32{token=4, hidden=8}, f32{out=3, hidden=8}; this is a defect, please report it"
        );
        assert!(
            complaint(|p| p.nodes[3].shape.dims[0].size = 4).contains("node 3 (all_gather) is malformed")
        );
        assert!(complaint(|p| p.nodes[2].inputs[1] = NodeId(3)).contains("reads a later node"));
        assert!(complaint(|p| p.nodes[2].inputs.truncate(1)).contains("has 1 inputs"));
        assert!(complaint(|p| p.nodes[0].shape.dims[1].name = "token").contains("two dims called `token`"));
        assert!(complaint(|p| p.mesh = Mesh::single()).contains("node 3 (all_gather)"));
    }

    #[test]
    fn outputs_and_donations_must_exist() {
        assert!(complaint(|p| p.outputs[0].1 = NodeId(9)).contains("output `y` is no node"));
        assert!(complaint(|p| p.donations.push((2, 0))).contains("donation (2, 0)"));
        assert!(complaint(|p| p.outputs.push(p.outputs[0].clone())).contains("two outputs are called `y`"));
    }
}
