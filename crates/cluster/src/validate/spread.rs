//! How far off a plan of a sparse model may be: what fits without a source say of that source.
//!
//! A source is a publisher: all releases of one software together, since they share recipes, kernels and authors. Each source counts as much as any
//! other, however many rows it has.

use std::collections::{BTreeMap, BTreeSet};

use super::calibrate::{COVERED, Question, error, questions, search};
use super::row::{Case, Metric, is_kept_aside};
use crate::ClusterError;
use crate::catalog::Catalog;
use crate::device::Device;

/// Fewest sources that say anything.
const FEWEST: usize = 3;

/// The publisher of a release: `mbridge-26.02` and `mbridge-25.09` are one.
pub(super) fn source_of(system: &str) -> &str {
    system.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or(system)
}

/// The relative error that covers four of five sparse rows of a source that no constant was fitted to; none from too few sources.
///
/// # Errors
/// Rows that say enough for a question but not for a price.
pub(super) fn across_sources(catalog: &Catalog, cases: &[Case]) -> Result<Option<f64>, ClusterError> {
    let sparse: Vec<&Case> =
        cases.iter().filter(|c| c.metric == Metric::Step && c.model.is_sparse()).collect();
    let sources: BTreeSet<&str> = sparse.iter().map(|c| source_of(&c.system)).collect();
    if sources.len() < FEWEST {
        return Ok(None);
    }
    let mut weighed = Vec::new();
    for source in sources {
        let mut by_device: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for case in sparse.iter().filter(|c| source_of(&c.system) == source) {
            by_device.entry(&case.device).or_default().push(case);
        }
        let rows: usize = by_device.values().map(Vec::len).sum();
        for (name, own) in by_device {
            let device = catalog.device(name)?;
            let without = without(catalog, device, cases, source)?;
            for question in questions(catalog, device, &own)? {
                let off = (error(&question, &without).exp() - 1.0).abs();
                weighed.push((off, 1.0 / rows as f64));
            }
        }
    }
    Ok(Some(weighed_quantile(&mut weighed, COVERED)))
}

/// The device with constants from everything it is fitted to but one source; as described where that is nothing.
fn without(catalog: &Catalog, device: &Device, cases: &[Case], source: &str) -> Result<Device, ClusterError> {
    let knows = |c: &&Case| {
        c.device == device.name
            && c.metric == Metric::Step
            && device.calibration.knows(&c.id)
            && !is_kept_aside(&c.id)
    };
    let fitted: Vec<&Case> = cases.iter().filter(knows).collect();
    if fitted.iter().all(|c| source_of(&c.system) != source) {
        return Ok(device.clone());
    }
    let rest: Vec<&Case> = fitted.into_iter().filter(|c| source_of(&c.system) != source).collect();
    let rest = questions(catalog, device, &rest)?;
    // From nothing, every constant is the usual one.
    Ok(search(device, &rest.iter().collect::<Vec<&Question<'_>>>()))
}

/// The value below which a share of the weight lies.
fn weighed_quantile(values: &mut [(f64, f64)], share: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = values.iter().map(|v| v.1).sum();
    let mut below = 0.0;
    for (value, weight) in values.iter() {
        below += weight;
        if below >= share * all - 1e-12 {
            return *value;
        }
    }
    values.last().map_or(0.0, |v| v.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_one_source_and_each_source_weighs_the_same() {
        assert_eq!(source_of("mbridge-26.02.01"), source_of("mbridge-25.09"));
        assert_eq!(source_of("dgxc25.05"), "dgxc");
        // A source with nine small errors does not drown the two that are off.
        let mut values: Vec<(f64, f64)> = (0..9).map(|_| (0.01, 1.0 / 9.0)).collect();
        values.extend([(0.3, 1.0), (0.5, 1.0)]);
        assert_eq!(weighed_quantile(&mut values, 0.5), 0.3);
        assert_eq!(weighed_quantile(&mut values, 0.8), 0.5);
    }
}
