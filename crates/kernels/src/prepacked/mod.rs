//! Products with weights that were packed when they were loaded: for serving, where weights never change.
//!
//! Outputs lie side by side in a panel of [`LANES`], so a panel is read once, in the order it lies in, for as many rows as there are, and
//! nothing is packed or summed across lanes. Every output is one sum in the order of the contracted dim, whatever the number of rows,
//! of threads, or of other tokens: a row's result has the same bits alone and in company.
//!
//! | weights | elements |
//! | --- | --- |
//! | f32 | {panel, in, lane} |
//! | bf16 | {panel, step, lane, pair}: two neighbours of `in` side by side, as the processor's dot product takes them; zero behind the end |
//! | int8 | {panel, step, lane, pair}, and scales {panel, block, lane} bf16, one for [`BLOCK`] weights of an output |
//!
//! Rows that meet int8 become whole numbers of 16 bits, a scale for each [`BLOCK`], so that a block is summed exactly.
//! Outputs behind the last one are zero. Experts have a dim more, in front.

mod experts;
mod narrow;
mod product;
mod rows;
mod tile;

use half::bf16;

use crate::ArgumentError;
use crate::check::length;

pub use experts::{PickedExperts, picked_experts};
pub use product::{PackedDot, packed_dot};

/// Outputs of a panel.
pub const LANES: usize = 64;

/// Weights of an output that share a scale.
pub const BLOCK: usize = 32;

/// Packed weights of one matrix, or of one for each slot.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// The elements.
    pub values: Values<'a>,
    /// How many matrices.
    pub slots: usize,
    /// Outputs of each.
    pub features: usize,
    /// Size of the contracted dim.
    pub inner: usize,
}

/// Elements of packed weights.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// bfloat16, in pairs.
    Bf16(&'a [bf16]),
    /// int8 with scales.
    Int8(&'a [i8], &'a [bf16]),
}

impl<'a> Weights<'a> {
    fn panels(&self) -> usize {
        self.features.div_ceil(LANES)
    }

    fn check(&self, kernel: &'static str, name: &'static str) -> Result<(), ArgumentError> {
        let panels = [self.slots, self.panels()];
        let sized = |len: usize, steps: usize, lane: usize| {
            length(kernel, name, len, &[panels[0], panels[1], steps, lane])
        };
        match self.values {
            Values::F32(values) => sized(values.len(), self.inner, LANES),
            Values::Bf16(values) => sized(values.len(), self.inner.div_ceil(2), 2 * LANES),
            Values::Int8(values, scales) => {
                sized(values.len(), self.inner.div_ceil(2), 2 * LANES)?;
                sized(scales.len(), self.inner.div_ceil(BLOCK), LANES)
            }
        }
    }

    /// The elements of one panel.
    fn panel(&self, slot: usize, panel: usize) -> Values<'a> {
        let at = slot * self.panels() + panel;
        fn part<T>(values: &[T], at: usize, size: usize) -> &[T] {
            &values[at * size..][..size]
        }
        match self.values {
            Values::F32(values) => Values::F32(part(values, at, self.inner * LANES)),
            Values::Bf16(values) => Values::Bf16(part(values, at, self.inner.div_ceil(2) * 2 * LANES)),
            Values::Int8(values, scales) => Values::Int8(
                part(values, at, self.inner.div_ceil(2) * 2 * LANES),
                part(scales, at, self.inner.div_ceil(BLOCK) * LANES),
            ),
        }
    }
}

/// Weights {feature, in} as panels of f32.
pub fn pack_f32(values: &[f32], inner: usize) -> Vec<f32> {
    let mut packed = Vec::with_capacity(values.len());
    for panel in values.chunks(LANES * inner.max(1)) {
        packed.extend((0..inner).flat_map(|step| lanes(panel, inner, step)));
    }
    packed
}

/// Weights {feature, in} as panels of bf16, rounded to the nearest.
pub fn pack_bf16(values: &[f32], inner: usize) -> Vec<bf16> {
    let mut packed = Vec::with_capacity(values.len());
    for panel in values.chunks(LANES * inner.max(1)) {
        for step in (0..inner).step_by(2) {
            let pairs = lanes(panel, inner, step).zip(lanes(panel, inner, step + 1));
            packed.extend(pairs.flat_map(|(a, b)| [a, b].map(bf16::from_f32)));
        }
    }
    packed
}

/// Weights {feature, in} as panels of int8 with their scales: each block's largest becomes 127, up to the rounding of its scale.
pub fn pack_int8(values: &[f32], inner: usize) -> (Vec<i8>, Vec<bf16>) {
    let (mut packed, mut scales) = (Vec::with_capacity(values.len()), Vec::new());
    for panel in values.chunks(LANES * inner.max(1)) {
        for block in (0..inner).step_by(BLOCK) {
            let steps = block..(block + BLOCK).min(inner);
            let mut largest = [0f32; LANES];
            for step in steps.clone() {
                largest.iter_mut().zip(lanes(panel, inner, step)).for_each(|(m, x)| *m = m.max(x.abs()));
            }
            let own = largest.map(|m| bf16::from_f32(m / 127.0));
            // `as` saturates, and takes what is not a number as zero.
            let whole = |(x, s): (f32, bf16)| if x == 0.0 { 0 } else { (x / s.to_f32()).round() as i8 };
            for step in steps.step_by(2) {
                let pairs = lanes(panel, inner, step).zip(lanes(panel, inner, step + 1)).zip(own);
                packed.extend(pairs.flat_map(|((a, b), s)| [whole((a, s)), whole((b, s))]));
            }
            scales.extend(own);
        }
    }
    (packed, scales)
}

/// Element `step` of each row of a panel; zero outside.
fn lanes(panel: &[f32], inner: usize, step: usize) -> impl Iterator<Item = f32> {
    let inside = step < inner;
    (0..LANES).map(move |lane| panel.get(lane * inner + step).copied().filter(|_| inside).unwrap_or(0.0))
}

#[cfg(test)]
mod tests;
