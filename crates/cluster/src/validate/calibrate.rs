//! Constants of a device type from measurements of it: a few numbers for hundreds of rows, never one for a row.
//!
//! Coordinate search over multiples, rounded to two digits, from the usual value of each constant; deterministic on any number of threads. The
//! loss of a row is `|e| + 2 e^2` with `e` the logarithm of predicted over measured, capped at 0.6 so that a broken run does not draw
//! everything to itself. Rows of one publication and model count as the root of their number. Every constant is drawn back to its usual value as
//! if `PRIOR` rows had measured that, so what few rows say little about stays what all devices share.
//!
//! A third of the rows, by a hash of their id, is kept aside from every fit. The spread of dense models is from those, and from predictions of publications
//! that a fit left out (of models, where a device has one publication): 80 % lie within it. That of sparse models is of all devices together and from sources that fits left out whole (`spread.rs`): releases of one
//! software resemble each other more than the next user's runs resemble them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::row::{Case, Metric, is_kept_aside, read};
use super::{KnownModels, spread};
use crate::catalog::Catalog;
use crate::device::{Calibration, Device};
use crate::stats::{Errors, quantile};
use crate::step::Pricer;
use crate::table::Row;

/// Rows that the usual value of a constant is worth.
const PRIOR: f64 = 2.0;
/// Largest error that counts, as a logarithm.
const CAP: f64 = 0.6;
/// Fewest rows of a kind that have a spread of their own.
const FEWEST: usize = 8;
/// Share of the left-out rows that the spread covers.
pub(super) const COVERED: f64 = 0.8;

/// A constant that is fitted.
struct Knob {
    name: &'static str,
    /// On GPUs, and on Neuron.
    usual: [f64; 2],
    range: (f64, f64),
    at: fn(&mut Calibration) -> Option<&mut f64>,
}

/// What is fitted; all other constants are shared by devices of a platform or are facts of the chip.
const KNOBS: &[Knob] = &[
    Knob {
        name: "matrix_share.bfloat16",
        usual: [0.68, 0.8],
        range: (0.3, 0.95),
        at: |c| c.matrix_share.get_mut("bfloat16"),
    },
    Knob {
        name: "matrix_share.float8",
        usual: [0.62, 0.8],
        range: (0.3, 0.9),
        at: |c| c.matrix_share.get_mut("float8"),
    },
    Knob {
        name: "matrix_share.float4",
        usual: [0.5, 0.8],
        range: (0.2, 0.9),
        at: |c| c.matrix_share.get_mut("float4"),
    },
    Knob {
        name: "attention_share",
        usual: [0.45, 0.33],
        range: (0.1, 0.8),
        at: |c| Some(&mut c.attention_share),
    },
    Knob { name: "fusion", usual: [0.62, 0.65], range: (0.3, 1.0), at: |c| Some(&mut c.fusion) },
    Knob {
        name: "overlap_tensor",
        usual: [0.38, 0.5],
        range: (0.0, 0.95),
        at: |c| Some(&mut c.overlap_tensor),
    },
    Knob {
        name: "straggle_per_doubling",
        usual: [0.005, 0.002],
        range: (0.001, 0.03),
        at: |c| Some(&mut c.straggle_per_doubling),
    },
    Knob {
        name: "barrier",
        usual: [0.0, 0.003],
        range: (0.001, 0.01),
        // GPUs have none.
        at: |c| (c.barrier > 0.0).then_some(&mut c.barrier),
    },
];

/// What a fit of one device type found.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    /// The device.
    pub device: String,
    /// The constants by name, as a device file has them.
    pub constants: BTreeMap<&'static str, f64>,
    /// Those among them that differ from the device's description.
    pub changed: Vec<&'static str>,
    /// Errors on the rows fitted to.
    pub fitted: Errors,
    /// Errors on rows that a fit left out.
    pub left_out: Errors,
}

/// A row with its pricer.
pub(super) struct Question<'a> {
    pub(super) case: &'a Case,
    pricer: Pricer<'a>,
    weight: f64,
}

/// Rows of one device, those of a publication and model weighing as much as the root of their number.
pub(super) fn questions<'a>(
    catalog: &'a Catalog,
    device: &'a Device,
    cases: &[&'a Case],
) -> Result<Vec<Question<'a>>, crate::ClusterError> {
    let group = |c: &Case| (c.system.clone(), c.model.name.clone());
    let mut sizes: BTreeMap<_, f64> = BTreeMap::new();
    cases.iter().for_each(|c| *sizes.entry(group(c)).or_default() += 1.0);
    cases
        .iter()
        .map(|case| {
            let instance = catalog.instance(&case.instance)?;
            let pricer = Pricer::new(&case.model, device, instance, case.seq)?;
            Ok(Question { case, pricer, weight: sizes[&group(case)].powf(-0.5) })
        })
        .collect()
}

/// Fits every device whose description names the measurements to fit to.
///
/// # Errors
/// Rows that say enough for a question but not for a price, with their id.
pub fn calibrate(catalog: &Catalog, rows: &[Row]) -> Result<Vec<Fit>, crate::ClusterError> {
    let known = KnownModels::default();
    let cases: Vec<Case> = rows.par_iter().filter_map(|row| read(catalog, &known, row).ok()).collect();
    let fitted = catalog.devices.iter().filter(|d| !d.calibration.fitted_to.is_empty());
    let mut fits = Vec::new();
    for device in fitted {
        let own = |c: &&Case| {
            c.device == device.name
                && c.metric == Metric::Step
                && device.calibration.knows(&c.id)
                && !is_kept_aside(&c.id)
        };
        let own: Vec<&Case> = cases.iter().filter(own).collect();
        let aside = |c: &&Case| c.device == device.name && c.metric == Metric::Step && is_kept_aside(&c.id);
        let aside: Vec<&Case> = cases.iter().filter(aside).collect();
        if !own.is_empty() {
            fits.push(fit(catalog, device, &own, &aside)?);
        }
    }
    if let Some(sparse) = spread::across_sources(catalog, &cases)? {
        for fit in &mut fits {
            fit.constants.insert("spread_sparse", two_digits(sparse));
        }
    }
    fits.extend(alike(catalog, &fits));
    share_spreads(catalog, &mut fits);
    Ok(fits)
}

/// Fits to `cases`; `aside` are the rows of the device that no fit sees, of any publication.
fn fit(
    catalog: &Catalog,
    device: &Device,
    cases: &[&Case],
    aside: &[&Case],
) -> Result<Fit, crate::ClusterError> {
    let aside = questions(catalog, device, aside)?;
    let questions = questions(catalog, device, cases)?;
    let all: Vec<&Question<'_>> = questions.iter().collect();
    let found = search(device, &all);
    let systems: BTreeSet<&str> = cases.iter().map(|c| c.system.as_str()).collect();
    let fold = |c: &'_ Case| if systems.len() > 1 { c.system.clone() } else { c.model.name.clone() };
    let folds: BTreeSet<String> = cases.iter().map(|c| fold(c)).collect();
    let mut left_out: Vec<(bool, f64)> = Vec::new();
    for name in &folds {
        let (test, rest): (Vec<_>, Vec<_>) = all.iter().copied().partition(|q| &fold(q.case) == name);
        let without = search(device, &rest);
        left_out.extend(test.iter().map(|q| (q.case.model.is_sparse(), error(q, &without).exp() - 1.0)));
    }
    left_out.extend(aside.iter().map(|q| (q.case.model.is_sparse(), error(q, &found).exp() - 1.0)));
    let relative = |only: Option<bool>| -> Vec<f64> {
        left_out.iter().filter(|e| only.is_none_or(|s| s == e.0)).map(|e| e.1).collect()
    };
    let mut own = found.calibration.clone();
    let mut constants: BTreeMap<&'static str, f64> =
        KNOBS.iter().filter_map(|k| (k.at)(&mut own).map(|v| (k.name, *v))).collect();
    let mut sizes: Vec<f64> = relative(Some(false)).iter().map(|e| e.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    if sizes.len() >= FEWEST {
        constants.insert("spread", two_digits(quantile(&sizes, COVERED)));
    }
    let errors: Vec<f64> = all.iter().map(|q| error(q, &found).exp() - 1.0).collect();
    Ok(Fit {
        device: device.name.clone(),
        constants,
        changed: Vec::new(),
        fitted: Errors::of(&errors),
        left_out: Errors::of(&relative(None)),
    })
}

/// Devices that nothing was measured on and whose description says which they are like.
fn alike(catalog: &Catalog, fits: &[Fit]) -> Vec<Fit> {
    let copy = |device: &Device| {
        let like = device.calibration.like.as_ref()?;
        let mut fit = fits.iter().find(|f| &f.device == like)?.clone();
        fit.device = device.name.clone();
        fit.fitted = Errors::default();
        fit.left_out = Errors::default();
        for (name, value) in &mut fit.constants {
            if name.starts_with("matrix_share") {
                *value = two_digits(*value * device.calibration.like_share);
            }
        }
        Some(fit)
    };
    catalog.devices.iter().filter_map(copy).collect()
}

/// The text of a device's file with the constants of a fit; everything else stays as it is.
pub fn rewrite(text: &str, fit: &Fit) -> String {
    let mut inside = false;
    let line = |line: &str| {
        if line.starts_with('[') {
            inside = line.trim() == "[calibration]";
        }
        let name = line.split('=').next().unwrap_or("").trim();
        match fit.constants.get(name) {
            Some(value) if inside => format!("{name} = {value:?}\n"),
            _ if inside && name == "matrix_share" => format!("{}\n", with_shares(line, fit)),
            _ => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}

/// `matrix_share = { bfloat16 = 0.7, .. }` with the shares of a fit.
fn with_shares(line: &str, fit: &Fit) -> String {
    let pair = |pair: &str| {
        let name = pair.split('=').next().unwrap_or("").trim().trim_start_matches(['{', ' ']).to_string();
        let value = fit.constants.get(format!("matrix_share.{name}").as_str());
        value.map_or(pair.trim().to_string(), |v| format!("{name} = {v:?}"))
    };
    let inner = line.split_once('{').and_then(|l| l.1.split_once('}')).map_or("", |l| l.0);
    let pairs: Vec<String> = inner.split(',').map(pair).collect();
    format!("matrix_share = {{ {} }}", pairs.join(", "))
}

/// Kinds with too few rows on a device get the largest spread of all devices; then what differs from the descriptions is named.
fn share_spreads(catalog: &Catalog, fits: &mut [Fit]) {
    for name in ["spread", "spread_sparse"] {
        let largest = fits.iter().filter_map(|f| f.constants.get(name)).copied().fold(0.0, f64::max);
        fits.iter_mut().for_each(|f| {
            f.constants.entry(name).or_insert(largest);
        });
    }
    for fit in fits {
        let Ok(device) = catalog.device(&fit.device) else { continue };
        let mut held = device.calibration.clone();
        let mut differs = |name: &&'static str, value: f64| {
            let old = match *name {
                "spread" => Some(held.spread),
                "spread_sparse" => Some(held.spread_sparse),
                name => KNOBS.iter().find(|k| k.name == name).and_then(|k| (k.at)(&mut held).copied()),
            };
            old.is_none_or(|old| (old - value).abs() > 1e-9)
        };
        fit.changed = fit.constants.iter().filter(|(n, v)| differs(n, **v)).map(|(n, _)| *n).collect();
    }
}

/// The device with the constants of least loss on `questions`.
pub(super) fn search(device: &Device, questions: &[&Question<'_>]) -> Device {
    let mut best = device.clone();
    let side = usize::from(device.platform == "neuron");
    for knob in KNOBS {
        if let Some(value) = (knob.at)(&mut best.calibration) {
            *value = knob.usual[side];
        }
    }
    let mut least = loss(&best, questions, side);
    for step in [1.25, 1.1, 1.05, 1.02] {
        // Each round moves every constant as far as it helps; a handful of rounds settle.
        for _ in 0..6 {
            let before = least;
            for knob in KNOBS {
                for factor in [step, 1.0 / step] {
                    while let Some(next) = moved(&best, knob, factor) {
                        let other = loss(&next, questions, side);
                        if other >= least {
                            break;
                        }
                        (best, least) = (next, other);
                    }
                }
            }
            if before - least < 1e-6 {
                break;
            }
        }
    }
    best
}

fn moved(device: &Device, knob: &Knob, factor: f64) -> Option<Device> {
    let mut next = device.clone();
    let value = (knob.at)(&mut next.calibration)?;
    let wanted = two_digits((*value * factor).clamp(knob.range.0.max(1e-3), knob.range.1));
    (wanted != *value).then(|| *value = wanted)?;
    Some(next)
}

fn loss(device: &Device, questions: &[&Question<'_>], side: usize) -> f64 {
    let one = |q: &&Question<'_>| {
        let e = error(q, device).abs().min(CAP);
        (q.weight * (e + 2.0 * e * e), q.weight)
    };
    // Summed in the order of the rows: the same on any number of threads.
    let rows: Vec<(f64, f64)> = questions.par_iter().map(one).collect();
    let (sum, weight) = rows.iter().fold((0.0, 0.0), |s, r| (s.0 + r.0, s.1 + r.1));
    let mut own = device.calibration.clone();
    let drawn: f64 =
        KNOBS.iter().filter_map(|k| (k.at)(&mut own).map(|v| (*v / k.usual[side]).ln())).map(|e| e * e).sum();
    (sum + PRIOR * drawn) / weight.max(1e-9)
}

/// Logarithm of predicted over measured.
pub(super) fn error(question: &Question<'_>, device: &Device) -> f64 {
    let price = |p: Pricer<'_>| p.simulate(&question.case.layout, &question.case.software);
    let found = question.pricer.on(device).and_then(price);
    found.map_or(CAP, |e| (e.step / question.case.measured).ln())
}

fn two_digits(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let scale = 10f64.powi(1 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_constants_of_a_fit_and_keeps_the_rest() {
        let constants = BTreeMap::from([("fusion", 0.5), ("matrix_share.bfloat16", 0.7)]);
        let fit = Fit {
            device: "x".into(),
            constants,
            changed: Vec::new(),
            fitted: Errors::default(),
            left_out: Errors::default(),
        };
        let text = "fusion = 9\n[calibration]\nmatrix_share = { float32 = 0.4, bfloat16 = 0.6 }\nfusion = 0.6\nlaunch = 4e-06\n";
        let expected = "fusion = 9\n[calibration]\nmatrix_share = { float32 = 0.4, bfloat16 = 0.7 }\nfusion = 0.5\nlaunch = 4e-06\n";
        assert_eq!(rewrite(text, &fit), expected);
        assert_eq!(rewrite(expected, &fit), expected);
    }

    #[test]
    fn constants_have_two_digits() {
        assert_eq!(two_digits(0.6789), 0.68);
        assert_eq!(two_digits(0.00512), 0.0051);
        assert_eq!(two_digits(0.0), 0.0);
    }
}
