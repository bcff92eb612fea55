//! The folder of a new run: claimed before anything slow happens, and gone again if the run cannot start.

use std::path::{Path, PathBuf};

use anyhow::Context;
use collegium_checkpoint::CheckpointDir;
use collegium_report::{METRICS_FILE, ReportError};

/// The folder of a run that has not started; dropped, it removes what it made.
pub struct NewFolder {
    path: PathBuf,
    /// Folders that were not there before, the outermost last.
    made: Vec<PathBuf>,
}

impl NewFolder {
    /// Makes the folder and finds out whether checkpoints can be written there.
    pub fn claim(path: PathBuf) -> anyhow::Result<Self> {
        let metrics = path.join(METRICS_FILE);
        if metrics.exists() {
            return Err(ReportError::AlreadyExists { path: metrics }.into());
        }
        let missing = |p: &&Path| !p.as_os_str().is_empty() && !p.exists();
        let made = path.ancestors().take_while(missing).map(Path::to_path_buf).collect();
        let folder = Self { path, made };
        std::fs::create_dir_all(&folder.path).with_context(|| {
            format!("cannot write {}; choose another folder with --run", folder.path.display())
        })?;
        CheckpointDir::new(&folder.path.join("checkpoints"))?.prepare()?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run has started: everything stays.
    pub fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for NewFolder {
    /// What cannot be removed stays; the error that led here is the one to report.
    fn drop(&mut self) {
        let Some((run, parents)) = self.made.split_first() else { return };
        let _ = std::fs::remove_dir_all(run);
        // Another run may have begun in a parent meanwhile, so only empty ones go.
        parents.iter().for_each(|parent| drop(std::fs::remove_dir(parent)));
    }
}

/// The next free number in `runs`.
pub fn next_free(runs: &Path) -> anyhow::Result<PathBuf> {
    (1..10_000)
        .map(|n| runs.join(format!("{n:03}")))
        .find(|p| !p.exists())
        .with_context(|| format!("{} is full; name a folder with --run", runs.display()))
}
