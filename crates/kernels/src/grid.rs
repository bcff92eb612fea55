//! A matrix whose parts several threads write, each its own.

use std::marker::PhantomData;
use std::ops::Range;

/// Rows of one width. Unlike slices of it, its parts need no list that one thread makes and others free.
pub(crate) struct Grid<'a, T> {
    start: *mut T,
    len: usize,
    width: usize,
    lent: PhantomData<&'a mut [T]>,
}

// SAFETY: it is an exclusive borrow of elements that may be sent, whose parts are given out by `part` alone, to one thread each.
unsafe impl<T: Send> Send for Grid<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Grid<'_, T> {}

impl<'a, T> Grid<'a, T> {
    /// The rows of `all` {row, width}.
    pub(crate) fn new(all: &'a mut [T], width: usize) -> Self {
        Self { start: all.as_mut_ptr(), len: all.len(), width, lent: PhantomData }
    }

    /// These columns of a row, as far as there are any.
    ///
    /// # Safety
    /// While it is used nobody else has any of them.
    #[allow(clippy::mut_from_ref, reason = "the caller promises that parts do not overlap")]
    pub(crate) unsafe fn part(&self, row: usize, columns: Range<usize>) -> &mut [T] {
        let end = columns.end.min(self.width);
        assert!(columns.start <= end && row < self.len / self.width.max(1), "a part of the matrix");
        // SAFETY: it lies within what was borrowed, as just asserted, and nobody else has it.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.start.add(row * self.width + columns.start),
                end - columns.start,
            )
        }
    }
}
