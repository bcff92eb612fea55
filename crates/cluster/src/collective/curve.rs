//! A measured curve: seconds at a few sizes, and what lies between and beyond.

use serde::Deserialize;

use super::Kind;

/// Sizes in bytes at which curves are given.
pub const KNOTS: [f64; 6] = [65536.0, 1048576.0, 8388608.0, 67108864.0, 536870912.0, 4294967296.0];

/// Microseconds of one collective over some number of ranks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// Which.
    pub kind: Kind,
    /// Over how many.
    pub ranks: usize,
    /// At [`KNOTS`]; fewer where the larger sizes were not measured.
    pub us: Vec<f64>,
    /// Who measured it.
    #[serde(default)]
    pub source: String,
}

impl Curve {
    /// Seconds for a buffer of `bytes`. Below the first size a collective is all latency; beyond the last, all bandwidth.
    pub fn seconds(&self, bytes: f64) -> f64 {
        let last = self.us.len() - 1;
        let us = if bytes <= KNOTS[0] {
            self.us[0]
        } else if bytes >= KNOTS[last] {
            self.us[last] * bytes / KNOTS[last]
        } else {
            let at = (1..=last).find(|&i| bytes <= KNOTS[i]).unwrap_or(last);
            let t = (bytes / KNOTS[at - 1]).ln() / (KNOTS[at] / KNOTS[at - 1]).ln();
            (self.us[at - 1].ln() * (1.0 - t) + self.us[at].ln() * t).exp()
        };
        us * 1e-6
    }
}

/// Seconds by the curves of a kind: interpolated between the numbers of ranks measured, extrapolated beyond by the bytes on the wire.
pub(super) fn lookup(curves: &[Curve], kind: Kind, ranks: usize, bytes: f64) -> Option<f64> {
    // A shift over a fast link is half of an exchange of two.
    let (kind, scale) = if kind == Kind::Shift { (Kind::AllGather, 2.0) } else { (kind, 1.0) };
    let ranks = if scale > 1.0 { 2 } else { ranks };
    let below = curves.iter().filter(|c| c.kind == kind && c.ranks <= ranks).max_by_key(|c| c.ranks);
    let above = curves.iter().filter(|c| c.kind == kind && c.ranks >= ranks).min_by_key(|c| c.ranks);
    let bytes = bytes * scale;
    match (below, above) {
        (Some(a), Some(b)) if a.ranks == b.ranks => Some(a.seconds(bytes)),
        (Some(a), Some(b)) => {
            let t = (ranks as f64 / a.ranks as f64).ln() / (b.ranks as f64 / a.ranks as f64).ln();
            Some((a.seconds(bytes).ln() * (1.0 - t) + b.seconds(bytes).ln() * t).exp())
        }
        (Some(one), None) | (None, Some(one)) => {
            let (from, to) = (one.ranks as f64, ranks as f64);
            let latency = one.us[0] * 1e-6;
            let rest = (one.seconds(bytes) - latency).max(0.0);
            let grow = (to.log2() / from.log2()).max(0.0);
            Some(latency * grow + rest * kind.wire(to) / kind.wire(from))
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(ranks: usize, us: &[f64]) -> Curve {
        Curve { kind: Kind::AllReduce, ranks, us: us.to_vec(), source: String::new() }
    }

    #[test]
    fn a_curve_goes_through_its_points_and_keeps_its_last_bandwidth() {
        let c = curve(8, &[20.0, 25.0, 80.0, 320.0, 2100.0]);
        for (bytes, us) in KNOTS.iter().zip(&c.us) {
            assert!((c.seconds(*bytes) * 1e6 - us).abs() < 1e-9);
        }
        assert!((c.seconds(8.0) - 20e-6).abs() < 1e-12);
        assert!((c.seconds(2.0 * KNOTS[4]) - 4200e-6).abs() < 1e-12);
        let between = c.seconds(2.0 * KNOTS[1]);
        assert!(between > 25e-6 && between < 80e-6);
    }

    #[test]
    fn numbers_of_ranks_are_interpolated_and_extrapolated() {
        let curves = [curve(2, &[7.0, 15.0, 47.0]), curve(8, &[20.0, 25.0, 80.0])];
        let at = |ranks| lookup(&curves, Kind::AllReduce, ranks, KNOTS[2]).unwrap() * 1e6;
        assert!((at(2) - 47.0).abs() < 1e-9 && (at(8) - 80.0).abs() < 1e-9);
        assert!(at(4) > 47.0 && at(4) < 80.0);
        assert!(at(16) > at(8), "more ranks send more and wait longer");
        assert!(lookup(&curves, Kind::AllToAll, 4, 1e6).is_none());
    }
}
