//! The table has every operation.

use std::collections::BTreeSet;

use collegium_hlo::{Binary, Compare, Op, Reduction, Unary};
use collegium_testkit::table;

/// One name per operation that must be in the table. The matches have no rest arm: with a new operation this file does not
/// compile until it is named here, and the test fails until the table has it.
fn kind(op: &Op) -> String {
    match op {
        Op::Unary(op) => match op {
            Unary::Neg | Unary::Abs | Unary::Sign | Unary::Exp | Unary::ExpM1 | Unary::Log | Unary::Log1p => {
                op.name()
            }
            Unary::Sqrt | Unary::Rsqrt | Unary::Tanh | Unary::Logistic | Unary::Sin | Unary::Cos => op.name(),
            Unary::Floor | Unary::Ceil | Unary::Not | Unary::IsFinite => op.name(),
        }
        .into(),
        Op::Binary(op) => match op {
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Rem | Binary::Pow => op.name(),
            Binary::Max | Binary::Min | Binary::And | Binary::Or | Binary::ShiftRight => op.name(),
        }
        .into(),
        Op::Compare(op) => match op {
            Compare::Eq | Compare::Ne | Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => {
                op.name().into()
            }
        },
        Op::Reduce { reduction, .. } => format!("reduce {}", way(*reduction)),
        Op::AllReduce { reduction, .. } => format!("all_reduce {}", way(*reduction)),
        Op::Parameter { .. } | Op::Constant(_) | Op::Literal(_) | Op::Iota { .. } | Op::RankId => {
            op.name().into()
        }
        Op::Select
        | Op::Convert
        | Op::Bitcast
        | Op::StopGradient
        | Op::Barrier
        | Op::Broadcast
        | Op::Transpose => op.name().into(),
        Op::Reshape | Op::Rename | Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } => op.name().into(),
        Op::Reverse { .. } | Op::DynamicSlice { .. } | Op::DynamicUpdate { .. } => op.name().into(),
        Op::Dot { .. }
        | Op::Take { .. }
        | Op::ScatterAdd { .. }
        | Op::GroupedDot { .. }
        | Op::GroupedOuter => op.name().into(),
        Op::Composite { what, result } => format!("{} {result}", what.name()),
        Op::AllGather { .. } | Op::ReduceScatter { .. } | Op::AllToAll { .. } | Op::RingShift { .. } => {
            op.name().into()
        }
    }
}

fn way(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Sum | Reduction::Max | Reduction::Min => reduction.combiner(),
    }
}

const KINDS: &str = "negate, abs, sign, exponential, exponential_minus_one, log, log_plus_one, sqrt, rsqrt, tanh, logistic, sine, \
    cosine, floor, ceil, not, is_finite, add, subtract, multiply, divide, remainder, power, maximum, minimum, and, or, shift_right_logical, \
    EQ, NE, LT, LE, GT, GE, reduce add, reduce maximum, reduce minimum, all_reduce add, all_reduce maximum, all_reduce minimum, \
    take, parameter, constant, literal, iota, rank_id, select, convert, bitcast_convert, stop_gradient, barrier, \
    broadcast, transpose, reshape, rename, slice, pad, concat, reverse, dynamic_slice, dynamic_update, dot, scatter_add, \
    grouped_dot, grouped_outer, attention 0, attention 1, attention_gradient 0, attention_gradient 1, attention_gradient 2, \
    cross_entropy 0, cross_entropy 1, cross_entropy 2, slot_shards 0, slot_sums 0, swiglu 0, swiglu_gradient 0, \
    swiglu_gradient 1, swiglu_gradient 2, gathered_sum 0, expert_rows 0, expert_rows 1, expert_rows 2, \
    expert_rows_gradient 0, expert_rows_gradient 1, expert_rows_gradient 2, expert_rows_gradient 3, grouped_dot_sum 0, sum_of_squares 0, adamw 0, adamw 1, adamw 2, adamw 3, packed_dot 0, packed_experts 0, \
    route 0, route 1, route 2, rms_norm 0, take_rows 0, paged_step 0, paged_step 1, paged_step 2, \
    paged_step_int8 0, paged_step_int8 1, paged_step_int8 2, paged_step_int8 3, paged_step_int8 4, all_gather, reduce_scatter, all_to_all, ring_shift";

#[test]
fn every_operation_is_in_the_table() {
    let programs = table().into_iter().map(|c| c.program().expect("every case builds"));
    let seen: BTreeSet<String> =
        programs.flat_map(|p| p.nodes.iter().map(|n| kind(&n.op)).collect::<Vec<_>>()).collect();
    let wanted: BTreeSet<String> = KINDS.split(", ").map(String::from).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn names_are_unique() {
    let names: Vec<String> = table().into_iter().map(|c| c.name).collect();
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}
