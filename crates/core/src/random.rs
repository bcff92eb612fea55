//! Random numbers that a seed fixes: SplitMix64 (Steele et al., 2014).

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// How far apart the states of neighbouring numbers, and of neighbouring seeds, are.
    pub const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The stream from `state` on.
    pub fn new(state: u64) -> Self {
        Self { state }
    }

    /// The next number, any of 2^64. (An iterator would have an end; a stream has none.)
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(Self::GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Puts `items` in random order (Fisher and Yates, 1938).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = (self.uniform() * (last + 1) as f64) as usize;
            items.swap(last, other);
        }
    }

    /// The next number, at least 0 and below 1.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
