//! Reading a run back. A run may be killed at any byte, so a last line without its newline that does not parse is not an error: it is the
//! record the run was writing. Anywhere else it is one, and the message gives the line.

use crate::{
    error::{IoContext, ReportError},
    record::{CheckpointRecord, EvalRecord, Record, SolveRecord, StepRecord},
    writer::METRICS_FILE,
};
use serde::Deserialize;
use std::{fs, io, path::Path};

/// All records of a run, each kind in the order written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunLog {
    /// Optimizer steps.
    pub steps: Vec<StepRecord>,
    /// Validation passes.
    pub evals: Vec<EvalRecord>,
    /// Problem-solving rounds.
    pub solves: Vec<SolveRecord>,
    /// Complete checkpoints.
    pub checkpoints: Vec<CheckpointRecord>,
}

impl RunLog {
    /// Reads `metrics.jsonl` of a run folder. Records of a kind this version does not know are passed over.
    pub fn read(run_dir: &Path) -> Result<RunLog, ReportError> {
        let path = run_dir.join(METRICS_FILE);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReportError::NoMetrics { path: path.clone() },
            _ => ReportError::Io { path: path.clone(), action: "read the file", source },
        })?;
        let mut log = RunLog::default();
        for_each_line(&path, &bytes, |line| log.push(line))?;
        Ok(log)
    }

    fn push(&mut self, line: &[u8]) -> Result<(), serde_json::Error> {
        match serde_json::from_slice::<Head>(line)?.kind.as_str() {
            StepRecord::KIND => self.steps.push(serde_json::from_slice(line)?),
            EvalRecord::KIND => self.evals.push(serde_json::from_slice(line)?),
            SolveRecord::KIND => self.solves.push(serde_json::from_slice(line)?),
            CheckpointRecord::KIND => self.checkpoints.push(serde_json::from_slice(line)?),
            _ => {}
        }
        Ok(())
    }
}

/// The fields every record has.
#[derive(Deserialize)]
struct Head {
    kind: String,
    step: u64,
    time_s: f64,
}

/// What remains of a metrics file when everything after a step is cut off.
pub(crate) struct Kept {
    /// The lines kept, each with its newline.
    pub bytes: Vec<u8>,
    /// The time of the last of them, 0 if there is none.
    pub time_s: f64,
}

/// Drops the records of `path` that are later than `step`, and a torn last line.
pub(crate) fn keep_until(path: &Path, step: u64) -> Result<Kept, ReportError> {
    let bytes = fs::read(path).at(path, "read the file")?;
    let mut kept = Kept { bytes: Vec::with_capacity(bytes.len()), time_s: 0.0 };
    for_each_line(path, &bytes, |line| {
        let head: Head = serde_json::from_slice(line)?;
        if head.step <= step {
            kept.bytes.extend_from_slice(line);
            kept.bytes.push(b'\n');
            kept.time_s = head.time_s;
        }
        Ok(())
    })?;
    Ok(kept)
}

/// Calls `visit` for every line that is not blank; a line without its newline may fail, it is the torn record.
fn for_each_line(
    path: &Path,
    bytes: &[u8],
    mut visit: impl FnMut(&[u8]) -> Result<(), serde_json::Error>,
) -> Result<(), ReportError> {
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|&b| b == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[], |end| &rest[end + 1..]);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Err(source) = visit(line)
            && end.is_some()
        {
            return Err(ReportError::BadRecord { path: path.to_owned(), line: number, source });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RunLog, ReportError> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(METRICS_FILE), text).unwrap();
        RunLog::read(dir.path())
    }

    #[test]
    fn a_torn_last_line_is_passed_over() {
        let log = read("{\"kind\":\"step\",\"step\":1,\"time_s\":0.5}\n{\"kind\":\"step\",\"step\":2,\"tim")
            .unwrap();
        assert_eq!(log.steps.iter().map(|s| s.step).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_bad_line_elsewhere_is_named() {
        let error = read("{\"kind\":\"step\",\"step\":1,\"time_s\":0}\nrubbish\n").unwrap_err().to_string();
        assert!(error.contains("metrics.jsonl:2: not a metrics record"), "{error}");
    }

    #[test]
    fn kinds_of_later_versions_are_passed_over() {
        let log = read(
            "{\"kind\":\"plan\",\"step\":1,\"time_s\":0}\n{\"kind\":\"eval\",\"step\":1,\"time_s\":0}\n",
        )
        .unwrap();
        assert_eq!(log.evals.len(), 1);
    }

    #[test]
    fn a_folder_without_metrics_is_said_so() {
        let error = RunLog::read(Path::new("/nonexistent-run")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent-run/metrics.jsonl: no such file"), "{error}");
    }
}
