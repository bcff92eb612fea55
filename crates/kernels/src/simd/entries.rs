//! The bodies that are compiled once for each level, and their entries.
//!
//! A product is `out(m, n) = sum over k of left(m, k) right(k, n)`, with units of the contracted dim: `left` has any strides and
//! is repeated over lanes, rows of `right` and `out` are contiguous. Rows come in eights and columns in sixteens (packing pads),
//! so there are no edges here.
//!
//! Bodies have loops where closures would be shorter: a closure is a function of its own, without the level's features, and
//! single instructions in it become calls.

use super::{Level, portable::Portable};
#[cfg(target_arch = "x86_64")]
use super::{
    amx,
    avx2::Avx2,
    avx512::{Amx, Avx512, Avx512Bf16},
};

/// Rows of a block of a product.
pub(crate) const ROWS: usize = 8;
/// Columns come in multiples of this.
pub(crate) const WIDTH: usize = 16;

/// A product with its memory. Sizes in elements of the slices.
pub struct Product<'a, U> {
    /// Multiple of [`ROWS`].
    pub rows: usize,
    /// Multiple of [`WIDTH`].
    pub columns: usize,
    /// Units summed over.
    pub steps: usize,
    /// `left(m, k)` at `m * left_row + k * left_step`.
    pub left: &'a [U],
    pub left_row: usize,
    pub left_step: usize,
    /// `right(k, n)` at `k * right_step + n`.
    pub right: &'a [U],
    pub right_step: usize,
    /// `out(m, n)` at `m * out_row + n`.
    pub out: &'a mut [f32],
    pub out_row: usize,
    /// Whether `out` is added to.
    pub accumulate: bool,
}

/// Two rows of scores and of the gradients of their weights, in the backward pass of attention.
pub struct GradientRows<'a, U> {
    /// Columns, a multiple of [`WIDTH`], of each row.
    pub columns: usize,
    /// Two rows of scores at distance `row`; where units are single, they become the weights.
    pub scores: &'a mut [f32],
    /// Two rows of `d_out valueᵀ`; where units are single, they become the gradients of the scores.
    pub d_weights: &'a mut [f32],
    pub row: usize,
    /// What scores are multiplied with to be exponents of two.
    pub factor: f32,
    /// Log-sum-exp of each row, for exponents of two.
    pub sums: [f32; 2],
    /// Sum of `d_out out` of each row.
    pub delta: [f32; 2],
    /// Where units are pairs: weights, pairs across the rows.
    pub weights_across: &'a mut [U],
    /// Gradients of the scores, pairs across the rows.
    pub d_scores_across: &'a mut [U],
    /// Gradients of the scores, pairs along the rows, at distance `row / 2`.
    pub d_scores_along: &'a mut [U],
}

/// Two rows of logits, to become the gradient's.
pub struct LogitRows<'a, U> {
    /// Two rows of logits at distance `columns`; where units are single, they become `scale` times the softmax.
    pub logits: &'a mut [f32],
    /// A multiple of [`WIDTH`].
    pub columns: usize,
    /// Log-sum-exp of each row, for exponents of two.
    pub sums: [f32; 2],
    /// What each row's softmax is multiplied with.
    pub scale: [f32; 2],
    /// Where units are pairs: the result, pairs across the rows.
    pub across: &'a mut [U],
    /// And pairs along them, at distance `columns / 2`.
    pub along: &'a mut [U],
}

/// What kernels call. The instructions must be there.
pub trait Entries: Level {
    unsafe fn product_entry(p: &mut Product<'_, Self::Unit>);
    unsafe fn softmax_entry(
        scores: &mut [f32],
        so_far: f32,
        factor: f32,
        pairs: &mut [Self::Unit],
    ) -> (f32, f32);
    unsafe fn gradient_entry(g: &mut GradientRows<'_, Self::Unit>);
    unsafe fn sum_entry(scores: &[f32], factor: f32) -> (f32, f32);
    unsafe fn logit_entry(rows: &mut LogitRows<'_, Self::Unit>);
}

macro_rules! entries {
    ($level:ident $(, $features:literal)?) => {
        impl Entries for $level {
            unsafe fn product_entry(p: &mut Product<'_, Self::Unit>) {
                $(#[target_feature(enable = $features)])?
                unsafe fn run(p: &mut Product<'_, <$level as Level>::Unit>) {
                    // SAFETY: promised by the caller.
                    unsafe { product::<$level>(p) }
                }
                // SAFETY: promised by the caller.
                unsafe { run(p) }
            }
            unsafe fn softmax_entry(
                scores: &mut [f32],
                so_far: f32,
                factor: f32,
                pairs: &mut [Self::Unit],
            ) -> (f32, f32) {
                $(#[target_feature(enable = $features)])?
                unsafe fn run(
                    scores: &mut [f32],
                    so_far: f32,
                    factor: f32,
                    pairs: &mut [<$level as Level>::Unit],
                ) -> (f32, f32) {
                    // SAFETY: promised by the caller.
                    unsafe { softmax::<$level>(scores, so_far, factor, pairs) }
                }
                // SAFETY: promised by the caller.
                unsafe { run(scores, so_far, factor, pairs) }
            }
            unsafe fn gradient_entry(g: &mut GradientRows<'_, Self::Unit>) {
                $(#[target_feature(enable = $features)])?
                unsafe fn run(g: &mut GradientRows<'_, <$level as Level>::Unit>) {
                    // SAFETY: promised by the caller.
                    unsafe { gradient::<$level>(g) }
                }
                // SAFETY: promised by the caller.
                unsafe { run(g) }
            }
            unsafe fn sum_entry(scores: &[f32], factor: f32) -> (f32, f32) {
                $(#[target_feature(enable = $features)])?
                unsafe fn run(scores: &[f32], factor: f32) -> (f32, f32) {
                    // SAFETY: promised by the caller.
                    unsafe { sum::<$level>(scores, factor) }
                }
                // SAFETY: promised by the caller.
                unsafe { run(scores, factor) }
            }
            unsafe fn logit_entry(rows: &mut LogitRows<'_, Self::Unit>) {
                $(#[target_feature(enable = $features)])?
                unsafe fn run(rows: &mut LogitRows<'_, <$level as Level>::Unit>) {
                    // SAFETY: promised by the caller.
                    unsafe { logits::<$level>(rows) }
                }
                // SAFETY: promised by the caller.
                unsafe { run(rows) }
            }
        }
    };
}

entries!(Portable);
#[cfg(target_arch = "x86_64")]
entries!(Avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
entries!(Avx512, "avx512f,avx512bw");
#[cfg(target_arch = "x86_64")]
entries!(Avx512Bf16, "avx512f,avx512bw,avx512bf16");
#[cfg(target_arch = "x86_64")]
entries!(Amx, "avx512f,avx512bw,avx512bf16");

/// The product. Panels of columns outside, so that a panel of `right` stays in the first-level cache for all rows.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn product<L: Level>(p: &mut Product<'_, L::Unit>) {
    #[cfg(target_arch = "x86_64")]
    if L::HAS_TILES {
        let mut p = Product {
            left: bytemuck::cast_slice(p.left),
            right: bytemuck::cast_slice(p.right),
            rows: p.rows,
            columns: p.columns,
            steps: p.steps,
            left_row: p.left_row,
            left_step: p.left_step,
            right_step: p.right_step,
            out: &mut *p.out,
            out_row: p.out_row,
            accumulate: p.accumulate,
        };
        // SAFETY: promised by the caller.
        return unsafe { amx::product(&mut p) };
    }
    if p.rows == 0 || p.columns == 0 {
        return;
    }
    let last = |count: usize, stride: usize| count.saturating_sub(1) * stride;
    assert!(p.rows.is_multiple_of(ROWS) && p.columns.is_multiple_of(WIDTH));
    assert!(last(p.rows, p.out_row) + p.columns <= p.out.len());
    if p.steps > 0 {
        assert!(last(p.rows, p.left_row) + last(p.steps, p.left_step) < p.left.len());
        assert!(last(p.steps, p.right_step) + p.columns <= p.right.len());
    }
    let panel = L::COLUMNS * L::LANES;
    let mut column = 0;
    while column < p.columns {
        let whole = column + panel <= p.columns;
        for row in (0..p.rows).step_by(ROWS) {
            // SAFETY: rows, columns and steps lie inside the slices, as just asserted.
            unsafe {
                if L::COLUMNS == 2 && whole {
                    block::<L, 2>(p, row, column);
                } else {
                    block::<L, 1>(p, row, column);
                }
            }
        }
        column += if L::COLUMNS == 2 && whole { panel } else { L::LANES };
    }
}

/// Eight rows of some vectors of columns.
///
/// # Safety
/// They lie inside the slices, and the processor has the level.
#[inline(always)]
unsafe fn block<L: Level, const N: usize>(p: &mut Product<'_, L::Unit>, row: usize, column: usize) {
    // SAFETY: promised by the caller.
    unsafe {
        let out = p.out.as_mut_ptr().add(row * p.out_row + column);
        let mut sums = [[L::splat(0.0); N]; ROWS];
        if p.accumulate {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(out.add(i * p.out_row + j * L::LANES));
                }
            }
        }
        let (left_row, left_step, right_step) = (p.left_row, p.left_step, p.right_step);
        // Wrapping: behind the last step they may point outside.
        let mut left = p.left.as_ptr().wrapping_add(row * left_row);
        let mut right = p.right.as_ptr().wrapping_add(column);
        for _ in 0..p.steps {
            let mut b = [L::load_units(right); N];
            for (j, b) in b.iter_mut().enumerate().skip(1) {
                *b = L::load_units(right.add(j * L::LANES));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = L::repeat_unit(left.add(i * left_row));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = L::dot(*sum, a, b);
                }
            }
            left = left.wrapping_add(left_step);
            right = right.wrapping_add(right_step);
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                L::store(sum, out.add(i * p.out_row + j * L::LANES));
            }
        }
    }
}

/// `2^(factor (score - largest))` of a row, where the largest counts those `so_far`; gives the largest and the sum. The weights
/// take the scores' place, or go to `pairs` where units are pairs. A row that sees nothing yet has weights zero.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn softmax<L: Level>(
    scores: &mut [f32],
    so_far: f32,
    factor: f32,
    pairs: &mut [L::Unit],
) -> (f32, f32) {
    assert!(scores.len().is_multiple_of(WIDTH) && (L::DEPTH == 1 || pairs.len() * L::DEPTH >= scores.len()));
    let (from, pairs, count) = (scores.as_mut_ptr(), pairs.as_mut_ptr(), scores.len());
    // SAFETY: the caller promises the level; all places are below the asserted lengths.
    unsafe {
        let vectors = WIDTH / L::LANES;
        let largest = largest::<L>(scores, so_far);
        let base = L::splat(if largest == f32::NEG_INFINITY { 0.0 } else { largest });
        let factor = L::splat(factor);
        let mut sums = [L::splat(0.0); WIDTH_VECTORS_MOST];
        for at in (0..count).step_by(WIDTH) {
            for (i, sum) in sums.iter_mut().enumerate().take(vectors) {
                let place = at + i * L::LANES;
                let weight = L::exp2(L::mul(L::sub(L::load(from.add(place)), base), factor));
                *sum = L::add(*sum, weight);
                if L::DEPTH == 1 {
                    L::store(weight, from.add(place));
                } else {
                    L::store_row(weight, pairs.add(place / L::DEPTH));
                }
            }
        }
        (largest, total::<L>(&sums[..vectors]))
    }
}

/// Sum over vectors and their lanes.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn total<L: Level>(vectors: &[L::Vector]) -> f32 {
    let mut total = 0.0;
    for &vector in vectors {
        // SAFETY: promised by the caller.
        total += unsafe { L::sum(vector) };
    }
    total
}

/// The largest of a row and of `so_far`.
///
/// # Safety
/// The processor has the level; the row has whole [`WIDTH`]s.
#[inline(always)]
unsafe fn largest<L: Level>(row: &[f32], so_far: f32) -> f32 {
    let vectors = WIDTH / L::LANES;
    // SAFETY: promised by the caller.
    unsafe {
        let mut largest = [L::splat(so_far); WIDTH_VECTORS_MOST];
        for at in (0..row.len()).step_by(WIDTH) {
            for (i, largest) in largest.iter_mut().enumerate().take(vectors) {
                *largest = L::max(*largest, L::load(row.as_ptr().add(at + i * L::LANES)));
            }
        }
        let mut most = so_far;
        for &vector in &largest[..vectors] {
            most = most.max(L::largest(vector));
        }
        most
    }
}

/// The largest of a row and the sum of `2^(factor (score - largest))`.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn sum<L: Level>(scores: &[f32], factor: f32) -> (f32, f32) {
    assert!(scores.len().is_multiple_of(WIDTH));
    // SAFETY: the caller promises the level; all places are below the length.
    unsafe {
        let vectors = WIDTH / L::LANES;
        let largest = largest::<L>(scores, f32::NEG_INFINITY);
        let base = L::splat(if largest == f32::NEG_INFINITY { 0.0 } else { largest });
        let factor = L::splat(factor);
        let mut sums = [L::splat(0.0); WIDTH_VECTORS_MOST];
        for at in (0..scores.len()).step_by(WIDTH) {
            for (i, sum) in sums.iter_mut().enumerate().take(vectors) {
                let score = L::load(scores.as_ptr().add(at + i * L::LANES));
                *sum = L::add(*sum, L::exp2(L::mul(L::sub(score, base), factor)));
            }
        }
        (largest, total::<L>(&sums[..vectors]))
    }
}

/// `scale 2^(log2(e) logit - sum)` of two rows.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn logits<L: Level>(r: &mut LogitRows<'_, L::Unit>) {
    assert!(r.columns.is_multiple_of(WIDTH) && 2 * r.columns <= r.logits.len());
    assert!(L::DEPTH == 1 || (r.columns <= r.across.len() && r.columns <= r.along.len()));
    let logits = r.logits.as_mut_ptr();
    // SAFETY: the caller promises the level; all places are below the asserted lengths.
    unsafe {
        let factor = L::splat(std::f32::consts::LOG2_E);
        for at in (0..r.columns).step_by(L::LANES) {
            let mut shares = [factor; 2];
            for (i, share) in shares.iter_mut().enumerate() {
                let place = at + i * r.columns;
                let exponent = L::sub(L::mul(L::load(logits.add(place)), factor), L::splat(r.sums[i]));
                *share = L::mul(L::exp2(exponent), L::splat(r.scale[i]));
                if L::DEPTH == 1 {
                    L::store(*share, logits.add(place));
                } else {
                    L::store_row(*share, r.along.as_mut_ptr().add(place / 2));
                }
            }
            if L::DEPTH == 2 {
                L::store_across(shares[0], shares[1], r.across.as_mut_ptr().add(at));
            }
        }
    }
}

/// Vectors in [`WIDTH`] of the level with the fewest lanes.
const WIDTH_VECTORS_MOST: usize = WIDTH / 4;

/// `p = 2^(factor score - sum)` and `p (d_weight - delta)` of two rows.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn gradient<L: Level>(g: &mut GradientRows<'_, L::Unit>) {
    let both = g.row + g.columns;
    assert!(g.columns.is_multiple_of(WIDTH) && both <= g.scores.len() && both <= g.d_weights.len());
    if L::DEPTH == 2 {
        let along = g.row / 2 + g.columns / 2;
        assert!(g.columns <= g.weights_across.len() && g.columns <= g.d_scores_across.len());
        assert!(along <= g.d_scores_along.len());
    }
    let (scores, d_weights) = (g.scores.as_mut_ptr(), g.d_weights.as_mut_ptr());
    // SAFETY: the caller promises the level; all places are below the asserted lengths.
    unsafe {
        let factor = L::splat(g.factor);
        for at in (0..g.columns).step_by(L::LANES) {
            let mut both = [(factor, factor); 2];
            for (i, kept) in both.iter_mut().enumerate() {
                let place = at + i * g.row;
                let exponent = L::sub(L::mul(L::load(scores.add(place)), factor), L::splat(g.sums[i]));
                let weight = L::exp2(exponent);
                let slope = L::sub(L::load(d_weights.add(place)), L::splat(g.delta[i]));
                let d_score = L::mul(weight, slope);
                if L::DEPTH == 1 {
                    L::store(weight, scores.add(place));
                    L::store(d_score, d_weights.add(place));
                } else {
                    L::store_row(d_score, g.d_scores_along.as_mut_ptr().add(place / 2));
                }
                *kept = (weight, d_score);
            }
            if L::DEPTH == 2 {
                L::store_across(both[0].0, both[1].0, g.weights_across.as_mut_ptr().add(at));
                L::store_across(both[0].1, both[1].1, g.d_scores_across.as_mut_ptr().add(at));
            }
        }
    }
}
