//! Evaluates a program node by node, on all devices in lockstep.

use collegium_hlo::{Node, Op, Program, Shape};

use super::number::{Rounding, bitcast, convert, store};
use super::tensor::Tensor;
use super::{collective, elementwise, layout, product, rows};
use crate::RuntimeError;

/// One value on all devices: for each, its elements in row-major order.
pub type Pieces = Vec<Vec<f64>>;

/// The outputs of a program from its inputs, both in the program's order.
///
/// # Errors
/// Inputs that do not fit the program, or an index out of range.
pub fn evaluate(
    program: &Program,
    inputs: &[Pieces],
    rounding: Rounding,
) -> Result<Vec<Pieces>, RuntimeError> {
    check(program, inputs)?;
    let program = &*program.plain();
    let devices = program.mesh.num_devices();
    let mut parameters = inputs.iter();
    let mut values: Vec<Vec<Tensor>> = Vec::with_capacity(program.nodes.len());
    for (index, node) in program.nodes.iter().enumerate() {
        let of = |device: usize| -> Vec<&Tensor> {
            node.inputs.iter().map(|n| &values[n.index()][device]).collect()
        };
        let pieces: Result<Pieces, String> = match &node.op {
            Op::Parameter { .. } => Ok(parameters.next().cloned().unwrap_or_default()),
            op if op.is_collective() => {
                let all: Vec<&Tensor> = values[node.inputs[0].index()].iter().collect();
                Ok(collective::exchange(op, &all, &node.shape, &program.mesh))
            }
            _ => (0..devices).map(|device| local(node, &of(device), device)).collect(),
        };
        let pieces = pieces.map_err(|why| RuntimeError::Evaluation {
            program: program.name.clone(),
            node: index,
            op: node.op.name(),
            why,
        })?;
        let keep = |v: Vec<f64>| Tensor {
            values: v.into_iter().map(|v| store(node.shape.dtype, v, rounding)).collect(),
            shape: node.shape.clone(),
        };
        values.push(pieces.into_iter().map(keep).collect());
    }
    let output = |id: collegium_hlo::NodeId| values[id.index()].iter().map(|t| t.values.clone()).collect();
    Ok(program.outputs.iter().map(|o| output(o.1)).collect())
}

fn check(program: &Program, inputs: &[Pieces]) -> Result<(), RuntimeError> {
    let expected = program.inputs().count();
    if inputs.len() != expected {
        return Err(RuntimeError::InputCount {
            program: program.name.clone(),
            expected,
            given: inputs.len(),
        });
    }
    let devices = program.mesh.num_devices();
    for ((name, shape), pieces) in program.inputs().zip(inputs) {
        let fits = pieces.len() == devices && pieces.iter().all(|p| p.len() == shape.num_elements());
        if !fits {
            return Err(RuntimeError::InputShape {
                program: program.name.clone(),
                input: name.into(),
                expected: format!("{shape} on {devices} devices"),
                given: format!("{:?} elements", pieces.iter().map(Vec::len).collect::<Vec<_>>()),
            });
        }
    }
    Ok(())
}

/// What one device computes by itself.
fn local(node: &Node, x: &[&Tensor], device: usize) -> Result<Vec<f64>, String> {
    let y = &node.shape;
    Ok(match &node.op {
        Op::Constant(value) => vec![value.get(); y.num_elements()],
        Op::Literal(values) => values.iter().map(|v| v.get()).collect(),
        Op::Iota { dim } => iota(y, dim),
        Op::RankId => vec![device as f64],
        Op::Unary(op) => x[0].values.iter().map(|&v| elementwise::unary(*op, v)).collect(),
        Op::Binary(op) => zip(x, |a, b| elementwise::binary(*op, y.dtype, a, b)),
        Op::Compare(op) => zip(x, |a, b| elementwise::compare(*op, a, b)),
        Op::Select => {
            (0..y.num_elements()).map(|i| x[if x[0].values[i] != 0.0 { 1 } else { 2 }].values[i]).collect()
        }
        Op::Convert => {
            let (to, from) = (y.dtype, x[0].shape.dtype);
            x[0].values.iter().map(|&v| convert(to, from, v)).collect()
        }
        Op::Bitcast => {
            let (to, from) = (y.dtype, x[0].shape.dtype);
            x[0].values.iter().map(|&v| bitcast(to, from, v)).collect()
        }
        Op::StopGradient | Op::Barrier | Op::Reshape | Op::Rename => x[0].values.clone(),
        Op::Broadcast | Op::Transpose => layout::by_name(x[0], y),
        Op::Slice { dim, start } => layout::window(x[0], y, dim, *start),
        Op::Pad { dim, low } => layout::pad(x[0], y, dim, *low),
        Op::Concat { dim } => layout::concat(x, y, dim),
        Op::Reverse { dim } => layout::reverse(x[0], dim),
        Op::DynamicSlice { dim } => layout::window(x[0], y, dim, start(x[1], &x[0].shape, y, dim)),
        Op::DynamicUpdate { dim } => {
            let mut out = x[0].values.clone();
            layout::write(&mut out, y, x[1], dim, start(x[2], y, &x[1].shape, dim));
            out
        }
        Op::Reduce { reduction, dims } => product::reduce(*reduction, dims, x[0], y),
        Op::Dot { contract } => product::dot(contract, x[0], x[1], y),
        Op::Take { dim, .. } => rows::take(x[0], x[1], dim)?,
        Op::ScatterAdd { .. } => rows::scatter_add(x[0], x[1], y)?,
        Op::GroupedDot { contract } => product::grouped_dot(contract, x, y),
        Op::GroupedOuter => product::grouped_outer(x, y),
        Op::Composite { .. } => unreachable!("composites are evaluated in their plain form"),
        Op::Parameter { .. } => unreachable!("parameters are bound by the caller"),
        Op::AllReduce { .. }
        | Op::AllGather { .. }
        | Op::ReduceScatter { .. }
        | Op::AllToAll { .. }
        | Op::RingShift { .. } => {
            unreachable!("collectives are evaluated on all devices at once")
        }
    })
}

fn zip(x: &[&Tensor], op: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    x[0].values.iter().zip(&x[1].values).map(|(&a, &b)| op(a, b)).collect()
}

fn iota(y: &Shape, name: collegium_hlo::Name) -> Vec<f64> {
    let (size, step) = (y.size(name).unwrap_or(1), super::tensor::stride(y, name));
    (0..y.num_elements()).map(|p| (p / step % size) as f64).collect()
}

/// The clamped start of a window of shape `part` in `whole`.
fn start(given: &Tensor, whole: &Shape, part: &Shape, name: collegium_hlo::Name) -> usize {
    layout::clamped(given, whole.size(name).unwrap_or(0), part.size(name).unwrap_or(0))
}
