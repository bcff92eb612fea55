//! A small seeded generator of our own (SplitMix64): a run must see the same data whatever version of a random-number
//! crate is installed, and any stream must be reachable from its coordinates (seed, epoch, row) without replaying
//! what came before. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of pseudo-random numbers named by a list of coordinates.
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream at these coordinates; different coordinates give unrelated streams.
    pub(crate) fn at(coordinates: &[u64]) -> Self {
        Self(coordinates.iter().fold(GAMMA, |state, &c| mix(state ^ mix(c.wrapping_add(GAMMA)))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// Uniform in `0..bound` (up to a bias of bound / 2^64). `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Fisher-Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash that never changes between versions or machines; decides which problems are held out.
pub(crate) fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(GAMMA, |state, &byte| mix(state ^ u64::from(byte)).wrapping_add(GAMMA))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_pinned() {
        let mut rng = Rng::at(&[1, 2]);
        let drawn: Vec<u64> = (0..4).map(|_| rng.below(1000)).collect();
        let mut again = Rng::at(&[1, 2]);
        assert_eq!(drawn, (0..4).map(|_| again.below(1000)).collect::<Vec<_>>());
        let mut other = Rng::at(&[2, 1]);
        assert_ne!(drawn, (0..4).map(|_| other.below(1000)).collect::<Vec<_>>());
    }

    #[test]
    fn draws_cover_their_range_evenly() {
        let mut rng = Rng::at(&[7]);
        let mut counts = [0; 10];
        (0..10_000).for_each(|_| counts[rng.below(10) as usize] += 1);
        assert!(counts.iter().all(|&c| (850..1150).contains(&c)), "{counts:?}");
    }
}
