//! Collectives over replica groups, in the mesh's canonical order.

use super::{Writer, tensor};
use crate::op::Reduction;
use crate::{Name, Op, Shape};

impl Writer<'_> {
    pub(super) fn collective(&mut self, op: &Op, x: &str, from: &Shape, to: &Shape) -> String {
        let types = format!("({}) -> {}", tensor(from), tensor(to));
        let at = |name: Name| to.position(name).unwrap_or(0);
        let body = match op {
            Op::AllReduce { reduction, axes } => format!(
                "\"stablehlo.all_reduce\"({x}) <{{{}}}> ({}) : {types}",
                self.groups(axes),
                combiner(*reduction, to)
            ),
            Op::AllGather { dim, axes } => format!(
                "\"stablehlo.all_gather\"({x}) <{{all_gather_dim = {} : i64, {}}}> : {types}",
                at(dim),
                self.groups(axes)
            ),
            Op::ReduceScatter { dim, axes } => format!(
                "\"stablehlo.reduce_scatter\"({x}) <{{{}, scatter_dimension = {} : i64}}> ({}) : {types}",
                self.groups(axes),
                at(dim),
                combiner(Reduction::Sum, to)
            ),
            Op::AllToAll { dim, axes } => format!(
                "\"stablehlo.all_to_all\"({x}) <{{concat_dimension = {0} : i64, {1}, split_count = {2} : i64, split_dimension = {0} : i64}}> : {types}",
                at(dim),
                self.groups(axes),
                to.size(dim).unwrap_or(1)
            ),
            Op::RingShift { axis, by } => {
                format!("\"stablehlo.collective_permute\"({x}) <{{{}}}> : {types}", self.ring(axis, *by))
            }
            other => unreachable!("{} is no collective", other.name()),
        };
        self.line(&body)
    }

    fn groups(&self, axes: &[Name]) -> String {
        let groups = self.mesh().groups(axes);
        let rows: Vec<String> = groups.iter().map(|g| super::bracketed(g)).collect();
        format!(
            "replica_groups = dense<[{}]> : tensor<{}x{}xi64>",
            rows.join(", "),
            groups.len(),
            groups[0].len()
        )
    }

    fn ring(&self, axis: Name, by: usize) -> String {
        let pairs: Vec<String> = self
            .mesh()
            .groups(&[axis])
            .iter()
            .flat_map(|g| {
                (0..g.len()).map(|i| super::bracketed(&[g[i], g[(i + by) % g.len()]])).collect::<Vec<_>>()
            })
            .collect();
        format!("source_target_pairs = dense<[{}]> : tensor<{}x2xi64>", pairs.join(", "), pairs.len())
    }
}

fn combiner(reduction: Reduction, shape: &Shape) -> String {
    let (scalar, name) = (format!("tensor<{}>", shape.dtype), reduction.combiner());
    format!(
        "{{\n    ^bb0(%a: {scalar}, %b: {scalar}):\n      %s = stablehlo.{name} %a, %b : {scalar}\n      stablehlo.return %s : {scalar}\n    }}"
    )
}
