//! The experts' feed-forward of gathered rows.

use collegium_hlo::{Links, Value, dim};

use super::{bf16, f32, index};
use crate::{Fill, Input, OpCase};

const TOKENS: usize = 40;
const CHOICES: usize = 2;

/// Rows in blocks of nine, of three slots and of none; tokens with two links each, of which some lead nowhere, as some rows do.
fn inputs(of: fn(&[collegium_hlo::Dim]) -> Input, blocks: usize, is_scaled: bool) -> Vec<Input> {
    let (rows, used) = (9 * blocks, TOKENS * CHOICES);
    let row_of_choice =
        |choice: usize| (choice % 11 != 3).then_some(choice * 7 % used).filter(|&row| row < rows);
    let choice_of_row = |row| (0..used).find(|&choice| row_of_choice(choice) == Some(row));
    let number = |found: Option<usize>| found.map_or(-1.0, |n| n as f64);
    let table = |dims: &[collegium_hlo::Dim], values| index(dims, 1).fill(Fill::Given(values));
    let (token, row, slot) = (dim("token", TOKENS), dim("row", rows), dim("slot", 3));
    let (hidden, inner) = (dim("hidden", 6), dim("intermediate", 10));
    let to_rows = table(&[row, dim("reader", 1)], (0..rows).map(|r| number(choice_of_row(r))).collect());
    let to_tokens =
        table(&[token, dim("choice", CHOICES)], (0..used).map(|c| number(row_of_choice(c))).collect());
    let weights = [[slot, inner, hidden], [slot, inner, hidden], [slot, hidden, inner]];
    let slots =
        table(&[dim("block", blocks)], (0..blocks).map(|b| [2.0, 0.0, 3.0, 0.0, 2.0][b % 5]).collect());
    let scale = is_scaled.then(|| f32(&[row]));
    [vec![of(&[token, hidden]), to_rows, to_tokens], weights.map(|w| of(&w)).to_vec(), vec![slots]]
        .concat()
        .into_iter()
        .chain(scale)
        .collect()
}

fn build<'g>(_: &'g collegium_hlo::Graph, x: &[Value<'g>]) -> Value<'g> {
    let links = Links { index: x[1], inverse: x[2] };
    x[0].expert_rows(links, x.get(7).copied(), [x[3], x[4], x[5]], x[6])
}

/// Ten blocks are more rows than a kernel takes one by one, five are fewer.
pub(super) fn cases() -> Vec<OpCase> {
    vec![
        OpCase::new("expert_rows_f32", inputs(f32, 10, true), build),
        OpCase::new("expert_rows_few_f32", inputs(f32, 5, false), build),
        OpCase::new("expert_rows_bf16", inputs(bf16, 10, true), build),
    ]
}
