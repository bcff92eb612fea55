//! Whether predictions order layouts as measurements do.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Outcome;

/// Pairs of rows, and how many of them predictions order as measurements do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Order {
    /// All.
    pub pairs: usize,
    /// Those in the measured order.
    pub ordered: usize,
}

impl Order {
    /// Of them in the measured order, in percent.
    pub fn percent(&self) -> f64 {
        100.0 * self.ordered as f64 / self.pairs.max(1) as f64
    }

    fn add(&mut self, ordered: bool) {
        self.pairs += 1;
        self.ordered += usize::from(ordered);
    }
}

/// Pairs of rows of one publication, model, device, number of devices, batch and precision that differ in layout.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Orders {
    /// All of them.
    pub all: Order,
    /// By publication, model and devices: nothing is left out, and it shows where the wrong ones are.
    pub by_runs: BTreeMap<String, Order>,
    /// By how far apart the two were measured.
    pub by_distance: BTreeMap<&'static str, Order>,
}

/// What the measurements of a pair differ by.
fn distance(a: &Outcome, b: &Outcome) -> &'static str {
    let ratio = a.measured.max(b.measured) / a.measured.min(b.measured);
    match ratio {
        r if r <= 1.05 => "1: up to 5 %",
        r if r <= 1.2 => "2: up to 20 %",
        _ => "3: more",
    }
}

/// Counts the pairs among rows with the same key.
pub(super) fn of(steps: &[(&Outcome, &String)]) -> Orders {
    let mut orders = Orders::default();
    for (i, (a, key)) in steps.iter().enumerate() {
        for (b, _) in steps[i + 1..].iter().filter(|(b, k)| k == key && b.layout != a.layout) {
            let measured = (a.measured - b.measured).signum();
            let ordered = (a.predicted - b.predicted).signum() == measured;
            let runs = format!("{}, {} on {} {}", a.system, a.model, a.devices, a.device);
            orders.all.add(ordered);
            orders.by_runs.entry(runs).or_default().add(ordered);
            orders.by_distance.entry(distance(a, b)).or_default().add(ordered);
        }
    }
    orders
}
