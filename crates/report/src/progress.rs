//! The line that shows a run is alive: a bar on a terminal, otherwise a plain line every few seconds (a bar's control
//! characters would fill a log file). Goes to standard error, so that standard output stays for results.

use crate::{record::StepRecord, units};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

const PLAIN_LINE_EVERY: Duration = Duration::from_secs(10);
/// Weight of the newest step in the running mean behind "time left".
const NEWEST_STEP: f64 = 0.1;

/// Shows how far a run has come.
pub struct Progress {
    total_steps: u64,
    steps_seen: u64,
    seconds_per_step: f64,
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    Plain { out: Box<dyn Write + Send>, last_line: Option<Instant> },
}

impl Progress {
    /// Shows progress from `done_steps` (0 unless resuming) to `total_steps` on standard error.
    pub fn new(total_steps: u64, done_steps: u64) -> Self {
        let display = if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:10.cyan/238} {pos}/{len}  {wide_msg}")
                .expect("the template above is well formed")
                .progress_chars("━╸─");
            let bar = ProgressBar::new(total_steps).with_style(style).with_position(done_steps);
            bar.set_message("compiling the first step");
            Display::Bar(bar)
        } else {
            Display::Plain { out: Box::new(io::stderr()), last_line: None }
        };
        Progress { total_steps, steps_seen: 0, seconds_per_step: 0.0, display }
    }

    /// Shows the numbers of a finished step.
    pub fn step(&mut self, record: &StepRecord) {
        let left_s = self.time_left(record);
        let facts = step_facts(record, left_s);
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_position(record.step);
                bar.set_message(facts);
            }
            Display::Plain { out, last_line } => {
                let due = last_line.is_none_or(|last| last.elapsed() >= PLAIN_LINE_EVERY);
                if due || record.step == self.total_steps {
                    *last_line = Some(Instant::now());
                    print_line(out, &format!("step {}/{}  {facts}", record.step, self.total_steps));
                }
            }
        }
    }

    /// Steps left times the running mean of their seconds. The first step compiles and says nothing about the rest.
    fn time_left(&mut self, record: &StepRecord) -> Option<f64> {
        let newest = record.step_seconds;
        self.steps_seen += 1;
        match self.steps_seen {
            1 => return None,
            2 => self.seconds_per_step = newest,
            _ => self.seconds_per_step += NEWEST_STEP * (newest - self.seconds_per_step),
        }
        Some(self.seconds_per_step * self.total_steps.saturating_sub(record.step) as f64)
    }

    /// Prints a line that stays (a validation result, a saved checkpoint), above the bar if there is one.
    pub fn note(&mut self, line: &str) {
        match &mut self.display {
            Display::Bar(bar) => bar.println(line),
            Display::Plain { out, .. } => print_line(out, line),
        }
    }

    /// Leaves the last state of the bar standing and frees the terminal.
    pub fn finish(self) {
        if let Display::Bar(bar) = self.display {
            bar.abandon();
        }
    }
}

/// Progress that cannot be shown (a closed pipe) must not end a run.
fn print_line(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}");
}

/// The most wanted first: a narrow terminal cuts the end off.
fn step_facts(record: &StepRecord, left_s: Option<f64>) -> String {
    let mut facts = format!("loss {:.3}  {} tokens/s", record.loss, units::count(record.tokens_per_second));
    if let Some(seconds) = left_s {
        facts += &format!("  {} left", units::duration(seconds));
    }
    if let Some(ratio) = record.expert_max_over_mean {
        facts += &format!("  expert max/mean {ratio:.2}");
    }
    if let (Some(home), Some(planned)) = (record.home_max_over_mean, record.rank_max_over_mean)
        && home > 1.0
    {
        facts += &format!("  rank {home:.2} → {planned:.2}");
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_terminal_lines_are_few_and_plain() {
        let out = Shared::default();
        let display = Display::Plain { out: Box::new(out.clone()), last_line: None };
        let mut progress = Progress { total_steps: 100, steps_seen: 0, seconds_per_step: 0.0, display };
        for step in 1..=100 {
            let expert_max_over_mean = (step < 100).then_some(1.5);
            progress.step(&StepRecord {
                step,
                loss: 2.5,
                tokens_per_second: 1234.0,
                step_seconds: 0.5,
                expert_max_over_mean,
                ..StepRecord::default()
            });
            if step == 50 {
                progress.note("validation loss 2.6");
            }
        }
        progress.finish();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            text,
            "step 1/100  loss 2.500  1.23k tokens/s  expert max/mean 1.50\n\
             validation loss 2.6\n\
             step 100/100  loss 2.500  1.23k tokens/s  0 s left\n"
        );
    }
}
