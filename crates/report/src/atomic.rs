//! Whole files appear at once: temporary file beside the target, fsync, rename.

use crate::error::{IoContext, ReportError};
use std::{io::Write, path::Path};

/// Writes `bytes` to `path`; a reader sees the old file or the new one, never a part.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partial-");
    // Temporary files are private by default; a report is as readable as any file the user creates.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder).at(folder, "create a temporary file")?;
    file.write_all(bytes).at(path, "write the file")?;
    file.as_file().sync_all().at(path, "flush the file to disk")?;
    file.persist(path).map(drop).map_err(|e| e.error).at(path, "rename the finished file into place")
}
