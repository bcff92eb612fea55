//! The inner loops over weights that are widened in registers: bf16 where the processor has no (fast) products of pairs, and int8.
//!
//! Each has a plain form, which does the same operations in the same order.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;

use half::bf16;

use super::tile::{Blocks, Tile};
use super::{BLOCK, LANES};
use crate::lanes::{Loop, fused};
use crate::simd::Pair;

/// The two halves of a pair, exactly.
#[inline(always)]
fn halves(pair: Pair) -> [f32; 2] {
    [f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000)]
}

/// f32 rows times bf16 weights.
pub(super) struct Bf16<'a, 'r>(pub Tile<'a, &'r [f32], Pair>);

impl Loop for Bf16<'_, '_> {
    #[allow(clippy::needless_range_loop)]
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (row, out) in self.0.rows.iter().zip(self.0.out.chunks_exact_mut(LANES)) {
            let mut sums = [0f32; LANES];
            for (step, pairs) in self.0.panel.chunks_exact(LANES).enumerate() {
                let x = [row[2 * step], if 2 * step + 1 < row.len() { row[2 * step + 1] } else { 0.0 }];
                for lane in 0..LANES {
                    let weights = halves(pairs[lane]);
                    sums[lane] = fused::<FMA>(x[0], weights[0], sums[lane]);
                    sums[lane] = fused::<FMA>(x[1], weights[1], sums[lane]);
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}

/// Whole numbers times int8 weights with their scales.
pub(super) struct Int8<'a, 'r>(pub Tile<'a, Blocks<'r>, i8>, pub &'a [bf16]);

impl Loop for Int8<'_, '_> {
    #[allow(clippy::needless_range_loop)]
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self(tile, scales) = self;
        for (row, out) in tile.rows.iter().zip(tile.out.chunks_exact_mut(LANES)) {
            let mut sums = [0f32; LANES];
            for (block, panel) in tile.panel.chunks(BLOCK * LANES).enumerate() {
                let mut whole = [0i32; LANES];
                for (step, weights) in panel.chunks_exact(2 * LANES).enumerate() {
                    let pair = row.units[block * BLOCK / 2 + step];
                    let x = [i32::from(pair as u16 as i16), i32::from((pair >> 16) as u16 as i16)];
                    for lane in 0..LANES {
                        whole[lane] += x[0] * i32::from(weights[2 * lane]);
                        whole[lane] += x[1] * i32::from(weights[2 * lane + 1]);
                    }
                }
                for lane in 0..LANES {
                    let scale = scales[block * LANES + lane].to_f32() * row.scales[block];
                    sums[lane] = fused::<FMA>(whole[lane] as f32, scale, sums[lane]);
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}
