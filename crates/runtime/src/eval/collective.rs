//! Exchange between devices: all of them are at hand, so each collective is a few lines of host code.

use collegium_hlo::{Mesh, Op, Shape};

use super::tensor::Tensor;
use super::{elementwise, layout};

/// Results of a collective on all devices, from the values of all devices.
pub(super) fn exchange(op: &Op, x: &[&Tensor], y: &Shape, mesh: &Mesh) -> Vec<Vec<f64>> {
    let mut out = vec![Vec::new(); x.len()];
    for group in mesh.groups(op.axes().unwrap_or_default()) {
        let members: Vec<&Tensor> = group.iter().map(|&d| x[d]).collect();
        for (place, &device) in group.iter().enumerate() {
            out[device] = member(op, &members, place, y);
        }
    }
    out
}

/// What the device at `place` of a group gets.
fn member(op: &Op, group: &[&Tensor], place: usize, y: &Shape) -> Vec<f64> {
    let combined = |reduction| -> Vec<f64> {
        (0..group[0].values.len())
            .map(|i| elementwise::reduce(reduction, group.iter().map(|m| m.values[i])))
            .collect()
    };
    match op {
        Op::AllReduce { reduction, .. } => combined(*reduction),
        Op::AllGather { dim, .. } => layout::concat(group, y, dim),
        Op::ReduceScatter { dim, .. } => {
            let whole =
                Tensor { shape: group[0].shape.clone(), values: combined(collegium_hlo::Reduction::Sum) };
            layout::window(&whole, y, dim, place * y.size(dim).unwrap_or(0))
        }
        Op::AllToAll { dim, .. } => {
            let mut one = y.clone();
            one.dims.iter_mut().filter(|d| d.name == *dim).for_each(|d| d.size = 1);
            let sent =
                |m: &&Tensor| Tensor { shape: one.clone(), values: layout::window(m, &one, dim, place) };
            let received: Vec<Tensor> = group.iter().map(sent).collect();
            layout::concat(&received.iter().collect::<Vec<_>>(), y, dim)
        }
        Op::RingShift { by, .. } => {
            group[(place + group.len() - by % group.len()) % group.len()].values.clone()
        }
        other => unreachable!("{} is no collective", other.name()),
    }
}
