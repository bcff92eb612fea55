//! Everything between the projections of attention in a step of serving: the norm of each head, the rotary embedding, the new rows of the cache,
//! and attention over it. One call, so that a step is a chain of few calls; each token is computed alone, in one order. The cache has the type of the
//! tokens, or is int8 with a scale for each row of a head, which meets sums of products of whole numbers.

mod attend;
mod cell;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod turn;

use crate::check::length;
use crate::grid::Grid;
use crate::{ArgumentError, Operand, Threads, lanes};
use attend::{Paged, attend};
use cell::Cell;
use turn::Turn;

pub use attend::PAGE;

/// Tokens whose heads a thread turns at once.
const TOKENS: usize = 8;

/// Operands of [`paged_step`].
#[derive(Clone, Copy, Debug)]
pub struct PagedStep<'a, T> {
    /// {token, feature}: queries {head, head_dim}, then keys and values {kv_head, head_dim}.
    pub qkv: &'a [T],
    /// {token, half}: cosines of the tokens' angles.
    pub cos: &'a [f32],
    /// {token, half}: sines.
    pub sin: &'a [f32],
    /// {head_dim}: norms of queries and keys, where heads are normalised, and what is added to the mean of squares.
    pub norms: Option<([&'a [T]; 2], f32)>,
    /// {token}: place of the cache where keys and values go.
    pub place: &'a [i32],
    /// {sequence, page}: the page of the cache with each [`PAGE`] places of a sequence.
    pub pages: &'a [i32],
    /// {token}: row of `pages`.
    pub sequence: &'a [i32],
    /// {token}: the last place that it sees; negative for padding, whose output is zero.
    pub position: &'a [i32],
    /// Size of `head`.
    pub heads: usize,
    /// Size of `kv_head`; divides `heads`.
    pub kv_heads: usize,
    /// Size of `head_dim`; even.
    pub head_dim: usize,
    /// Columns of `pages`.
    pub columns: usize,
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
}

/// The keys and values of a layer.
#[derive(Debug)]
pub struct Caches<'a, C> {
    /// {cache_page, kv_head, head_dim, row}.
    pub keys: &'a mut [C],
    /// {cache_page, kv_head, row, head_dim}.
    pub values: &'a mut [C],
    /// Of int8 caches {cache_page, kv_head, row}: what a key or a value of 1 stands for, that of its largest element over 127; else empty.
    pub scales: [&'a mut [f32]; 2],
}

/// Writes the tokens' keys and values to the caches, and what they attend to, {token, head, head_dim}, to `out`.
///
/// # Errors
/// A slice that does not have the elements of its dims, places or pages that the cache does not have; nothing is written then.
pub fn paged_step<T: Operand>(
    step: &PagedStep<'_, T>,
    [keys, values]: [&mut [T]; 2],
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    step.run("paged_step", Caches { keys, values, scales: [&mut [], &mut []] }, out, threads)
}

/// The same over a cache in int8.
///
/// # Errors
/// As those of [`paged_step`].
pub fn paged_step_int8<T: Operand>(
    step: &PagedStep<'_, T>,
    caches: Caches<'_, i8>,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    step.run("paged_step_int8", caches, out, threads)
}

impl<T: Operand> PagedStep<'_, T> {
    fn run<C: Cell<T>>(
        &self,
        kernel: &'static str,
        mut caches: Caches<'_, C>,
        out: &mut [T],
        threads: &Threads,
    ) -> Result<(), ArgumentError> {
        let places = self.check(kernel, caches.keys.len())?;
        length(kernel, "values", caches.values.len(), &[caches.keys.len()])?;
        for scales in &caches.scales {
            length(
                kernel,
                "scales",
                scales.len() * self.head_dim,
                &[if C::SCALED { caches.keys.len() } else { 0 }],
            )?;
        }
        length(kernel, "out", out.len(), &[places.len(), self.heads, self.head_dim])?;
        if out.is_empty() {
            return Ok(());
        }
        let [query, key] = self.turned(threads);
        // By one thread: unused tokens share a place.
        for (token, (&place, key)) in places.iter().zip(key.chunks(self.kv_heads * self.head_dim)).enumerate()
        {
            self.store(token, place, key, &mut caches);
        }
        let Caches { keys, values, scales: [key_scales, value_scales] } = caches;
        let problem = Paged {
            query: &query,
            keys,
            values,
            scales: [key_scales, value_scales],
            pages: self.pages,
            columns: self.columns,
            sequence: self.sequence,
            position: self.position,
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            window: self.window,
        };
        attend(&problem, out, threads);
        Ok(())
    }

    /// Queries, keys and values of a token.
    fn features(&self, token: usize) -> [&[T]; 3] {
        let sizes = [self.heads, self.kv_heads, self.kv_heads].map(|heads| heads * self.head_dim);
        let features = &self.qkv[token * sizes.iter().sum::<usize>()..];
        let (queries, rest) = features.split_at(sizes[0]);
        [queries, &rest[..sizes[1]], &rest[sizes[1]..][..sizes[2]]]
    }

    /// Queries {token, head, head_dim} and keys {token, kv_head, head_dim} as attention takes them.
    fn turned(&self, threads: &Threads) -> [Vec<T>; 2] {
        let (tokens, widths) = (self.place.len(), [self.heads, self.kv_heads].map(|n| n * self.head_dim));
        let [mut query, mut key] = widths.map(|width| vec![T::from_f32(0.0); tokens * width]);
        let (queries, keys) = (Grid::new(&mut query, widths[0]), Grid::new(&mut key, widths[1]));
        let space = || ();
        threads.each(tokens, TOKENS, space, |(), token| {
            // SAFETY: a token is worked on once.
            let to = unsafe { [queries.part(token, 0..widths[0]), keys.part(token, 0..widths[1])] };
            self.token(token, to);
        });
        [query, key]
    }

    /// A token's queries and keys as attention takes them.
    fn token(&self, token: usize, to: [&mut [T]; 2]) {
        let [queries, keys, _] = self.features(token);
        for (which, (from, to)) in [queries, keys].into_iter().zip(to).enumerate() {
            let norm = self.norms.map(|(weights, eps)| (weights[which], eps));
            lanes::run(Turn { step: self, token, norm, from, to });
        }
    }

    /// Puts a token's `key` {kv_head, head_dim} and values at a place of the cache.
    fn store<C: Cell<T>>(&self, token: usize, place: usize, key: &[T], caches: &mut Caches<'_, C>) {
        let (width, row) = (self.head_dim, place % PAGE);
        let values = self.features(token)[2].chunks(width);
        for (head, (key, value)) in key.chunks(width).zip(values).enumerate() {
            let slab = place / PAGE * self.kv_heads + head;
            let own = slab * width * PAGE..(slab + 1) * width * PAGE;
            let [key_scale, value_scale] =
                caches.scales.each_mut().map(|scales| scales.get_mut(slab * PAGE + row));
            C::put(key, caches.keys[own.clone()][row..].iter_mut().step_by(PAGE), key_scale);
            C::put(value, caches.values[own][row * width..][..width].iter_mut(), value_scale);
        }
    }

    /// The places where keys and values go.
    fn check(&self, kernel: &'static str, cache: usize) -> Result<Vec<usize>, ArgumentError> {
        let tokens = self.place.len();
        let (half, features) = (self.head_dim / 2, (self.heads + 2 * self.kv_heads) * self.head_dim);
        let wrong =
            |name, required: String, given: String| ArgumentError::Dims { kernel, name, required, given };
        if self.kv_heads == 0 || !self.heads.is_multiple_of(self.kv_heads) {
            let required = format!("of a number of heads that divides {}", self.heads);
            return Err(wrong("keys", required, self.kv_heads.to_string()));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(wrong("head_dim", "even".into(), self.head_dim.to_string()));
        }
        length(kernel, "qkv", self.qkv.len(), &[tokens, features])?;
        length(kernel, "cos", self.cos.len(), &[tokens, half])?;
        length(kernel, "sin", self.sin.len(), &[tokens, half])?;
        length(kernel, "sequence", self.sequence.len(), &[tokens])?;
        length(kernel, "position", self.position.len(), &[tokens])?;
        for weight in self.norms.iter().flat_map(|n| n.0) {
            length(kernel, "norm", weight.len(), &[self.head_dim])?;
        }
        let held = cache.checked_div(self.kv_heads * self.head_dim * PAGE).unwrap_or(0);
        length(kernel, "keys", cache, &[held, self.kv_heads, self.head_dim, PAGE])?;
        for (&sequence, &position) in self.sequence.iter().zip(self.position) {
            if !self.are_held(sequence, position, held) {
                let required = format!("pages of the {held} of the cache for every place seen");
                return Err(wrong("pages", required, format!("sequence {sequence} at position {position}")));
            }
        }
        let inside = |&place: &i32| {
            let found = usize::try_from(place).ok().filter(|&p| p < held * PAGE);
            found.ok_or_else(|| wrong("place", format!("places below {}", held * PAGE), place.to_string()))
        };
        self.place.iter().map(inside).collect()
    }

    /// Whether the cache, of `held` pages, has all that a token sees.
    fn are_held(&self, sequence: i32, position: i32, held: usize) -> bool {
        let (Ok(last), rows) = (usize::try_from(position), self.pages.len().checked_div(self.columns)) else {
            return true;
        };
        let row = usize::try_from(sequence).ok().filter(|&s| s < rows.unwrap_or(0));
        let seen = row.and_then(|row| self.pages[row * self.columns..][..self.columns].get(..=last / PAGE));
        seen.is_some_and(|seen| seen.iter().all(|&page| usize::try_from(page).is_ok_and(|p| p < held)))
    }
}

#[cfg(test)]
mod tests;
