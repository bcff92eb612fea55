//! Copies of matrices in the layouts that products read: units of the contracted dim, zeros up to whole blocks.

use super::Unit;
use super::lines::Lines;

/// Rows of a matrix at a distance inside a slice: row `i` is `width` elements from `first + i * stride`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub data: &'a [T],
    pub first: usize,
    pub stride: usize,
    pub count: usize,
    pub width: usize,
}

impl<'a, T: Copy + bytemuck::Zeroable> Rows<'a, T> {
    pub(crate) fn row(&self, i: usize) -> &'a [T] {
        &self.data[self.first + i * self.stride..][..self.width]
    }

    /// Some of the rows.
    pub(crate) fn range(self, range: std::ops::Range<usize>) -> Self {
        debug_assert!(range.end <= self.count);
        Self { first: self.first + range.start * self.stride, count: range.len(), ..self }
    }

    /// Some of the columns.
    pub(crate) fn columns(self, range: std::ops::Range<usize>) -> Self {
        debug_assert!(range.end <= self.width);
        Self { first: self.first + range.start, width: range.len(), ..self }
    }

    /// A left operand contracted over the width: `rows` rows of `width.div_ceil(DEPTH)` units.
    pub(crate) fn pack_along<U: Unit<T>>(&self, rows: usize, to: &mut Lines<U>) {
        let units = self.width.div_ceil(U::DEPTH);
        to.fill_zeros(rows * units);
        for i in 0..self.count {
            let (row, to) = (self.row(i), &mut to[i * units..][..units]);
            for (unit, pair) in to.iter_mut().zip(row.chunks(U::DEPTH)) {
                *unit = U::of(pair[0], pair.get(1).copied().unwrap_or_else(T::zeroed));
            }
        }
    }

    /// A right operand contracted over the width (the transpose): `width.div_ceil(DEPTH)` rows of `columns` units.
    pub(crate) fn pack_transposed<U: Unit<T>>(&self, columns: usize, to: &mut Lines<U>) {
        let units = self.width.div_ceil(U::DEPTH);
        to.fill_zeros(units * columns);
        // A few rows at a time, so that both sides stay in the cache.
        for first in (0..self.count).step_by(16) {
            let rows: [&[T]; 16] =
                std::array::from_fn(|i| if first + i < self.count { self.row(first + i) } else { &[] });
            let count = (self.count - first).min(16);
            for k in 0..units {
                let to = &mut to[k * columns + first..][..count];
                let at = k * U::DEPTH;
                for (unit, row) in to.iter_mut().zip(&rows) {
                    *unit = U::of(row[at], if U::DEPTH == 1 { row[at] } else { second(row, at) });
                }
            }
        }
    }

    /// A right operand contracted over the rows: `count.div_ceil(DEPTH)` rows of `columns` units, and zero rows up to
    /// `rows` elements.
    pub(crate) fn pack_across<U: Unit<T>>(&self, rows: usize, columns: usize, to: &mut Lines<U>) {
        to.fill_zeros(rows.div_ceil(U::DEPTH) * columns);
        for (k, to) in to.chunks_exact_mut(columns.max(1)).enumerate().take(self.count.div_ceil(U::DEPTH)) {
            let first = self.row(k * U::DEPTH);
            if U::DEPTH == 1 {
                to.iter_mut().zip(first).for_each(|(unit, &a)| *unit = U::of(a, a));
            } else if k * U::DEPTH + 1 < self.count {
                let second = self.row(k * U::DEPTH + 1);
                to.iter_mut().zip(first.iter().zip(second)).for_each(|(unit, (&a, &b))| *unit = U::of(a, b));
            } else {
                to.iter_mut().zip(first).for_each(|(unit, &a)| *unit = U::of(a, T::zeroed()));
            }
        }
    }
}

fn second<T: Copy + bytemuck::Zeroable>(row: &[T], at: usize) -> T {
    row.get(at + 1).copied().unwrap_or_else(T::zeroed)
}
