//! The forward pass: for each block of queries, tiles of keys from the first to the last that it sees.

use std::ops::Range;

use super::{Attention, KEYS, Shared, Sight, exponents, kept};
use crate::simd::entries::{Entries, Product, ROWS, WIDTH};
use crate::simd::lines::Lines;
use crate::simd::pack::Rows;
use crate::simd::{Unit, Work};
use crate::{Operand, Threads};

/// Queries of a task: enough work to pay for packing the keys.
const CHUNK: usize = 512;
/// Queries that share a tile of keys while it is in the cache.
const QUERIES: usize = 32;

pub(super) struct Forward<'x, 'a, T> {
    pub problem: &'x Attention<'a, T>,
    pub output: &'x mut [T],
    pub sums: Option<&'x mut [f32]>,
    pub threads: &'x Threads,
}

impl<T: Operand> Work<T> for Forward<'_, '_, T> {
    fn run<L: Entries>(self)
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        // Late chunks see most, so they go first.
        let chunks: Vec<usize> = (0..p.seq).step_by(CHUNK).rev().collect();
        let tasks: Vec<(usize, usize, usize)> = chunks
            .iter()
            .flat_map(|&c| (0..p.batch * p.kv_heads).map(move |i| (i / p.kv_heads, i % p.kv_heads, c)))
            .collect();
        let (output, sums) = (Shared::new(self.output), self.sums.map(Shared::new));
        self.threads.run(tasks, Space::<L>::default, |space, (batch, kv_head, first)| {
            let task = Task {
                problem: p,
                sight: Sight::new(&p.segments[batch * p.seq..][..p.seq], p.window),
                batch,
                kv_head,
            };
            task.chunk(space, first..(first + CHUNK).min(p.seq), &output, sums.as_ref());
        });
    }
}

/// Memory of one thread.
struct Space<L: Entries> {
    keys: Lines<L::Unit>,
    values: Lines<L::Unit>,
    queries: Lines<L::Unit>,
    weights: Lines<L::Unit>,
    scores: Lines<f32>,
    mixed: Lines<f32>,
}

impl<L: Entries> Default for Space<L> {
    fn default() -> Self {
        Self {
            keys: Lines::default(),
            values: Lines::default(),
            queries: Lines::default(),
            weights: Lines::default(),
            scores: Lines::default(),
            mixed: Lines::default(),
        }
    }
}

/// Queries of the heads of one key-value head, in one row of the batch.
struct Task<'x, 'a, T> {
    problem: &'x Attention<'a, T>,
    sight: Sight<'x>,
    batch: usize,
    kv_head: usize,
}

impl<T: Operand> Task<'_, '_, T> {
    fn chunk<L: Entries>(
        &self,
        space: &mut Space<L>,
        queries: Range<usize>,
        output: &Shared<'_, T>,
        sums: Option<&Shared<'_, f32>>,
    ) where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let low = queries.clone().map(|q| self.sight.low[q]).min().unwrap_or(0) / WIDTH * WIDTH;
        let seen = low..queries.end;
        let columns = seen.len().next_multiple_of(WIDTH);
        let of = |data| Rows {
            data,
            first: (self.batch * p.seq * p.kv_heads + self.kv_head) * p.head_dim,
            stride: p.kv_heads * p.head_dim,
            count: p.seq,
            width: p.head_dim,
        };
        of(p.key).range(seen.clone()).pack_transposed(columns, &mut space.keys);
        let width = p.head_dim.next_multiple_of(WIDTH);
        of(p.value).range(seen.clone()).pack_across(columns, width, &mut space.values);
        let group = p.heads / p.kv_heads;
        for head in self.kv_head * group..(self.kv_head + 1) * group {
            for first in queries.clone().step_by(QUERIES) {
                let own = first..(first + QUERIES).min(queries.end);
                self.queries(space, head, own, &seen, output, sums);
            }
        }
    }

    /// A few queries of one head over all keys they see.
    fn queries<L: Entries>(
        &self,
        space: &mut Space<L>,
        head: usize,
        queries: Range<usize>,
        seen: &Range<usize>,
        output: &Shared<'_, T>,
        sums: Option<&Shared<'_, f32>>,
    ) where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let place = |q: usize| ((self.batch * p.seq + q) * p.heads + head) * p.head_dim;
        let rows = Rows {
            data: p.query,
            first: place(0),
            stride: p.heads * p.head_dim,
            count: p.seq,
            width: p.head_dim,
        };
        let padded = queries.len().next_multiple_of(ROWS);
        rows.range(queries.clone()).pack_along(padded, &mut space.queries);
        let width = p.head_dim.next_multiple_of(WIDTH);
        space.mixed.fill_zeros(padded * width);
        space.scores.resize(L::QUERIES * KEYS);
        space.weights.resize(L::QUERIES * KEYS / L::DEPTH);
        let mut state = vec![(f32::NEG_INFINITY, 0.0_f32); queries.len()];
        for first in (seen.start / KEYS * KEYS..seen.end).step_by(KEYS) {
            let tile = first.max(seen.start)..(first + KEYS).min(seen.end);
            for block in (0..queries.len()).step_by(L::QUERIES) {
                let own = queries.start + block..(queries.start + block + L::QUERIES).min(queries.end);
                let span = self.sight.span(own.clone(), &tile, WIDTH);
                if !span.is_empty() {
                    self.block(space, own, block, tile.start, span, seen, &mut state);
                }
            }
        }
        for (i, (q, (largest, sum))) in queries.clone().zip(state).enumerate() {
            // SAFETY: only the task of this batch row, head and chunk writes the rows of these queries.
            let (row, kept) =
                unsafe { (output.row(place(q), p.head_dim), sums.map(|s| s.row(self.sum_at(head, q), 1))) };
            T::narrowed(&space.mixed[i * width..][..p.head_dim], 1.0 / sum, row);
            if let Some(kept) = kept {
                kept[0] = largest * p.scale() + sum.ln();
            }
        }
    }

    fn sum_at(&self, head: usize, query: usize) -> usize {
        (self.batch * self.problem.heads + head) * self.problem.seq + query
    }

    /// Some queries (`L::QUERIES`, fewer at the end) on the keys `span` of the tile from `tile` on.
    #[allow(clippy::too_many_arguments)] // what differs between blocks, all of it plain numbers
    fn block<L: Entries>(
        &self,
        space: &mut Space<L>,
        queries: Range<usize>,
        row: usize,
        tile: usize,
        span: Range<usize>,
        seen: &Range<usize>,
        state: &mut [(f32, f32)],
    ) where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let factor = exponents(p.head_dim);
        let (depth, count) = (L::DEPTH, span.len());
        let steps = p.head_dim.div_ceil(depth);
        let columns = seen.len().next_multiple_of(WIDTH);
        let first = tile + span.start;
        let rows = queries.len().next_multiple_of(ROWS);
        let mut scores = Product {
            rows,
            columns: count,
            steps,
            left: &space.queries[row * steps..],
            left_row: steps,
            left_step: 1,
            right: &space.keys[first - seen.start..],
            right_step: columns,
            out: &mut space.scores,
            out_row: count,
            accumulate: false,
        };
        // SAFETY: `Work::run` is called for a level that the processor has, here and below.
        unsafe { L::product_entry(&mut scores) };
        let width = p.head_dim.next_multiple_of(WIDTH);
        for (i, q) in queries.enumerate() {
            let scores = &mut space.scores[i * count..][..count];
            self.sight.close(q, first, scores);
            let (so_far, sum) = state[row + i];
            let pairs = if depth == 1 { &mut [][..] } else { &mut space.weights[i * count / depth..] };
            // SAFETY: as above.
            let (largest, added) = unsafe { L::softmax_entry(scores, so_far, factor, pairs) };
            let kept = kept(so_far, largest, factor);
            if kept != 1.0 {
                space.mixed[(row + i) * width..][..width].iter_mut().for_each(|x| *x *= kept);
            }
            state[row + i] = (largest, sum * kept + added);
        }
        let weights: &[L::Unit] =
            if depth == 1 { bytemuck::cast_slice(&space.scores) } else { &space.weights };
        let mut mixed = Product {
            rows,
            columns: width,
            steps: count / depth,
            left: weights,
            left_row: count / depth,
            left_step: 1,
            right: &space.values[(first - seen.start) / depth * width..],
            right_step: width,
            out: &mut space.mixed[row * width..],
            out_row: width,
            accumulate: true,
        };
        // SAFETY: as above.
        unsafe { L::product_entry(&mut mixed) };
    }
}
