//! Sparse against dense training at equal loss.
//!
//! ```text
//! dense frontier   (C, L) of the dense sizes that no other beats, means over their runs, straight between them in logarithms
//! equal-loss cost  C*(L)                                what a dense run would need for the loss of a sparse one
//! gain             C* / C                               above 1: the sparse run needed less
//! ```
//! `C` is FLOPs, seconds or joules. A size is beaten where another reaches a lower mean loss for no more cost: a run that was too short or too
//! small for its cost says nothing of what dense training can do. The interval is a percentile bootstrap: runs are drawn again within each size (that is over seeds), then everything
//! is fitted anew (Efron 1979). With one seed a size the interval says nothing of seeds, and is absent. A loss outside of the dense
//! runs' is beyond the frontier that was measured, and is said to be.

use std::collections::BTreeMap;

use collegium_core::SplitMix64;
use serde::{Deserialize, Serialize};

/// Bootstrap samples.
const SAMPLES: usize = 1000;

/// A study: runs as points, as `collegium compare --json` prints them and `--study` reads them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// Dense runs.
    pub dense: Vec<Point>,
    /// Sparse runs.
    pub moe: Vec<Point>,
}

/// A finished run as a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its folder.
    pub run: String,
    /// What runs of the same size have in common; they differ by seed only.
    pub size: String,
    /// Loss reached.
    pub loss: f64,
    /// FLOPs of training, forward and backward.
    pub flops: f64,
    /// Seconds: steps times their median, so that compiling and a disturbed step do not count.
    pub seconds: f64,
    /// Measured joules, where the machine has a meter.
    pub joules: Option<f64>,
    /// Estimated joules, where it has none.
    pub joules_estimated: Option<f64>,
    /// Tokens and validation loss on the way.
    #[serde(default)]
    pub curve: Vec<(u64, f64)>,
}

/// What a gain is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// FLOPs.
    Flops,
    /// Seconds on the machine of the runs.
    Time,
    /// Measured joules.
    Energy,
    /// Estimated joules: counted only where not all runs were measured.
    EstimatedEnergy,
}

impl Cost {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("FLOPs", Self::Flops),
        ("time", Self::Time),
        ("energy", Self::Energy),
        ("energy, estimated", Self::EstimatedEnergy),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|c| c.1 == self).map_or("", |c| c.0)
    }

    /// What a run cost; none where it was not counted.
    pub fn of(self, p: &Point) -> Option<f64> {
        match self {
            Self::Flops => Some(p.flops),
            Self::Time => Some(p.seconds),
            Self::Energy => p.joules,
            Self::EstimatedEnergy => p.joules_estimated.filter(|_| p.joules.is_none()),
        }
        .filter(|v| *v > 0.0)
    }
}

/// What dense training reaches for a cost. A line through all sizes would be wrong where they bend, as they do between runs that were too short
/// and runs that were too small.
#[derive(Clone, Debug, PartialEq)]
pub struct Frontier {
    /// Logarithms of cost and loss; costs grow, losses fall.
    points: Vec<(f64, f64)>,
}

impl Frontier {
    /// Through costs and losses; `None` with fewer than two of them that no other beats.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let beaten = |own: &(f64, f64)| points.iter().any(|p| p != own && p.0 <= own.0 && p.1 <= own.1);
        let mut kept: Vec<(f64, f64)> =
            points.iter().filter(|p| !beaten(p)).map(|p| (p.0.ln(), p.1.ln())).collect();
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        kept.dedup();
        (kept.len() >= 2).then_some(Self { points: kept })
    }

    /// Through the sizes of dense runs; `None` as [`fit`](Self::fit), or where a run lacks the cost.
    pub fn of(dense: &[Point], cost: Cost) -> Option<Self> {
        let mean = |runs: &[&Point]| {
            let costs = runs.iter().map(|p| cost.of(p)).sum::<Option<f64>>()?;
            let n = runs.len() as f64;
            Some((costs / n, runs.iter().map(|p| p.loss).sum::<f64>() / n))
        };
        let means: Option<Vec<(f64, f64)>> = by_size(dense).values().map(|runs| mean(runs)).collect();
        Self::fit(&means?)
    }

    /// What a loss costs; beyond the sizes, the nearest two say how it goes on.
    pub fn cost(&self, loss: f64) -> f64 {
        let y = loss.ln();
        let at = self.points.iter().position(|p| p.1 <= y).unwrap_or(self.points.len());
        let (a, b) = self.around(at);
        (a.0 + (y - a.1) * (b.0 - a.0) / (b.1 - a.1)).exp()
    }

    /// The loss that a cost buys.
    pub fn loss(&self, cost: f64) -> f64 {
        let x = cost.ln();
        let at = self.points.iter().position(|p| p.0 >= x).unwrap_or(self.points.len());
        let (a, b) = self.around(at);
        (a.1 + (x - a.0) * (b.1 - a.1) / (b.0 - a.0)).exp()
    }

    /// The two points whose line holds before the point `at`.
    fn around(&self, at: usize) -> ((f64, f64), (f64, f64)) {
        let end = at.clamp(1, self.points.len() - 1);
        (self.points[end - 1], self.points[end])
    }
}

/// The gain of one size of sparse runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The size.
    pub size: String,
    /// In what.
    pub cost: Cost,
    /// Mean loss of its runs.
    pub loss: f64,
    /// Runs.
    pub runs: usize,
    /// Dense cost of that loss over the runs' own.
    pub ratio: f64,
    /// 90 % interval over seeds.
    pub interval: Option<(f64, f64)>,
    /// The loss lies outside of the dense runs', so the frontier was extended to it.
    pub extrapolated: bool,
}

/// Gains of all sparse sizes in every cost that all runs have.
pub fn gains(dense: &[Point], sparse: &[Point]) -> Vec<Gain> {
    let mut all = Vec::new();
    for (_, cost) in Cost::ALL {
        if dense.iter().chain(sparse).any(|p| cost.of(p).is_none()) {
            continue;
        }
        let Some(ratios) = ratios(dense, sparse, cost) else { continue };
        let resampled = resample(dense, sparse, cost);
        let (low, high) = dense.iter().fold((f64::INFINITY, 0f64), |s, p| (s.0.min(p.loss), s.1.max(p.loss)));
        for (size, (ratio, loss, runs)) in ratios {
            let interval = resampled.get(&size).filter(|r| r.len() > SAMPLES / 2).map(|r| {
                let at = |q: f64| r[((r.len() - 1) as f64 * q).round() as usize];
                (at(0.05), at(0.95))
            });
            let extrapolated = loss < low || loss > high;
            all.push(Gain { size, cost, loss, runs, ratio, interval, extrapolated });
        }
    }
    all
}

/// Ratio, mean loss and number of runs by size.
fn ratios(dense: &[Point], sparse: &[Point], cost: Cost) -> Option<BTreeMap<String, (f64, f64, usize)>> {
    let frontier = Frontier::of(dense, cost)?;
    let one = |runs: &Vec<&Point>| {
        let n = runs.len() as f64;
        let loss = runs.iter().map(|p| p.loss).sum::<f64>() / n;
        let own = runs.iter().filter_map(|p| cost.of(p)).sum::<f64>() / n;
        (frontier.cost(loss) / own, loss, runs.len())
    };
    Some(by_size(sparse).iter().map(|(size, runs)| (size.clone(), one(runs))).collect())
}

fn by_size(points: &[Point]) -> BTreeMap<String, Vec<&Point>> {
    let mut sizes: BTreeMap<String, Vec<&Point>> = BTreeMap::new();
    points.iter().for_each(|p| sizes.entry(p.size.clone()).or_default().push(p));
    sizes
}

/// Sorted ratios of the bootstrap samples by size; empty where no size has two seeds.
fn resample(dense: &[Point], sparse: &[Point], cost: Cost) -> BTreeMap<String, Vec<f64>> {
    let (dense_sizes, sparse_sizes) = (by_size(dense), by_size(sparse));
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    if dense_sizes.values().chain(sparse_sizes.values()).any(|runs| runs.len() < 2) {
        return found;
    }
    let mut random = SplitMix64::new(0);
    let mut draw = |sizes: &BTreeMap<String, Vec<&Point>>| -> Vec<Point> {
        let mut drawn = Vec::new();
        for runs in sizes.values() {
            for _ in runs {
                drawn.push(runs[(random.next() % runs.len() as u64) as usize].clone());
            }
        }
        drawn
    };
    for _ in 0..SAMPLES {
        let (d, s) = (draw(&dense_sizes), draw(&sparse_sizes));
        for (size, (ratio, ..)) in ratios(&d, &s, cost).into_iter().flatten() {
            found.entry(size).or_default().push(ratio);
        }
    }
    found.values_mut().for_each(|r| r.sort_by(f64::total_cmp));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(size: &str, flops: f64, loss: f64) -> Point {
        Point {
            run: size.into(),
            size: size.into(),
            loss,
            flops,
            seconds: flops / 1e9,
            joules: None,
            joules_estimated: None,
            curve: Vec::new(),
        }
    }

    /// Dense runs on `L = 8 C^-0.1`; sparse ones that reach what a dense run needs three times as much for.
    fn study(noise: f64) -> (Vec<Point>, Vec<Point>) {
        let loss = |c: f64| 8.0 * c.powf(-0.1);
        let dense = [1e12, 1e13, 1e14]
            .iter()
            .flat_map(|&c| [-1.0, 1.0].map(|s| point(&format!("{c:e}"), c, loss(c) * (1.0 + s * noise))));
        let sparse = [-1.0, 1.0].map(|s| point("moe", 1e13, loss(3e13) * (1.0 + s * noise)));
        (dense.collect(), sparse.to_vec())
    }

    #[test]
    fn a_known_gain_is_found_in_flops_and_in_time_and_energy_is_left_out_without_a_meter() {
        let (dense, sparse) = study(0.0);
        let found = gains(&dense, &sparse);
        assert_eq!(found.iter().map(|g| g.cost).collect::<Vec<_>>(), [Cost::Flops, Cost::Time]);
        for gain in &found {
            assert!((gain.ratio - 3.0).abs() < 1e-6 && !gain.extrapolated, "{gain:?}");
            let (low, high) = gain.interval.unwrap();
            assert!((low - 3.0).abs() < 1e-6 && (high - 3.0).abs() < 1e-6);
        }
    }

    #[test]
    fn the_interval_widens_with_the_seeds_and_holds_the_ratio() {
        let (dense, sparse) = study(0.01);
        let gain = &gains(&dense, &sparse)[0];
        let (low, high) = gain.interval.unwrap();
        assert!(low < gain.ratio && gain.ratio < high && high / low > 1.1, "{gain:?}");
        assert_eq!(gains(&dense, &sparse), gains(&dense, &sparse), "the same on every run");
        let single = gains(&dense, &sparse[..1]);
        assert!(single[0].interval.is_none(), "one seed says nothing of seeds");
    }

    #[test]
    fn a_beaten_dense_size_is_off_the_frontier_and_estimates_are_a_cost_of_their_own() {
        let (mut dense, mut sparse) = study(0.0);
        let before = gains(&dense, &sparse)[0].ratio;
        dense.extend([point("too small", 5e13, 1.0), point("too small", 5e13, 1.0)]);
        assert_eq!(gains(&dense, &sparse)[0].ratio, before, "{:?}", gains(&dense, &sparse)[0]);
        for p in dense.iter_mut().chain(&mut sparse) {
            p.joules_estimated = Some(p.seconds * 100.0);
        }
        let costs: Vec<Cost> = gains(&dense, &sparse).iter().map(|g| g.cost).collect();
        assert_eq!(costs, [Cost::Flops, Cost::Time, Cost::EstimatedEnergy]);
        dense[0].joules = Some(1.0);
        assert_eq!(gains(&dense, &sparse).len(), 2, "measured and estimated joules are not mixed");
        let text = serde_json::to_string(&Study { dense: dense.clone(), moe: sparse }).unwrap();
        assert_eq!(serde_json::from_str::<Study>(&text).unwrap().dense, dense);
    }

    #[test]
    fn losses_that_do_not_fall_make_no_frontier() {
        assert_eq!(Frontier::fit(&[(1e12, 2.0), (1e13, 2.1)]), None);
        assert_eq!(Frontier::fit(&[(1e12, 2.0), (1e12, 1.9)]), None);
        let (dense, _) = study(0.0);
        assert!(gains(&dense, &[point("far", 1e16, 0.1)])[0].extrapolated);
    }
}
