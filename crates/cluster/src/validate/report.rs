//! What a table of predictions beside measurements says: errors in several cuts, pairs in order, memory, routing, bands.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Outcome;
use super::order::{self, Orders};
use super::row::{Metric, is_kept_aside};
use crate::stats::{Errors, quantile};
use crate::step::MemoryFit;

/// How many measurements lie in the band that a plan states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Rows.
    pub rows: usize,
    /// Those within the band.
    pub within: usize,
}

/// How many runs are said to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FitCounts {
    /// With room for errors and holes.
    pub fits: usize,
    /// Without it.
    pub may_not_fit: usize,
    /// Not at all.
    pub does_not_fit: usize,
    /// Rows that say too little.
    pub left_out: usize,
}

impl FitCounts {
    fn add(&mut self, fit: MemoryFit) {
        match fit {
            MemoryFit::Fits => self.fits += 1,
            MemoryFit::MayNotFit => self.may_not_fit += 1,
            MemoryFit::DoesNotFit => self.does_not_fit += 1,
        }
    }
}

/// One run under real routing and the same under forced balance.
#[derive(Clone, Debug, Serialize)]
pub struct RoutingPair {
    /// Id of the first.
    pub real: String,
    /// Id of the second.
    pub forced: String,
    /// Time of the first over that of the second.
    pub measured: f64,
    /// The same.
    pub predicted: f64,
}

/// Errors of step time in several cuts, and of memory.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Step time, all rows.
    pub step: Errors,
    /// By publication or release.
    pub by_system: BTreeMap<String, Errors>,
    /// By device.
    pub by_device: BTreeMap<String, Errors>,
    /// By model.
    pub by_model: BTreeMap<String, Errors>,
    /// By number of devices: up to 8, 64, 512, more.
    pub by_scale: BTreeMap<String, Errors>,
    /// Dense and sparse apart.
    pub by_kind: BTreeMap<String, Errors>,
    /// The third that no fit sees, and the others, dense and sparse.
    pub by_fold: BTreeMap<String, Errors>,
    /// Memory, all rows.
    pub memory: Errors,
    /// What nine of ten measured peaks lie below, over their prediction.
    pub memory_above: f64,
    /// What nine of ten lie above.
    pub memory_below: f64,
    /// What is said of runs that ran out of memory.
    pub ran_out: FitCounts,
    /// What is said of runs whose step was measured, which therefore fitted.
    pub ran: FitCounts,
    /// Pairs of rows that differ in layout only, and how many of them are in the measured order.
    pub pairs: Orders,
    /// Rows that differ in routing only.
    pub routing: Vec<RoutingPair>,
    /// Of the rows whose device was fitted to them, and of the others: how many there are and how many lie in the stated band.
    pub band: BTreeMap<String, Coverage>,
    /// Rows left out, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// Ids of the rows left out with their reasons.
    pub skipped_rows: Vec<(String, String)>,
    /// Every row that was predicted.
    pub rows: Vec<Outcome>,
}

/// Fills in everything but the rows; `keys` say which of them differ in layout or routing only.
pub(super) fn summarise(report: &mut Report, keys: &[String]) {
    let steps: Vec<(&Outcome, &String)> =
        report.rows.iter().zip(keys).filter(|(o, _)| o.metric == Metric::Step).collect();
    let errors = |rows: &[&Outcome]| Errors::of(&rows.iter().map(|o| o.error).collect::<Vec<_>>());
    let cut = |name: &dyn Fn(&Outcome) -> String| {
        let mut groups: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
        steps.iter().for_each(|(o, _)| groups.entry(name(o)).or_default().push(o));
        groups.into_iter().map(|(k, v)| (k, errors(&v))).collect::<BTreeMap<_, _>>()
    };
    let scale = |o: &Outcome| match o.devices {
        0..=8 => "1: up to 8".to_string(),
        9..=64 => "2: up to 64".into(),
        65..=512 => "3: up to 512".into(),
        _ => "4: more".into(),
    };
    let by_system = cut(&|o| o.system.clone());
    let by_device = cut(&|o| o.device.clone());
    let by_model = cut(&|o| o.model.clone());
    let by_scale = cut(&scale);
    let by_kind = cut(&|o| if o.sparse { "sparse".into() } else { "dense".into() });
    let fold = |o: &Outcome| {
        let fold = if is_kept_aside(&o.id) { "kept aside" } else { "others" };
        format!("{fold}, {}", if o.sparse { "sparse" } else { "dense" })
    };
    let by_fold = cut(&fold);
    let step = errors(&steps.iter().map(|s| s.0).collect::<Vec<_>>());
    let memory: Vec<&Outcome> = report.rows.iter().filter(|o| o.metric == Metric::Memory).collect();
    let mut peaks: Vec<f64> =
        memory.iter().filter(|o| o.memory_part == "all").map(|o| o.measured / o.predicted).collect();
    peaks.sort_by(f64::total_cmp);
    let (memory_above, memory_below) = (quantile(&peaks, 0.9), quantile(&peaks, 0.1));
    let memory = errors(&memory);
    let (mut ran_out, mut ran) = (report.ran_out, FitCounts::default());
    for outcome in &report.rows {
        match (outcome.out_of_memory, outcome.metric) {
            (true, _) => ran_out.add(outcome.fit),
            (false, Metric::Step) => ran.add(outcome.fit),
            _ => {}
        }
    }
    let mut band: BTreeMap<String, Coverage> = BTreeMap::new();
    for (outcome, _) in &steps {
        let name = if outcome.fitted { "fitted" } else { "predicted" };
        let kind = if outcome.sparse { "sparse" } else { "dense" };
        let covered = band.entry(format!("{name}, {kind}")).or_default();
        covered.rows += 1;
        covered.within += usize::from(outcome.error.abs() <= outcome.band);
    }
    let pairs = order::of(&steps);
    let mut routing = Vec::new();
    for (real, key) in steps.iter().filter(|(o, _)| o.imbalance > 1.0) {
        let same = |o: &Outcome| o.imbalance == 1.0 && o.layout == real.layout;
        routing.extend(steps.iter().filter(|(o, k)| k == key && same(o)).map(|(forced, _)| RoutingPair {
            real: real.id.clone(),
            forced: forced.id.clone(),
            measured: real.measured / forced.measured,
            predicted: real.predicted / forced.predicted,
        }));
    }
    *report = Report {
        step,
        by_system,
        by_device,
        by_model,
        by_scale,
        by_kind,
        by_fold,
        memory,
        memory_above,
        memory_below,
        ran_out,
        ran,
        pairs,
        routing,
        band,
        ..std::mem::take(report)
    };
}
