//! The sum of squares of a tensor. Pieces are summed in f32 by lanes and in f64 from piece to piece, cut by size alone: the result does not
//! depend on the number of threads.

use crate::Threads;
use crate::lanes::vectorized;

/// Elements of a piece.
const PIECE: usize = 1 << 12;
/// Elements that a thread takes at once.
const CHUNK: usize = 1 << 16;
const LANES: usize = 64;

/// The sum of the squares of all elements.
pub fn sum_of_squares(values: &[f32], threads: &Threads) -> f32 {
    let mut sums = vec![0_f64; values.len().div_ceil(CHUNK)];
    let tasks: Vec<_> = sums.iter_mut().zip(values.chunks(CHUNK)).collect();
    threads.run(
        tasks,
        || (),
        |(), (sum, chunk)| {
            *sum = chunk.chunks(PIECE).map(piece).sum();
        },
    );
    sums.iter().sum::<f64>() as f32
}

fn piece(values: &[f32]) -> f64 {
    let mut lanes = [0_f32; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    vectorized(|| {
        for row in rows {
            lanes.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * x);
        }
    });
    let square = |x: &f32| f64::from(*x) * f64::from(*x);
    lanes.iter().map(|&x| f64::from(x)).sum::<f64>() + rest.iter().map(square).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::numbers;

    #[test]
    fn it_is_the_sum_whatever_the_length_and_the_threads() {
        for len in [0, 1, 63, 64, PIECE + 1, CHUNK, 3 * CHUNK + 77] {
            let values = numbers(len, len as u64, |x| x * 3.0);
            let want: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
            let found = sum_of_squares(&values, &Threads::new(1, 1));
            assert!((f64::from(found) - want).abs() <= 1e-6 * want, "{len}: {found} for {want}");
            for width in 2..4 {
                assert_eq!(found.to_bits(), sum_of_squares(&values, &Threads::new(width, 1)).to_bits());
            }
        }
        assert!(sum_of_squares(&[1.0, f32::NAN], &Threads::new(1, 1)).is_nan());
        assert_eq!(sum_of_squares(&[f32::MAX], &Threads::new(1, 1)), f32::INFINITY);
    }
}
