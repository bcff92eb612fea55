//! The table of rules. Codes are the Neuron compiler's, numbers are issues of the Neuron SDK's repository.

use super::{Severity, Target, collective, numbers, operator, rows, size};
use crate::{Node, NodeId, Program};

/// What a check found: how bad, where, and in words.
pub(super) type Found = Vec<(Severity, Option<NodeId>, String)>;

/// One rule.
pub struct Rule {
    /// Short name.
    pub id: &'static str,
    /// Where it is known from.
    pub source: &'static str,
    pub(super) applies: fn(Target) -> bool,
    pub(super) check: fn(&Program, Target) -> Found,
}

/// All rules.
pub const RULES: &[Rule] = &[
    Rule {
        id: "operator",
        source: "EVRF001, EUOC002: operator not supported",
        applies: neuron,
        check: operator::operator,
    },
    Rule { id: "f64", source: "ESPP004: f64 is not supported", applies: neuron, check: numbers::f64 },
    Rule {
        id: "integer-remainder",
        source: "only float remainders are known to compile",
        applies: neuron,
        check: numbers::integer_remainder,
    },
    Rule {
        id: "integer-quotient",
        source: "integer division goes through an f32 reciprocal and is off by one for some inputs; by powers of two it is exact",
        applies: neuron,
        check: numbers::integer_quotient,
    },
    Rule {
        id: "integer-power",
        source: "EVRF062: 64-bit integer power",
        applies: neuron,
        check: numbers::integer_power,
    },
    Rule {
        id: "integer-product",
        source: "EVRF035: integer dot, computed in f32 where it is not refused",
        applies: neuron,
        check: numbers::integer_product,
    },
    Rule {
        id: "integer-reduction",
        source: "integer sums are computed in f32, exact to 2^24",
        applies: neuron,
        check: numbers::integer_reduction,
    },
    Rule {
        id: "integer-scatter",
        source: "EVRF016, EVRF060: integer scatter",
        applies: neuron,
        check: numbers::integer_scatter,
    },
    Rule {
        id: "integer-collective",
        source: "EVRF061, EVRF063: integer all-reduce and reduce-scatter",
        applies: neuron,
        check: collective::integer,
    },
    Rule {
        id: "inexact-iota",
        source: "numbers above 2^(mantissa bits) round",
        applies: any,
        check: numbers::inexact_iota,
    },
    Rule {
        id: "narrow-product",
        source: "XLA's CPU compiler widens products with a bf16 result; with an f32 result they are three times faster",
        applies: cpu,
        check: numbers::narrow_product,
    },
    Rule {
        id: "all-to-all-type",
        source: "#1142: all-to-all on integers fails",
        applies: neuron,
        check: collective::all_to_all_type,
    },
    Rule {
        id: "all-to-all-dim",
        source: "#1142: all-to-all with certain split dims fails; the first is safe",
        applies: neuron,
        check: collective::all_to_all_dim,
    },
    Rule {
        id: "communicators",
        source: "16 replica-group communicators per executable (12 before SDK 2.32)",
        applies: neuron,
        check: collective::communicators,
    },
    Rule {
        id: "group-size",
        source: "trn1: world sizes 1, 2, 8, 16, 32 and multiples of 32; trn2: no groups of 8 or 32 consecutive cores",
        applies: neuron,
        check: collective::group_size,
    },
    Rule {
        id: "ring",
        source: "#1030: permutes must be closed rings between linked neighbours",
        applies: neuron,
        check: collective::ring,
    },
    Rule {
        id: "small-gather",
        source: "one DMA descriptor per gathered slice; slices below 512 bytes waste it",
        applies: neuron,
        check: rows::small_gather,
    },
    Rule {
        id: "weight-gather",
        source: "gathers of expert weights measured 8 to 100 times slower than a kernel",
        applies: neuron,
        check: rows::weight_gather,
    },
    Rule {
        id: "index-range",
        source: "EVRF031, EVRF056: iota indices beyond the operand; #1335: out-of-range indices abort",
        applies: any,
        check: rows::index_range,
    },
    Rule {
        id: "instructions",
        source: "EVRF007, EBVF030: instruction count limit",
        applies: neuron,
        check: size::instructions,
    },
    Rule { id: "memory", source: "EVRF009, EOOM001: device memory", applies: any, check: size::memory },
];

fn neuron(target: Target) -> bool {
    matches!(target, Target::Neuron(_))
}

fn cpu(target: Target) -> bool {
    target == Target::Cpu
}

fn any(_: Target) -> bool {
    true
}

/// Nodes of a program with their ids.
pub(super) fn nodes(program: &Program) -> impl Iterator<Item = (NodeId, &Node)> {
    program.nodes.iter().enumerate().map(|(i, n)| (NodeId(i as u32), n))
}

/// One finding for every node that `complaint` has words for.
pub(super) fn each(
    program: &Program,
    severity: Severity,
    complaint: impl Fn(&Node) -> Option<String>,
) -> Found {
    nodes(program)
        .filter_map(|(id, node)| complaint(node).map(|message| (severity, Some(id), message)))
        .collect()
}
