//! Causal attention with an online softmax, and its gradient from the log-sum-exp (Dao, FlashAttention-2, 2307.08691): scores
//! live in tiles that stay in the first-level cache and never reach memory.
//!
//! A token sees the tokens of its row up to itself, `window` of them at most, that carry its segment number. Tiles that nobody
//! sees are not computed. Sums are f32; bf16 operands are multiplied as pairs where the processor can, and the weights are
//! rounded to bf16 for that.
//!
//! Layout: query and output {batch, seq, head, head_dim}, key and value {batch, seq, kv_head, head_dim}, segments
//! {batch, seq}, log-sum-exp {batch, head, seq} f32. An attention sink would be a start value of the running largest score and
//! sum in `forward`.
//!
//! Tasks are (batch, key-value head), in the forward pass also chunks of queries. Sums run in an order given by sizes alone.

mod backward;
mod forward;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use crate::check::length;
use crate::simd::Instructions;
use crate::{ArgumentError, Operand, Threads};

/// Keys of a tile: tiles begin at its multiples, so that what a token sees is cut alike whatever else there is.
pub(crate) const KEYS: usize = 128;

/// What scores of heads of so many elements are multiplied with to be exponents of two.
pub(crate) fn exponents(head_dim: usize) -> f32 {
    1.0 / (head_dim as f32).sqrt() * std::f32::consts::LOG2_E
}

/// The share that stays of what was summed with the largest score `so_far`.
pub(crate) fn kept(so_far: f32, largest: f32, factor: f32) -> f32 {
    // Where nothing was seen so far there is nothing to keep, not even infinity minus infinity.
    match so_far {
        f32::NEG_INFINITY => 0.0,
        same if same == largest => 1.0,
        _ => ((so_far - largest) * factor).exp2(),
    }
}

/// Operands of attention.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a, T> {
    /// {batch, seq, head, head_dim}
    pub query: &'a [T],
    /// {batch, seq, kv_head, head_dim}
    pub key: &'a [T],
    /// {batch, seq, kv_head, head_dim}
    pub value: &'a [T],
    /// {batch, seq}
    pub segments: &'a [i32],
    /// Rows.
    pub batch: usize,
    /// Tokens of a row.
    pub seq: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; divides `heads`.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// How many tokens back a token sees, itself included; all where `None`.
    pub window: Option<usize>,
}

/// What the gradient needs besides the operands.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a, T> {
    /// Output of the forward pass.
    pub output: &'a [T],
    /// Its log-sum-exp.
    pub sums: &'a [f32],
    /// Cotangent of the output.
    pub d_output: &'a [T],
}

/// Gradients to be written.
#[derive(Debug)]
pub struct Gradients<'a, T> {
    /// As query.
    pub query: &'a mut [T],
    /// As key.
    pub key: &'a mut [T],
    /// As value.
    pub value: &'a mut [T],
}

/// Writes the output, and the log-sum-exp {batch, head, seq} where it is wanted.
///
/// # Errors
/// A slice that does not have the elements of its dims, heads that do not divide, or a window of zero.
pub fn attention<T: Operand>(
    problem: &Attention<'_, T>,
    output: &mut [T],
    sums: Option<&mut [f32]>,
    threads: &Threads,
    instructions: Instructions,
) -> Result<(), ArgumentError> {
    problem.check("attention")?;
    length("attention", "output", output.len(), &problem.query_dims())?;
    if let Some(sums) = &sums {
        length("attention", "sums", sums.len(), &problem.sum_dims())?;
    }
    T::on(instructions, forward::Forward { problem, output, sums, threads });
    Ok(())
}

/// Writes the gradients to query, key and value.
///
/// # Errors
/// As [`attention`].
pub fn attention_gradient<T: Operand>(
    problem: &Attention<'_, T>,
    kept: &Kept<'_, T>,
    gradients: &mut Gradients<'_, T>,
    threads: &Threads,
    instructions: Instructions,
) -> Result<(), ArgumentError> {
    let kernel = "attention_gradient";
    problem.check(kernel)?;
    let (query, key) = (problem.query_dims(), problem.key_dims());
    length(kernel, "output", kept.output.len(), &query)?;
    length(kernel, "sums", kept.sums.len(), &problem.sum_dims())?;
    length(kernel, "d_output", kept.d_output.len(), &query)?;
    length(kernel, "d_query", gradients.query.len(), &query)?;
    length(kernel, "d_key", gradients.key.len(), &key)?;
    length(kernel, "d_value", gradients.value.len(), &key)?;
    T::on(instructions, backward::Backward { problem, kept, gradients, threads });
    Ok(())
}

impl<T: Operand> Attention<'_, T> {
    fn query_dims(&self) -> [usize; 4] {
        [self.batch, self.seq, self.heads, self.head_dim]
    }

    fn key_dims(&self) -> [usize; 4] {
        [self.batch, self.seq, self.kv_heads, self.head_dim]
    }

    fn sum_dims(&self) -> [usize; 3] {
        [self.batch, self.heads, self.seq]
    }

    fn check(&self, kernel: &'static str) -> Result<(), ArgumentError> {
        length(kernel, "query", self.query.len(), &self.query_dims())?;
        length(kernel, "key", self.key.len(), &self.key_dims())?;
        length(kernel, "value", self.value.len(), &self.key_dims())?;
        length(kernel, "segments", self.segments.len(), &[self.batch, self.seq])?;
        if self.kv_heads == 0 || !self.heads.is_multiple_of(self.kv_heads) {
            return Err(ArgumentError::Dims {
                kernel,
                name: "key",
                required: format!("of a number of heads that divides {}", self.heads),
                given: format!("{}", self.kv_heads),
            });
        }
        if self.head_dim == 0 {
            let required = "of heads with at least one element, as scores are divided by its root".into();
            return Err(ArgumentError::Dims { kernel, name: "query", required, given: "0".into() });
        }
        if self.window == Some(0) {
            let given = "0".into();
            return Err(ArgumentError::Attribute { kernel, name: "window", required: "positive", given });
        }
        Ok(())
    }

    /// What scores are multiplied with.
    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }
}

/// Which tokens each token of a row sees.
struct Sight<'a> {
    segments: &'a [i32],
    /// The first token that each token may see.
    low: Vec<usize>,
    /// Where the run of equal segment numbers around each token begins.
    run: Vec<usize>,
}

impl<'a> Sight<'a> {
    fn new(segments: &'a [i32], window: Option<usize>) -> Self {
        let mut first = std::collections::HashMap::new();
        let (mut low, mut run) = (Vec::with_capacity(segments.len()), Vec::with_capacity(segments.len()));
        let mut start = 0;
        for (at, segment) in segments.iter().enumerate() {
            if at > 0 && segments[at - 1] != *segment {
                start = at;
            }
            let first = *first.entry(segment).or_insert(at);
            low.push(first.max(window.map_or(0, |w| (at + 1).saturating_sub(w))));
            run.push(start);
        }
        Self { segments, low, run }
    }

    /// Keys of `tile` that any of these queries may see, rounded out to whole vectors that start at `tile`'s start.
    fn span(
        &self,
        queries: std::ops::Range<usize>,
        tile: &std::ops::Range<usize>,
        width: usize,
    ) -> std::ops::Range<usize> {
        let low = queries.clone().map(|q| self.low[q]).min().unwrap_or(usize::MAX);
        let (low, high) = (low.max(tile.start), queries.end.min(tile.end));
        if low >= high {
            return 0..0;
        }
        (low - tile.start) / width * width..(high - tile.start).next_multiple_of(width)
    }

    /// Closes what `query` does not see: `scores` are those of the keys from `first` on.
    fn close(&self, query: usize, first: usize, scores: &mut [f32]) {
        let count = scores.len();
        let below = self.low[query].saturating_sub(first).min(count);
        scores[..below].fill(f32::NEG_INFINITY);
        scores[(query + 1).saturating_sub(first).min(count)..].fill(f32::NEG_INFINITY);
        // Before the run there are other segments, and perhaps earlier runs of the same.
        let run = self.run[query].saturating_sub(first).min(count);
        for (at, score) in scores.iter_mut().enumerate().take(run).skip(below) {
            if self.segments[first + at] != self.segments[query] {
                *score = f32::NEG_INFINITY;
            }
        }
    }
}

/// Rows of a result that several tasks write, no two of them the same row.
struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    memory: PhantomData<&'a mut [T]>,
}

// SAFETY: a task writes only rows of its own (see `row`), and elements may be sent to other threads.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    fn new(memory: &'a mut [T]) -> Self {
        Self { start: memory.as_mut_ptr(), len: memory.len(), memory: PhantomData }
    }

    /// Elements `at..at + len`.
    ///
    /// # Safety
    /// No other reference to any of them is alive, on any thread.
    #[allow(clippy::mut_from_ref)] // the reason for this type
    unsafe fn row(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at <= self.len && len <= self.len - at, "a row inside the result");
        // SAFETY: inside the memory borrowed for 'a, as just asserted; not aliased, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }
}
