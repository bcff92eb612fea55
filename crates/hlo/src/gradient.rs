//! Reverse-mode differentiation: walks the graph backwards and appends the gradient's nodes to it, in the same
//! operations, so that one text, one evaluator and one cost table serve both halves.

use std::collections::HashMap;

use collegium_core::DType;

use crate::op::{Binary, Reduction, Unary};
use crate::{Graph, Name, Node, NodeId, Op, Value, dim};

/// Gradients of `sum over (output, cotangent) of <output, cotangent>` with respect to `wrt`, in their order; zeros
/// where an output does not depend on one.
///
/// On a mesh the sum runs over all devices: each device's value is a variable of its own, and collectives are
/// transposed (an all-gather becomes a reduce-scatter).
#[track_caller]
pub fn gradient<'g>(outputs: &[(Value<'g>, Value<'g>)], wrt: &[Value<'g>]) -> Vec<Value<'g>> {
    let Some(graph) = outputs.first().map(|o| o.0.graph) else { return Vec::new() };
    if graph.failed() {
        return wrt.to_vec();
    }
    let end = outputs.iter().map(|o| o.0.id.index() + 1).max().unwrap_or(0);
    let active = depends_on(graph, wrt, end);
    let mut sums: HashMap<NodeId, Value<'g>> = HashMap::new();
    for &(output, cotangent) in outputs {
        if output.shape() != cotangent.shape() {
            graph.fail(format!("gradient: cotangent {} for an output {}", cotangent.shape(), output.shape()));
            return wrt.to_vec();
        }
        accumulate(&mut sums, output, cotangent);
    }
    for index in (0..end).rev().filter(|&i| active[i]) {
        let id = NodeId(index as u32);
        let Some(&cotangent) = sums.get(&id) else { continue };
        if let Some(exact) = graph.gradient_of(id) {
            accumulate(&mut sums, graph.value(exact), cotangent);
            continue;
        }
        let node = graph.node(id);
        let inputs: Vec<Value<'g>> = node.inputs.iter().map(|&i| graph.value(i)).collect();
        for (input, piece) in pull_back(&node, graph.value(id), &inputs, cotangent) {
            if active[input.id.index()] && input.dtype().is_float() {
                accumulate(&mut sums, input, piece);
            }
        }
    }
    wrt.iter()
        .map(|w| sums.get(&w.id).copied().unwrap_or_else(|| graph.full(w.dtype(), &w.shape().dims, 0.0)))
        .collect()
}

/// Which of the first `end` nodes depend on a value of `wrt`.
fn depends_on(graph: &Graph, wrt: &[Value<'_>], end: usize) -> Vec<bool> {
    let mut active = vec![false; end];
    for index in 0..end {
        let id = NodeId(index as u32);
        let sources = graph.gradient_of(id).map_or_else(|| graph.node(id).inputs, |exact| vec![exact]);
        active[index] = wrt.iter().any(|w| w.id == id) || sources.iter().any(|n| active[n.index()]);
    }
    active
}

fn accumulate<'g>(sums: &mut HashMap<NodeId, Value<'g>>, at: Value<'g>, piece: Value<'g>) {
    sums.entry(at.id).and_modify(|sum| *sum = *sum + piece).or_insert(piece);
}

/// Cotangents of the inputs from the cotangent `d` of the result `y`.
#[track_caller]
fn pull_back<'g>(node: &Node, y: Value<'g>, x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let back = |piece: Value<'g>| vec![(x[0], piece)];
    match &node.op {
        Op::Parameter { .. } | Op::Constant(_) | Op::Literal(_) | Op::Iota { .. } | Op::RankId => Vec::new(),
        Op::Compare(_) | Op::StopGradient | Op::Bitcast => Vec::new(),
        Op::Unary(op) => unary(*op, x[0], y, d).map(back).unwrap_or_default(),
        Op::Binary(op) => binary(*op, x[0], x[1], y, d),
        Op::Select => {
            let zero = d.graph.full(d.dtype(), &d.shape().dims, 0.0);
            vec![(x[1], x[0].select(d, zero)), (x[2], x[0].select(zero, d))]
        }
        Op::Convert => {
            if x[0].dtype().is_float() {
                back(d.convert(x[0].dtype()))
            } else {
                Vec::new()
            }
        }
        Op::Barrier => back(d),
        Op::Broadcast => back(sum_in_f32(d, &added_dims(x[0], y)).transpose(&names(x[0]))),
        Op::Transpose => back(d.transpose(&names(x[0]))),
        Op::Reshape | Op::Rename => back(d.reshape(&x[0].shape().dims)),
        Op::Slice { dim, start } => {
            let (full, kept) = (x[0].size(dim), y.size(dim));
            back(d.pad(dim, *start, full - kept - start))
        }
        Op::Pad { dim, low } => back(d.slice(dim, *low, low + x[0].size(dim))),
        Op::Concat { dim } => concat(x, d, dim),
        Op::Reverse { dim } => back(d.reverse(dim)),
        Op::DynamicSlice { dim } => {
            let zeros = d.graph.full(d.dtype(), &x[0].shape().dims, 0.0);
            back(zeros.dynamic_update(dim, d, x[1]))
        }
        Op::DynamicUpdate { dim } => {
            let zeros = d.graph.full(d.dtype(), &x[1].shape().dims, 0.0);
            vec![
                (x[0], d.dynamic_update(dim, zeros, x[2])),
                (x[1], d.dynamic_slice(dim, x[2], x[1].size(dim))),
            ]
        }
        Op::Reduce { reduction, dims } => back(reduce(*reduction, dims, x[0], y, d)),
        Op::Dot { contract } => dot(contract, x[0], x[1], d),
        Op::Take { dim } => back(take(dim, x, d)),
        Op::ScatterAdd { dim } => vec![(x[1], d.take(x[0], dim))],
        Op::GroupedDot { contract } => grouped_dot(contract, x, d),
        Op::GroupedOuter => grouped_outer(x, d),
        Op::Composite { what, result } => {
            what.pull_back(*result, x, d).unwrap_or_else(|| not_differentiable(d, &node.op))
        }
        Op::AllReduce { reduction: Reduction::Sum, axes } => back(d.all_reduce(axes)),
        Op::AllReduce { .. } => not_differentiable(d, &node.op),
        Op::AllGather { dim, axes } => back(d.reduce_scatter(dim, axes)),
        Op::ReduceScatter { dim, axes } => back(d.all_gather(dim, axes)),
        Op::AllToAll { dim, axes } => back(d.all_to_all(dim, axes)),
        Op::RingShift { axis, by } => {
            let size = d.graph.mesh().size(axis).unwrap_or(1);
            back(d.ring_shift(axis, size - by % size))
        }
    }
}

fn unary<'g>(op: Unary, x: Value<'g>, y: Value<'g>, d: Value<'g>) -> Option<Value<'g>> {
    Some(match op {
        Unary::Neg => -d,
        Unary::Abs => d * x.sign(),
        Unary::Exp => d * y,
        Unary::ExpM1 => d * (y + 1.0),
        Unary::Log => d / x,
        Unary::Log1p => d / (x + 1.0),
        Unary::Sqrt => d * 0.5 / y,
        Unary::Rsqrt => d * (y * y * y * -0.5),
        Unary::Tanh => d * (-(y * y) + 1.0),
        Unary::Logistic => d * (y * (-y + 1.0)),
        Unary::Sin => d * x.cos(),
        Unary::Cos => -(d * x.sin()),
        Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Not | Unary::IsFinite => return None,
    })
}

#[track_caller]
fn binary<'g>(
    op: Binary,
    a: Value<'g>,
    b: Value<'g>,
    y: Value<'g>,
    d: Value<'g>,
) -> Vec<(Value<'g>, Value<'g>)> {
    let zero = || d.graph.full(d.dtype(), &d.shape().dims, 0.0);
    match op {
        Binary::Add => vec![(a, d), (b, d)],
        Binary::Sub => vec![(a, d), (b, -d)],
        Binary::Mul => vec![(a, d * b), (b, d * a)],
        Binary::Div => vec![(a, d / b), (b, -(d * y / b))],
        Binary::Pow => vec![(a, d * b * a.pow(b - 1.0)), (b, d * y * a.log())],
        Binary::Max => vec![(a, a.at_least(b).select(d, zero())), (b, a.less(b).select(d, zero()))],
        Binary::Min => vec![(a, a.at_most(b).select(d, zero())), (b, a.greater(b).select(d, zero()))],
        Binary::Rem => not_differentiable(d, &Op::Binary(op)),
        Binary::And | Binary::Or | Binary::ShiftRight => Vec::new(),
    }
}

fn reduce<'g>(reduction: Reduction, dims: &[Name], x: Value<'g>, y: Value<'g>, d: Value<'g>) -> Value<'g> {
    let all = x.shape().dims;
    if reduction == Reduction::Sum {
        return d.broadcast(&all);
    }
    let hit = x.equals(y.broadcast(&all)).convert(d.dtype());
    let share = hit / hit.sum(dims);
    share * d
}

/// `x` as the pass of its own gradient makes it again from its cotangent, where it does: a pass less. That cotangent is `d_x` where `x` has one reader.
fn again<'g>(x: Value<'g>, d_x: Value<'g>) -> Value<'g> {
    let node = x.graph.node(x.id);
    let Op::Composite { what, result: 0 } = node.op else { return x };
    let inputs: Vec<_> = node.inputs.iter().map(|&i| x.graph.value(i)).collect();
    what.again(&inputs, d_x).unwrap_or(x)
}

/// `d/da` contracts the cotangent with `b` over the dims only `b` gave, and the other way round. In mixed precision the
/// cotangent is rounded to the inputs' type and the product kept in f32 until its end.
fn dot<'g>(contract: &[Name], a: Value<'g>, b: Value<'g>, d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let only = |own: Value<'g>, other: Value<'g>| -> Vec<Name> {
        names(own).into_iter().filter(|n| !contract.contains(n) && !other.shape().has(n)).collect()
    };
    let wide = wide(a.dtype());
    let d = d.convert(a.dtype());
    let da = d.dot_as(b, &only(b, a), wide).transpose(&names(a)).convert(a.dtype());
    let db = d.dot_as(again(a, da), &only(a, b), wide).transpose(&names(b)).convert(b.dtype());
    vec![(a, da), (b, db)]
}

fn take<'g>(name: Name, x: &[Value<'g>], d: Value<'g>) -> Value<'g> {
    let rows = d.convert(wide(d.dtype()));
    rows.scatter_add(x[1], dim(name, x[0].size(name))).transpose(&names(x[0])).convert(d.dtype())
}

fn grouped_dot<'g>(contract: Name, x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let (rows, weights, block_slot) = (x[0], x[1], x[2]);
    let d = d.convert(rows.dtype());
    let free = d.shape().dims[1].name;
    let shape = weights.shape();
    let d_rows = d.grouped_dot_as(weights, block_slot, free, rows.dtype());
    let slots = shape.dims[0];
    let d_weights = if shape.dims[1].name == contract {
        rows.grouped_outer(d, block_slot, slots)
    } else {
        d.grouped_outer(rows, block_slot, slots)
    };
    vec![(rows, d_rows), (weights, d_weights.convert(weights.dtype()))]
}

fn grouped_outer<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let (left, right, block_slot) = (x[0], x[1], x[2]);
    let d = d.convert(left.dtype());
    let (a, b) = (left.shape().dims[1].name, right.shape().dims[1].name);
    let d_left = right.grouped_dot_as(d, block_slot, b, left.dtype());
    let d_right = left.grouped_dot_as(d, block_slot, a, right.dtype());
    vec![(left, d_left), (right, d_right)]
}

fn concat<'g>(x: &[Value<'g>], d: Value<'g>, name: Name) -> Vec<(Value<'g>, Value<'g>)> {
    let mut start = 0;
    let mut pieces = Vec::with_capacity(x.len());
    for &part in x {
        let size = part.size(name);
        pieces.push((part, d.slice(name, start, start + size)));
        start += size;
    }
    pieces
}

fn names(value: Value<'_>) -> Vec<Name> {
    value.shape().dims.iter().map(|d| d.name).collect()
}

fn added_dims(small: Value<'_>, large: Value<'_>) -> Vec<Name> {
    names(large).into_iter().filter(|n| !small.shape().has(n)).collect()
}

/// What sums over values of this type are kept in.
fn wide(dtype: DType) -> DType {
    if matches!(dtype, DType::Bf16 | DType::F16) { DType::F32 } else { dtype }
}

/// Long sums of narrow values would lose their tail.
fn sum_in_f32<'g>(x: Value<'g>, over: &[Name]) -> Value<'g> {
    x.convert(wide(x.dtype())).sum(over).convert(x.dtype())
}

#[track_caller]
fn not_differentiable<'g>(d: Value<'g>, op: &Op) -> Vec<(Value<'g>, Value<'g>)> {
    d.graph.fail(format!("no gradient passes through `{}`; wrap its input in stop_gradient", op.name()));
    Vec::new()
}
