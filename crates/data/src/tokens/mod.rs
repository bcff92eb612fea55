//! Token files: the text of a run as ids on disk, made once and reused while nothing changed.
//!
//! ```text
//! header, 64 bytes | ids, 2 or 4 bytes each | where each document ends, 8 bytes each | key, JSON
//! ```
//!
//! The key lists everything the ids depend on: the source files with size and time of change, field, tokenizer. All
//! numbers are little-endian. A checksum covers everything after the header.
//!
//! The ids are read where they lie, through the page cache, by positional reads of one row at a time rather than by a
//! memory map: a map needs `unsafe`, and a file that shrinks under it kills the process where a read returns an error.

mod build;
mod format;
mod split;

pub use build::Progress;
pub(crate) use split::Span;
pub use split::{Split, TokenView};

use crate::{DataError, Sources, Tokenizer};
use format::{Header, Key};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// An open token file.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    file: File,
    header: Header,
    /// Where each document ends, in tokens.
    ends: Vec<u64>,
    key: Key,
    reused: bool,
}

impl TokenFile {
    /// Opens the token file of these sources in `folder`, or makes it where it is missing, out of date or damaged.
    /// The file appears under its name only when it is complete.
    pub fn prepare(
        sources: &Sources,
        tokenizer: &Tokenizer,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DataError> {
        let key = Key::of(sources, tokenizer)?;
        let path = folder.join(key.file_name());
        match Self::open(&path) {
            Ok(found) if found.key == key => return Ok(Self { reused: true, ..found }),
            // Another version of the sources, a damaged or a missing file: all are cured by making it again.
            Ok(_) | Err(_) => {}
        }
        build::build(sources, tokenizer, &key, &path, progress)?;
        Self::open(&path)
    }

    fn open(path: &Path) -> Result<Self, DataError> {
        let unreadable = |error| DataError::read(path, error);
        let file = File::open(path).map_err(unreadable)?;
        let (header, ends, key) = format::read(&file).map_err(|problem| match problem {
            format::Problem::Io(error) => unreadable(error),
            format::Problem::Bad(reason) => DataError::BadTokenFile { path: path.into(), reason },
        })?;
        Ok(Self { path: path.into(), file, header, ends, key, reused: false })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an earlier run had made it.
    pub fn was_reused(&self) -> bool {
        self.reused
    }

    /// Number of tokens, end-of-document tokens included.
    pub fn num_tokens(&self) -> u64 {
        self.header.num_tokens
    }

    /// Number of documents.
    pub fn num_documents(&self) -> usize {
        self.ends.len()
    }

    /// Names the content: equal on every machine that made it from the same texts with the same tokenizer.
    pub fn fingerprint(&self) -> String {
        format!(
            "{} tokens of {} documents, checksum {:08x}, tokenizer {}",
            self.header.num_tokens,
            self.ends.len(),
            self.header.ids_checksum,
            self.key.tokenizer
        )
    }

    fn end_of_document(&self) -> u32 {
        self.key.end_of_document
    }

    /// The ids from `start` to `end`, appended to nothing else in `ids`.
    fn read(&self, start: u64, end: u64, ids: &mut Vec<u32>) -> Result<(), DataError> {
        let width = u64::from(self.header.width);
        let mut bytes = vec![0; ((end - start) * width) as usize];
        let at = format::HEADER_BYTES + start * width;
        self.file.read_exact_at(&mut bytes, at).map_err(|error| DataError::read(&self.path, error))?;
        ids.clear();
        match width {
            2 => ids.extend(bytes.chunks_exact(2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])))),
            _ => ids.extend(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
