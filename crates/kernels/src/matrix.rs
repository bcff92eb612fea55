//! Strided views of matrices, and the one call into the matrix product crate.
//!
//! The crate takes raw pointers and strides. A view checks once, when it is made, that its last element lies inside its
//! slice; every view cut from it stays inside. So the product below is sound for all callers, and everything else in
//! this room is safe code.

use std::ops::Range;

use gemm_common::Parallelism;

/// A matrix inside a slice: element (i, j) is at `i * row_stride + j * col_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// Invariant: holds every element of a non-empty matrix.
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A row-major matrix that is all of `data`.
    ///
    /// # Panics
    /// If the length is not `rows * cols`.
    pub(crate) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "a {rows} x {cols} matrix is its whole slice");
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    pub(crate) fn transpose(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    pub(crate) fn num_rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn num_cols(&self) -> usize {
        self.cols
    }

    /// The matrix of some of the rows.
    ///
    /// # Panics
    /// If the range is not inside the rows.
    pub(crate) fn rows(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows, "rows {range:?} of {}", self.rows);
        let empty = range.is_empty() || self.cols == 0;
        let data = if empty { &[] } else { &self.data[range.start * self.row_stride..] };
        Self { data, rows: range.len(), ..self }
    }

    /// The matrix of some of the columns.
    pub(crate) fn cols(self, range: Range<usize>) -> Self {
        self.transpose().rows(range).transpose()
    }

    /// The rows, when elements of a row lie side by side.
    pub(crate) fn contiguous_rows(self) -> Option<impl Iterator<Item = &'a [T]>> {
        let row = move |i: usize| &self.data[i * self.row_stride..][..self.cols];
        (self.col_stride == 1 && self.cols > 0).then(|| (0..self.rows).map(row))
    }
}

/// `out = a b`, or `out += a b`; `out` is row-major.
///
/// # Panics
/// If the sizes do not fit each other.
pub(crate) fn multiply(a: Matrix<'_, f32>, b: Matrix<'_, f32>, out: &mut [f32], accumulate: bool) {
    assert_eq!(a.cols, b.rows, "contracted sizes");
    assert_eq!(out.len(), a.rows * b.cols, "size of the product");
    let (rows, cols) = (a.rows, b.cols);
    // The crate's inner kernel wants columns of the result side by side: compute the transposed product bᵀ aᵀ.
    // SAFETY: `Matrix` holds every element its sizes and strides reach (strides fit `isize`, as a slice does), `out` is
    // exactly rows * cols elements and borrowed mutably, so it overlaps neither input. Without `accumulate`, `out` is
    // not read. One thread: the crate's flag for the others is never used.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            cols,
            rows,
            a.cols,
            out.as_mut_ptr(),
            cols as isize,
            1,
            accumulate,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.col_stride as isize,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.col_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_orientation_agree_with_loops() {
        for (m, k, n) in [(1, 1, 1), (3, 0, 2), (0, 3, 2), (1, 7, 5), (5, 9, 1), (17, 33, 19), (70, 65, 66)] {
            let a: Vec<f32> = (0..m * k).map(|i| (i % 13) as f32 - 6.0).collect();
            let b: Vec<f32> = (0..k * n).map(|i| (i % 7) as f32 - 3.0).collect();
            let want: Vec<f32> =
                (0..m * n).map(|at| (0..k).map(|l| a[at / n * k + l] * b[l * n + at % n]).sum()).collect();
            let flip = |x: &[f32], rows: usize, cols: usize| -> Vec<f32> {
                (0..rows * cols).map(|at| x[at % rows * cols + at / rows]).collect()
            };
            let (a_flipped, b_flipped) = (flip(&a, m, k), flip(&b, k, n));
            for a in [Matrix::new(&a, m, k), Matrix::new(&a_flipped, k, m).transpose()] {
                for b in [Matrix::new(&b, k, n), Matrix::new(&b_flipped, n, k).transpose()] {
                    let mut out = vec![f32::NAN; m * n];
                    multiply(a, b, &mut out, false);
                    assert_eq!(out, want, "{m} x {k} x {n}: small integers are exact");
                    multiply(a, b, &mut out, true);
                    assert!(out.iter().zip(&want).all(|(x, y)| *x == 2.0 * y), "accumulated");
                }
            }
        }
    }

    #[test]
    fn a_cut_of_a_matrix_is_the_same_elements() {
        let data: Vec<u32> = (0..20).collect();
        let cut = Matrix::new(&data, 4, 5).rows(1..3).cols(2..5);
        assert_eq!((cut.num_rows(), cut.num_cols()), (2, 3));
        let rows: Vec<&[u32]> = cut.contiguous_rows().expect("row-major").collect();
        assert_eq!(rows, [[7, 8, 9], [12, 13, 14]]);
        assert!(cut.transpose().contiguous_rows().is_none());
    }

    #[test]
    #[should_panic(expected = "rows 3..5 of 4")]
    fn a_cut_outside_is_refused() {
        let _ = Matrix::new(&[0; 20], 4, 5).rows(3..5);
    }
}
