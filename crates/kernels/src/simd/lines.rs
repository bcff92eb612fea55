//! Buffers that begin with a line of the cache.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Elements of a line.
pub(crate) const PER_LINE: usize = 16;

/// A line of the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; PER_LINE]);

// SAFETY: zeros are a value of an array of integers.
unsafe impl bytemuck::Zeroable for Line {}
// SAFETY: an array of integers as large as its alignment, so without padding.
unsafe impl bytemuck::Pod for Line {}

/// Elements of four bytes, the first of them at the start of a line: rows of whole lines then lie in one line each. A tile
/// whose rows lie across two takes four times as long to load.
pub struct Lines<U> {
    lines: Vec<Line>,
    len: usize,
    elements: PhantomData<U>,
}

impl<U> Default for Lines<U> {
    fn default() -> Self {
        Self { lines: Vec::new(), len: 0, elements: PhantomData }
    }
}

impl<U: bytemuck::Pod> Lines<U> {
    /// So many zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut lines = Self::default();
        lines.resize(len);
        lines
    }

    /// Changes the length. Old elements stay; what new ones hold is some earlier value or zero.
    pub(crate) fn resize(&mut self, len: usize) {
        const { assert!(size_of::<U>() == 4) };
        let lines = len.div_ceil(PER_LINE);
        if lines > self.lines.len() {
            self.lines.resize(lines, bytemuck::Zeroable::zeroed());
        }
        self.len = len;
    }

    /// Puts elements behind the last.
    pub(crate) fn extend(&mut self, elements: &[U]) {
        let len = self.len;
        self.resize(len + elements.len());
        self[len..].copy_from_slice(elements);
    }

    /// Makes it so many zeros.
    pub(crate) fn fill_zeros(&mut self, len: usize) {
        self.resize(len);
        self.lines[..len.div_ceil(PER_LINE)].fill(bytemuck::Zeroable::zeroed());
    }
}

impl<U: bytemuck::Pod> Deref for Lines<U> {
    type Target = [U];

    fn deref(&self) -> &[U] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<U: bytemuck::Pod> DerefMut for Lines<U> {
    fn deref_mut(&mut self) -> &mut [U] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}
