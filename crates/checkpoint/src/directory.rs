//! The checkpoints of one run: a folder `step-00000100` each, complete or not there.
//!
//! A checkpoint is written into `step-00000100.tmp-<process id>`, brought to the disk and renamed, so whatever has the
//! final name is complete, and no marker files are needed. Deleting goes the same way back. Looking changes nothing:
//! only who is about to save creates the folder and clears what crashed processes left, so that a reader on another
//! machine, where the saving process cannot be seen, never deletes what is being written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    process::{Pid, test_kill_process},
};

use crate::{
    CheckpointError,
    publish::{self, write_error},
};

/// Between a checkpoint's name and the process that writes it.
const TEMPORARY: &str = ".tmp-";

/// The folder with a run's checkpoints. One process at a time may save into it.
#[derive(Clone, Debug)]
pub struct CheckpointDir {
    root: PathBuf,
}

/// One complete checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Optimizer steps done when it was made.
    pub step: u64,
    /// Its folder.
    pub path: PathBuf,
}

impl CheckpointDir {
    /// The checkpoints in `root`, a folder that need not exist yet.
    pub fn new(root: &Path) -> Result<Self, CheckpointError> {
        let directory = Self { root: root.into() };
        directory.names()?;
        Ok(directory)
    }

    /// All complete checkpoints, oldest first.
    pub fn list(&self) -> Result<Vec<Checkpoint>, CheckpointError> {
        let mut found: Vec<_> = self
            .names()?
            .iter()
            .filter_map(|name| {
                let step = parse_step(name)?;
                let path = self.root.join(name);
                path.is_dir().then_some(Checkpoint { step, path })
            })
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The newest complete checkpoint.
    pub fn latest(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        Ok(self.list()?.pop())
    }

    /// Makes the folder ready for saving: creates it, clears what crashed saves left, and finds out whether it can be
    /// written. Call it when a run starts, so that a wrong folder is noticed before hours of work.
    pub fn prepare(&self) -> Result<(), CheckpointError> {
        fs::create_dir_all(&self.root).map_err(|cause| write_error(&self.root, cause))?;
        for name in self.names()?.iter().filter(|name| is_abandoned(name)) {
            remove_folder(&self.root.join(name))?;
        }
        publish::begin(&self.root.join("probe")).map(drop)
    }

    /// Saves one checkpoint: `write` fills an empty folder, which then becomes the checkpoint of `step`, in place of
    /// an earlier one of that step. If anything fails, earlier checkpoints stay as they are. Returns its folder.
    pub fn save<E: From<CheckpointError>>(
        &self,
        step: u64,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        self.prepare()?;
        let folder = self.root.join(step_name(step));
        let temporary = self.temporary(step);
        fs::create_dir(&temporary).map_err(|cause| write_error(&folder, cause))?;
        let saved = write(&temporary).and_then(|()| Ok(self.complete(&temporary, &folder)?));
        if saved.is_err() {
            // The first error is the one to report; what cannot be removed now is removed before the next save.
            let _ = fs::remove_dir_all(&temporary);
        }
        saved.map(|()| folder)
    }

    /// Deletes all but the newest `keep` checkpoints, never the newest one. Returns the steps deleted.
    pub fn prune(&self, keep: usize) -> Result<Vec<u64>, CheckpointError> {
        let mut old = self.list()?;
        old.truncate(old.len().saturating_sub(keep.max(1)));
        for Checkpoint { step, path } in &old {
            let temporary = self.temporary(*step);
            fs::rename(path, &temporary).map_err(|cause| write_error(path, cause))?;
            remove_folder(&temporary)?;
        }
        Ok(old.into_iter().map(|checkpoint| checkpoint.step).collect())
    }

    /// Brings a written folder to the disk and gives it its name.
    fn complete(&self, temporary: &Path, folder: &Path) -> Result<(), CheckpointError> {
        let failed = |cause: io::Error| write_error(folder, cause);
        sync_tree(temporary)?;
        if folder.exists() {
            // Exchanged in one move, so that a crash leaves either the old or the new one.
            renameat_with(CWD, temporary, CWD, folder, RenameFlags::EXCHANGE)
                .map_err(|e| failed(e.into()))?;
            publish::sync(&self.root)?;
            return remove_folder(temporary);
        }
        fs::rename(temporary, folder).map_err(failed)?;
        publish::sync(&self.root)
    }

    fn temporary(&self, step: u64) -> PathBuf {
        self.root.join(format!("{}{TEMPORARY}{}", step_name(step), std::process::id()))
    }

    /// Names of everything in the folder; nothing where there is no folder yet.
    fn names(&self) -> Result<Vec<String>, CheckpointError> {
        let failed = |cause| CheckpointError::Read { path: self.root.clone(), cause };
        let entries = match fs::read_dir(&self.root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
    }
}

fn step_name(step: u64) -> String {
    format!("step-{step:08}")
}

/// The step of a checkpoint's name; only names as [`step_name`] writes them count.
fn parse_step(name: &str) -> Option<u64> {
    let step = name.strip_prefix("step-")?.parse().ok()?;
    (step_name(step) == name).then_some(step)
}

/// Whether this is the temporary folder of a save that will not be finished: its process is gone, or is this one,
/// which saves one checkpoint at a time and is not saving now (in a container a restarted process has the same id).
fn is_abandoned(name: &str) -> bool {
    let Some((step, process)) = name.split_once(TEMPORARY) else { return false };
    let (Some(_), Ok(process)) = (parse_step(step), process.parse::<i32>()) else { return false };
    let Some(pid) = Pid::from_raw(process) else { return false };
    process.unsigned_abs() == std::process::id() || test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

fn remove_folder(path: &Path) -> Result<(), CheckpointError> {
    fs::remove_dir_all(path).map_err(|cause| write_error(path, cause))
}

/// Brings every file and folder below and including `folder` to the disk, whoever wrote them.
fn sync_tree(folder: &Path) -> Result<(), CheckpointError> {
    let failed = |cause| write_error(folder, cause);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.file_type().map_err(failed)?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => publish::sync(&entry.path())?,
        }
    }
    publish::sync(folder)
}

#[cfg(test)]
mod tests;
