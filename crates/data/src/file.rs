//! Files on disk: written whole or not at all.

use crate::DataError;
use std::{io::Write, path::Path};

/// Writes a file beside its destination, makes it durable and renames it into place.
pub(crate) fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), DataError> {
    let write = || -> std::io::Result<()> {
        let mut file = new_beside(path)?;
        file.write_all(contents)?;
        persist(file, path)
    };
    write().map_err(|error| DataError::write(path, error))
}

/// A temporary file in the folder of `path` (made if missing), so that a rename stays within one file system.
pub(crate) fn new_beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    tempfile::NamedTempFile::new_in(folder)
}

/// Makes a finished temporary file durable and gives it its name.
pub(crate) fn persist(file: tempfile::NamedTempFile, path: &Path) -> std::io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
