//! The few numbers a run comes down to, for the end of training, `--json` and the head of the page.

use crate::{
    error::ReportError,
    log::RunLog,
    record::{EvalRecord, SolveRecord, StepRecord},
    units,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::Path};

/// A run in numbers. What a run did not record is absent, never zero.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Last optimizer step recorded.
    pub steps: u64,
    /// Step records read.
    pub recorded_steps: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Seconds from start to last record, interruptions not counted.
    pub time_s: f64,
    /// Median tokens per second over the recorded steps, so that compiling in the first step does not count.
    pub tokens_per_second: Option<f64>,
    /// Joules a token, measured: median over the steps that a meter counted.
    pub joules_per_token: Option<f64>,
    /// Joules a token, estimated: median over the steps that no meter counted. Never mixed with the measured ones.
    pub joules_per_token_estimated: Option<f64>,
    /// Loss of the first recorded step.
    pub first_loss: Option<f64>,
    /// Loss of the last recorded step.
    pub final_loss: Option<f64>,
    /// Last validation loss.
    pub validation_loss: Option<f64>,
    /// Last validation perplexity.
    pub validation_perplexity: Option<f64>,
    /// Last solving round: one record per task.
    pub solved: Vec<SolveRecord>,
    /// Busiest expert over the mean, averaged over the first tenth of the steps.
    pub expert_max_over_mean_first: Option<f64>,
    /// The same over the last tenth.
    pub expert_max_over_mean_last: Option<f64>,
    /// Fullest rank over the mean with every expert at home, worst MoE layer, mean over steps.
    pub home_max_over_mean: Option<f64>,
    /// The same as planned.
    pub rank_max_over_mean: Option<f64>,
    /// Clones of a step, mean over steps; absent for a dense model.
    pub clones_per_step: Option<f64>,
    /// Token routes dropped in the whole run; absent for a dense model.
    pub drops: Option<u64>,
    /// Expert rows computed over real rows, mean over steps.
    pub padding: Option<f64>,
    /// Seconds by phase, summed over recorded steps; `other` is what no phase claims.
    pub phase_seconds: BTreeMap<String, f64>,
    /// Seconds that steps waited for their batches, summed over recorded steps.
    pub waited_for_batches: Option<f64>,
    /// What checkpoints took.
    pub checkpoints: Option<CheckpointSummary>,
    /// Bytes one rank sends per step by collective, mean over steps.
    pub collective_bytes_per_step: BTreeMap<String, f64>,
    /// Steps whose loss was not finite.
    pub non_finite_losses: u64,
}

/// What the checkpoints of a run took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CheckpointSummary {
    /// How many were completed.
    pub count: u64,
    /// Seconds that training stood still for all of them.
    pub pause_seconds: f64,
    /// Seconds that one took to write, mean.
    pub write_seconds: f64,
}

fn per_token(joules: Option<f64>, step: &StepRecord) -> Option<f64> {
    let tokens = step.tokens_per_second * step.step_seconds;
    joules.filter(|_| tokens > 0.0).map(|j| j / tokens)
}

/// Reads a run folder and sums it up.
pub fn summary(run_dir: &Path) -> Result<Summary, ReportError> {
    Ok(Summary::of(&RunLog::read(run_dir)?))
}

impl Summary {
    /// Sums up records already read.
    pub fn of(log: &RunLog) -> Summary {
        let steps = &log.steps;
        let tenth = steps.len().div_ceil(10);
        let is_moe = steps.iter().any(|s| s.expert_max_over_mean.is_some());
        let eval = log.evals.last();
        Summary {
            steps: steps.last().map_or(0, |s| s.step),
            recorded_steps: steps.len() as u64,
            tokens: steps.last().map_or(0, |s| s.tokens),
            time_s: last_time_s(log),
            tokens_per_second: median(steps.iter().map(|s| s.tokens_per_second)),
            joules_per_token: median(steps.iter().filter_map(|s| per_token(s.joules, s))),
            joules_per_token_estimated: median(steps.iter().filter_map(|s| per_token(s.joules_estimated, s))),
            first_loss: steps.first().map(|s| s.loss),
            final_loss: steps.last().map(|s| s.loss),
            validation_loss: eval.map(|e: &EvalRecord| e.loss),
            validation_perplexity: eval.map(|e| e.perplexity),
            solved: last_round(&log.solves),
            expert_max_over_mean_first: mean(steps.iter().take(tenth).filter_map(|s| s.expert_max_over_mean)),
            expert_max_over_mean_last: mean(
                steps.iter().rev().take(tenth).filter_map(|s| s.expert_max_over_mean),
            ),
            home_max_over_mean: mean(steps.iter().filter_map(|s| s.home_max_over_mean)),
            rank_max_over_mean: mean(steps.iter().filter_map(|s| s.rank_max_over_mean)),
            clones_per_step: mean(
                steps.iter().filter(|s| s.rank_max_over_mean.is_some()).map(|s| s.clones as f64),
            ),
            drops: is_moe.then(|| steps.iter().map(|s| s.drops).sum()),
            padding: mean(steps.iter().filter_map(|s| s.padding)),
            waited_for_batches: phase_seconds(steps).get("data").copied(),
            checkpoints: mean(log.checkpoints.iter().map(|c| c.write_seconds)).map(|write_seconds| {
                CheckpointSummary {
                    count: log.checkpoints.len() as u64,
                    pause_seconds: log.checkpoints.iter().map(|c| c.pause_seconds).sum(),
                    write_seconds,
                }
            }),
            phase_seconds: phase_seconds(steps),
            collective_bytes_per_step: collective_bytes_per_step(steps),
            non_finite_losses: steps.iter().filter(|s| !s.loss.is_finite()).count() as u64,
        }
    }

    /// Every number there is, in reading order.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut add = |label: &str, value: Option<String>, note: String| {
            facts.extend(value.map(|value| Fact { label: label.to_owned(), value, note }));
        };
        let number = |value: Option<f64>| value.map(units::significant);
        let from = |first: Option<f64>, last: Option<f64>| match first.filter(|_| first != last) {
            Some(first) => format!("from {}", units::significant(first)),
            None => String::new(),
        };
        add("final loss", number(self.final_loss), from(self.first_loss, self.final_loss));
        let perplexity = self.validation_perplexity.map(|p| format!("perplexity {}", units::significant(p)));
        add("validation loss", number(self.validation_loss), perplexity.unwrap_or_default());
        for round in &self.solved {
            let note = format!("{} of {} fresh problems", round.solved, round.problems);
            add(&format!("{} solved", round.task), Some(format!("{:.1} %", round.share * 100.0)), note);
        }
        let rate = self.tokens_per_second.map(|rate| format!("{} tokens/s", units::count(rate)));
        add("throughput", rate, "median step".to_owned());
        let joules = |j: Option<f64>| j.map(|j| format!("{} J/token", units::significant(j)));
        add("energy", joules(self.joules_per_token), "measured, median step".to_owned());
        add(
            "energy, estimated",
            joules(self.joules_per_token_estimated),
            "median step, from the power of the description".to_owned(),
        );
        add(
            "trained on",
            Some(format!("{} tokens", units::count(self.tokens as f64))),
            plural(self.steps, "step"),
        );
        add("time", Some(units::duration(self.time_s)), String::new());
        let steps: f64 = self.phase_seconds.values().sum();
        let share = |waited: f64| format!("{:.1} % of all steps", 100.0 * waited / steps);
        let waited = self.waited_for_batches;
        add("waited for batches", waited.map(units::duration), waited.map(share).unwrap_or_default());
        let written = self.checkpoints.map(|c| {
            format!("{}, {} each to write", plural(c.count, "checkpoint"), units::duration(c.write_seconds))
        });
        add(
            "stopped for saving",
            self.checkpoints.map(|c| units::duration(c.pause_seconds)),
            written.unwrap_or_default(),
        );
        add(
            "expert max/mean",
            number(self.expert_max_over_mean_last),
            from(self.expert_max_over_mean_first, self.expert_max_over_mean_last),
        );
        if let Some(home) = self.home_max_over_mean.filter(|&home| home > 1.0) {
            let clones = self.clones_per_step.unwrap_or(0.0);
            let note = format!(
                "{} with experts at home; {} clones a step",
                units::significant(home),
                units::significant(clones)
            );
            add("rank max/mean", number(self.rank_max_over_mean), note);
        }
        add("dropped routes", self.drops.map(|drops| drops.to_string()), String::new());
        let padding = self.padding.map(|ratio| format!("{:.1} %", (ratio - 1.0) * 100.0));
        add("padding", padding, "extra expert rows".to_owned());
        let bad = self.non_finite_losses;
        add(
            "non-finite losses",
            (bad > 0).then(|| bad.to_string()),
            format!("of {}", plural(self.recorded_steps, "step")),
        );
        facts
    }
}

/// One number as text, and what makes it understood.
pub(crate) struct Fact {
    pub label: String,
    pub value: String,
    pub note: String,
}

/// An aligned table, one line per number, without a final newline.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        let width =
            |text: fn(&Fact) -> &str| facts.iter().map(|fact| text(fact).chars().count()).max().unwrap_or(0);
        let (labels, values) = (width(|fact| &fact.label), width(|fact| &fact.value));
        for (i, Fact { label, value, note }) in facts.iter().enumerate() {
            let line = format!("{label:labels$}  {value:values$}  {note}");
            write!(f, "{}{}", if i == 0 { "" } else { "\n" }, line.trim_end())?;
        }
        Ok(())
    }
}

fn plural(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn last_time_s(log: &RunLog) -> f64 {
    let last = [
        log.steps.last().map(|r| r.time_s),
        log.evals.last().map(|r| r.time_s),
        log.solves.last().map(|r| r.time_s),
    ];
    last.into_iter().flatten().fold(0.0, f64::max)
}

fn last_round(solves: &[SolveRecord]) -> Vec<SolveRecord> {
    let last = solves.last().map(|s| s.step);
    solves.iter().filter(|s| Some(s.step) == last).cloned().collect()
}

fn phase_seconds(steps: &[StepRecord]) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for step in steps.iter().filter(|s| !s.phase_seconds.is_empty()) {
        for (name, seconds) in &step.phase_seconds {
            *sums.entry(name.clone()).or_insert(0.0) += seconds;
        }
        let rest = step.step_seconds - step.phase_seconds.values().sum::<f64>();
        if rest > 0.0 {
            *sums.entry("other".to_owned()).or_insert(0.0) += rest;
        }
    }
    sums
}

fn collective_bytes_per_step(steps: &[StepRecord]) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::<&str, u64>::new();
    for (name, bytes) in steps.iter().flat_map(|s| &s.collective_bytes) {
        *sums.entry(name).or_default() += bytes;
    }
    sums.into_iter().map(|(name, sum)| (name.to_owned(), sum as f64 / steps.len() as f64)).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::CheckpointRecord;

    #[test]
    fn a_run_is_summed_up() {
        let step = |step: u64, loss: f64, rate: f64| StepRecord {
            step,
            time_s: step as f64,
            loss,
            tokens: step * 1000,
            tokens_per_second: rate,
            step_seconds: 1.0,
            phase_seconds: BTreeMap::from([("forward".to_owned(), 0.6), ("data".to_owned(), 0.15)]),
            expert_max_over_mean: Some(4.0 / step as f64),
            padding: Some(1.25),
            collective_bytes: BTreeMap::from([("all_to_all".to_owned(), 100 * step)]),
            ..StepRecord::default()
        };
        let saved = |step, pause_seconds, write_seconds| CheckpointRecord {
            step,
            time_s: step as f64,
            pause_seconds,
            write_seconds,
        };
        let log = RunLog {
            steps: vec![step(1, 8.0, 10.0), step(2, 4.0, 1000.0)],
            evals: vec![EvalRecord { step: 2, time_s: 9.0, loss: 4.5, perplexity: 90.0, tokens: 5 }],
            solves: vec![SolveRecord::new(1, 1.0, "old", 0, 4), SolveRecord::new(2, 10.0, "countdown", 3, 4)],
            checkpoints: vec![saved(1, 0.5, 4.0), saved(2, 1.5, 2.0)],
        };
        assert_eq!(
            Summary::of(&log).to_string(),
            "final loss          4.00            from 8.00\n\
             validation loss     4.50            perplexity 90.0\n\
             countdown solved    75.0 %          3 of 4 fresh problems\n\
             throughput          1.00k tokens/s  median step\n\
             trained on          2.00k tokens    2 steps\n\
             time                10.0 s\n\
             waited for batches  300 ms          15.0 % of all steps\n\
             stopped for saving  2.0 s           2 checkpoints, 3.0 s each to write\n\
             expert max/mean     2.00            from 4.00\n\
             dropped routes      0\n\
             padding             25.0 %          extra expert rows"
        );
        assert_eq!(
            Summary::of(&log).phase_seconds,
            BTreeMap::from([
                ("data".to_owned(), 0.3),
                ("forward".to_owned(), 1.2),
                ("other".to_owned(), 0.5)
            ])
        );
        assert_eq!(Summary::of(&log).collective_bytes_per_step["all_to_all"], 150.0);
    }

    #[test]
    fn measured_and_estimated_joules_stand_apart() {
        let step = |joules, joules_estimated| StepRecord {
            tokens_per_second: 100.0,
            step_seconds: 2.0,
            joules,
            joules_estimated,
            ..StepRecord::default()
        };
        let of = |steps| Summary::of(&RunLog { steps, ..RunLog::default() });
        let both = of(vec![step(Some(100.0), None), step(None, Some(1000.0))]);
        assert_eq!((both.joules_per_token, both.joules_per_token_estimated), (Some(0.5), Some(5.0)));
        let text = of(vec![step(None, Some(400.0))]).to_string();
        assert!(text.contains("energy, estimated  2.00 J/token") && !text.contains("measured"), "{text}");
    }

    #[test]
    fn an_empty_run_has_no_made_up_numbers() {
        let summary = Summary::of(&RunLog::default());
        assert_eq!(summary.to_string(), "trained on  0 tokens  0 steps\ntime        0 s");
    }
}
