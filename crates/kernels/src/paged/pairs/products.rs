//! Products with pages in registers: two rows of a page become a row of pairs, once for all rows of a tile.

use std::arch::x86_64::*;
use std::ops::Range;

use half::bf16;

use super::super::attend::{PAGE, Slab};
use crate::attention::KEYS;
use crate::simd::Pair;

/// Values that a register has of two rows of a page, side by side.
pub(super) const COLUMNS: usize = 32;

/// Scores of a page, {row, place}, at a distance of [`KEYS`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) fn score<const R: usize>(keys: &[bf16], queries: &[Pair], steps: usize, scores: &mut [f32]) {
    assert!(
        keys.len() >= steps * COLUMNS && queries.len() >= R * steps && scores.len() >= (R - 1) * KEYS + PAGE
    );
    let side_by_side = indices(|i| (i % 2 * PAGE + i / 2) as i16);
    let mut sums = [_mm512_setzero_ps(); R];
    for step in 0..steps {
        // SAFETY: two rows of keys for each step, as just asserted.
        let two = unsafe { _mm512_loadu_si512(keys.as_ptr().add(step * COLUMNS).cast()) };
        let pairs = _mm512_permutexvar_epi16(side_by_side, two);
        for (r, sum) in sums.iter_mut().enumerate() {
            // SAFETY: `steps` pairs for each row.
            let query = unsafe { *queries.get_unchecked(r * steps + step) };
            *sum = dot(*sum, _mm512_set1_epi32(query as i32), pairs);
        }
    }
    for (r, sum) in sums.into_iter().enumerate() {
        // SAFETY: rows are as far from each other as was asserted.
        unsafe { _mm512_storeu_ps(scores.as_mut_ptr().add(r * KEYS), sum) };
    }
}

/// Values of some places of a tile of keys, counted from its first.
pub(super) struct Values<'a> {
    pub slab: &'a Slab<'a, bf16, bf16>,
    pub first: usize,
    pub places: Range<usize>,
}

/// Adds values, as often as weights {row, pair of places} say, to `sums` {row, head_dim}. Of a pair that begins or ends outside only the other place counts.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) fn mixed<const R: usize>(tile: &Values<'_>, weights: &[Pair], sums: &mut [f32]) {
    let Range { mut start, end } = tile.places;
    if start >= end {
        return;
    }
    if start % 2 == 1 {
        strips::<R>(tile, start - 1..start + 1, [false, true], weights, sums);
        start += 1;
    }
    let whole = end / 2 * 2;
    strips::<R>(tile, start..whole, [true; 2], weights, sums);
    if end % 2 == 1 && start < end {
        strips::<R>(tile, whole..end + 1, [true, false], weights, sums);
    }
}

/// [`mixed`] for whole pairs, of whose places the first and the second count or not.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn strips<const R: usize>(
    tile: &Values<'_>,
    places: Range<usize>,
    counts: [bool; 2],
    weights: &[Pair],
    sums: &mut [f32],
) {
    if places.is_empty() {
        return;
    }
    let (head_dim, width) = (tile.slab.problem.head_dim, sums.len() / R);
    let mut at = 0;
    if R <= 4 {
        while at + 2 * COLUMNS <= head_dim {
            strip::<R, 2>(tile, places.clone(), counts, weights, sums, [at, width]);
            at += 2 * COLUMNS;
        }
    }
    while at < head_dim {
        strip::<R, 1>(tile, places.clone(), counts, weights, sums, [at, width]);
        at += COLUMNS;
    }
}

/// `N` times [`COLUMNS`] elements of [`strips`], from `at`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn strip<const R: usize, const N: usize>(
    tile: &Values<'_>,
    places: Range<usize>,
    counts: [bool; 2],
    weights: &[Pair],
    sums: &mut [f32],
    [at, width]: [usize; 2],
) {
    let head_dim = tile.slab.problem.head_dim;
    assert!(sums.len() >= (R - 1) * width + at + N * COLUMNS);
    assert!(weights.len() >= (R - 1) * KEYS / 2 + places.end / 2);
    let [low, high] = [0, 1].map(|half| indices(move |i| (half * PAGE + i / 2 + i % 2 * COLUMNS) as i16));
    // What there is of each row: the last columns may be fewer.
    let masks: [[u32; 2]; N] = std::array::from_fn(|n| {
        let columns = head_dim.saturating_sub(at + n * COLUMNS).min(COLUMNS);
        counts.map(|counts| if counts { ((1_u64 << columns) - 1) as u32 } else { 0 })
    });
    let to = sums.as_mut_ptr();
    let place_of = |r: usize, half: usize| r * width + at + half * PAGE;
    let mut own = [[[_mm512_setzero_ps(); 2]; N]; R];
    for (r, own) in own.iter_mut().enumerate() {
        for (half, sum) in own.as_flattened_mut().iter_mut().enumerate() {
            // SAFETY: inside the sums, as asserted.
            *sum = unsafe { _mm512_loadu_ps(to.add(place_of(r, half))) };
        }
    }
    let mut place = places.start;
    while place < places.end {
        let values = tile.slab.of(tile.slab.problem.values, (tile.first + place) / PAGE);
        let end = places.end.min((place / PAGE + 1) * PAGE);
        while place < end {
            let rows = values[place % PAGE * head_dim..][..2 * head_dim].as_ptr();
            let mut pairs = [[_mm512_setzero_si512(); 2]; N];
            for n in 0..N {
                // SAFETY: the masks keep to two rows of the page.
                let two = unsafe {
                    let from = rows.wrapping_add(at + n * COLUMNS).cast::<i16>();
                    [
                        _mm512_maskz_loadu_epi16(masks[n][0], from),
                        _mm512_maskz_loadu_epi16(masks[n][1], from.wrapping_add(head_dim)),
                    ]
                };
                pairs[n] = [
                    _mm512_permutex2var_epi16(two[0], low, two[1]),
                    _mm512_permutex2var_epi16(two[0], high, two[1]),
                ];
            }
            for (r, own) in own.iter_mut().enumerate() {
                // SAFETY: a weight for every pair of places of every row, as asserted.
                let weight = unsafe { *weights.get_unchecked(r * KEYS / 2 + place / 2) };
                let weight = _mm512_set1_epi32(weight as i32);
                for (own, pairs) in own.as_flattened_mut().iter_mut().zip(pairs.as_flattened()) {
                    *own = dot(*own, weight, *pairs);
                }
            }
            place += 2;
        }
    }
    for (r, own) in own.iter().enumerate() {
        for (half, sum) in own.as_flattened().iter().enumerate() {
            // SAFETY: as above.
            unsafe { _mm512_storeu_ps(to.add(place_of(r, half)), *sum) };
        }
    }
}

/// `sum + a b`, over both elements of each pair.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn dot(sum: __m512, a: __m512i, b: __m512i) -> __m512 {
    // SAFETY: both types are 32 bf16 in one register.
    unsafe {
        _mm512_dpbf16_ps(
            sum,
            std::mem::transmute::<__m512i, __m512bh>(a),
            std::mem::transmute::<__m512i, __m512bh>(b),
        )
    }
}

/// Thirty-two indices.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn indices(of: impl Fn(usize) -> i16) -> __m512i {
    let all: [i16; 32] = std::array::from_fn(of);
    // SAFETY: as many as a register holds.
    unsafe { _mm512_loadu_epi16(all.as_ptr()) }
}
