//! Writing records as the run goes.
//!
//! Records are buffered and handed to the operating system about once a second, so a killed process loses at most that
//! second and perhaps leaves half a line, which the reader passes over. `sync` puts them on disk; call it before a
//! checkpoint is published, so that no checkpoint is newer than its metrics.

use crate::{
    atomic,
    error::{IoContext, ReportError},
    log::keep_until,
    record::Record,
    tensorboard::EventWriter,
};
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The records of a run folder.
pub const METRICS_FILE: &str = "metrics.jsonl";
const TENSORBOARD_FOLDER: &str = "tensorboard";
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Appends records to `metrics.jsonl` and their scalars to a TensorBoard event file.
#[derive(Debug)]
pub struct RunWriter {
    path: PathBuf,
    metrics: BufWriter<File>,
    events: EventWriter,
    flushed: Instant,
    earlier_s: f64,
}

impl RunWriter {
    /// Starts a new run in `run_dir`, which is created if missing and must hold no metrics yet.
    pub fn create(run_dir: &Path) -> Result<Self, ReportError> {
        fs::create_dir_all(run_dir).at(run_dir, "create the folder")?;
        let path = run_dir.join(METRICS_FILE);
        let metrics = File::create_new(&path).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => ReportError::AlreadyExists { path: path.clone() },
            _ => ReportError::Io { path: path.clone(), action: "create the file", source },
        })?;
        Self::open(run_dir, path, metrics, 1, 0.0)
    }

    /// Takes up the run in `run_dir` after `step` (the checkpoint's): later records and a torn last line are cut off.
    pub fn append(run_dir: &Path, step: u64) -> Result<Self, ReportError> {
        let path = run_dir.join(METRICS_FILE);
        let mut earlier_s = 0.0;
        if path.try_exists().at(&path, "look for the file")? {
            let kept = keep_until(&path, step)?;
            atomic::write(&path, &kept.bytes)?;
            earlier_s = kept.time_s;
        }
        let metrics = OpenOptions::new().create(true).append(true).open(&path).at(&path, "open the file")?;
        Self::open(run_dir, path, metrics, step + 1, earlier_s)
    }

    fn open(
        run_dir: &Path,
        path: PathBuf,
        metrics: File,
        first_step: u64,
        earlier_s: f64,
    ) -> Result<Self, ReportError> {
        let events = EventWriter::create(&run_dir.join(TENSORBOARD_FOLDER), first_step)?;
        Ok(RunWriter { path, metrics: BufWriter::new(metrics), events, flushed: Instant::now(), earlier_s })
    }

    /// Seconds the run had taken when it was interrupted (0 for a new one); `time_s` of new records continues there.
    pub fn earlier_s(&self) -> f64 {
        self.earlier_s
    }

    /// Adds one record.
    pub fn write<R: Record>(&mut self, record: &R) -> Result<(), ReportError> {
        let mut line = serde_json::to_vec(&Line { kind: R::KIND, record })
            .map_err(|source| ReportError::Encode { step: record.step(), source })?;
        line.push(b'\n');
        self.metrics.write_all(&line).at(&self.path, "write the file")?;
        self.events.scalars(record.step(), &record.scalars())?;
        if self.flushed.elapsed() >= FLUSH_EVERY {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands everything written so far to the operating system; it then survives the end of this process.
    pub fn flush(&mut self) -> Result<(), ReportError> {
        self.metrics.flush().at(&self.path, "write the file")?;
        self.events.flush()?;
        self.flushed = Instant::now();
        Ok(())
    }

    /// Flushes and puts the metrics on disk; they then survive the end of this machine.
    pub fn sync(&mut self) -> Result<(), ReportError> {
        self.flush()?;
        self.metrics.get_ref().sync_data().at(&self.path, "flush the file to disk")
    }
}

#[derive(Serialize)]
struct Line<'a, R> {
    kind: &'static str,
    #[serde(flatten)]
    record: &'a R,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckpointRecord, EvalRecord, RunLog, SolveRecord, StepRecord};
    use std::collections::BTreeMap;

    fn record(step: u64) -> StepRecord {
        StepRecord {
            step,
            time_s: step as f64 * 0.5,
            loss: 3.25,
            tokens: step * 4096,
            phase_seconds: BTreeMap::from([("forward".to_owned(), 0.25)]),
            expert_max_over_mean: Some(1.5),
            rows_per_expert: Some(vec![vec![1, 3], vec![2, 2]]),
            padding: Some(1.125),
            collective_bytes: BTreeMap::from([("all_to_all".to_owned(), 1 << 40)]),
            ..StepRecord::default()
        }
    }

    #[test]
    fn records_come_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let eval = EvalRecord { step: 1, time_s: 1.0, loss: 2.0, perplexity: 7.5, tokens: 10 };
        let solve = SolveRecord::new(1, 2.0, "countdown", 3, 4);
        let mut writer = RunWriter::create(dir.path()).unwrap();
        writer.write(&record(1)).unwrap();
        writer.write(&eval).unwrap();
        let saved = CheckpointRecord { step: 1, time_s: 3.0, pause_seconds: 0.5, write_seconds: 2.0 };
        writer.write(&solve).unwrap();
        writer.write(&saved).unwrap();
        drop(writer);
        let log = RunLog::read(dir.path()).unwrap();
        assert_eq!(
            log,
            RunLog {
                steps: vec![record(1)],
                evals: vec![eval],
                solves: vec![solve],
                checkpoints: vec![saved]
            }
        );
    }

    #[test]
    fn a_line_is_one_object_with_stable_names() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = RunWriter::create(dir.path()).unwrap();
        writer.write(&StepRecord { phase_seconds: BTreeMap::new(), ..StepRecord::default() }).unwrap();
        writer.sync().unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join(METRICS_FILE)).unwrap(),
            "{\"kind\":\"step\",\"step\":0,\"time_s\":0.0,\"loss\":0.0,\"ce_loss\":0.0,\"aux_loss\":0.0,\"z_loss\":0.0,\
             \"grad_norm\":0.0,\"learning_rate\":0.0,\"tokens\":0,\"tokens_per_second\":0.0,\"step_seconds\":0.0,\
             \"clones\":0,\"rows_cloned\":0,\"rows_sent_near\":0,\"rows_sent_far\":0,\"dispatch_bytes_near\":0,\"dispatch_bytes_far\":0,\"reruns\":0,\"drops\":0,\"planner_us\":0.0}\n"
        );
    }

    #[test]
    fn a_loss_that_is_no_number_survives_the_round_trip() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = RunWriter::create(dir.path()).unwrap();
        writer.write(&StepRecord { loss: f64::NAN, ..record(1) }).unwrap();
        drop(writer);
        let log = RunLog::read(dir.path()).unwrap();
        assert!(log.steps[0].loss.is_nan());
        assert_eq!(log.steps[0].tokens, 4096);
    }

    #[test]
    fn resuming_cuts_off_what_the_checkpoint_does_not_hold() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = RunWriter::create(dir.path()).unwrap();
        for step in 1..=5 {
            writer.write(&record(step)).unwrap();
        }
        drop(writer);
        let path = dir.path().join(METRICS_FILE);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"kind\":\"st").unwrap();

        let mut writer = RunWriter::append(dir.path(), 3).unwrap();
        assert_eq!(writer.earlier_s(), 1.5);
        writer.write(&StepRecord { loss: 9.0, ..record(4) }).unwrap();
        drop(writer);
        let log = RunLog::read(dir.path()).unwrap();
        assert_eq!(
            log.steps.iter().map(|s| (s.step, s.loss)).collect::<Vec<_>>(),
            [(1, 3.25), (2, 3.25), (3, 3.25), (4, 9.0)]
        );
        assert_eq!(fs::read_dir(dir.path().join(TENSORBOARD_FOLDER)).unwrap().count(), 2);
    }

    #[test]
    fn a_new_run_does_not_overwrite_an_old_one() {
        let dir = tempfile::tempdir().unwrap();
        drop(RunWriter::create(dir.path()).unwrap());
        let error = RunWriter::create(dir.path()).unwrap_err().to_string();
        assert!(error.contains("already holds metrics; resume the run"), "{error}");
    }
}
