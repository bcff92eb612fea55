//! Rows to the places that link to them, summed with weights; and the gradient to the weights.
//!
//! Two tables of links, each the inverse of the other, describe one relation: entry `index[m, f]` says that link `f` of result row `m` is
//! link `index % fan` of row `index / fan`. What is negative, or beyond the rows, is no link. Sums are f32, in the order of the links.

use crate::check::length;
use crate::lanes::vectorized;
use crate::{ArgumentError, Operand, Threads};

/// Result rows that a thread takes at once.
const ROWS: usize = 64;

/// The weights of a sum.
#[derive(Clone, Copy, Debug)]
pub enum Scale<'a> {
    /// There are none.
    None,
    /// By link of the result, {m, links}.
    Own(&'a [f32]),
    /// By link of the rows, {n, fan}.
    Behind(&'a [f32]),
}

/// Rows and what links to them.
#[derive(Clone, Copy, Debug)]
pub struct Gathered<'a, T> {
    /// {n, width}.
    pub rows: &'a [T],
    /// {m, links}: row times `fan`, and which of its links.
    pub index: &'a [i32],
    /// Result rows.
    pub num_results: usize,
    /// Links of a result row.
    pub links: usize,
    /// Size of n.
    pub num_rows: usize,
    /// Links of a row.
    pub fan: usize,
    /// Elements of a row.
    pub width: usize,
}

impl<'a, T: Operand> Gathered<'a, T> {
    fn check(&self, kernel: &'static str) -> Result<(), ArgumentError> {
        length(kernel, "rows", self.rows.len(), &[self.num_rows, self.width])?;
        length(kernel, "index", self.index.len(), &[self.num_results, self.links])
    }

    /// The row behind a link.
    fn row(&self, index: i32) -> Option<&'a [T]> {
        let row = usize::try_from(index).ok()?.checked_div(self.fan)?;
        (row < self.num_rows).then(|| &self.rows[row * self.width..][..self.width])
    }

    /// Row `at` of the result, `sum` a row of room.
    fn sum(&self, at: usize, scale: Scale<'_>, sum: &mut [f32], out: &mut [T]) {
        let index = &self.index[at * self.links..][..self.links];
        if let (&[index], Scale::None) = (index, scale) {
            match self.row(index) {
                Some(row) => out.copy_from_slice(row),
                None => out.fill(T::zeroed()),
            }
            return;
        }
        sum.fill(0.0);
        for (link, &index) in index.iter().enumerate() {
            let Some(row) = self.row(index) else { continue };
            let factor = match scale {
                Scale::None => 1.0,
                Scale::Own(scale) => scale[at * self.links + link],
                Scale::Behind(scale) => scale[index as usize],
            };
            vectorized(|| sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x.to_f32()));
        }
        vectorized(|| T::narrowed(sum, 1.0, out));
    }
}

/// `out` {m, width}: for each result row the sum of the rows that it links to, times its weight.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn gathered_sum<T: Operand>(
    given: &Gathered<'_, T>,
    scale: Scale<'_>,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "gathered_sum";
    given.check(NAME)?;
    length(NAME, "out", out.len(), &[given.num_results, given.width])?;
    match scale {
        Scale::None => {}
        Scale::Own(scale) => length(NAME, "scale", scale.len(), &[given.num_results, given.links])?,
        Scale::Behind(scale) => length(NAME, "scale", scale.len(), &[given.num_rows, given.fan])?,
    }
    let width = given.width.max(1);
    let tasks: Vec<_> = out.chunks_mut(ROWS * width).enumerate().collect();
    threads.run(
        tasks,
        || vec![0.0; given.width],
        |sum, (task, out)| {
            for (i, out) in out.chunks_mut(width).enumerate() {
                given.sum(task * ROWS + i, scale, sum, out);
            }
        },
    );
    Ok(())
}

/// `out` {m, links}: the product of row m of `d` {m, width} with each row that it links to, zero where there is none.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn gathered_dots<T: Operand>(
    given: &Gathered<'_, T>,
    d: &[T],
    out: &mut [f32],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "gathered_dots";
    given.check(NAME)?;
    length(NAME, "d", d.len(), &[given.num_results, given.width])?;
    length(NAME, "out", out.len(), &[given.num_results, given.links])?;
    let links = given.links.max(1);
    let tasks: Vec<_> = out.chunks_mut(ROWS * links).enumerate().collect();
    threads.run(
        tasks,
        || (),
        |(), (task, out)| {
            for (i, out) in out.chunks_mut(links).enumerate() {
                let at = task * ROWS + i;
                let own = &d[at * given.width..][..given.width];
                for (out, &index) in out.iter_mut().zip(&given.index[at * links..][..links]) {
                    *out = given.row(index).map_or(0.0, |row| dot(own, row));
                }
            }
        },
    );
    Ok(())
}

/// The product of two rows, summed by lanes.
fn dot<T: Operand>(a: &[T], b: &[T]) -> f32 {
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    vectorized(|| {
        let (a, a_rest) = a.as_chunks::<LANES>();
        let (b, b_rest) = b.as_chunks::<LANES>();
        for (a, b) in a.iter().zip(b) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += a.to_f32() * b.to_f32();
            }
        }
        for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *sum += a.to_f32() * b.to_f32();
        }
    });
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    struct Case {
        sizes: [usize; 5],
        seed: u64,
        width: usize,
    }

    fn agrees<T: Operand>(case: &Case, unit: f64) {
        let [num_results, links, num_rows, fan, width] = case.sizes;
        let rows = numbers(num_rows * width, case.seed, |x| T::from_f32(x));
        let d = numbers(num_results * width, case.seed + 1, |x| T::from_f32(x));
        let scale = numbers(num_results * links, case.seed + 2, |x| x);
        // Links beyond both ends too.
        let most = (num_rows * fan + 4) as f32;
        let index = numbers(num_results * links, case.seed + 3, |x| ((x + 0.8) * 0.6 * most) as i32 - 1);
        let given = Gathered { rows: &rows, index: &index, num_results, links, num_rows, fan, width };
        let threads = Threads::new(case.width, 1);
        let row = |m: usize, f: usize| {
            let index = index[m * links + f];
            (index >= 0 && (index as usize) < num_rows * fan).then(|| index as usize / fan)
        };
        let at =
            |m: usize, f: usize, c: usize| row(m, f).map_or(0.0, |n| f64::from(rows[n * width + c].to_f32()));
        let behind = numbers(num_rows * fan, case.seed + 4, |x| x);
        for scaled in [Scale::None, Scale::Own(&scale), Scale::Behind(&behind)] {
            let mut out = vec![T::from_f32(9.0); num_results * width];
            gathered_sum(&given, scaled, &mut out, &threads).unwrap();
            for (i, out) in out.iter().enumerate() {
                let (m, c) = (i / width, i % width);
                let factor = |f: usize| match scaled {
                    Scale::None => 1.0,
                    Scale::Own(scale) => f64::from(scale[m * links + f]),
                    Scale::Behind(_) if row(m, f).is_none() => 0.0,
                    Scale::Behind(scale) => f64::from(scale[index[m * links + f] as usize]),
                };
                let want: f64 = (0..links).map(|f| factor(f) * at(m, f, c)).sum();
                let size: f64 = (0..links).map(|f| (factor(f) * at(m, f, c)).abs()).sum();
                let found = f64::from(out.to_f32());
                assert!((found - want).abs() <= unit * size, "{found} for {want}");
            }
        }
        let mut out = vec![9.0; num_results * links];
        gathered_dots(&given, &d, &mut out, &threads).unwrap();
        for (i, &found) in out.iter().enumerate() {
            let (m, f) = (i / links, i % links);
            let want: f64 = (0..width).map(|c| f64::from(d[m * width + c].to_f32()) * at(m, f, c)).sum();
            assert!((f64::from(found) - want).abs() <= 1e-6 * width as f64, "{found} for {want}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn both_agree_with_their_definition(
            num_results in prop_oneof![0..6_usize, Just(ROWS + 3)],
            links in 0..4_usize,
            num_rows in 0..9_usize,
            fan in 1..4_usize,
            width in prop_oneof![0..5_usize, Just(33), Just(70)],
            seed: u64,
            threads in 1..4_usize,
        ) {
            let case = Case { sizes: [num_results, links, num_rows, fan, width], seed, width: threads };
            agrees::<f32>(&case, 1e-6);
            agrees::<bf16>(&case, 5e-3);
        }
    }

    #[test]
    fn what_nothing_links_to_is_not_read_and_lengths_are_checked() {
        let rows = [f32::NAN, 3.0];
        let given = Gathered {
            rows: &rows,
            index: &[1, -1],
            num_results: 2,
            links: 1,
            num_rows: 2,
            fan: 1,
            width: 1,
        };
        let mut out = [7.0; 2];
        gathered_sum(&given, Scale::Own(&[2.0, f32::NAN]), &mut out, &Threads::new(1, 1)).unwrap();
        assert_eq!(out, [6.0, 0.0]);
        let error = gathered_sum(&given, Scale::Own(&[2.0]), &mut out, &Threads::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("`scale`"), "{error}");
        let error = gathered_dots(&given, &[1.0], &mut out, &Threads::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("`d`"), "{error}");
    }
}
