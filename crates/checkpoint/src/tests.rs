//! Files against the reader and the writer, and both against the `safetensors` package.

mod differential;
mod hostile;
mod writing;

use std::{fs, path::Path};

use crate::{CheckpointError, SafetensorsReader};

/// Bytes of a file with this header and so many bytes of data.
fn file(header: &str, num_data_bytes: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + num_data_bytes, 7);
    bytes
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// What the user sees, without the name of the temporary folder.
fn message(folder: &Path, error: &CheckpointError) -> String {
    error.to_string().replace(&format!("{}/", folder.display()), "")
}

/// What opening a folder with these files says.
fn refusal(files: &[(&str, &[u8])]) -> String {
    let folder = folder(files);
    message(folder.path(), &SafetensorsReader::open(folder.path()).unwrap_err())
}
