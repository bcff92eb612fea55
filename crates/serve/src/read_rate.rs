//! How fast this machine reads its memory: what limits a model that writes few tokens at a time.

use std::time::Instant;

/// Numbers of eight bytes that are read: half a gigabyte, more than caches hold.
const NUMBERS: usize = 1 << 26;

/// Bytes per second at which all cores together read memory in a plain loop; the best of several passes. Loops that look ahead may read more.
pub fn memory_read_rate() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let data = vec![1u64; NUMBERS];
    let pass = || {
        let started = Instant::now();
        let total: u64 = std::thread::scope(|scope| {
            let pieces = data.chunks(data.len().div_ceil(cores));
            let workers: Vec<_> = pieces.map(|p| scope.spawn(move || sum(p))).collect();
            workers.into_iter().map(|w| w.join().expect("a sum does not panic")).sum()
        });
        // The sum is used, so the loop stays.
        let bytes = size_of_val(&data[..]) as u64 * u64::from(total > 0);
        bytes as f64 / started.elapsed().as_secs_f64()
    };
    (0..5).map(|_| pass()).fold(0.0, f64::max)
}

/// The sum of all, several lines of the cache at a time.
fn sum(piece: &[u64]) -> u64 {
    let mut sums = [0u64; 64];
    for part in piece.chunks(sums.len()) {
        sums.iter_mut().zip(part).for_each(|(sum, x)| *sum = sum.wrapping_add(*x));
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_all_numbers_and_the_rate_is_one() {
        for len in [0, 1, 63, 64, 1000] {
            assert_eq!(sum(&vec![3; len]), 3 * len as u64);
        }
        let rate = memory_read_rate();
        assert!(rate.is_finite() && rate > 0.0, "{rate}");
    }
}
