//! The table, by class of operation.

mod collective;
mod composite;
mod elementwise;
mod experts;
mod layout;
mod product;
mod rows;

use collegium_core::DType;
use collegium_hlo::{Dim, dim};

use crate::{Fill, Input, OpCase};

/// All cases.
pub fn table() -> Vec<OpCase> {
    [
        elementwise::cases(),
        layout::cases(),
        product::cases(),
        rows::cases(),
        composite::cases(),
        experts::cases(),
        collective::cases(),
    ]
    .concat()
}

/// {a = 2, b = 3}: small, and no two dims of one size.
const AB: [Dim; 2] = [dim("a", 2), dim("b", 3)];
/// {a = 2, b = 3, c = 4}
const ABC: [Dim; 3] = [dim("a", 2), dim("b", 3), dim("c", 4)];

/// An f32 input of uniform numbers.
fn f32(dims: &[Dim]) -> Input {
    Input::new(DType::F32, dims)
}

/// A bf16 input of uniform numbers.
fn bf16(dims: &[Dim]) -> Input {
    Input::new(DType::Bf16, dims)
}

/// An i32 input of numbers below `end`.
fn index(dims: &[Dim], end: usize) -> Input {
    Input::new(DType::I32, dims).fill(Fill::Below(end))
}

/// A boolean input.
fn bools(dims: &[Dim]) -> Input {
    Input::new(DType::Bool, dims).fill(Fill::Below(2))
}

/// An input of given numbers along dim `v`.
fn given(dtype: DType, values: &[f64]) -> Input {
    Input::new(dtype, &[dim("v", values.len())]).fill(Fill::Given(values.to_vec()))
}
