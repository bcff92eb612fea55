//! The rows of every source, split over the shares of an expert in proportion.
//!
//! Let an expert have `W` rows, of which one rank is to process `q`. The sources before `s` together give it `G(s) = floor(p +
//! C(s) q/W)` rows, where `C(s)` is how many rows they have and `p < 1`; so source `s` gives `G(s+1) - G(s)`. That is its proportional
//! part to within one row, all sources together give `q` exactly, and none gives more than it has. What is left is split over the
//! other shares by the same rule. The largest-remainder method has the same bound; this needs no sort over sources, every
//! source is independent of the others, and `p`, another for each share, keeps the odd rows of different experts from falling
//! on the same sources.
//!
//! `q/W` is held in units of 2^-32, rounded up. As `W < 2^32`, rounding never adds up to a row.

use crate::{Counts, Share};

/// Sources that are split at once: enough independent sums to keep a core busy.
const LANES: usize = 8;

/// One share of an expert.
struct Portion {
    /// Part of what the shares before it left, in units of 2^-32, rounded up; below one but for an expert's last share.
    part: u64,
    /// `p`, in the same units.
    offset: u64,
    /// `G` of the sources so far.
    given: u32,
}

/// Rows `[source][share]`. Shares are by expert and add up to the expert's rows.
pub(crate) fn over_sources(counts: &Counts, shares: &[Share], first_share: &[u32]) -> Vec<u32> {
    let mut rows = Vec::with_capacity(counts.num_ranks() * shares.len());
    let mut portions = portions(shares, first_share);
    let mut before = vec![0u32; counts.num_experts()];
    // One tile of sources is split share by share and then written source by source.
    let mut tile = vec![[0u32; LANES]; shares.len()];
    for start in (0..counts.num_ranks()).step_by(LANES) {
        let sources = LANES.min(counts.num_ranks() - start);
        let of: [&[u32]; LANES] = std::array::from_fn(|i| counts.source(start + i.min(sources - 1)));
        for (expert, (bounds, before)) in first_share.windows(2).zip(&mut before).enumerate() {
            let own = bounds[0] as usize..bounds[1] as usize;
            let counts = of.map(|of| of[expert]);
            match own.len() {
                0 => {}
                1 => tile[own.start] = counts,
                _ => {
                    let mut left = counts;
                    let mut sum = *before;
                    for (i, left) in left.iter_mut().enumerate() {
                        sum += if i < sources { *left } else { 0 };
                        *left = sum;
                    }
                    *before = sum;
                    split(&mut portions[own.clone()], left, &mut tile[own]);
                }
            }
        }
        for lane in 0..sources {
            rows.extend(tile.iter().map(|given| given[lane]));
        }
    }
    rows
}

/// Splits the rows of one expert; `left` has the rows of all sources up to each lane's.
fn split(portions: &mut [Portion], mut left: [u32; LANES], tile: &mut [[u32; LANES]]) {
    let last = portions.len() - 1;
    for (i, (portion, tile)) in portions.iter_mut().zip(tile).enumerate() {
        let Portion { part, offset, .. } = *portion;
        let mut given = left;
        if i < last {
            given = left.map(|left| ((offset + u64::from(left) * u64::from(part as u32)) >> 32) as u32);
        }
        tile[0] = given[0] - portion.given;
        for lane in 1..LANES {
            tile[lane] = given[lane] - given[lane - 1];
        }
        portion.given = given[LANES - 1];
        for lane in 0..LANES {
            left[lane] -= given[lane];
        }
    }
}

fn portions(shares: &[Share], first_share: &[u32]) -> Vec<Portion> {
    /// 2^32 over the golden ratio: multiples of it are spread evenly.
    const STRIDE: u32 = 2_654_435_769;
    let mut portions = Vec::with_capacity(shares.len());
    for bounds in first_share.windows(2) {
        let own = &shares[bounds[0] as usize..bounds[1] as usize];
        let mut left: u64 = own.iter().map(|s| u64::from(s.rows)).sum();
        for share in own {
            let part = (u64::from(share.rows) << 32).div_ceil(left);
            // Rounding up adds less than `left` units over all sources; an offset below 2^32 - left stays below one row.
            let spread = STRIDE.wrapping_mul(portions.len() as u32);
            let offset = (u64::from(spread) * ((1 << 32) - left)) >> 32;
            portions.push(Portion { part, offset, given: 0 });
            left -= u64::from(share.rows);
        }
    }
    portions
}
