//! Attention of tokens from many sequences over a cache in pages: keys and values are read where they lie.
//!
//! Each (token, key-value head) is computed by one thread in one order, so the result depends neither on the number of threads nor on what
//! other tokens there are. Scores and sums are f32. Cost: 4 · places seen · heads · head_dim FLOPs a token.

use crate::check::length;
use crate::lanes::{self, Loop};
use crate::{ArgumentError, Operand, Threads};

const NAME: &str = "paged_attention";

/// Operands of [`paged_attention`].
#[derive(Clone, Copy, Debug)]
pub struct PagedAttention<'a, T> {
    /// {token, head, head_dim}.
    pub query: &'a [T],
    /// {place, kv_head, head_dim}.
    pub keys: &'a [T],
    /// As keys.
    pub values: &'a [T],
    /// {sequence, page}: the page of the cache with each `page` places of a sequence.
    pub pages: &'a [i32],
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
    /// Columns of `pages`.
    pub columns: usize,
    /// Places of a page.
    pub page: usize,
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
}

/// Writes {token, head, head_dim}.
///
/// # Errors
/// A slice that does not have the elements of its dims, heads that do not divide, or a page that the cache does not have.
pub fn paged_attention<T: Operand>(
    problem: &PagedAttention<'_, T>,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    problem.check(out.len())?;
    let PagedAttention { heads, kv_heads, head_dim, .. } = *problem;
    if out.is_empty() {
        return Ok(());
    }
    let group = heads / kv_heads * head_dim;
    let tasks: Vec<_> = out.chunks_mut(group).enumerate().collect();
    // A handful of tasks for each thread: one is short, and taking it costs a lock.
    let each = tasks.len().div_ceil(8 * threads.width()).max(1);
    let mut tasks = tasks.into_iter();
    let mut shares = Vec::new();
    while tasks.len() > 0 {
        shares.push(tasks.by_ref().take(each).collect::<Vec<_>>());
    }
    threads.run(shares, Vec::new, |scores, share| {
        for (at, out) in share {
            lanes::run(One { problem, token: at / kv_heads, kv_head: at % kv_heads, scores, out });
        }
    });
    Ok(())
}

impl<T: Operand> PagedAttention<'_, T> {
    pub(crate) fn check(&self, out: usize) -> Result<(), ArgumentError> {
        let wrong = |name, required: String, given: String| {
            Err(ArgumentError::Dims { kernel: NAME, name, required, given })
        };
        if self.kv_heads == 0 || !self.heads.is_multiple_of(self.kv_heads) {
            let required = format!("of a number of heads that divides {}", self.heads);
            return wrong("keys", required, self.kv_heads.to_string());
        }
        if self.page == 0 {
            return wrong("page", "at least 1".into(), "0".into());
        }
        let tokens = self.position.len();
        length(NAME, "query", self.query.len(), &[tokens, self.heads, self.head_dim])?;
        length(NAME, "out", out, &[tokens, self.heads, self.head_dim])?;
        length(NAME, "sequence", self.sequence.len(), &[tokens])?;
        length(NAME, "values", self.values.len(), &[self.keys.len()])?;
        let places = self.keys.len().checked_div(self.kv_heads * self.head_dim).unwrap_or(0);
        length(NAME, "keys", self.keys.len(), &[places, self.kv_heads, self.head_dim])?;
        let rows = self.pages.len().checked_div(self.columns).unwrap_or(0);
        for (&sequence, &position) in self.sequence.iter().zip(self.position) {
            let Ok(position) = usize::try_from(position) else { continue };
            let sound =
                usize::try_from(sequence).is_ok_and(|s| s < rows) && position / self.page < self.columns;
            let held = |&page: &i32| usize::try_from(page).is_ok_and(|p| p < places / self.page);
            if !sound || !self.of(sequence as usize)[..=position / self.page].iter().all(held) {
                let required =
                    format!("pages of the {} of the cache for every place seen", places / self.page);
                return wrong("pages", required, format!("sequence {sequence} at position {position}"));
            }
        }
        Ok(())
    }

    /// Pages of a sequence.
    #[inline(always)]
    fn of(&self, sequence: usize) -> &[i32] {
        &self.pages[sequence * self.columns..][..self.columns]
    }
}

/// The query heads of one key-value head of one token.
struct One<'a, 'o, T> {
    problem: &'a PagedAttention<'a, T>,
    token: usize,
    kv_head: usize,
    scores: &'a mut Vec<f32>,
    out: &'o mut [T],
}

impl<T: Operand> Loop for One<'_, '_, T> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { problem: p, token, kv_head, scores, out } = self;
        let Ok(last) = usize::try_from(p.position[token]) else {
            return out.iter_mut().for_each(|x| *x = T::from_f32(0.0));
        };
        let (width, group) = (p.head_dim, p.heads / p.kv_heads);
        let first = p.window.map_or(0, |w| (last + 1).saturating_sub(w));
        let count = last + 1 - first;
        let pages = p.of(p.sequence[token] as usize);
        let row = |place: usize| {
            let at = pages[place / p.page] as usize * p.page + place % p.page;
            (at * p.kv_heads + kv_head) * width
        };
        let scale = 1.0 / (width as f32).sqrt();
        let query = &p.query[(token * p.heads + kv_head * group) * width..][..group * width];
        scores.clear();
        scores.resize(2 * group * width + group * count, 0.0);
        let (wide, rest) = scores.split_at_mut(group * width);
        let (sums, scores) = rest.split_at_mut(group * width);
        wide.iter_mut().zip(query).for_each(|(to, from)| *to = from.to_f32() * scale);
        for i in 0..count {
            let key = &p.keys[row(first + i)..][..width];
            let mut start = 0;
            // The heads of a group read a key together.
            while start < group {
                let most = (group - start).min(4);
                let at = |g: usize| &wide[(start + g.min(most - 1)) * width..][..width];
                let found = lanes::dots::<T, 4, FMA>([at(0), at(1), at(2), at(3)], key);
                (0..most).for_each(|g| scores[(start + g) * count + i] = found[g]);
                start += most;
            }
        }
        for scores in scores.chunks_mut(count) {
            let largest = scores.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
            let mut total = 0.0;
            for s in &mut *scores {
                *s = (*s - largest).exp();
                total += *s;
            }
            scores.iter_mut().for_each(|s| *s /= total);
        }
        for i in 0..count {
            let value = &p.values[row(first + i)..][..width];
            for g in 0..group {
                lanes::add::<T, FMA>(&mut sums[g * width..][..width], scores[g * count + i], value);
            }
        }
        T::narrowed(sums, 1.0, out);
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    /// The same by loops in f64 over gathered places.
    fn reference<T: Operand>(p: &PagedAttention<'_, T>) -> Vec<f64> {
        let (width, group) = (p.head_dim, p.heads / p.kv_heads);
        let value = |x: &T| f64::from(x.to_f32());
        let mut out = Vec::new();
        for (token, &last) in p.position.iter().enumerate() {
            for head in 0..p.heads {
                let Ok(last) = usize::try_from(last) else {
                    out.extend(vec![0.0; width]);
                    continue;
                };
                let first = p.window.map_or(0, |w| (last + 1).saturating_sub(w));
                let pages = p.of(p.sequence[token] as usize);
                let rows: Vec<usize> = (first..=last)
                    .map(|at| pages[at / p.page] as usize * p.page + at % p.page)
                    .map(|at| (at * p.kv_heads + head / group) * width)
                    .collect();
                let query = &p.query[(token * p.heads + head) * width..][..width];
                let score = |&row: &usize| -> f64 {
                    let key = &p.keys[row..][..width];
                    query.iter().zip(key).map(|(q, k)| value(q) * value(k)).sum::<f64>()
                        / (width as f64).sqrt()
                };
                let scores: Vec<f64> = rows.iter().map(score).collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
                out.extend((0..width).map(|d| {
                    let of =
                        |(row, s): (&usize, &f64)| (s - largest).exp() / total * value(&p.values[row + d]);
                    rows.iter().zip(&scores).map(of).sum::<f64>()
                }));
            }
        }
        out
    }

    fn agrees<T: Operand>(
        seed: u64,
        sizes: [usize; 5],
        window: Option<usize>,
        limit: f64,
        of: impl Fn(f32) -> T + Copy,
    ) {
        let [tokens, kv_heads, group, head_dim, page] = sizes;
        let (columns, rows, held) = (3, 2, 8);
        let row = kv_heads * head_dim;
        let (keys, values) = (numbers(held * page * row, seed, of), numbers(held * page * row, seed + 1, of));
        let query = numbers(tokens * group * row, seed + 2, of);
        let dice = |i: usize, below: usize| (seed.rotate_left(7 * i as u32 % 64) % below as u64) as i32;
        let pages: Vec<i32> = (0..rows * columns).map(|i| dice(i, held)).collect();
        let sequence: Vec<i32> = (0..tokens).map(|i| dice(i + 9, rows)).collect();
        let position: Vec<i32> = (0..tokens).map(|i| dice(i + 5, columns * page + 1) - 1).collect();
        let problem = PagedAttention {
            query: &query,
            keys: &keys,
            values: &values,
            pages: &pages,
            sequence: &sequence,
            position: &position,
            heads: kv_heads * group,
            kv_heads,
            head_dim,
            columns,
            page,
            window,
        };
        let right = reference(&problem);
        for width in 1..=3 {
            let mut out = vec![of(9.0); query.len()];
            paged_attention(&problem, &mut out, &Threads::new(width, 1)).unwrap();
            for (got, want) in out.iter().zip(&right) {
                assert!(
                    (f64::from(got.to_f32()) - want).abs() <= limit,
                    "{} instead of {want}",
                    got.to_f32()
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_agrees_with_loops(
            seed: u64,
            sizes in (0..6_usize, 1..3_usize, 1..7_usize, 1..70_usize, 1..6_usize),
            window in prop::option::of(1..9_usize),
        ) {
            let sizes = [sizes.0, sizes.1, sizes.2, sizes.3, sizes.4];
            agrees::<f32>(seed, sizes, window, 2e-6, |x| x);
            agrees::<bf16>(seed, sizes, window, 1e-2, bf16::from_f32);
        }
    }

    #[test]
    fn a_page_outside_the_cache_is_refused() {
        let x = [0.5f32; 4];
        let problem = PagedAttention {
            query: &x[..2],
            keys: &x,
            values: &x,
            pages: &[0, 2],
            sequence: &[0],
            position: &[1],
            heads: 1,
            kv_heads: 1,
            head_dim: 2,
            columns: 2,
            page: 1,
            window: None,
        };
        let call = |p: PagedAttention<'_, f32>| paged_attention(&p, &mut [0.0; 2], &Threads::new(1, 1));
        let error = call(problem).unwrap_err().to_string();
        assert!(error.contains("sequence 0 at position 1"), "{error}");
        assert!(call(PagedAttention { sequence: &[1], ..problem }).is_err());
        assert!(call(PagedAttention { position: &[2], ..problem }).is_err());
        assert!(
            call(PagedAttention { position: &[0], ..problem }).is_ok(),
            "what is not seen may be anything"
        );
    }
}
