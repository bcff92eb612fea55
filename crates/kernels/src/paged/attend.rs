//! Attention of tokens from many sequences over a cache in pages: keys and values are read where they lie.
//!
//! A page's keys have their places side by side, so sixteen scores are one vector and nothing is summed across lanes. The heads that share a key-value
//! head, and the tokens of a sequence that lie side by side, are rows that read a page together, up to [`ROWS`]. Each row is computed in one
//! order, whatever rows there are beside it and however many threads. Scores and sums are f32. Cost: 4 · places seen · heads · head_dim FLOPs a token.

use std::f32::consts::LOG2_E;
use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use collegium_core::DType;
#[cfg(target_arch = "x86_64")]
use half::bf16;

use super::cell::Cell;
#[cfg(target_arch = "x86_64")]
use super::pairs;
use crate::grid::Grid;
use crate::lanes::{self, Loop, fused};
use crate::simd::entries::Entries;
use crate::simd::{self, Work};
use crate::{Instructions, Operand, Threads, ahead};

/// Places of a page.
pub const PAGE: usize = 16;

/// Most rows that read a page together.
pub(super) const ROWS: usize = 8;

/// How many pages of keys ahead are asked for.
pub(super) const KEYS_AHEAD: usize = 2;

/// What tokens attend with and to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paged<'a, T, C> {
    /// {token, head, head_dim}.
    pub query: &'a [T],
    /// {cache_page, kv_head, head_dim, row}.
    pub keys: &'a [C],
    /// {cache_page, kv_head, row, head_dim}.
    pub values: &'a [C],
    /// Of keys and values, where they have some: {cache_page, kv_head, row}.
    pub scales: [&'a [f32]; 2],
    /// {sequence, page}: pages of the cache, which has them for every place seen.
    pub pages: &'a [i32],
    /// Columns of `pages`.
    pub columns: usize,
    /// {token}: row of `pages`.
    pub sequence: &'a [i32],
    /// {token}: the last place that it sees; negative for padding, whose output is zero.
    pub position: &'a [i32],
    /// Size of `head`.
    pub heads: usize,
    /// Size of `kv_head`; divides `heads`.
    pub kv_heads: usize,
    /// Size of `head_dim`.
    pub head_dim: usize,
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
}

/// Heads of tokens of one sequence that share a key-value head: rows, of which the first is that of `token` and the group's first head.
#[derive(Clone)]
pub(super) struct Tile {
    pub kv_head: usize,
    pub token: usize,
    /// At most [`ROWS`].
    pub rows: Range<usize>,
}

/// Writes {token, head, head_dim}. Sizes were checked.
pub(crate) fn attend<T: Operand, C: Cell<T>>(problem: &Paged<'_, T, C>, out: &mut [T], threads: &Threads) {
    #[cfg(target_arch = "x86_64")]
    if let Some(pairs) = problem.in_pairs() {
        return pairs::attend(&pairs, bytemuck::cast_slice_mut(out), threads);
    }
    let tiles = problem.tiles();
    let outs = Grid::new(out, problem.head_dim);
    threads.each(tiles.len(), 1, Vec::new, |space, at| {
        let tile = OneTile { problem, tile: &tiles[at], outs: &outs, space };
        simd::run_f32(Instructions::best(), tile);
    });
}

impl<T: Operand, C: Cell<T>> Paged<'_, T, C> {
    /// The same, where everything is bf16 and the processor multiplies pairs of them.
    #[cfg(target_arch = "x86_64")]
    fn in_pairs(&self) -> Option<Paged<'_, bf16, bf16>> {
        (T::DTYPE == DType::Bf16 && !C::SCALED && pairs::is_available()).then(|| Paged {
            query: bytemuck::cast_slice(self.query),
            keys: bytemuck::cast_slice(self.keys),
            values: bytemuck::cast_slice(self.values),
            scales: self.scales,
            pages: self.pages,
            columns: self.columns,
            sequence: self.sequence,
            position: self.position,
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            window: self.window,
        })
    }

    pub(super) fn tiles(&self) -> Vec<Tile> {
        let group = self.heads / self.kv_heads;
        let mut tiles = Vec::new();
        let mut token = 0;
        for run in self.sequence.chunk_by(|a, b| a == b) {
            let rows = run.len() * group;
            for kv_head in 0..self.kv_heads {
                let of = |first: usize| Tile { kv_head, token, rows: first..(first + ROWS).min(rows) };
                tiles.extend((0..rows).step_by(ROWS).map(of));
            }
            token += run.len();
        }
        tiles
    }

    /// Token and head of each row of a tile.
    pub(super) fn rows(&self, tile: &Tile) -> impl Iterator<Item = (usize, usize)> + Clone {
        let (group, Tile { kv_head, token, rows }) = (self.heads / self.kv_heads, tile.clone());
        rows.map(move |row| (token + row / group, kv_head * group + row % group))
    }

    pub(super) fn seen(&self, token: usize) -> Range<usize> {
        let end = usize::try_from(self.position[token]).map_or(0, |last| last + 1);
        self.window.map_or(0, |window| end.saturating_sub(window))..end
    }
}

struct OneTile<'a, T, C> {
    problem: &'a Paged<'a, T, C>,
    tile: &'a Tile,
    /// {token and head, head_dim}.
    outs: &'a Grid<'a, T>,
    space: &'a mut Vec<f32>,
}

impl<T: Operand, C: Cell<T>> Work<f32> for OneTile<'_, T, C> {
    fn run<L: Entries>(self)
    where
        L::Unit: simd::Unit<f32>,
    {
        let Self { problem: p, tile, outs, space } = self;
        let (width, kv_head, count) = (p.head_dim, tile.kv_head, tile.rows.len());
        let rows = p.rows(tile);
        // Padding names no sequence.
        let sequence = usize::try_from(p.sequence[tile.token]).unwrap_or(0);
        let seen = || rows.clone().map(|(token, _)| p.seen(token)).filter(|seen| !seen.is_empty());
        let from = seen().map(|s| s.start / PAGE).min().unwrap_or(0);
        let to = seen().map(|s| s.end.div_ceil(PAGE)).max().unwrap_or(0);
        let columns = to.saturating_sub(from) * PAGE;
        space.clear();
        space.resize(count * (2 * width + columns), 0.0);
        let (queries, rest) = space.split_at_mut(count * width);
        let (sums, scores) = rest.split_at_mut(count * width);
        for (to, (token, head)) in queries.chunks_mut(width).zip(rows.clone()) {
            lanes::widen(&p.query[(token * p.heads + head) * width..][..width], to);
        }
        let pages = if columns > 0 { &p.pages[sequence * p.columns..][from..to] } else { &[] };
        let tiles = Slab { problem: p, kv_head, pages };
        let is_first = tile.rows.start == 0;
        lanes::run(Scores { slab: &tiles, queries, scores: &mut *scores, is_first });
        tiles.scale(0, scores);
        let factor = LOG2_E / (width as f32).sqrt();
        let mut totals = [1f32; ROWS];
        let mut seen: [Range<usize>; ROWS] = Default::default();
        for (seen, (token, _)) in seen.iter_mut().zip(rows.clone()) {
            let places = p.seen(token);
            *seen = places.start.saturating_sub(from * PAGE)..places.end.saturating_sub(from * PAGE);
        }
        let seen = &seen[..count];
        for ((scores, seen), total) in scores.chunks_mut(columns.max(1)).zip(seen).zip(&mut totals) {
            let Range { start, end } = *seen;
            let own = &mut scores[start / PAGE * PAGE..end.next_multiple_of(PAGE)];
            let (before, behind) = (start % PAGE, end - start / PAGE * PAGE);
            own[..before].fill(f32::NEG_INFINITY);
            own[behind..].fill(f32::NEG_INFINITY);
            if !own.is_empty() {
                // SAFETY: `Work::run` is called for a level that the processor has.
                *total = unsafe { L::softmax_entry(own, f32::NEG_INFINITY, factor, &mut []).1 };
            }
        }
        tiles.scale(1, scores);
        lanes::run(Mix { slab: &tiles, seen, weights: scores, sums: &mut *sums });
        for ((sums, (token, head)), total) in sums.chunks(width).zip(rows).zip(totals) {
            // SAFETY: a head of a token is of one tile, and a tile of one task.
            let out = unsafe { outs.part(token * p.heads + head, 0..width) };
            T::narrowed(sums, 1.0 / total, out);
        }
    }
}

/// The pages of a sequence that a tile sees, for one key-value head.
pub(super) struct Slab<'a, T, C> {
    pub problem: &'a Paged<'a, T, C>,
    pub kv_head: usize,
    pub pages: &'a [i32],
}

impl<'a, T, C: Cell<T>> Slab<'a, T, C> {
    /// A page of keys or values.
    #[inline(always)]
    pub fn of(&self, cache: &'a [C], page: usize) -> &'a [C] {
        let size = PAGE * self.problem.head_dim;
        &cache[self.at(page) * size..][..size]
    }

    /// Asks for a page of keys or values, if there is one.
    #[inline(always)]
    pub fn ask(&self, cache: &'a [C], page: usize) {
        if page < self.pages.len() {
            ahead::ask_all(self.of(cache, page));
        }
    }

    #[inline(always)]
    fn at(&self, page: usize) -> usize {
        self.pages[page] as usize * self.problem.kv_heads + self.kv_head
    }

    /// Gives scores or weights {row, place} the scales of keys (0) or values (1).
    fn scale(&self, which: usize, scores: &mut [f32]) {
        if !C::SCALED {
            return;
        }
        for own in scores.chunks_mut((self.pages.len() * PAGE).max(1)) {
            for (page, scores) in own.chunks_exact_mut(PAGE).enumerate() {
                let scales = &self.problem.scales[which][self.at(page) * PAGE..][..PAGE];
                scores.iter_mut().zip(scales).for_each(|(score, scale)| *score *= scale);
            }
        }
    }
}

/// Runs a body for the number of rows, which is then known to the compiler.
macro_rules! by_rows {
    ($rows:expr, $body:ident, $($argument:expr),*) => {
        match $rows {
            0 => {}
            1 => $body::<T, C, 1, FMA>($($argument),*),
            2 => $body::<T, C, 2, FMA>($($argument),*),
            3 => $body::<T, C, 3, FMA>($($argument),*),
            4 => $body::<T, C, 4, FMA>($($argument),*),
            5 => $body::<T, C, 5, FMA>($($argument),*),
            6 => $body::<T, C, 6, FMA>($($argument),*),
            7 => $body::<T, C, 7, FMA>($($argument),*),
            _ => $body::<T, C, ROWS, FMA>($($argument),*),
        }
    };
}

/// Products of queries {row, head_dim} with keys: {row, place}.
struct Scores<'a, T, C> {
    slab: &'a Slab<'a, T, C>,
    queries: &'a [f32],
    scores: &'a mut [f32],
    /// Whether nobody has read the pages yet: later tiles of the same tokens find them in the cache.
    is_first: bool,
}

impl<T: Operand, C: Cell<T>> Loop for Scores<'_, T, C> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { slab, queries, scores, is_first } = self;
        let rows = queries.len() / slab.problem.head_dim;
        for page in 0..slab.pages.len() {
            // Pages lie anywhere. Values are read when all keys were.
            if is_first {
                slab.ask(slab.problem.keys, page + KEYS_AHEAD);
                slab.ask(slab.problem.values, page);
            }
            let keys = slab.of(slab.problem.keys, page);
            by_rows!(rows, score, keys, queries, &mut scores[page * PAGE..], slab.pages.len() * PAGE);
        }
    }
}

/// Scores of a page: two sums for each, over the even and the odd elements.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn score<T, C: Cell<T>, const R: usize, const FMA: bool>(
    keys: &[C],
    queries: &[f32],
    scores: &mut [f32],
    columns: usize,
) {
    let width = keys.len() / PAGE;
    let mut sums = [[[0f32; PAGE]; 2]; R];
    for d in 0..width {
        let mut wide = [0f32; PAGE];
        let own = &keys[d * PAGE..][..PAGE];
        for l in 0..PAGE {
            wide[l] = own[l].wide();
        }
        for r in 0..R {
            let q = queries[r * width + d];
            for l in 0..PAGE {
                sums[r][d % 2][l] = fused::<FMA>(q, wide[l], sums[r][d % 2][l]);
            }
        }
    }
    for r in 0..R {
        let to = &mut scores[r * columns..][..PAGE];
        for l in 0..PAGE {
            to[l] = sums[r][0][l] + sums[r][1][l];
        }
    }
}

/// Adds values, as often as weights {row, place} say, to `sums` {row, head_dim}.
struct Mix<'a, T, C> {
    slab: &'a Slab<'a, T, C>,
    /// By row: the places seen, counted from the first page.
    seen: &'a [Range<usize>],
    weights: &'a [f32],
    sums: &'a mut [f32],
}

impl<T: Operand, C: Cell<T>> Loop for Mix<'_, T, C> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { slab, seen, weights, sums } = self;
        let (width, columns) = (slab.problem.head_dim, slab.pages.len() * PAGE);
        // What all rows see they add together. A weight of zero is no way to leave a place out: what lies there may be no number.
        let (mut start, mut end) = (0, columns);
        for seen in seen {
            start = start.max(seen.start);
            end = end.min(seen.end);
        }
        let end = end.max(start);
        for (r, seen) in seen.iter().enumerate() {
            let own = [&weights[r * columns..]];
            let sums = &mut sums[r * width..][..width];
            mixed::<T, C, 1, FMA>(slab, seen.start..start.min(seen.end), own[0], columns, sums);
        }
        by_rows!(seen.len(), mixed, slab, start..end, weights, columns, sums);
        for (r, seen) in seen.iter().enumerate() {
            let sums = &mut sums[r * width..][..width];
            mixed::<T, C, 1, FMA>(
                slab,
                end.max(seen.start)..seen.end,
                &weights[r * columns..],
                columns,
                sums,
            );
        }
    }
}

#[inline(always)]
fn mixed<T, C: Cell<T>, const R: usize, const FMA: bool>(
    slab: &Slab<'_, T, C>,
    places: Range<usize>,
    weights: &[f32],
    columns: usize,
    sums: &mut [f32],
) {
    let width = slab.problem.head_dim;
    let mut at = 0;
    while at + 32 <= width {
        strip::<T, C, R, 32, FMA>(slab, places.clone(), weights, columns, sums, at);
        at += 32;
    }
    while at + 8 <= width {
        strip::<T, C, R, 8, FMA>(slab, places.clone(), weights, columns, sums, at);
        at += 8;
    }
    while at < width {
        strip::<T, C, R, 1, FMA>(slab, places.clone(), weights, columns, sums, at);
        at += 1;
    }
}

/// `W` elements of `mixed`, from `at`.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn strip<T, C: Cell<T>, const R: usize, const W: usize, const FMA: bool>(
    slab: &Slab<'_, T, C>,
    places: Range<usize>,
    weights: &[f32],
    columns: usize,
    sums: &mut [f32],
    at: usize,
) {
    let width = slab.problem.head_dim;
    let mut own = [[0f32; W]; R];
    for r in 0..R {
        own[r].copy_from_slice(&sums[r * width + at..][..W]);
    }
    let mut place = places.start;
    while place < places.end {
        let values = slab.of(slab.problem.values, place / PAGE);
        let end = places.end.min((place / PAGE + 1) * PAGE);
        while place < end {
            let value = &values[place % PAGE * width + at..][..W];
            let mut wide = [0f32; W];
            for l in 0..W {
                wide[l] = value[l].wide();
            }
            for r in 0..R {
                let weight = weights[r * columns + place];
                for l in 0..W {
                    own[r][l] = fused::<FMA>(weight, wide[l], own[r][l]);
                }
            }
            place += 1;
        }
    }
    for r in 0..R {
        sums[r * width + at..][..W].copy_from_slice(&own[r]);
    }
}
