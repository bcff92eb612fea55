//! The rows of every source, split over the shares of an expert in proportion.
//!
//! Let an expert have `W` rows, of which one rank is to process `q`. Source `s` gives it `floor(p + C(s+1) q/W) - floor(p +
//! C(s) q/W)` rows, where `C(s)` is how many rows the sources before `s` have and `p < 1`. Each source so gives its
//! proportional part to within one row, all sources together give `q` exactly, and none gives more than it has. The rest
//! is split over the other shares by the same rule. The largest-remainder method has the same bound; this needs no sort
//! over sources, and `p`, another for each share, keeps the odd rows of different experts from falling on the same sources.
//!
//! `q/W` is held in units of 2^-32, rounded up. As `W < 2^32`, rounding never adds up to a row.

use crate::{Counts, Share};

/// One share of an expert that has several.
struct Portion {
    /// Part of what the shares before it left, in units of 2^-32, rounded up.
    part: u64,
    /// `p`, then the fraction of a row that is owed to the rank.
    owed: u64,
}

/// Rows `[source][share]`. Shares are by expert and add up to the expert's rows.
pub(crate) fn over_sources(counts: &Counts, shares: &[Share], first_share: &[u32]) -> Vec<u32> {
    let mut portions = portions(shares, first_share);
    let mut rows = Vec::with_capacity(counts.num_ranks() * shares.len());
    for source in 0..counts.num_ranks() {
        for (&count, bounds) in counts.source(source).iter().zip(first_share.windows(2)) {
            match bounds[1] - bounds[0] {
                0 => {}
                1 => rows.push(count),
                _ => {
                    let mut left = count;
                    for portion in &mut portions[bounds[0] as usize..bounds[1] as usize - 1] {
                        let sum = portion.owed + u64::from(left) * portion.part;
                        let given = (sum >> 32) as u32;
                        portion.owed = sum & u64::from(u32::MAX);
                        rows.push(given);
                        left -= given;
                    }
                    rows.push(left);
                }
            }
        }
    }
    rows
}

/// One for each share; unused for the last of an expert, which takes what is left.
fn portions(shares: &[Share], first_share: &[u32]) -> Vec<Portion> {
    /// 2^32 over the golden ratio: multiples of it are spread evenly.
    const STRIDE: u64 = 2_654_435_769;
    let mut portions = Vec::with_capacity(shares.len());
    for bounds in first_share.windows(2) {
        let own = &shares[bounds[0] as usize..bounds[1] as usize];
        let mut left: u64 = own.iter().map(|s| u64::from(s.rows)).sum();
        for share in own {
            let part = (u64::from(share.rows) << 32).div_ceil(left);
            // Rounding up adds less than `left` units over all sources; an offset below 2^32 - left stays below one row.
            let owed =
                (STRIDE.wrapping_mul(portions.len() as u64) & u64::from(u32::MAX)) * ((1 << 32) - left) >> 32;
            portions.push(Portion { part, owed });
            left -= u64::from(share.rows);
        }
    }
    portions
}
