//! Elements of a cache.

use crate::Operand;

/// An element of the keys or values of tokens of type `T`.
pub trait Cell<T>: bytemuck::Pod + Send + Sync {
    /// Whether rows have scales.
    const SCALED: bool;

    /// What it is without its row's scale.
    fn wide(self) -> f32;

    /// Puts a row there, with its scale where rows have one.
    fn put<'a>(row: &[T], cells: impl Iterator<Item = &'a mut Self>, scale: Option<&mut f32>)
    where
        Self: 'a;
}

impl<T: Operand> Cell<T> for T {
    const SCALED: bool = false;

    #[inline(always)]
    fn wide(self) -> f32 {
        self.to_f32()
    }

    fn put<'a>(row: &[T], cells: impl Iterator<Item = &'a mut Self>, _: Option<&mut f32>)
    where
        Self: 'a,
    {
        cells.zip(row).for_each(|(cell, x)| *cell = *x);
    }
}

/// Whole numbers from -127 to 127: each is off by at most half a scale, the largest of the row by nothing but rounding.
impl<T: Operand> Cell<T> for i8 {
    const SCALED: bool = true;

    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from(self)
    }

    fn put<'a>(row: &[T], cells: impl Iterator<Item = &'a mut Self>, scale: Option<&mut f32>) {
        let largest = row.iter().map(|x| x.to_f32().abs()).fold(0.0, f32::max);
        // Rows of zeros have a scale too, whose inverse is a number.
        let own = (largest / 127.0).max(1e-30);
        let inverse = 1.0 / own;
        // Ties go up, as in the plain form.
        cells.zip(row).for_each(|(cell, x)| *cell = (x.to_f32() * inverse + 0.5).floor() as i8);
        scale.into_iter().for_each(|scale| *scale = own);
    }
}
