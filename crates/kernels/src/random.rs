//! Numbers for tests.

/// Uniform in -1..1 (SplitMix64, Steele et al. 2014). Each seed gives numbers of its own, not a neighbour's shifted by one.
pub(crate) fn numbers<T>(count: usize, seed: u64, of: impl Fn(f32) -> T) -> Vec<T> {
    let mixed = |i: u64| {
        let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let first = mixed(seed);
    let value = |i: u64| (mixed(first.wrapping_add(i)) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    (0..count as u64).map(|i| of(value(i))).collect()
}
