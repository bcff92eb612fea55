//! Figures of micro-batches, layers and traces.

use serde::Serialize;

/// One micro-batch of one layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub before: f64,
    pub homes: f64,
    pub must_move: f64,
    pub after: f64,
    pub spread_rows: u64,
    pub max_clones: usize,
    pub clones_a_rank: f64,
    pub rows_moved: f64,
    pub pair_factor: Option<f64>,
    pub padding: Option<f64>,
    pub tax: f64,
    pub planner_us: f64,
    pub relayout_us: f64,
}

/// A mean and the worst of what it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub worst: f64,
}

/// What a policy made of some micro-batches. Ratios are to the mean over ranks; shares are of all rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Micro-batches.
    pub micro_batches: usize,
    /// Fullest rank with contiguous homes and no plan.
    pub before: Spread,
    /// Fullest rank after the slow tier, rows levelled over copies.
    pub homes: Spread,
    /// Share of rows that must move after the slow tier for exact balance.
    pub must_move: Spread,
    /// Fullest rank under the plan.
    pub after: Spread,
    /// Rows between the fullest and the emptiest rank under the plan, at worst.
    pub spread_rows: u64,
    /// Clones on the rank that has most, at worst.
    pub max_clones: usize,
    /// Clones of a rank, mean.
    pub mean_clones: f64,
    /// Share of rows that go to clones.
    pub rows_moved: Spread,
    /// Rows of the fullest pair of source and rank, by the mean pair; none where sources are not known.
    pub pair_factor: Option<Spread>,
    /// Rows in used blocks, by rows; none where experts are not known.
    pub padding: Option<Spread>,
    /// Predicted time over that of perfectly balanced routing, less one.
    pub tax: Spread,
    /// Time to plan, split over sources included; the median, in microseconds.
    pub planner_us: f64,
    /// Time of the slow tier; the median, in microseconds.
    pub relayout_us: f64,
}

/// The figures of one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerFigures {
    /// Name of the layer.
    pub layer: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What a policy made of a trace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Name of the policy.
    pub policy: &'static str,
    /// Ranks.
    pub ranks: usize,
    /// Means over layers, and the worst of all micro-batches.
    pub all: Figures,
    /// Layer by layer.
    pub layers: Vec<LayerFigures>,
}

impl Figures {
    pub(super) fn of(steps: &[Step]) -> Self {
        let all = |f: &dyn Fn(&Step) -> f64| Spread::of(steps.iter().map(f));
        let known = |f: &dyn Fn(&Step) -> Option<f64>| -> Option<Spread> {
            Some(Spread::of(steps.iter().map(f).collect::<Option<Vec<_>>>()?.into_iter()))
        };
        Self {
            micro_batches: steps.len(),
            before: all(&|s| s.before),
            homes: all(&|s| s.homes),
            must_move: all(&|s| s.must_move),
            after: all(&|s| s.after),
            spread_rows: steps.iter().map(|s| s.spread_rows).max().unwrap_or(0),
            max_clones: steps.iter().map(|s| s.max_clones).max().unwrap_or(0),
            mean_clones: all(&|s| s.clones_a_rank).mean,
            rows_moved: all(&|s| s.rows_moved),
            pair_factor: known(&|s| s.pair_factor),
            padding: known(&|s| s.padding),
            tax: all(&|s| s.tax),
            planner_us: median(steps.iter().map(|s| s.planner_us)),
            relayout_us: median(steps.iter().map(|s| s.relayout_us)),
        }
    }

    /// Layers as one: means of their means, worst of their worst.
    fn over(layers: &[LayerFigures]) -> Self {
        let all = |f: &dyn Fn(&Figures) -> Spread| Spread::over(layers.iter().map(|l| f(&l.figures)));
        let known = |f: &dyn Fn(&Figures) -> Option<Spread>| -> Option<Spread> {
            Some(Spread::over(layers.iter().map(|l| f(&l.figures)).collect::<Option<Vec<_>>>()?.into_iter()))
        };
        Self {
            micro_batches: layers.iter().map(|l| l.figures.micro_batches).sum(),
            before: all(&|f| f.before),
            homes: all(&|f| f.homes),
            must_move: all(&|f| f.must_move),
            after: all(&|f| f.after),
            spread_rows: layers.iter().map(|l| l.figures.spread_rows).max().unwrap_or(0),
            max_clones: layers.iter().map(|l| l.figures.max_clones).max().unwrap_or(0),
            mean_clones: Spread::of(layers.iter().map(|l| l.figures.mean_clones)).mean,
            rows_moved: all(&|f| f.rows_moved),
            pair_factor: known(&|f| f.pair_factor),
            padding: known(&|f| f.padding),
            tax: all(&|f| f.tax),
            planner_us: median(layers.iter().map(|l| l.figures.planner_us)),
            relayout_us: median(layers.iter().map(|l| l.figures.relayout_us)),
        }
    }
}

impl Outcome {
    pub(super) fn new(policy: &'static str, ranks: usize, layers: Vec<LayerFigures>) -> Self {
        Self { policy, ranks, all: Figures::over(&layers), layers }
    }
}

impl Spread {
    fn of(values: impl ExactSizeIterator<Item = f64>) -> Self {
        Self::over(values.map(|v| Self { mean: v, worst: v }))
    }

    fn over(parts: impl ExactSizeIterator<Item = Self>) -> Self {
        let num = parts.len().max(1) as f64;
        parts.fold(Self::default(), |sum, part| Self {
            mean: sum.mean + part.mean / num,
            worst: sum.worst.max(part.worst),
        })
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
