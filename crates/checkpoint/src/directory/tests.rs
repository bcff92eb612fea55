use std::process::Command;

use collegium_core::DType;

use super::*;
use crate::{SafetensorsReader, SafetensorsWriter};

/// Writes a checkpoint of `num_bytes` bytes, each of them `value`.
fn write(folder: &Path, num_bytes: usize, value: u8) -> Result<(), CheckpointError> {
    fs::create_dir(folder.join("more")).unwrap();
    publish::write_file(&folder.join("more/state.json"), b"{}")?;
    let declared = [("a".to_owned(), DType::U8, vec![num_bytes])];
    let mut writer = SafetensorsWriter::create(folder, &declared, u64::MAX)?;
    writer.write("a", &vec![value; num_bytes])?;
    writer.finish()
}

fn save(directory: &CheckpointDir, step: u64, value: u8) {
    directory.save(step, |folder| write(folder, 10, value)).unwrap();
}

fn value(directory: &CheckpointDir) -> u8 {
    let newest = directory.latest().unwrap().unwrap();
    SafetensorsReader::open(&newest.path).unwrap().read("a").unwrap().bytes()[0]
}

fn steps(directory: &CheckpointDir) -> Vec<u64> {
    directory.list().unwrap().into_iter().map(|checkpoint| checkpoint.step).collect()
}

/// Names in the folder, sorted.
fn names(directory: &CheckpointDir) -> Vec<String> {
    let mut names = directory.names().unwrap();
    names.sort();
    names
}

fn empty() -> (tempfile::TempDir, CheckpointDir) {
    let folder = tempfile::tempdir().unwrap();
    let directory = CheckpointDir::new(&folder.path().join("run/checkpoints")).unwrap();
    (folder, directory)
}

/// Id of a process that is gone.
fn dead_process() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn checkpoints_are_listed_by_step() {
    let (_folder, directory) = empty();
    assert_eq!(directory.latest().unwrap(), None, "the folder need not exist");
    for step in [200, 100, 123_456_789] {
        save(&directory, step, 0);
    }
    fs::create_dir(directory.root.join("step-7")).unwrap();
    fs::write(directory.root.join("step-00000007"), "").unwrap();
    assert_eq!(steps(&directory), [100, 200, 123_456_789]);
    assert!(directory.root.join("step-00000100/model.safetensors").is_file());
}

#[test]
fn what_fails_leaves_no_trace() {
    let (_folder, directory) = empty();
    save(&directory, 1, 1);
    let failed = directory.save(2, |folder| {
        write(folder, 10, 2)?;
        Err(CheckpointError::InTheWay { path: folder.into() })
    });
    assert!(matches!(failed, Err(CheckpointError::InTheWay { .. })));
    assert_eq!(names(&directory), ["step-00000001"]);
    assert_eq!(value(&directory), 1);
}

#[test]
fn saving_a_step_again_replaces_it() {
    let (_folder, directory) = empty();
    save(&directory, 1, 1);
    save(&directory, 1, 2);
    assert_eq!(value(&directory), 2);
    assert_eq!(names(&directory), ["step-00000001"]);
}

#[test]
fn pruning_keeps_the_newest() {
    let (_folder, directory) = empty();
    for step in 1..=5 {
        save(&directory, step, 0);
    }
    assert_eq!(directory.prune(9).unwrap(), [0; 0]);
    assert_eq!(directory.prune(3).unwrap(), [1, 2]);
    assert_eq!(directory.prune(0).unwrap(), [3, 4], "one is always kept");
    assert_eq!(names(&directory), ["step-00000005"]);
}

#[test]
fn leftovers_of_dead_processes_are_cleared_and_others_are_not() {
    let (_folder, directory) = empty();
    save(&directory, 1, 1);
    let dead = format!("step-00000002.tmp-{}", dead_process());
    let own = format!("step-00000003.tmp-{}", std::process::id());
    // Process 1 always lives; the last name is not one of ours.
    for name in [&dead, &own, "step-00000004.tmp-1", "notes.tmp-99999999"] {
        fs::create_dir(directory.root.join(name)).unwrap();
        fs::write(directory.root.join(name).join("model.safetensors"), "half").unwrap();
    }
    let reader = CheckpointDir::new(&directory.root).unwrap();
    assert_eq!(steps(&reader), [1], "an unfinished save is no checkpoint");
    assert!(directory.root.join(&dead).is_dir(), "looking changes nothing");
    directory.prepare().unwrap();
    assert_eq!(names(&directory), ["notes.tmp-99999999", "step-00000001", "step-00000004.tmp-1"]);
}

#[test]
fn an_unwritable_folder_is_named_before_anything_is_computed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("file/checkpoints");
    fs::write(folder.path().join("file"), "").unwrap();
    let directory = CheckpointDir { root: root.clone() };
    let mut called = false;
    let error = directory
        .save(1, |_| {
            called = true;
            Ok::<(), CheckpointError>(())
        })
        .unwrap_err()
        .to_string();
    assert!(!called);
    assert!(error.starts_with(&format!("cannot write {}: ", root.display())), "{error}");
    assert!(CheckpointDir::new(&root).is_err(), "not even a reader can use it");
}

/// A file system of one megabyte, gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Nothing where this user may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(folder.path());
        mount.output().is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_previous_checkpoint() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: mounting a small file system needs root");
        return;
    };
    let directory = CheckpointDir::new(&disk.0.path().join("checkpoints")).unwrap();
    save(&directory, 1, 1);
    let error = directory.save(2, |folder| write(folder, 2_000_000, 2)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}", directory.root.display())), "{error}");
    assert!(
        error.contains("model.safetensors: No space left on device (os error 28) (0.0 MB free there); "),
        "{error}"
    );
    assert!(
        error.contains("earlier checkpoints are untouched, free space or choose another folder"),
        "{error}"
    );
    assert_eq!(names(&directory), ["step-00000001"]);
    assert_eq!(value(&directory), 1);
    save(&directory, 2, 2);
    assert_eq!(value(&directory), 2, "there is space again");
}
