//! Experts' weights from shards to slots, and gradients from slots back onto shards.
//!
//! Both are products with a matrix `wanted` {place, expert} that is nearly all zeros: a place (a slot of a rank) holds one expert or
//! none. So a product is a copy here, and only what is wanted is read; what is not wanted may be anything, NaN included.
//! Sums over the places of an expert are taken in order of the places.

use crate::check::length;
use crate::{ArgumentError, Operand, Threads};

/// What stands in which place.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// {place, expert}: how often, one or zero as a rule.
    pub wanted: &'a [f32],
    /// Slots of all ranks.
    pub places: usize,
    /// Experts.
    pub experts: usize,
    /// Elements of an expert's shard.
    pub len: usize,
}

/// Elements that a thread takes at once.
const CHUNK: usize = 1 << 14;

impl Wanted<'_> {
    fn check(&self, kernel: &'static str, shards: usize, rows: usize) -> Result<(), ArgumentError> {
        length(kernel, "wanted", self.wanted.len(), &[self.places, self.experts])?;
        length(kernel, "shards", shards, &[self.experts, self.len])?;
        length(kernel, "slots", rows, &[self.places, self.len])
    }

    /// Experts in a place.
    fn of_place(&self, place: usize) -> impl Iterator<Item = (usize, f32)> {
        let row = &self.wanted[place * self.experts..][..self.experts];
        row.iter().copied().enumerate().filter(|&(_, w)| w != 0.0)
    }

    /// Places of an expert.
    fn of_expert(&self, expert: usize) -> impl Iterator<Item = (usize, f32)> {
        (0..self.places).map(move |p| (p, self.wanted[p * self.experts + expert])).filter(|&(_, w)| w != 0.0)
    }
}

/// `out` {place, flat} = wanted {place, expert} x `shards` {expert, flat}.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn slot_shards<T: Operand>(
    wanted: &Wanted<'_>,
    shards: &[f32],
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    wanted.check("slot_shards", shards.len(), out.len())?;
    product(out, wanted.len, threads, |place, start, out| {
        let row = |expert: usize| &shards[expert * wanted.len + start..][..out.len()];
        let mut found = wanted.of_place(place);
        match (found.next(), found.next()) {
            (None, _) => out.fill(T::from_f32(0.0)),
            (Some((expert, w)), None) => T::narrowed(row(expert), w, out),
            _ => T::narrowed(&total(wanted.of_place(place).map(|(e, w)| (row(e), w))), 1.0, out),
        }
    });
    Ok(())
}

/// `out` {expert, flat} = wanted {place, expert}ᵀ x `slots` {place, flat}.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn slot_sums(
    wanted: &Wanted<'_>,
    slots: &[f32],
    out: &mut [f32],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    wanted.check("slot_sums", out.len(), slots.len())?;
    product(out, wanted.len, threads, |expert, start, out| {
        out.fill(0.0);
        for (place, w) in wanted.of_expert(expert) {
            add(out, &slots[place * wanted.len + start..][..out.len()], w);
        }
    });
    Ok(())
}

/// Rows of `out`, `len` long, by number and in pieces.
fn product<T: Send>(
    out: &mut [T],
    len: usize,
    threads: &Threads,
    piece: impl Fn(usize, usize, &mut [T]) + Sync,
) {
    let rows = out.chunks_mut(len.max(1)).enumerate();
    let tasks: Vec<_> = rows
        .flat_map(|(row, all)| all.chunks_mut(CHUNK).enumerate().map(move |(i, part)| (row, i * CHUNK, part)))
        .collect();
    threads.run(tasks, || (), |(), (row, start, part)| piece(row, start, part));
}

fn total<'a>(rows: impl Iterator<Item = (&'a [f32], f32)>) -> Vec<f32> {
    let mut sum = Vec::new();
    for (row, w) in rows {
        sum.resize(row.len(), 0.0);
        add(&mut sum, row, w);
    }
    sum
}

fn add(sum: &mut [f32], row: &[f32], w: f32) {
    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += w * x);
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    /// {rows, cols} = a {rows, inner} x b {inner, cols}, in f64.
    fn dense(a: impl Fn(usize, usize) -> f32, b: &[f32], rows: usize, inner: usize, cols: usize) -> Vec<f32> {
        let at = |i: usize| {
            let (row, col) = (i / cols, i % cols);
            (0..inner).map(|k| f64::from(a(row, k)) * f64::from(b[k * cols + col])).sum::<f64>() as f32
        };
        (0..rows * cols).map(at).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn both_are_products(
            places in 0..6_usize,
            experts in 1..5_usize,
            len in prop_oneof![0..9_usize, Just(CHUNK + 3)],
            seed: u64,
            width in 1..4_usize,
            several: bool,
        ) {
            // One expert in most places; several, or none, in some.
            let held = |i: usize| (seed >> (i % 48)) & 7;
            let wanted: Vec<f32> = (0..places * experts)
                .map(|i| match several {
                    true => (held(i) / 4) as f32 * 0.5,
                    false => f32::from(held(i / experts) as usize == i % experts),
                })
                .collect();
            let wanted = Wanted { wanted: &wanted, places, experts, len };
            let threads = Threads::new(width, 1);
            let shards = numbers(experts * len, seed, |x| x);
            let right = dense(|p, e| wanted.wanted[p * experts + e], &shards, places, experts, len);
            let mut out = vec![9.0; places * len];
            slot_shards(&wanted, &shards, &mut out, &threads).unwrap();
            prop_assert!(out.iter().zip(&right).all(|(a, b)| (a - b).abs() <= 1e-6));
            let mut out = vec![bf16::ONE; places * len];
            slot_shards(&wanted, &shards, &mut out, &threads).unwrap();
            prop_assert!(out.iter().zip(&right).all(|(a, b)| (a.to_f32() - b).abs() <= 8e-3 * b.abs() + 1e-6));
            let slots = numbers(places * len, seed + 1, |x| x);
            let right = dense(|e, p| wanted.wanted[p * experts + e], &slots, experts, places, len);
            let mut out = vec![9.0; experts * len];
            slot_sums(&wanted, &slots, &mut out, &threads).unwrap();
            prop_assert!(out.iter().zip(&right).all(|(a, b)| (a - b).abs() <= 1e-6));
        }
    }

    #[test]
    fn what_is_not_wanted_is_not_read() {
        let wanted = Wanted { wanted: &[0.0, 1.0], places: 1, experts: 2, len: 2 };
        let mut out = [0.0; 2];
        slot_shards(&wanted, &[f32::NAN, f32::NAN, 3.0, 4.0], &mut out, &Threads::new(1, 1)).unwrap();
        assert_eq!(out, [3.0, 4.0]);
        let error = slot_shards(&wanted, &[1.0; 3], &mut out, &Threads::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("`shards`"), "{error}");
    }
}
