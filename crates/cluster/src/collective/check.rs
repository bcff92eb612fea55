//! Predictions beside measured collectives, and the fit of curves to some of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Curve, Group, KNOTS, Kind, Links};
use crate::catalog::Catalog;
use crate::stats::Errors;
use crate::table::Row;

/// A measured collective beside its prediction.
#[derive(Clone, Debug, Serialize)]
pub struct CollectiveRow {
    /// Its id in the table.
    pub id: String,
    /// System, as the table calls it.
    pub system: String,
    /// Operation.
    pub op: String,
    /// Ranks.
    pub ranks: usize,
    /// Size of the buffer.
    pub bytes: f64,
    /// Seconds.
    pub measured: f64,
    /// Seconds.
    pub predicted: f64,
    /// Whether a curve was fitted at this number of ranks: if not, the row tests the interpolation between numbers of ranks.
    pub fitted_ranks: bool,
}

/// Errors by system, and what was left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CollectiveReport {
    /// Rows of at least 1 MB.
    pub systems: BTreeMap<String, Errors>,
    /// Of those, the rows over numbers of ranks that no curve was fitted at.
    pub held_out_ranks: BTreeMap<String, Errors>,
    /// All rows of at least 1 MB.
    pub all: Errors,
    /// How many rows were left out, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// Every row that was predicted, small ones too.
    pub rows: Vec<CollectiveRow>,
}

/// The instance that a system of the table stands for.
fn instance_of(catalog: &Catalog, row: &Row) -> Result<String, String> {
    let system = row.text("system").ok_or("no system")?;
    if system.starts_with("trn ") || system.starts_with("trn1") {
        return Ok("trn1.32xlarge".into());
    }
    catalog
        .instance(system)
        .map(|i| i.name.clone())
        .map_err(|_| format!("system `{system}` has no description"))
}

/// What a row says, or why it cannot be predicted.
fn read(catalog: &Catalog, row: &Row) -> Result<CollectiveRow, String> {
    let op = row.text("op").ok_or("no op")?;
    let kind = Kind::named(op).ok_or_else(|| format!("op `{op}` has no model"))?;
    let bytes = row.number("bytes").ok_or("no bytes")?;
    let ranks = row.count("ranks").ok_or("no ranks")?;
    let measured = row.number("time_us").ok_or("no time")? * 1e-6;
    let name = instance_of(catalog, row)?;
    let instance = catalog.instance(&name).expect("just found");
    let device = catalog.device(&instance.device).map_err(|e| e.to_string())?;
    let nodes = row.count("nodes").unwrap_or(1).max(1);
    let local = (ranks / nodes).clamp(1, instance.domain * device.cores);
    let predicted = Links { device, instance }.seconds(kind, Group { ranks, local }, bytes);
    let fitted = |curves: &[Curve]| curves.iter().any(|c| c.kind == kind && c.ranks == ranks);
    Ok(CollectiveRow {
        id: row.text("id").unwrap_or("?").into(),
        system: row.text("system").unwrap_or("?").into(),
        op: op.into(),
        ranks,
        bytes,
        measured,
        predicted,
        fitted_ranks: fitted(if nodes > 1 { &instance.network.curves } else { &device.link.curves }),
    })
}

/// Predicts every row that says enough.
pub fn check(catalog: &Catalog, rows: &[Row]) -> CollectiveReport {
    let mut report = CollectiveReport::default();
    for row in rows {
        match read(catalog, row) {
            Ok(found) => report.rows.push(found),
            Err(why) => *report.skipped.entry(why).or_insert(0) += 1,
        }
    }
    let errors = |rows: &mut dyn Iterator<Item = &CollectiveRow>| {
        Errors::of(&rows.map(|r| r.predicted / r.measured - 1.0).collect::<Vec<_>>())
    };
    let large: Vec<&CollectiveRow> = report.rows.iter().filter(|r| r.bytes >= 1e6).collect();
    let mut systems: Vec<&String> = large.iter().map(|r| &r.system).collect();
    systems.sort();
    systems.dedup();
    for system in systems {
        let own = || large.iter().copied().filter(|r| &r.system == system);
        report.systems.insert(system.clone(), errors(&mut own()));
        if own().any(|r| !r.fitted_ranks) {
            report.held_out_ranks.insert(system.clone(), errors(&mut own().filter(|r| !r.fitted_ranks)));
        }
    }
    report.all = errors(&mut large.iter().copied());
    report
}

/// Curves for a system's rows over `ranks` ranks, by least squares in logarithms at [`KNOTS`], with a little smoothing where
/// rows are few.
pub fn fit(rows: &[CollectiveRow], kind: Kind, ranks: usize) -> Option<Vec<f64>> {
    let own: Vec<(f64, f64)> = rows
        .iter()
        .filter(|r| Kind::named(&r.op) == Some(kind) && r.ranks == ranks && r.bytes >= 16384.0)
        .map(|r| (r.bytes, r.measured * 1e6))
        .collect();
    let largest = own.iter().map(|p| p.0).fold(0.0, f64::max);
    let knots = KNOTS.iter().filter(|k| **k <= largest * 2.1).count();
    if own.len() < 3 || knots < 2 {
        return None;
    }
    let mut matrix = vec![vec![0.0; knots + 1]; knots];
    let mut add = |weights: &[(usize, f64)], target: f64, strength: f64| {
        for &(i, a) in weights {
            weights.iter().for_each(|&(j, b)| matrix[i][j] += strength * a * b);
            matrix[i][knots] += strength * a * target;
        }
    };
    for (bytes, us) in &own {
        let x = bytes.clamp(KNOTS[0], KNOTS[knots - 1]);
        let at = (1..knots).find(|&i| x <= KNOTS[i]).unwrap_or(knots - 1);
        let t = (x / KNOTS[at - 1]).ln() / (KNOTS[at] / KNOTS[at - 1]).ln();
        let beyond = (bytes / x).max(1.0).ln();
        add(&[(at - 1, 1.0 - t), (at, t)], us.ln() - beyond, 1.0);
    }
    for i in 1..knots - 1 {
        add(&[(i - 1, 1.0), (i, -2.0), (i + 1, 1.0)], 0.5, 0.02);
    }
    add(&[(0, -1.0), (1, 1.0)], 0.3, 0.01);
    Some(solve(matrix).into_iter().map(|v| (v.exp() * 10.0).round() / 10.0).collect())
}

/// Gauss's elimination with pivots; the last column is the right side.
fn solve(mut m: Vec<Vec<f64>>) -> Vec<f64> {
    let n = m.len();
    for i in 0..n {
        let pivot = (i..n).max_by(|&a, &b| m[a][i].abs().total_cmp(&m[b][i].abs())).unwrap_or(i);
        m.swap(i, pivot);
        let top = m[i].clone();
        for (_, row) in m.iter_mut().enumerate().filter(|r| r.0 != i) {
            let factor = row[i] / top[i];
            row.iter_mut().zip(&top).for_each(|(value, above)| *value -= factor * above);
        }
    }
    (0..n).map(|i| m[i][n] / m[i][i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_gives_back_the_curve_that_made_the_rows() {
        let truth = Curve {
            kind: Kind::AllGather,
            ranks: 8,
            us: vec![10.0, 16.0, 45.0, 210.0, 1400.0],
            source: String::new(),
        };
        let row = |i: i32| {
            let bytes = 2f64.powi(i);
            CollectiveRow {
                id: String::new(),
                system: "x".into(),
                op: "all_gather".into(),
                ranks: 8,
                bytes,
                measured: truth.seconds(bytes),
                predicted: 0.0,
                fitted_ranks: true,
            }
        };
        let rows: Vec<CollectiveRow> = (14..30).map(row).collect();
        let found = fit(&rows, Kind::AllGather, 8).unwrap();
        for (a, b) in found.iter().zip(&truth.us) {
            assert!((a / b - 1.0).abs() < 0.03, "{found:?}");
        }
        assert!(fit(&rows, Kind::AllToAll, 8).is_none());
    }
}
