//! Predictions beside published measurements of training. One set of constants serves all rows of a device; nothing here looks at a row's value
//! but to compare.

mod calibrate;
mod models;
mod row;
mod software;
mod spread;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::Catalog;
use crate::layout::Layout;
use crate::stats::{Errors, quantile};
use crate::step::{MemoryFit, MemoryUse, Parts, Pricer};
use crate::table::Row;

pub use calibrate::{Fit, calibrate, rewrite};
pub use models::KnownModels;
pub use row::{Case, Metric, read, system_of};

/// A measured row beside its prediction.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Its id.
    pub id: String,
    /// The publication or release.
    pub system: String,
    /// The model's name in the table.
    pub model: String,
    /// The device.
    pub device: String,
    /// Devices.
    pub devices: usize,
    /// Whether it has experts.
    pub sparse: bool,
    /// What was measured.
    pub metric: Metric,
    /// Seconds or bytes.
    pub measured: f64,
    /// The same.
    pub predicted: f64,
    /// Prediction over measurement, minus one.
    pub error: f64,
    /// Half of the band that a plan states for it, relative.
    pub band: f64,
    /// Whether its device's constants were fitted to it.
    pub fitted: bool,
    /// The layout.
    pub layout: Layout,
    /// Where the predicted seconds go.
    pub parts: Parts,
    /// What a rank is predicted to hold.
    pub memory: MemoryUse,
    /// Which part of memory was measured, where memory was: `all`, `activations` or `state`.
    pub memory_part: &'static str,
    /// Whether that is said to fit.
    pub fit: MemoryFit,
    /// Whether the run ran out of memory.
    pub out_of_memory: bool,
}

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
    /// What is said of runs that ran out of memory.
    pub ran_out: FitCounts,
    /// What is said of runs whose step was measured, which therefore fitted.
    pub ran: FitCounts,
    /// Pairs of rows of one publication, model, device, number of devices, batch and precision that differ in layout: how many there are.
    pub pairs: usize,
    /// And how many the predictions order as the measurements do.
    pub pairs_ordered: usize,
    /// Of the rows whose device was fitted to them, and of the others: how many there are and how many lie in the stated band.
    pub band: BTreeMap<String, Coverage>,
    /// Rows left out, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// Ids of the rows left out with their reasons.
    pub skipped_rows: Vec<(String, String)>,
    /// Every row that was predicted.
    pub rows: Vec<Outcome>,
}

/// A row that says too little.
struct LeftOut {
    id: String,
    why: String,
    /// Whether it ran out of memory.
    ran_out: bool,
}

/// Predicts every row that says enough.
pub fn check(catalog: &Catalog, rows: &[Row]) -> Report {
    use rayon::prelude::*;
    let known = KnownModels::default();
    let found: Vec<Result<(Outcome, String), LeftOut>> = rows
        .par_iter()
        .map(|row| {
            let id = row.text("id").map_or_else(|| format!("line {}", row.line), str::to_string);
            let ran_out = row::ran_out_of_memory(row);
            let case = read(catalog, &known, row).map_err(|why| LeftOut { id: id.clone(), why, ran_out })?;
            let key = format!(
                "{}|{}|{}|{}|{}|{:?}|{:?}",
                case.system,
                case.model.name,
                case.device,
                case.layout.ranks(),
                case.layout.batch(),
                case.seq,
                case.software.precision
            );
            predict(catalog, &case).map(|o| (o, key)).map_err(|why| LeftOut { id, why, ran_out })
        })
        .collect();
    let mut report = Report::default();
    let mut keys = Vec::new();
    for outcome in found {
        match outcome {
            Ok((outcome, key)) => {
                report.rows.push(outcome);
                keys.push(key);
            }
            Err(LeftOut { id, why, ran_out }) => {
                report.ran_out.left_out += usize::from(ran_out);
                *report.skipped.entry(why.clone()).or_insert(0) += 1;
                report.skipped_rows.push((id, why));
            }
        }
    }
    summarise(&mut report, &keys);
    report
}

fn predict(catalog: &Catalog, case: &Case) -> Result<Outcome, String> {
    let text = |e: crate::ClusterError| e.to_string();
    let device = catalog.device(&case.device).map_err(text)?;
    let instance = catalog.instance(&case.instance).map_err(text)?;
    let pricer = Pricer::new(&case.model, device, instance, case.seq).map_err(text)?;
    let estimate = pricer.simulate(&case.layout, &case.software).map_err(text)?;
    let m = &estimate.memory;
    let predicted = match (case.metric, case.memory_part) {
        (Metric::Step, _) => estimate.step,
        (_, "activations") => m.activations,
        (_, "state") => m.weights + m.gradients + m.optimizer,
        _ => m.total(),
    };
    Ok(Outcome {
        id: case.id.clone(),
        system: case.system.clone(),
        model: case.model.name.clone(),
        device: case.device.clone(),
        devices: case.layout.ranks(),
        sparse: case.model.is_sparse(),
        metric: case.metric,
        measured: case.measured,
        predicted,
        error: predicted / case.measured - 1.0,
        band: device.calibration.spread_of(case.model.is_sparse()),
        fitted: device.calibration.knows(&case.id) && !row::is_kept_aside(&case.id),
        layout: case.layout,
        parts: estimate.parts,
        memory: estimate.memory,
        memory_part: case.memory_part,
        fit: MemoryFit::of(m.total(), pricer.rank().room()),
        out_of_memory: case.out_of_memory,
    })
}

fn summarise(report: &mut Report, keys: &[String]) {
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
        let fold = if row::is_kept_aside(&o.id) { "kept aside" } else { "others" };
        format!("{fold}, {}", if o.sparse { "sparse" } else { "dense" })
    };
    let by_fold = cut(&fold);
    let step = errors(&steps.iter().map(|s| s.0).collect::<Vec<_>>());
    let memory: Vec<&Outcome> = report.rows.iter().filter(|o| o.metric == Metric::Memory).collect();
    let mut above: Vec<f64> =
        memory.iter().filter(|o| o.memory_part == "all").map(|o| o.measured / o.predicted).collect();
    above.sort_by(f64::total_cmp);
    let memory_above = quantile(&above, 0.9);
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
    let (mut pairs, mut ordered) = (0, 0);
    for (i, (a, key)) in steps.iter().enumerate() {
        for (b, _) in steps[i + 1..].iter().filter(|(b, k)| k == key && b.layout != a.layout) {
            pairs += 1;
            let measured = (a.measured - b.measured).signum();
            ordered += usize::from((a.predicted - b.predicted).signum() == measured);
        }
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
        ran_out,
        ran,
        pairs,
        pairs_ordered: ordered,
        band,
        ..std::mem::take(report)
    };
}
