//! The backward pass: for each tile of keys, the tiles of queries that see it; weights are computed again from the
//! log-sum-exp.

use std::ops::Range;

use super::{Attention, Gradients, Kept, Shared, Sight};
use crate::simd::entries::{Entries, GradientRows, Product, ROWS, WIDTH};
use crate::simd::lines::Lines;
use crate::simd::pack::Rows;
use crate::simd::{Unit, Work};
use crate::{Operand, Threads};

/// Queries of a tile.
const QUERIES: usize = 32;
/// Keys of a tile.
const KEYS: usize = 64;

pub(super) struct Backward<'x, 'a, 'g, T> {
    pub problem: &'x Attention<'a, T>,
    pub kept: &'x Kept<'a, T>,
    pub gradients: &'x mut Gradients<'g, T>,
    pub threads: &'x Threads,
}

impl<T: Operand> Work<T> for Backward<'_, '_, '_, T> {
    fn run<L: Entries>(self)
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let tasks: Vec<(usize, usize)> =
            (0..p.batch * p.kv_heads).map(|i| (i / p.kv_heads, i % p.kv_heads)).collect();
        let Gradients { query, key, value } = self.gradients;
        let gradients = [query, key, value].map(|g| Shared::new(g));
        self.threads.run(tasks, Space::<L>::default, |space, (batch, kv_head)| {
            let sight = Sight::new(&p.segments[batch * p.seq..][..p.seq], p.window);
            Task { problem: p, kept: self.kept, sight, batch, kv_head }.run(space, &gradients);
        });
    }
}

/// Memory of one thread.
struct Space<L: Entries> {
    /// Transposed, all of a row's.
    keys: Lines<L::Unit>,
    values: Lines<L::Unit>,
    /// Contracted over keys.
    keys_across: Lines<L::Unit>,
    head: Head<L>,
    tile: Tile<L>,
    d_keys: Lines<f32>,
    d_values: Lines<f32>,
}

/// Queries and cotangents of one head.
struct Head<L: Entries> {
    queries: Lines<L::Unit>,
    d_output: Lines<L::Unit>,
    /// Contracted over queries.
    queries_across: Lines<L::Unit>,
    d_output_across: Lines<L::Unit>,
    sums: Vec<f32>,
    delta: Vec<f32>,
    d_queries: Lines<f32>,
}

/// One tile of scores: {QUERIES, KEYS}.
struct Tile<L: Entries> {
    scores: Lines<f32>,
    d_weights: Lines<f32>,
    weights_across: Lines<L::Unit>,
    d_scores_across: Lines<L::Unit>,
    d_scores_along: Lines<L::Unit>,
}

impl<L: Entries> Default for Space<L> {
    fn default() -> Self {
        let pairs = if L::DEPTH == 2 { QUERIES * KEYS / 2 } else { 0 };
        let units = || Lines::zeroed(pairs);
        Self {
            keys: Lines::default(),
            values: Lines::default(),
            keys_across: Lines::default(),
            head: Head {
                queries: Lines::default(),
                d_output: Lines::default(),
                queries_across: Lines::default(),
                d_output_across: Lines::default(),
                sums: Vec::new(),
                delta: Vec::new(),
                d_queries: Lines::default(),
            },
            tile: Tile {
                scores: Lines::zeroed(QUERIES * KEYS),
                d_weights: Lines::zeroed(QUERIES * KEYS),
                weights_across: units(),
                d_scores_across: units(),
                d_scores_along: units(),
            },
            d_keys: Lines::default(),
            d_values: Lines::default(),
        }
    }
}

/// The heads of one key-value head, in one row of the batch.
struct Task<'x, 'a, T> {
    problem: &'x Attention<'a, T>,
    kept: &'x Kept<'a, T>,
    sight: Sight<'x>,
    batch: usize,
    kv_head: usize,
}

impl<T: Operand> Task<'_, '_, T> {
    fn run<L: Entries>(&self, space: &mut Space<L>, gradients: &[Shared<'_, T>; 3])
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let padded = p.seq.next_multiple_of(WIDTH);
        let width = p.head_dim.next_multiple_of(WIDTH);
        let of = |data| self.rows(data, p.kv_heads, self.kv_head);
        of(p.key).pack_transposed(padded, &mut space.keys);
        of(p.value).pack_transposed(padded, &mut space.values);
        of(p.key).pack_across(padded, width, &mut space.keys_across);
        space.d_keys.fill_zeros(padded * width);
        space.d_values.fill_zeros(padded * width);
        let group = p.heads / p.kv_heads;
        for head in self.kv_head * group..(self.kv_head + 1) * group {
            self.load_head(&mut space.head, head);
            self.head(space);
            self.write(&space.head.d_queries, p.scale(), &gradients[0], p.heads, head);
        }
        self.write(&space.d_keys, p.scale(), &gradients[1], p.kv_heads, self.kv_head);
        self.write(&space.d_values, 1.0, &gradients[2], p.kv_heads, self.kv_head);
    }

    /// Rows {seq, head_dim} of one of `heads` heads.
    fn rows<'d>(&self, data: &'d [T], heads: usize, head: usize) -> Rows<'d, T> {
        let p = self.problem;
        Rows {
            data,
            first: (self.batch * p.seq * heads + head) * p.head_dim,
            stride: heads * p.head_dim,
            count: p.seq,
            width: p.head_dim,
        }
    }

    fn load_head<L: Entries>(&self, to: &mut Head<L>, head: usize)
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let padded = p.seq.next_multiple_of(WIDTH);
        let width = p.head_dim.next_multiple_of(WIDTH);
        let query = self.rows(p.query, p.heads, head);
        let d_output = self.rows(self.kept.d_output, p.heads, head);
        let output = self.rows(self.kept.output, p.heads, head);
        query.pack_along(padded, &mut to.queries);
        d_output.pack_along(padded, &mut to.d_output);
        query.pack_across(padded, width, &mut to.queries_across);
        d_output.pack_across(padded, width, &mut to.d_output_across);
        to.d_queries.fill_zeros(padded * width);
        // Rows that are not there have weights zero: 2^-infinity.
        to.sums.clear();
        let sums = &self.kept.sums[(self.batch * p.heads + head) * p.seq..][..p.seq];
        to.sums.extend(sums.iter().map(|s| s * std::f32::consts::LOG2_E));
        to.sums.resize(padded, f32::INFINITY);
        to.delta.clear();
        to.delta.extend((0..p.seq).map(|q| dot(d_output.row(q), output.row(q))));
        to.delta.resize(padded, 0.0);
    }

    /// All tiles of one head.
    fn head<L: Entries>(&self, space: &mut Space<L>)
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        for first in (0..p.seq).step_by(KEYS) {
            let keys = first..(first + KEYS).min(p.seq);
            let last = p.window.map_or(p.seq, |w| (keys.end - 1).saturating_add(w).min(p.seq));
            for first in (keys.start / QUERIES * QUERIES..last).step_by(QUERIES) {
                let queries = first..(first + QUERIES).min(p.seq);
                if !self.sight.span(queries.clone(), &keys, WIDTH).is_empty() {
                    self.tile(space, queries, keys.clone());
                }
            }
        }
    }

    /// Adds what one tile gives to the gradients.
    fn tile<L: Entries>(&self, space: &mut Space<L>, queries: Range<usize>, keys: Range<usize>)
    where
        L::Unit: Unit<T>,
    {
        for first in queries.clone().step_by(L::QUERIES) {
            let own = first..(first + L::QUERIES).min(queries.end);
            let span = self.sight.span(own.clone(), &keys, WIDTH);
            self.weights(space, own, first - queries.start, &keys, span);
        }
        let width = self.problem.head_dim.next_multiple_of(WIDTH);
        let depth = L::DEPTH;
        let rows = queries.len().next_multiple_of(ROWS);
        let Space { head, tile, d_keys, d_values, .. } = space;
        for block in (0..keys.len()).step_by(L::QUERIES) {
            // Earlier queries see none of these keys.
            let skipped = (keys.start + block).saturating_sub(queries.start);
            if skipped >= rows {
                continue;
            }
            let at = (queries.start + skipped) / depth * width;
            let start = skipped / depth * KEYS + block;
            let (weights, d_scores): (&[L::Unit], &[L::Unit]) = if depth == 1 {
                (bytemuck::cast_slice(&tile.scores), bytemuck::cast_slice(&tile.d_weights))
            } else {
                (&tile.weights_across, &tile.d_scores_across)
            };
            let products = [
                (weights, &head.d_output_across[at..], &mut *d_values),
                (d_scores, &head.queries_across[at..], &mut *d_keys),
            ];
            for (left, right, out) in products {
                let mut product = Product {
                    rows: (keys.len() - block).min(L::QUERIES).next_multiple_of(ROWS),
                    columns: width,
                    steps: (rows - skipped) / depth,
                    left: &left[start..],
                    left_row: 1,
                    left_step: KEYS,
                    right,
                    right_step: width,
                    out: &mut out[(keys.start + block) * width..],
                    out_row: width,
                    accumulate: true,
                };
                // SAFETY: `Work::run` is called for a level that the processor has, here and below.
                unsafe { L::product_entry(&mut product) };
            }
        }
    }

    /// Weights and gradients of scores of some queries (`L::QUERIES`, fewer at the end) on the keys `span` of a tile, zeros elsewhere; adds to the
    /// gradients of the queries.
    fn weights<L: Entries>(
        &self,
        space: &mut Space<L>,
        queries: Range<usize>,
        row: usize,
        keys: &Range<usize>,
        span: Range<usize>,
    ) where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let depth = L::DEPTH;
        let Space { keys: keys_t, values: values_t, keys_across, head, tile, .. } = space;
        let rows = queries.len().next_multiple_of(ROWS);
        tile.clear_outside(row..row + rows, &span);
        if span.is_empty() {
            return;
        }
        let (padded, steps) = (p.seq.next_multiple_of(WIDTH), p.head_dim.div_ceil(depth));
        let (at, first) = (row * KEYS + span.start, keys.start + span.start);
        let left_at = queries.start * steps;
        let pairs =
            [(&head.queries, &*keys_t, &mut tile.scores), (&head.d_output, &*values_t, &mut tile.d_weights)];
        for (left, right, out) in pairs {
            let mut product = Product {
                rows,
                columns: span.len(),
                steps,
                left: &left[left_at..],
                left_row: steps,
                left_step: 1,
                right: &right[first..],
                right_step: padded,
                out: &mut out[at..],
                out_row: KEYS,
                accumulate: false,
            };
            // SAFETY: as above.
            unsafe { L::product_entry(&mut product) };
        }
        for (i, q) in queries.clone().enumerate() {
            self.sight.close(q, first, &mut tile.scores[at + i * KEYS..][..span.len()]);
        }
        let factor = p.scale() * std::f32::consts::LOG2_E;
        for i in (0..rows).step_by(2) {
            let (q, at) = (queries.start + i, at + i * KEYS);
            let pairs = if depth == 2 { (row + i) / 2 * KEYS + span.start } else { 0 };
            let mut two = GradientRows {
                columns: span.len(),
                scores: &mut tile.scores[at..],
                d_weights: &mut tile.d_weights[at..],
                row: KEYS,
                factor,
                sums: [head.sums[q], head.sums[q + 1]],
                delta: [head.delta[q], head.delta[q + 1]],
                weights_across: &mut tile.weights_across[pairs..],
                d_scores_across: &mut tile.d_scores_across[pairs..],
                d_scores_along: &mut tile.d_scores_along[if depth == 2 { at / 2 } else { 0 }..],
            };
            // SAFETY: as above.
            unsafe { L::gradient_entry(&mut two) };
        }
        let width = p.head_dim.next_multiple_of(WIDTH);
        let d_scores: &[L::Unit] =
            if depth == 1 { bytemuck::cast_slice(&tile.d_weights) } else { &tile.d_scores_along };
        let mut product = Product {
            rows,
            columns: width,
            steps: span.len() / depth,
            left: &d_scores[at / depth..],
            left_row: KEYS / depth,
            left_step: 1,
            right: &keys_across[first / depth * width..],
            right_step: width,
            out: &mut head.d_queries[queries.start * width..],
            out_row: width,
            accumulate: true,
        };
        // SAFETY: as above.
        unsafe { L::product_entry(&mut product) };
    }

    /// Writes a head's gradient.
    fn write(&self, from: &[f32], factor: f32, to: &Shared<'_, T>, heads: usize, head: usize) {
        let p = self.problem;
        let width = p.head_dim.next_multiple_of(WIDTH);
        for q in 0..p.seq {
            let at = ((self.batch * p.seq + q) * heads + head) * p.head_dim;
            // SAFETY: only the task of this batch row and key-value head writes this row.
            let row = unsafe { to.row(at, p.head_dim) };
            T::narrowed(&from[q * width..][..p.head_dim], factor, row);
        }
    }
}

impl<L: Entries> Tile<L> {
    /// Zero weights and gradients of scores of some rows outside the columns `span`.
    fn clear_outside(&mut self, rows: Range<usize>, span: &Range<usize>) {
        if *span == (0..KEYS) {
            return;
        }
        if L::DEPTH == 1 {
            for values in [&mut self.scores, &mut self.d_weights] {
                for row in values[rows.start * KEYS..rows.end * KEYS].chunks_exact_mut(KEYS) {
                    row[..span.start].fill(0.0);
                    row[span.end..].fill(0.0);
                }
            }
        } else {
            for units in [&mut self.weights_across, &mut self.d_scores_across] {
                for row in units[rows.start / 2 * KEYS..rows.end / 2 * KEYS].chunks_exact_mut(KEYS) {
                    row[..span.start].fill(L::Unit::default());
                    row[span.end..].fill(L::Unit::default());
                }
            }
        }
    }
}

/// Sum of products, in eight sums side by side.
fn dot<T: Operand>(a: &[T], b: &[T]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a.to_f32() * b.to_f32();
        }
    }
    sums.iter().sum()
}
