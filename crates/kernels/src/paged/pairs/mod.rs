//! Attention over pages in bf16 where the processor multiplies pairs: to the bit what the forward pass of training gives a token
//! ([`attention`](crate::attention::attention)), as far as that goes by vectors.
//!
//! So scores are sums over pairs of elements, weights are made a tile of [`KEYS`] places at a time, with the largest score so far, and are rounded to
//! bf16 for their product with the values, which is a sum over pairs of places. Pages have their elements neither in pairs of elements nor of
//! places: two rows of a page become a row of pairs in registers, once for all heads and tokens that read it.

mod products;

use std::ops::Range;

use half::bf16;

use products::{COLUMNS, Values, mixed, score};

use super::attend::{KEYS_AHEAD, PAGE, Paged, ROWS, Slab, Tile};
use crate::Threads;
use crate::attention::{KEYS, exponents};
use crate::element::sealed::Widen as _;
use crate::grid::Grid;
use crate::lanes::vectorized;
use crate::simd::avx512::Avx512Bf16;
use crate::simd::entries::Entries;
use crate::simd::{Instructions, Pair, Unit};

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
        let mut add = |rows: Range<usize>, places: Range<usize>| {
            let weights = &space.weights[rows.start * KEYS / 2..];
            let sums = &mut space.mixed[rows.start * width..rows.end * width];
            by_rows!(rows.len(), mixed(&Values { slab, first, places }, weights, sums));
        };
        for (r, own) in own.iter().enumerate() {
            add(r..r + 1, own.start..start.min(own.end));
        }
        add(0..own.len(), start..end);
        for (r, own) in own.iter().enumerate() {
            add(r..r + 1, end.max(own.start)..own.end);
        }
    }
}
