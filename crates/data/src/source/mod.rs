//! Documents from files, one at a time.
//!
//! | file | documents |
//! |---|---|
//! | `.txt` | the whole file is one; a file above 8 MiB is cut at the first blank line after each 8 MiB |
//! | `.jsonl` | one per line, the string in the field |
//! | `.parquet` | one per row, the string in the column; snappy, gzip and zstd pages |
//!
//! Empty and null texts are passed over. Files named by the user keep the user's order; a folder is searched with
//! its subfolders in the order of their paths, hidden entries left out. Memory holds one document, or one page
//! of a parquet file, never a file.

mod jsonl;
mod parquet;
mod text;

use crate::DataError;
use std::path::{Path, PathBuf};

/// The data files of a run.
#[derive(Clone, Debug)]
pub struct Sources {
    files: Vec<PathBuf>,
    field: String,
}

impl Sources {
    /// The field or column that is read where none is named.
    pub const DEFAULT_FIELD: &str = "text";

    /// Finds the files below the given files and folders; nothing is read yet.
    pub fn find(paths: &[PathBuf], field: &str) -> Result<Self, DataError> {
        let mut files = Vec::new();
        for path in paths {
            let about = std::fs::metadata(path).map_err(|error| DataError::read(path, error))?;
            if !about.is_dir() {
                Format::of(path).ok_or_else(|| DataError::UnknownKind { path: path.clone() })?;
                files.push(path.clone());
                continue;
            }
            let before = files.len();
            search(path, &mut files)?;
            if files.len() == before {
                return Err(DataError::EmptyFolder { path: path.clone() });
            }
        }
        if files.is_empty() {
            return Err(DataError::NoDocuments { sources: "an empty list of files".into() });
        }
        Ok(Self { files, field: field.into() })
    }

    /// The files in reading order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The field or column that holds the text.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Reads the documents from the beginning.
    pub fn documents(&self) -> Documents {
        Documents { sources: self.clone(), next_file: 0, bytes_before: 0, open: None }
    }
}

#[derive(Clone, Copy)]
enum Format {
    Text,
    Jsonl,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Text),
            "jsonl" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Adds the data files below a folder. Links to files are followed (download caches are full of them), links to
/// folders are not: they may lead in a circle.
fn search(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let failed = |error| DataError::read(folder, error);
    let mut entries =
        std::fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            search(&path, files)?;
        } else if Format::of(&path).is_some() && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// One open file.
trait Reader: Send {
    /// The next document that is not empty.
    fn next_document(&mut self) -> Result<Option<String>, DataError>;
    /// About how many bytes of the file are done.
    fn position(&self) -> u64;
}

/// The documents of [`Sources`], in order. Ends after the first error.
pub struct Documents {
    sources: Sources,
    next_file: usize,
    bytes_before: u64,
    open: Option<Box<dyn Reader>>,
}

impl Documents {
    /// About how many bytes of the files are done.
    pub fn bytes_done(&self) -> u64 {
        self.bytes_before + self.open.as_ref().map_or(0, |reader| reader.position())
    }

    fn advance(&mut self) -> Result<Option<String>, DataError> {
        loop {
            if let Some(reader) = &mut self.open {
                if let Some(document) = reader.next_document()? {
                    return Ok(Some(document));
                }
                self.bytes_before += reader.position();
                self.open = None;
            }
            let Some(path) = self.sources.files.get(self.next_file) else { return Ok(None) };
            self.open = Some(open(path, &self.sources.field)?);
            self.next_file += 1;
        }
    }
}

fn open(path: &Path, field: &str) -> Result<Box<dyn Reader>, DataError> {
    Ok(match Format::of(path) {
        Some(Format::Text) => Box::new(text::Text::open(path)?),
        Some(Format::Jsonl) => Box::new(jsonl::Jsonl::open(path, field)?),
        Some(Format::Parquet) => Box::new(parquet::Parquet::open(path, field)?),
        None => return Err(DataError::UnknownKind { path: path.into() }),
    })
}

impl Iterator for Documents {
    type Item = Result<String, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let document = self.advance();
        if document.is_err() {
            self.open = None;
            self.next_file = self.sources.files.len();
        }
        document.transpose()
    }
}

#[cfg(test)]
mod tests;
