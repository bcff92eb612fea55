//! Rows to the places that link to them, summed.
//!
//! Two tables of links, each the inverse of the other, describe one relation: entry `index[m, f]` says that link `f` of result row `m` is
//! link `index % fan` of row `index / fan`. What is negative, or beyond the rows, is no link. Sums are f32, in the order of the links.

use crate::check::length;
use crate::lanes::vectorized;
use crate::{ArgumentError, Operand, Threads};

/// Result rows that a thread takes at once.
const ROWS: usize = 64;

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
    pub(crate) fn check(&self, kernel: &'static str) -> Result<(), ArgumentError> {
        length(kernel, "rows", self.rows.len(), &[self.num_rows, self.width])?;
        length(kernel, "index", self.index.len(), &[self.num_results, self.links])
    }

    /// The row behind a link.
    fn row(&self, index: i32) -> Option<&'a [T]> {
        let row = usize::try_from(index).ok()?.checked_div(self.fan)?;
        (row < self.num_rows).then(|| &self.rows[row * self.width..][..self.width])
    }

    /// The row that is row `at` of the result, where that has one link; none where it leads nowhere.
    pub(crate) fn linked(&self, at: usize) -> Option<&'a [T]> {
        self.row(self.index[at])
    }

    /// Row `at` of the result, `sum` a row of room where it has several links.
    pub(crate) fn sum(&self, at: usize, sum: &mut [f32], out: &mut [T]) {
        let index = &self.index[at * self.links..][..self.links];
        if let &[index] = index {
            match self.row(index) {
                Some(row) => out.copy_from_slice(row),
                None => out.fill(T::zeroed()),
            }
            return;
        }
        sum.fill(0.0);
        for &index in index {
            let Some(row) = self.row(index) else { continue };
            vectorized(|| sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.to_f32()));
        }
        vectorized(|| T::narrowed(sum, 1.0, out));
    }
}

/// `out` {m, width}: for each result row the sum of the rows that it links to.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn gathered_sum<T: Operand>(
    given: &Gathered<'_, T>,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "gathered_sum";
    given.check(NAME)?;
    length(NAME, "out", out.len(), &[given.num_results, given.width])?;
    let width = given.width.max(1);
    let tasks: Vec<_> = out.chunks_mut(ROWS * width).enumerate().collect();
    threads.run(
        tasks,
        || vec![0.0; given.width],
        |sum, (task, out)| {
            for (i, out) in out.chunks_mut(width).enumerate() {
                given.sum(task * ROWS + i, sum, out);
            }
        },
    );
    Ok(())
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
        let mut out = vec![T::from_f32(9.0); num_results * width];
        gathered_sum(&given, &mut out, &threads).unwrap();
        for (i, out) in out.iter().enumerate() {
            let (m, c) = (i / width, i % width);
            let want: f64 = (0..links).map(|f| at(m, f, c)).sum();
            let size: f64 = (0..links).map(|f| at(m, f, c).abs()).sum();
            let found = f64::from(out.to_f32());
            assert!((found - want).abs() <= unit * size, "{found} for {want}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn it_agrees_with_its_definition(
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
        gathered_sum(&given, &mut out, &Threads::new(1, 1)).unwrap();
        assert_eq!(out, [3.0, 0.0]);
        let error = gathered_sum(&given, &mut out[..1], &Threads::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("`out`"), "{error}");
    }
}
