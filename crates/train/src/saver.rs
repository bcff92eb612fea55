//! When a run's checkpoints are written: while training waits, or behind it, by a thread of its own from a copy on the host.

use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use collegium_checkpoint::CheckpointDir;
use collegium_data::Tokenizer;
use collegium_report::CheckpointRecord;

use crate::TrainError;
use crate::engine::{Engine, HostCopy, Tensors};
use crate::snapshot::{self, RunState};

/// The checkpoints of a run in progress. At most one is being written.
pub struct Saver {
    directory: CheckpointDir,
    keep: usize,
    behind: bool,
    writing: Option<Writing>,
    saved: Option<u64>,
}

/// One that a thread writes.
struct Writing {
    begun: CheckpointRecord,
    thread: JoinHandle<Result<f64, TrainError>>,
}

impl Saver {
    /// Saves into `directory`, where the newest `keep` stay and that of step `saved` is complete; with `behind`, training goes on meanwhile.
    pub fn new(directory: CheckpointDir, keep: usize, behind: bool, saved: Option<u64>) -> Self {
        Self { directory, keep, behind, writing: None, saved }
    }

    /// The step of the newest checkpoint that is complete.
    pub fn saved(&self) -> Option<u64> {
        self.saved
    }

    /// Whether there is a checkpoint of this step, complete or on its way.
    pub fn has(&self, step: u64) -> bool {
        self.saved == Some(step) || self.writing.as_ref().is_some_and(|w| w.begun.step == step)
    }

    /// Saves where the run stands, `time_s` seconds after it began. The records of those that are complete by the time training may go on: of the one
    /// before, if it was still being written, and of this one, if it was waited for.
    ///
    /// # Errors
    /// What the device or the disk says, of this checkpoint or of the one before; earlier ones are untouched.
    pub fn save(
        &mut self,
        engine: &Engine,
        tokenizer: &Tokenizer,
        state: RunState,
        time_s: f64,
    ) -> Result<Vec<CheckpointRecord>, TrainError> {
        let started = Instant::now();
        let mut complete: Vec<CheckpointRecord> = self.finish()?.into_iter().collect();
        let mut begun = CheckpointRecord { step: state.step, time_s, ..CheckpointRecord::default() };
        if self.behind {
            let copy = HostCopy::of(engine)?;
            begun.pause_seconds = started.elapsed().as_secs_f64();
            let (directory, keep, tokenizer) = (self.directory.clone(), self.keep, tokenizer.clone());
            let thread = thread::spawn(move || write(&directory, keep, &copy, &tokenizer, &state));
            self.writing = Some(Writing { begun, thread });
        } else {
            begun.write_seconds = write(&self.directory, self.keep, engine, tokenizer, &state)?;
            begun.pause_seconds = started.elapsed().as_secs_f64();
            self.saved = Some(begun.step);
            complete.push(begun);
        }
        Ok(complete)
    }

    /// The record of the checkpoint that was being written, if that is over; waits for nothing.
    ///
    /// # Errors
    /// What the disk said.
    pub fn poll(&mut self) -> Result<Option<CheckpointRecord>, TrainError> {
        if self.writing.as_ref().is_some_and(|w| w.thread.is_finished()) { self.finish() } else { Ok(None) }
    }

    /// Waits for the checkpoint that is being written; its record.
    ///
    /// # Errors
    /// What the disk said.
    pub fn finish(&mut self) -> Result<Option<CheckpointRecord>, TrainError> {
        let Some(Writing { begun, thread }) = self.writing.take() else { return Ok(None) };
        let write_seconds = thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        self.saved = Some(begun.step);
        Ok(Some(CheckpointRecord { write_seconds, ..begun }))
    }
}

/// Writes one checkpoint and deletes those that are too many; the seconds until it was complete.
fn write(
    directory: &CheckpointDir,
    keep: usize,
    tensors: &dyn Tensors,
    tokenizer: &Tokenizer,
    state: &RunState,
) -> Result<f64, TrainError> {
    let started = Instant::now();
    directory.save(state.step, |folder| snapshot::write(tensors, tokenizer, state, folder))?;
    let seconds = started.elapsed().as_secs_f64();
    directory.prune(keep)?;
    Ok(seconds)
}
