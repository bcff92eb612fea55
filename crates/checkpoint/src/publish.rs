//! Files that appear whole or not at all: written under a temporary name in the same folder, synchronised, renamed.

use std::{
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use tempfile::NamedTempFile;

use crate::CheckpointError;

/// Writes a small file, such as `config.json`, whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let mut file = begin(path)?;
    file.write_all(bytes).map_err(|cause| write_error(path, cause))?;
    publish(file, path)
}

/// A temporary file that is to become `path`; dropping it removes it.
pub fn begin(path: &Path) -> Result<NamedTempFile, CheckpointError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    tempfile::Builder::new()
        .prefix(&format!("{name}.tmp-"))
        // The user's umask narrows this, as for any other file; the default here would be private files.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(parent(path))
        .map_err(|cause| write_error(path, cause))
}

/// Gives a finished file its name.
pub fn publish(file: NamedTempFile, path: &Path) -> Result<(), CheckpointError> {
    let failed = |cause| write_error(path, cause);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    sync(parent(path))
}

/// Waits until a file's bytes, or a folder's names, are on the disk.
pub fn sync(path: &Path) -> Result<(), CheckpointError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|cause| write_error(path, cause))
}

/// The error of a failed write, with the space left where it was tried.
pub fn write_error(path: &Path, cause: io::Error) -> CheckpointError {
    let free = free_bytes(path).map(|bytes| format!(" ({:.1} MB free there)", bytes as f64 / 1e6));
    CheckpointError::Write { path: path.into(), cause, free: free.unwrap_or_default() }
}

/// Space left for this user on the file system of the nearest folder above `path` that exists.
fn free_bytes(path: &Path) -> Option<u64> {
    let system = path.ancestors().find_map(|folder| rustix::fs::statvfs(folder).ok())?;
    Some(system.f_bavail * system.f_frsize)
}

/// The folder a file is in; a bare name is in the current one.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
