//! Checkpoints and failures: which share of the time makes progress.
//!
//! ```text
//! lost = C / T + (T / 2 + W + R) / M
//! ```
//! `T` between checkpoints, `C` the pause for each, `W` from the pause's end until it is safe on storage, `R` from a failure to the first step after it, `M`
//! between failures of the cluster. `T = sqrt(2 C M)` loses least (Young 1974); a checkpoint that is written while training goes on
//! must be done before the next.

use serde::Serialize;

use crate::instance::Instance;
use crate::step::Pricer;

/// Seconds from a failure until the job runs again, before it has read its checkpoint. Llama 3 (2407.21783) speaks of minutes.
const RESTART: f64 = 600.0;
/// Bytes a parameter of a checkpoint: weights and both moments in f32, as the trainer writes them.
const BYTES: f64 = 12.0;
/// Least share of the time that is taken to make progress, where failures come faster than checkpoints.
const LEAST: f64 = 0.05;

/// How checkpoints are taken and what they and failures cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Checkpoints {
    /// Bytes of one.
    pub bytes: f64,
    /// Whether training goes on while it is written, from a copy in host memory.
    pub asynchronous: bool,
    /// Seconds that training waits for each.
    pub pause: f64,
    /// Seconds until it is on storage.
    pub write: f64,
    /// Seconds between two.
    pub every: f64,
    /// Seconds from a failure to the first step after it.
    pub restart: f64,
    /// Seconds between failures of the cluster.
    pub between_failures: f64,
    /// Share of the time that makes progress.
    pub goodput: f64,
}

impl Checkpoints {
    /// The best interval for a model of `parameters` on so many instances; none where failures, storage or the way to host memory are unknown, or
    /// a copy does not fit there.
    pub(crate) fn of(
        pricer: &Pricer<'_>,
        instances: usize,
        parameters: f64,
        asynchronous: bool,
    ) -> Option<Self> {
        let instance: &Instance = pricer.instance;
        let n = instances as f64;
        let between_failures = instance.hours_between_failures.get()? * 3600.0 / n;
        let bytes = BYTES * parameters;
        let write = bytes / (instance.storage.get()? * n);
        let pause = if asynchronous {
            // One copy of everything, in even shares.
            let share = bytes / (n * pricer.instance_ranks() as f64);
            (share <= pricer.room_on_host()?).then(|| pricer.crossing(0.0, share))?
        } else {
            write
        };
        let (behind, restart) = (if asynchronous { write } else { 0.0 }, RESTART + write);
        let every = (2.0 * pause * between_failures).sqrt().max(write);
        let lost = pause / every + (every / 2.0 + behind + restart) / between_failures;
        let goodput = (1.0 - lost).max(LEAST);
        Some(Self { bytes, asynchronous, pause, write, every, restart, between_failures, goodput })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;
    use crate::model::Sizes;
    use crate::step::case::Case;

    fn of(link: Option<f64>, asynchronous: bool) -> Option<Checkpoints> {
        let figure = |value| Figure { value, ..Figure::default() };
        let mut case = Case::new(Sizes::SMALL);
        let instance = &mut case.instance;
        instance.storage = figure(Some(1e9));
        instance.hours_between_failures = figure(Some(1000.0));
        (instance.host.link, instance.host.memory) = (figure(link), figure(Some(1e12)));
        instance.host.bandwidth = Figure::default();
        // Ten billion parameters on four instances of eight: 120 GB, 30 s to storage.
        Checkpoints::of(&case.pricer(256), 4, 1e10, asynchronous)
    }

    #[test]
    fn a_checkpoint_that_is_waited_for_pauses_as_long_as_it_writes() {
        let found = of(None, false).unwrap();
        assert_eq!((found.bytes, found.pause, found.write, found.restart), (120e9, 30.0, 30.0, 630.0));
        // 250 hours between failures: every sqrt(2 x 30 x 900,000) s.
        assert_eq!(found.between_failures, 900_000.0);
        let every = (2.0f64 * 30.0 * 900_000.0).sqrt();
        assert!((found.every - every).abs() < 1e-9);
        let lost = 30.0 / every + (every / 2.0 + 630.0) / 900_000.0;
        assert!((found.goodput - (1.0 - lost)).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn one_in_the_background_pauses_for_its_copy_only() {
        let found = of(Some(2.5e9), true).unwrap();
        // 3.75 GB of each of 32 ranks.
        assert!((found.pause - 1.5).abs() < 1e-12 && found.write == 30.0, "{found:?}");
        let every = (2.0f64 * 1.5 * 900_000.0).sqrt();
        assert!((found.every - every).abs() < 1e-9);
        let lost = 1.5 / every + (every / 2.0 + 30.0 + 630.0) / 900_000.0;
        assert!((found.goodput - (1.0 - lost)).abs() < 1e-12);
        assert!(found.goodput > of(None, false).unwrap().goodput);
        // A copy that costs next to nothing is still written before the next.
        assert_eq!(of(Some(1e15), true).unwrap().every, 30.0);
        assert_eq!(of(None, true), None, "the way to host memory is unknown");
    }
}
