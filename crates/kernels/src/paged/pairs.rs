//! Attention over pages in bf16 where the processor multiplies pairs: to the bit what the forward pass of training gives a token
//! ([`attention`](crate::attention::attention)), as far as that goes by vectors.
//!
//! So scores are sums over pairs of elements, weights are made a tile of [`KEYS`] places at a time, with the largest score so far, and are rounded to
//! bf16 for their product with the values, which is a sum over pairs of places. Pages have their elements neither in pairs of elements nor of
//! places: two rows of a page become a row of pairs in registers, once for all heads and tokens that read it.

use std::arch::x86_64::*;
use std::ops::Range;

use half::bf16;

use super::attend::{KEYS_AHEAD, PAGE, Paged, ROWS, Slab, Tile};
use crate::Threads;
use crate::attention::{KEYS, exponents};
use crate::element::sealed::Widen as _;
use crate::grid::Grid;
use crate::lanes::vectorized;
use crate::simd::avx512::Avx512Bf16;
use crate::simd::entries::Entries;
use crate::simd::{Instructions, Pair, Unit};

/// Values that a register has of two rows of a page, side by side.
const COLUMNS: usize = 32;

/// Whether the processor has what this needs.
pub(super) fn is_available() -> bool {
    Instructions::best() >= Instructions::Avx512Bf16
}

/// Writes {token, head, head_dim}. Sizes were checked.
///
/// # Panics
/// Where it [is not available](is_available).
pub(super) fn attend(problem: &Paged<'_, bf16, bf16>, out: &mut [bf16], threads: &Threads) {
    assert!(is_available(), "pairs of bf16 need AVX-512-BF16");
    let tiles = problem.tiles();
    let outs = Grid::new(out, problem.head_dim);
    threads.each(tiles.len(), 1, Space::default, |space, at| {
        let tile = OneTile { problem, tile: &tiles[at], outs: &outs };
        // SAFETY: just asserted.
        unsafe { tile.run(space) };
    });
}

/// Memory of one thread.
#[derive(Default)]
struct Space {
    /// {row, step}.
    queries: Vec<Pair>,
    /// {row, head_dim}, whole [`COLUMNS`].
    mixed: Vec<f32>,
    /// {row, place} of a tile of keys.
    scores: Vec<f32>,
    /// {row, pair of places} of a tile of keys.
    weights: Vec<Pair>,
}

struct OneTile<'a> {
    problem: &'a Paged<'a, bf16, bf16>,
    tile: &'a Tile,
    /// {token and head, head_dim}.
    outs: &'a Grid<'a, bf16>,
}

/// Runs a body for the number of rows, which is then known to the compiler.
macro_rules! by_rows {
    ($rows:expr, $body:ident($($argument:expr),*)) => {
        match $rows {
            0 => {}
            1 => $body::<1>($($argument),*),
            2 => $body::<2>($($argument),*),
            3 => $body::<3>($($argument),*),
            4 => $body::<4>($($argument),*),
            5 => $body::<5>($($argument),*),
            6 => $body::<6>($($argument),*),
            7 => $body::<7>($($argument),*),
            _ => $body::<ROWS>($($argument),*),
        }
    };
}

impl OneTile<'_> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    fn run(&self, space: &mut Space) {
        let (p, tile, count) = (self.problem, self.tile, self.tile.rows.len());
        let (steps, width) = (p.head_dim / 2, p.head_dim.next_multiple_of(COLUMNS));
        let mut seen: [Range<usize>; ROWS] = Default::default();
        seen.iter_mut().zip(p.rows(tile)).for_each(|(seen, (token, _))| *seen = p.seen(token));
        let seen = &seen[..count];
        let some = || seen.iter().filter(|seen| !seen.is_empty());
        let from = some().map(|s| s.start).min().unwrap_or(0);
        let to = some().map(|s| s.end).max().unwrap_or(0);
        // Padding names no sequence.
        let sequence = usize::try_from(p.sequence[tile.token]).unwrap_or(0);
        let pages = if from < to { &p.pages[sequence * p.columns..][..to.div_ceil(PAGE)] } else { &[] };
        let slab = Slab { problem: p, kv_head: tile.kv_head, pages };
        space.queries.clear();
        for (token, head) in p.rows(tile) {
            let query = &p.query[(token * p.heads + head) * p.head_dim..][..p.head_dim];
            space.queries.extend(query.as_chunks::<2>().0.iter().map(|two| Pair::of(two[0], two[1])));
        }
        space.mixed.clear();
        space.mixed.resize(count * width, 0.0);
        space.scores.resize(count * KEYS, 0.0);
        space.weights.resize(count * KEYS / 2, 0);
        let mut state = [(f32::NEG_INFINITY, 0f32); ROWS];
        for first in (from / KEYS * KEYS..to).step_by(KEYS) {
            let own: [Range<usize>; ROWS] = std::array::from_fn(|r| {
                let seen = seen.get(r).cloned().unwrap_or_default();
                let (start, end) = (seen.start.max(first), seen.end.min(first + KEYS));
                if start < end { start - first..end - first } else { 0..0 }
            });
            let read = from.max(first) / PAGE..to.min(first + KEYS).div_ceil(PAGE);
            for page in read {
                // Pages lie anywhere. Later tiles of the same tokens find them in the cache.
                if tile.rows.start == 0 {
                    slab.ask(p.keys, page + KEYS_AHEAD);
                    slab.ask(p.values, page);
                }
                let scores = &mut space.scores[page * PAGE - first..];
                by_rows!(count, score(slab.of(p.keys, page), &space.queries, steps, scores));
            }
            for (r, own) in own[..count].iter().enumerate().filter(|(_, own)| !own.is_empty()) {
                let kept = self.weigh(own, r, &mut state[r], space);
                if kept != 1.0 {
                    let mixed = &mut space.mixed[r * width..][..width];
                    vectorized(|| mixed.iter_mut().for_each(|x| *x *= kept));
                }
            }
            self.mix(&slab, first, &own[..count], space);
        }
        for ((mixed, (token, head)), (_, sum)) in space.mixed.chunks(width).zip(p.rows(tile)).zip(state) {
            // SAFETY: a head of a token is of one tile, and a tile of one task.
            let out = unsafe { self.outs.part(token * p.heads + head, 0..p.head_dim) };
            // What sees nothing is zero.
            let scale = if sum == 0.0 { 1.0 } else { 1.0 / sum };
            vectorized(|| bf16::narrowed(&mixed[..p.head_dim], scale, out));
        }
    }

    /// Makes weights of a row's scores of the places `own` in a tile of keys, and gives what is left of what was mixed so far.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    fn weigh(&self, own: &Range<usize>, row: usize, state: &mut (f32, f32), space: &mut Space) -> f32 {
        let span = own.start / PAGE * PAGE..own.end.next_multiple_of(PAGE);
        let scores = &mut space.scores[row * KEYS..][span.clone()];
        scores[..own.start - span.start].fill(f32::NEG_INFINITY);
        scores[own.end - span.start..].fill(f32::NEG_INFINITY);
        let weights = &mut space.weights[row * KEYS / 2..][span.start / 2..span.end / 2];
        let factor = exponents(self.problem.head_dim);
        let (so_far, sum) = *state;
        // SAFETY: the features of this function are those of the level.
        let (largest, added) = unsafe { Avx512Bf16::softmax_entry(scores, so_far, factor, weights) };
        let kept = crate::attention::kept(so_far, largest, factor);
        *state = (largest, sum * kept + added);
        kept
    }

    /// Adds the values of a tile of keys that begins at place `first`, as often as the weights say. What all rows see they add together; a weight of
    /// zero is no way to leave a place out, as what lies there may be no number.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    fn mix(&self, slab: &Slab<'_, bf16, bf16>, first: usize, own: &[Range<usize>], space: &mut Space) {
        let start = own.iter().map(|own| own.start).max().unwrap_or(0).next_multiple_of(2);
        let end = own.iter().map(|own| own.end).min().unwrap_or(0) / 2 * 2;
        let end = end.max(start);
        let width = space.mixed.len() / own.len();
        let mut alone = |r: usize, places: Range<usize>| {
            let tile = Values { slab, first, places };
            mixed::<1>(&tile, &space.weights[r * KEYS / 2..], &mut space.mixed[r * width..][..width]);
        };
        for (r, own) in own.iter().enumerate() {
            alone(r, own.start..start.min(own.end));
        }
        let tile = Values { slab, first, places: start..end };
        by_rows!(own.len(), mixed(&tile, &space.weights, &mut space.mixed));
        let mut alone = |r: usize, places: Range<usize>| {
            let tile = Values { slab, first, places };
            mixed::<1>(&tile, &space.weights[r * KEYS / 2..], &mut space.mixed[r * width..][..width]);
        };
        for (r, own) in own.iter().enumerate() {
            alone(r, end.max(own.start)..own.end);
        }
    }
}

/// Scores of a page, {row, place}, at a distance of [`KEYS`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn score<const R: usize>(keys: &[bf16], queries: &[Pair], steps: usize, scores: &mut [f32]) {
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
struct Values<'a> {
    slab: &'a Slab<'a, bf16, bf16>,
    first: usize,
    places: Range<usize>,
}

/// Adds values, as often as weights {row, pair of places} say, to `sums` {row, head_dim}. Of a pair that begins or ends outside only the other place counts.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
fn mixed<const R: usize>(tile: &Values<'_>, weights: &[Pair], sums: &mut [f32]) {
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
