//! Element types of operands. Sums are always f32. Where there is no instruction for bf16 products, bf16 panels are
//! widened just before use, exactly (a bf16 is the upper half of an f32).

use half::bf16;

use crate::lanes::vectorized;
use crate::matrix::Matrix;
use crate::simd::lines::Lines;
use crate::simd::{self, Instructions, Work};

/// An element type that grouped products take.
pub trait Operand: sealed::Widen + bytemuck::Pod + Send + Sync {
    /// Type tag.
    const DTYPE: collegium_core::DType;
}

impl Operand for f32 {
    const DTYPE: collegium_core::DType = collegium_core::DType::F32;
}

impl Operand for bf16 {
    const DTYPE: collegium_core::DType = collegium_core::DType::Bf16;
}

pub(crate) mod sealed {
    use super::Matrix;
    use crate::simd::lines::Lines;
    use crate::simd::{Instructions, Work};

    pub trait Widen: Copy {
        /// How much of the contracted dim is taken at once, so that a widened panel stays in the second-level cache.
        /// Part of the numerics (it orders the sum), hence not tuned per machine.
        const PANEL: usize;

        /// Elements in one 32-bit lane of a packed panel.
        const PER_LANE: usize;

        fn to_f32(self) -> f32;

        /// `factor` times f32 values, rounded to the nearest, even where two are.
        fn narrowed(from: &[f32], factor: f32, to: &mut [Self]);

        /// Lets f32 values be written and makes them these: where they lie if they are f32, else by way of `space`.
        fn written(out: &mut [Self], space: &mut Lines<f32>, write: impl FnOnce(&mut [f32]));

        /// Runs work on this type.
        fn on(instructions: Instructions, work: impl Work<Self>);

        fn from_f32(value: f32) -> Self;

        /// Lane of the elements of two neighbouring places along the contracted dim (of the first alone, where a lane has
        /// one).
        fn lane(first: Self, second: Self) -> u32;

        /// Lanes `lane ..` of a row, up to the end of `line`; zero behind the end of the row.
        #[inline(always)]
        fn load(row: &[Self], lane: usize, line: &mut [u32; 16])
        where
            Self: bytemuck::Pod,
        {
            let start = (lane * Self::PER_LANE).min(row.len());
            let end = (start + 16 * Self::PER_LANE).min(row.len());
            let bytes: &[u8] = bytemuck::cast_slice(&row[start..end]);
            let line: &mut [u8; 64] = bytemuck::cast_mut(line);
            match bytes.try_into() {
                Ok(whole) => *line = whole,
                Err(_) => {
                    line.fill(0);
                    line[..bytes.len()].copy_from_slice(bytes);
                }
            }
        }

        /// Columns `first ..` of rows at the places of one lane, as lanes; zero behind the last column and for a missing row.
        #[inline(always)]
        fn across<const WIDTH: usize>(rows: &[&[Self]; 2], first: usize, line: &mut [u32; WIDTH])
        where
            Self: bytemuck::Pod,
        {
            let [a, b] = rows.map(|row| row.get(first..).unwrap_or(&[]));
            match (a.first_chunk::<WIDTH>(), b.first_chunk::<WIDTH>()) {
                (Some(a), Some(b)) => (0..WIDTH).for_each(|i| line[i] = Self::lane(a[i], b[i])),
                (Some(a), None) if b.is_empty() => {
                    (0..WIDTH).for_each(|i| line[i] = Self::lane(a[i], Self::zeroed()));
                }
                _ => {
                    let at = |row: &[Self], i: usize| row.get(i).copied().unwrap_or(Self::zeroed());
                    (0..WIDTH).for_each(|i| line[i] = Self::lane(at(a, i), at(b, i)));
                }
            }
        }

        /// The matrix in f32: itself, or a copy in `space`.
        fn widened<'a>(matrix: Matrix<'a, Self>, space: &'a mut Vec<f32>) -> Matrix<'a, f32>;
    }
}

impl sealed::Widen for f32 {
    const PANEL: usize = usize::MAX;
    const PER_LANE: usize = 1;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn narrowed(from: &[f32], factor: f32, to: &mut [f32]) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = from * factor);
    }

    fn written(out: &mut [f32], _: &mut Lines<f32>, write: impl FnOnce(&mut [f32])) {
        write(out);
    }

    fn on(instructions: Instructions, work: impl Work<f32>) {
        simd::run_f32(instructions, work);
    }

    fn from_f32(value: f32) -> Self {
        value
    }

    fn lane(first: Self, _: Self) -> u32 {
        first.to_bits()
    }

    fn widened<'a>(matrix: Matrix<'a, Self>, _: &'a mut Vec<f32>) -> Matrix<'a, f32> {
        matrix
    }
}

impl sealed::Widen for bf16 {
    const PANEL: usize = 512;
    const PER_LANE: usize = 2;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    #[inline(always)]
    fn narrowed(from: &[f32], factor: f32, to: &mut [bf16]) {
        // By index: closures of iterators are compiled without the instructions of those who call this.
        let len = from.len().min(to.len());
        let (from, to) = (&from[..len], &mut to[..len]);
        for i in 0..len {
            // Without branches, so that compilers use vectors.
            let x = from[i] * factor;
            let bits = x.to_bits();
            let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
            to[i] = bf16::from_bits((if x.is_nan() { bits | 0x40_0000 } else { rounded } >> 16) as u16);
        }
    }

    fn written(out: &mut [bf16], space: &mut Lines<f32>, write: impl FnOnce(&mut [f32])) {
        space.resize(out.len());
        write(space);
        vectorized(|| Self::narrowed(space, 1.0, out));
    }

    fn on(instructions: Instructions, work: impl Work<bf16>) {
        simd::run_bf16(instructions, work);
    }

    fn from_f32(value: f32) -> Self {
        Self::from_f32(value)
    }

    fn lane(first: Self, second: Self) -> u32 {
        u32::from(first.to_bits()) | u32::from(second.to_bits()) << 16
    }

    fn widened<'a>(matrix: Matrix<'a, Self>, space: &'a mut Vec<f32>) -> Matrix<'a, f32> {
        let Some(rows) = matrix.contiguous_rows() else {
            // Column-major, or empty: then there is nothing to copy either way.
            let flipped = matrix.transpose();
            widen_rows(flipped.contiguous_rows().into_iter().flatten(), space);
            return Matrix::new(space, flipped.num_rows(), flipped.num_cols()).transpose();
        };
        widen_rows(rows, space);
        Matrix::new(space, matrix.num_rows(), matrix.num_cols())
    }
}

fn widen_rows<'a>(rows: impl Iterator<Item = &'a [bf16]>, space: &mut Vec<f32>) {
    space.clear();
    for row in rows {
        space.extend(row.iter().map(|x| f32::from_bits(u32::from(x.to_bits()) << 16)));
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::Widen;
    use super::*;

    #[test]
    fn widening_keeps_values_and_orientation() {
        let data: Vec<bf16> = (0..12).map(|i| bf16::from_f32(i as f32 - 2.5)).collect();
        let mut space = vec![9.0; 3];
        let cut = Matrix::new(&data, 3, 4).cols(1..3);
        let wide = bf16::widened(cut, &mut space);
        let rows: Vec<&[f32]> = wide.contiguous_rows().expect("row-major").collect();
        assert_eq!(rows, [[-1.5, -0.5], [2.5, 3.5], [6.5, 7.5]]);
        let mut space = Vec::new();
        let wide = bf16::widened(cut.transpose(), &mut space).transpose();
        let rows: Vec<&[f32]> = wide.contiguous_rows().expect("stays column-major").collect();
        assert_eq!(rows, [[-1.5, -0.5], [2.5, 3.5], [6.5, 7.5]]);
    }

    #[test]
    fn widening_is_the_conversion_for_every_bit_pattern() {
        for bits in 0..=u16::MAX {
            let x = bf16::from_bits(bits);
            let mut space = Vec::new();
            widen_rows([[x].as_slice()].into_iter(), &mut space);
            assert!(
                space[0].to_bits() == x.to_f32().to_bits() || x.is_nan() && space[0].is_nan(),
                "{bits:#x}"
            );
        }
    }
}
