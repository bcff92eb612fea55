//! Plain text: the file is the document.

use super::Reader;
use crate::DataError;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// From this size on, a document ends at the next blank line.
const LONG_DOCUMENT_BYTES: usize = 8 << 20;

pub(super) struct Text {
    lines: Lines,
    long: usize,
}

impl Text {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        Ok(Self { lines: Lines::open(path)?, long: LONG_DOCUMENT_BYTES })
    }
}

impl Reader for Text {
    fn next_document(&mut self) -> Result<Option<String>, DataError> {
        let mut document = String::new();
        while let Some(line) = self.lines.next_line()? {
            let blank = line.trim().is_empty();
            document += &line;
            // Text without blank lines is cut at a line end instead, before it fills the memory.
            if document.len() >= self.long && (blank || document.len() >= 2 * self.long) {
                break;
            }
        }
        Ok((!document.is_empty()).then_some(document))
    }

    fn position(&self) -> u64 {
        self.lines.offset
    }
}

/// The lines of a UTF-8 file with their ends, a byte-order mark left out.
pub(super) struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    /// Lines given out.
    pub(super) number: u64,
    /// Bytes given out.
    pub(super) offset: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| DataError::read(path, error))?;
        Ok(Self { path: path.into(), file: BufReader::with_capacity(1 << 18, file), number: 0, offset: 0 })
    }

    pub(super) fn next_line(&mut self) -> Result<Option<String>, DataError> {
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line).map_err(|error| DataError::read(&self.path, error))?;
        if line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let start = self.offset;
        self.offset += line.len() as u64;
        let mut line = String::from_utf8(line).map_err(|error| DataError::InvalidUtf8 {
            path: self.path.clone(),
            line: self.number,
            offset: start + error.utf8_error().valid_up_to() as u64,
        })?;
        if start == 0 && line.starts_with('\u{feff}') {
            line.remove(0);
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_cut_at_blank_lines_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for (text, expected) in [
            ("one\ntwo\n\nthree\n\nfour", &["one\ntwo\n\n", "three\n\nfour"][..]),
            ("0123456\n01234567\n01\n\nx", &["0123456\n01234567\n", "01\n\nx"]),
            ("short\n\n", &["short\n\n"]),
        ] {
            std::fs::write(&path, text).unwrap();
            let mut reader = Text { lines: Lines::open(&path).unwrap(), long: 8 };
            let documents: Vec<String> = std::iter::from_fn(|| reader.next_document().unwrap()).collect();
            assert_eq!(documents, expected);
            assert_eq!(reader.position(), text.len() as u64);
        }
    }
}
