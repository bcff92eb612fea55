//! The pass over tiles of tokens.

use std::f32::consts::LOG2_E;

use half::bf16;

use super::{CrossEntropy, Gradients};
use crate::simd::entries::{Entries, LogitRows, Product, ROWS, WIDTH};
use crate::simd::lines::Lines;
use crate::simd::pack::Rows;
use crate::simd::{Unit, Work};
use crate::{Operand, Threads};

/// Words of a chunk.
const CHUNK: usize = 256;
/// Columns of a packed right operand: a panel of a few hundred rows stays in the caches.
const PANEL: usize = 32;
/// Tokens of a tile, where the vocabulary is not very large.
const TOKENS: usize = 512;
/// Rows of a task of `d_hidden`.
const BLOCK: usize = 64;

/// Tokens of a tile: its logits are some tens of megabytes at most.
fn tile_tokens(vocab: usize) -> usize {
    ((16 << 20) / vocab.max(1)).clamp(128, TOKENS) / BLOCK * BLOCK
}

pub(super) struct Pass<'x, 'a, T> {
    pub problem: &'x CrossEntropy<'a, T>,
    pub gradients: Option<Gradients<'x, T>>,
    pub threads: &'x Threads,
    pub loss: &'x mut f32,
}

/// Words of one chunk with all that belongs to them.
struct Chunk<'w, L: Entries, T> {
    /// First word.
    first: usize,
    weight: Rows<'w, T>,
    /// Contracted over hidden: panels of words.
    transposed: Lines<L::Unit>,
    /// Contracted over words: panels of hidden.
    across: Lines<L::Unit>,
    /// {token of the tile, CHUNK}; where units are single, `g` later.
    logits: Lines<f32>,
    /// By token: largest logit, sum of exponentials, logit of the target if it is among these.
    sums: Vec<[f32; 3]>,
    /// `g` as pairs across and along the tokens.
    g_across: Lines<L::Unit>,
    g_along: Lines<L::Unit>,
    /// Its part of the weight's gradient, {CHUNK, padded hidden}.
    d_weight: Lines<f32>,
}

/// Hidden states of a tile.
struct Tile<'x, U> {
    tokens: usize,
    targets: &'x [i32],
    along: Lines<U>,
    /// Contracted over tokens: panels of hidden.
    across: Lines<U>,
}

impl<T: Operand> Work<T> for Pass<'_, '_, T> {
    fn run<L: Entries>(mut self)
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let mut chunks = self.chunks::<L>();
        let mut tile = Tile { tokens: 0, targets: &[], along: Lines::default(), across: Lines::default() };
        let hidden =
            Rows { data: p.hidden, first: 0, stride: p.width, count: p.targets.len(), width: p.width };
        let mut loss = 0.0_f64;
        let size = tile_tokens(p.vocab);
        for first in (0..p.targets.len()).step_by(size) {
            let tokens = first..(first + size).min(p.targets.len());
            tile.load(hidden.range(tokens.clone()), &p.targets[tokens.clone()], self.gradients.is_some());
            self.threads.run(chunks.iter_mut().collect(), || (), |(), c| c.logits(&tile, p.width));
            let sums: Vec<(f32, f32)> = (0..tile.tokens).map(|t| total(&chunks, t)).collect();
            let counted = |t: usize| tile.targets[t] >= 0;
            loss += (0..tile.tokens)
                .filter(|&t| counted(t))
                .map(|t| f64::from(sums[t].0 - sums[t].1))
                .sum::<f64>();
            if let Some(gradients) = &mut self.gradients {
                let chunks_left = chunks.iter_mut().collect();
                self.threads.run(chunks_left, || (), |(), c| c.d_weight(&tile, &sums, p.scale, p.width));
                let d_hidden = &mut gradients.hidden[tokens.start * p.width..tokens.end * p.width];
                d_hidden_rows(&chunks, d_hidden, p.width, self.threads);
            }
        }
        *self.loss = (f64::from(p.scale) * loss) as f32;
        if let Some(gradients) = self.gradients {
            write_d_weight(&chunks, gradients.weight, p.width);
        }
    }
}

impl<'a, T: Operand> Pass<'_, 'a, T> {
    /// Packs the weight.
    fn chunks<L: Entries>(&self) -> Vec<Chunk<'a, L, T>>
    where
        L::Unit: Unit<T>,
    {
        let p = self.problem;
        let rows = Rows { data: p.weight, first: 0, stride: p.width, count: p.vocab, width: p.width };
        let mut chunks: Vec<Chunk<'a, L, T>> = (0..p.vocab)
            .step_by(CHUNK)
            .map(|first| Chunk {
                first,
                weight: rows.range(first..(first + CHUNK).min(p.vocab)),
                transposed: Lines::default(),
                across: Lines::default(),
                logits: Lines::default(),
                sums: Vec::new(),
                g_across: Lines::default(),
                g_along: Lines::default(),
                d_weight: Lines::default(),
            })
            .collect();
        let gradients = self.gradients.is_some();
        self.threads.run(chunks.iter_mut().collect(), Lines::default, |space, c| c.pack(space, gradients));
        chunks
    }
}

/// Log-sum-exp of one token's logits, and the logit of its target.
fn total<L: Entries, T>(chunks: &[Chunk<'_, L, T>], token: usize) -> (f32, f32) {
    let sums = || chunks.iter().map(|c| c.sums[token]);
    let largest = sums().map(|s| s[0]).fold(f32::NEG_INFINITY, f32::max);
    let base = if largest == f32::NEG_INFINITY { 0.0 } else { largest };
    let sum: f32 = sums().map(|s| s[1] * (s[0] - base).exp()).sum();
    (base + sum.ln(), sums().map(|s| s[2]).sum())
}

impl<L: Entries, T: Operand> Chunk<'_, L, T>
where
    L::Unit: Unit<T>,
{
    fn pack(&mut self, space: &mut Lines<L::Unit>, gradients: bool) {
        let weight = self.weight;
        for first in (0..CHUNK).step_by(PANEL) {
            let range = first.min(weight.count)..(first + PANEL).min(weight.count);
            weight.range(range).pack_transposed(PANEL, space);
            self.transposed.extend(space);
        }
        if gradients {
            pack_panels(weight, CHUNK, &mut self.across, space);
            self.d_weight.fill_zeros(CHUNK * padded(weight.width));
        }
    }

    /// Logits of a tile's tokens on this chunk's words.
    fn logits(&mut self, tile: &Tile<'_, L::Unit>, width: usize) {
        let rows = tile.tokens.next_multiple_of(ROWS);
        let steps = width.div_ceil(L::DEPTH);
        self.logits.resize(rows * CHUNK);
        for first in (0..CHUNK).step_by(PANEL) {
            let mut product = Product {
                rows,
                columns: PANEL,
                steps,
                left: &tile.along,
                left_row: steps,
                left_step: 1,
                right: &self.transposed[first * steps..],
                right_step: PANEL,
                out: &mut self.logits[first..],
                out_row: CHUNK,
                accumulate: false,
            };
            // SAFETY: `Work::run` is called for a level that the processor has, here and below.
            unsafe { L::product_entry(&mut product) };
        }
        let words = self.weight.count;
        self.sums.clear();
        for (row, &target) in self.logits.chunks_exact_mut(CHUNK).zip(tile.targets) {
            row[words..].fill(f32::NEG_INFINITY);
            // SAFETY: as above.
            let (largest, sum) = unsafe { L::sum_entry(row, LOG2_E) };
            let hit = own_word(target, self.first, words).map_or(0.0, |word| row[word]);
            self.sums.push([largest, sum, hit]);
        }
    }

    /// `g` of a tile's tokens on this chunk's words, and what it adds to the weight's gradient.
    fn d_weight(&mut self, tile: &Tile<'_, L::Unit>, sums: &[(f32, f32)], scale: f32, width: usize) {
        let rows = tile.tokens.next_multiple_of(ROWS);
        if L::DEPTH == 2 {
            self.g_across.resize(rows / 2 * CHUNK);
            self.g_along.resize(rows / 2 * CHUNK);
        }
        let counts = |t: usize| if tile.targets.get(t).is_some_and(|&w| w >= 0) { scale } else { 0.0 };
        let exponent = |t: usize| sums.get(t).map_or(f32::INFINITY, |s| s.0 * LOG2_E);
        for first in (0..rows).step_by(2) {
            let pairs = if L::DEPTH == 2 { first / 2 * CHUNK } else { 0 };
            let mut two = LogitRows {
                logits: &mut self.logits[first * CHUNK..],
                columns: CHUNK,
                sums: [exponent(first), exponent(first + 1)],
                scale: [counts(first), counts(first + 1)],
                across: &mut self.g_across[pairs..],
                along: &mut self.g_along[pairs..],
            };
            let hits = [first, first + 1].map(|t| {
                let word = own_word(*tile.targets.get(t)?, self.first, self.weight.count)?;
                let share = (two.logits[(t - first) * CHUNK + word] * LOG2_E - exponent(t)).exp2();
                Some((t, word, scale * (share - 1.0)))
            });
            // SAFETY: as above.
            unsafe { L::logit_entry(&mut two) };
            for (token, word, g) in hits.into_iter().flatten() {
                self.put(token, word, g);
            }
        }
        let g: &[L::Unit] = if L::DEPTH == 1 { bytemuck::cast_slice(&self.logits) } else { &self.g_across };
        let steps = rows / L::DEPTH;
        for first in (0..padded(width)).step_by(PANEL) {
            let mut product = Product {
                rows: CHUNK,
                columns: PANEL,
                steps,
                left: g,
                left_row: 1,
                left_step: CHUNK,
                right: &tile.across[first * steps..],
                right_step: PANEL,
                out: &mut self.d_weight[first..],
                out_row: padded(width),
                accumulate: true,
            };
            // SAFETY: as above.
            unsafe { L::product_entry(&mut product) };
        }
    }

    /// Overwrites one element of `g`.
    fn put(&mut self, token: usize, word: usize, value: f32) {
        if L::DEPTH == 1 {
            self.logits[token * CHUNK + word] = value;
            return;
        }
        let mut narrow = [bf16::ZERO];
        <bf16 as crate::element::sealed::Widen>::narrowed(&[value], 1.0, &mut narrow);
        let across: &mut [bf16] = bytemuck::cast_slice_mut(&mut self.g_across);
        across[(token / 2 * CHUNK + word) * 2 + token % 2] = narrow[0];
        let along: &mut [bf16] = bytemuck::cast_slice_mut(&mut self.g_along);
        along[token * CHUNK + word] = narrow[0];
    }
}

/// `d_hidden` of a tile, from `g` on all chunks.
fn d_hidden_rows<L: Entries, T: Operand>(
    chunks: &[Chunk<'_, L, T>],
    d_hidden: &mut [T],
    width: usize,
    threads: &Threads,
) where
    L::Unit: Unit<T>,
{
    let tasks = d_hidden.chunks_mut((BLOCK * width).max(1)).enumerate().collect();
    threads.run(tasks, Lines::default, |sums: &mut Lines<f32>, (block, out)| {
        let rows = (out.len() / width.max(1)).next_multiple_of(ROWS);
        sums.fill_zeros(rows * padded(width));
        let steps = CHUNK / L::DEPTH;
        for chunk in chunks {
            let g: &[L::Unit] =
                if L::DEPTH == 1 { bytemuck::cast_slice(&chunk.logits) } else { &chunk.g_along };
            for first in (0..padded(width)).step_by(PANEL) {
                let mut product = Product {
                    rows,
                    columns: PANEL,
                    steps,
                    left: &g[block * BLOCK * steps..],
                    left_row: steps,
                    left_step: 1,
                    right: &chunk.across[first * steps..],
                    right_step: PANEL,
                    out: &mut sums[first..],
                    out_row: padded(width),
                    accumulate: true,
                };
                // SAFETY: as in `Chunk::logits`.
                unsafe { L::product_entry(&mut product) };
            }
        }
        let rows = sums.chunks_exact(padded(width).max(1));
        for (row, out) in rows.zip(out.chunks_exact_mut(width.max(1))) {
            T::narrowed(row, 1.0, out);
        }
    });
}

fn write_d_weight<L: Entries, T>(chunks: &[Chunk<'_, L, T>], out: &mut [f32], width: usize) {
    for (chunk, out) in chunks.iter().zip(out.chunks_mut((CHUNK * width).max(1))) {
        let rows = chunk.d_weight.chunks_exact(padded(width).max(1));
        for (row, out) in rows.zip(out.chunks_exact_mut(width.max(1))) {
            out.copy_from_slice(&row[..width]);
        }
    }
}

impl<'x, U: Copy + Default> Tile<'x, U> {
    fn load<T: Operand>(&mut self, hidden: Rows<'_, T>, targets: &'x [i32], gradients: bool)
    where
        U: Unit<T>,
    {
        (self.tokens, self.targets) = (hidden.count, targets);
        let rows = hidden.count.next_multiple_of(ROWS);
        hidden.pack_along(rows, &mut self.along);
        if gradients {
            pack_panels(hidden, rows, &mut self.across, &mut Lines::default());
        }
    }
}

/// A right operand contracted over `rows` rows, in panels of columns.
fn pack_panels<T: Operand, U: Unit<T>>(
    from: Rows<'_, T>,
    rows: usize,
    to: &mut Lines<U>,
    space: &mut Lines<U>,
) {
    to.resize(0);
    for first in (0..padded(from.width)).step_by(PANEL) {
        let columns = first.min(from.width)..(first + PANEL).min(from.width);
        from.columns(columns).pack_across(rows, PANEL, space);
        to.extend(space);
    }
}

/// Place of a target among a chunk's words.
fn own_word(target: i32, first: usize, words: usize) -> Option<usize> {
    let word = usize::try_from(target).ok()?.checked_sub(first)?;
    (word < words).then_some(word)
}

/// A hidden size in whole panels.
fn padded(width: usize) -> usize {
    const { assert!(PANEL.is_multiple_of(WIDTH) && CHUNK.is_multiple_of(PANEL)) };
    width.next_multiple_of(PANEL)
}
