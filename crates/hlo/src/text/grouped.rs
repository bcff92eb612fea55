//! Grouped products in plain StableHLO: a loop over blocks with a static trip count, one matrix product each. The slot of
//! a block is clamped into range (an unused block holds zero rows, so what it multiplies does not matter).

use std::fmt::Write;

use collegium_core::DType;

use super::{Writer, literal, precision, tensor};
use crate::{Dim, Name, Shape, dim};

impl Writer<'_> {
    /// `out[block] = rows[block] weights[block_slot[block]]`
    pub(super) fn grouped_dot_loop(
        &mut self,
        x: &[String],
        s: &[Shape],
        contract: Name,
        y: &Shape,
    ) -> String {
        let (rows, weights) = (&s[0], &s[1]);
        let blocks = s[2].dims[0].size;
        let block = rows.dims[0].size / blocks;
        let (x, s, y_type) = (x.to_vec(), s.to_vec(), y.clone());
        let (rows, weights) = (rows.clone(), weights.clone());
        self.block_loop(blocks, y, move |w, turn, acc| {
            let start = w.block_start(turn, block);
            let piece = resized(&rows, 0, block);
            let left = w.dynamic_slice(&x[0], &rows, &start, rows.dims[0].name, &piece);
            let (right, matrix) = w.slot_matrix(&x, &s, turn, &weights);
            let at = matrix.position(contract).unwrap_or(0);
            let out = resized(&y_type, 0, block);
            let product = w.line(&format!(
                "stablehlo.dot_general {left}, {right}, contracting_dims = [1] x [{at}]{} : ({}, {}) -> {}",
                precision(&piece),
                tensor(&piece),
                tensor(&matrix),
                tensor(&out)
            ));
            w.dynamic_update(acc, &y_type, &product, &out, &start, y_type.dims[0].name)
        })
    }

    /// `out[block_slot[block]] += left[block]ᵀ right[block]`
    pub(super) fn grouped_outer_loop(&mut self, x: &[String], s: &[Shape], y: &Shape) -> String {
        let blocks = s[2].dims[0].size;
        let block = s[0].dims[0].size / blocks;
        let (x, s, y_type) = (x.to_vec(), s.to_vec(), y.clone());
        self.block_loop(blocks, y, move |w, turn, acc| {
            let start = w.block_start(turn, block);
            let pieces = [resized(&s[0], 0, block), resized(&s[1], 0, block)];
            let left = w.dynamic_slice(&x[0], &s[0], &start, s[0].dims[0].name, &pieces[0]);
            let right = w.dynamic_slice(&x[1], &s[1], &start, s[1].dims[0].name, &pieces[1]);
            let out = resized(&y_type, 0, 1);
            let flat = Shape::new(out.dtype, &out.dims[1..]);
            let product = w.line(&format!(
                "stablehlo.dot_general {left}, {right}, contracting_dims = [0] x [0]{} : ({}, {}) -> {}",
                precision(&pieces[0]),
                tensor(&pieces[0]),
                tensor(&pieces[1]),
                tensor(&flat)
            ));
            let product =
                w.line(&format!("stablehlo.reshape {product} : ({}) -> {}", tensor(&flat), tensor(&out)));
            let slot = w.slot_of(&x[2], &s[2], turn, y_type.dims[0].size);
            let name = y_type.dims[0].name;
            let old = w.dynamic_slice(acc, &y_type, &slot, name, &out);
            let sum = w.line(&format!("stablehlo.add {old}, {product} : {}", tensor(&out)));
            w.dynamic_update(acc, &y_type, &sum, &out, &slot, name)
        })
    }

    /// A loop of `turns` over an accumulator of shape `y`, from zero; `body` is given the turn and the accumulator.
    fn block_loop(
        &mut self,
        turns: usize,
        y: &Shape,
        body: impl FnOnce(&mut Self, &str, &str) -> String,
    ) -> String {
        let ty = tensor(y);
        let zero = self.line("stablehlo.constant dense<0> : tensor<i32>");
        let one = self.line("stablehlo.constant dense<1> : tensor<i32>");
        let end = self.line(&format!("stablehlo.constant dense<{turns}> : tensor<i32>"));
        let init = self.line(&format!("stablehlo.constant dense<{}> : {ty}", literal::number(y.dtype, 0.0)));
        let [result, turn, acc, more] = std::array::from_fn(|_| self.name());
        let _ = writeln!(
            self.out,
            "    {result}:2 = stablehlo.while({turn} = {zero}, {acc} = {init}) : tensor<i32>, {ty}\n    cond {{\n      \
             {more} = stablehlo.compare LT, {turn}, {end}, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>\n      \
             stablehlo.return {more} : tensor<i1>\n    }} do {{"
        );
        let updated = body(self, &turn, &acc);
        let next = self.line(&format!("stablehlo.add {turn}, {one} : tensor<i32>"));
        let _ = writeln!(self.out, "    stablehlo.return {next}, {updated} : tensor<i32>, {ty}\n    }}");
        format!("{result}#1")
    }

    /// First row of the block of this turn.
    fn block_start(&mut self, turn: &str, block: usize) -> String {
        let size = self.line(&format!("stablehlo.constant dense<{block}> : tensor<i32>"));
        self.line(&format!("stablehlo.multiply {turn}, {size} : tensor<i32>"))
    }

    /// Slot of the block of this turn, clamped to the slots there are.
    fn slot_of(&mut self, table: &str, shape: &Shape, turn: &str, slots: usize) -> String {
        let one = Shape::new(DType::I32, &[dim(shape.dims[0].name, 1)]);
        let slot = self.dynamic_slice(table, shape, turn, shape.dims[0].name, &one);
        let slot = self.line(&format!("stablehlo.reshape {slot} : (tensor<1xi32>) -> tensor<i32>"));
        let last = self.line(&format!("stablehlo.constant dense<{}> : tensor<i32>", slots - 1));
        self.line(&format!("stablehlo.minimum {slot}, {last} : tensor<i32>"))
    }

    /// Weights of the slot of this turn's block, as a matrix.
    fn slot_matrix(&mut self, x: &[String], s: &[Shape], turn: &str, weights: &Shape) -> (String, Shape) {
        let slot = self.slot_of(&x[2], &s[2], turn, weights.dims[0].size);
        let one = resized(weights, 0, 1);
        let matrix = Shape::new(weights.dtype, &weights.dims[1..]);
        let piece = self.dynamic_slice(&x[1], weights, &slot, weights.dims[0].name, &one);
        let text =
            self.line(&format!("stablehlo.reshape {piece} : ({}) -> {}", tensor(&one), tensor(&matrix)));
        (text, matrix)
    }
}

/// The shape with another size at one position.
fn resized(shape: &Shape, at: usize, size: usize) -> Shape {
    let mut dims: Vec<Dim> = shape.dims.clone();
    dims[at].size = size;
    shape.with_dims(dims)
}
