//! Predictions beside published measurements of training. One set of constants serves all rows of a device; nothing here looks at a row's value
//! but to compare.

mod calibrate;
mod models;
mod order;
mod report;
mod row;
mod software;
mod spread;

use serde::Serialize;

use crate::catalog::Catalog;
use crate::layout::Layout;
use crate::step::{MemoryFit, MemoryUse, Parts, Pricer};
use crate::table::Row;

pub use calibrate::{Fit, calibrate, rewrite};
pub use models::KnownModels;
pub use order::{Order, Orders};
pub use report::{Coverage, FitCounts, Report, RoutingPair};
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
    /// Rows of the fullest rank over the mean that its routing is taken to have.
    pub imbalance: f64,
    /// Whether that is said to fit.
    pub fit: MemoryFit,
    /// Whether the run ran out of memory.
    pub out_of_memory: bool,
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
            // By the name that the row has for its precision: two formats of 8 bits differ in more than layout.
            let key = format!(
                "{}|{}|{}|{}|{}|{:?}|{:?}",
                case.system,
                case.model.name,
                case.device,
                case.layout.ranks(),
                case.layout.batch(),
                case.seq,
                row.text("precision")
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
    report::summarise(&mut report, &keys);
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
    let away = if case.offloads_activations { m.activations } else { 0.0 };
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
        imbalance: case.software.imbalance,
        fit: MemoryFit::of(m.total() - away, pricer.rank().room()),
        out_of_memory: case.out_of_memory,
    })
}
