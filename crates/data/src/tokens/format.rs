//! The bytes of a token file: header and key, and the checks on reading them back.

use crate::{DataError, Sources, Tokenizer};
use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fs::File, io, os::unix::fs::FileExt, path::PathBuf, time::UNIX_EPOCH};

pub(super) const HEADER_BYTES: u64 = size_of::<Header>() as u64;
const MAGIC: [u8; 8] = *b"COLLTOKS";
const VERSION: u32 = 1;
/// Bytes checked at once.
const CHUNK: u64 = 1 << 20;

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(super) struct Header {
    magic: [u8; 8],
    version: u32,
    /// Bytes per id.
    pub(super) width: u32,
    pub(super) num_tokens: u64,
    pub(super) num_documents: u64,
    pub(super) key_bytes: u64,
    /// CRC-32C of the ids and document ends: the content.
    pub(super) ids_checksum: u32,
    /// CRC-32C of the key.
    pub(super) key_checksum: u32,
    reserved: [u8; 16],
}

impl Header {
    /// The header of an empty file.
    pub(super) fn new(vocab_size: usize) -> Self {
        let width = if vocab_size <= 1 << 16 { 2 } else { 4 };
        Self { magic: MAGIC, version: VERSION, width, ..Self::zeroed() }
    }

    /// Everything but the key; `None` where a hostile header overflows.
    fn content_bytes(&self) -> Option<u64> {
        let ids = self.num_tokens.checked_mul(self.width.into())?;
        ids.checked_add(self.num_documents.checked_mul(8)?)
    }

    fn check(&self, file_bytes: u64) -> Result<(), String> {
        if self.magic != MAGIC {
            return Err("it does not begin with COLLTOKS".into());
        }
        if self.version != VERSION {
            return Err(format!("its version is {}, this program reads {VERSION}", self.version));
        }
        let needed = self.content_bytes().and_then(|content| content.checked_add(HEADER_BYTES));
        let needed = needed.and_then(|bytes| bytes.checked_add(self.key_bytes));
        if !matches!(self.width, 2 | 4) || needed != Some(file_bytes) {
            return Err(format!("its header and its size of {file_bytes} bytes disagree"));
        }
        Ok(())
    }
}

/// Everything the ids depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    files: Vec<SourceFile>,
    field: String,
    pub(super) tokenizer: String,
    pub(super) end_of_document: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SourceFile {
    path: PathBuf,
    bytes: u64,
    modified_ns: u128,
}

impl Key {
    pub(super) fn of(sources: &Sources, tokenizer: &Tokenizer) -> Result<Self, DataError> {
        let file = |path: &PathBuf| {
            let about = path.metadata()?;
            // A time before 1970 or none at all still has the size beside it.
            let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let modified_ns = modified.map_or(0, |since| since.as_nanos());
            Ok(SourceFile { path: path.canonicalize()?, bytes: about.len(), modified_ns })
        };
        let files =
            sources.files().iter().map(|path| file(path).map_err(|error| DataError::read(path, error)));
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
            field: sources.field().into(),
            tokenizer: tokenizer.fingerprint(),
            end_of_document: tokenizer.end_of_document(),
        })
    }

    /// One name per choice of sources, field and tokenizer, so that a changed source replaces its old file.
    pub(super) fn file_name(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update(file.path.as_os_str().as_encoded_bytes());
            hash.update([0]);
        }
        hash.update(&self.field);
        hash.update([0]);
        hash.update(&self.tokenizer);
        let name: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{name}.tokens")
    }

    pub(super) fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and integers always serialise")
    }
}

pub(super) enum Problem {
    Io(io::Error),
    Bad(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads and checks everything but the ids, whose checksum is verified.
pub(super) fn read(file: &File) -> Result<(Header, Vec<u64>, Key), Problem> {
    let file_bytes = file.metadata()?.len();
    if file_bytes < HEADER_BYTES {
        return Err(Problem::Bad(format!("it has {file_bytes} bytes, less than a header")));
    }
    let mut header = Header::zeroed();
    file.read_exact_at(bytemuck::bytes_of_mut(&mut header), 0)?;
    header.check(file_bytes).map_err(Problem::Bad)?;

    let content_end = file_bytes - header.key_bytes;
    let ids_end = HEADER_BYTES + header.num_tokens * u64::from(header.width);
    let mut key = vec![0; header.key_bytes as usize];
    file.read_exact_at(&mut key, content_end)?;
    if crc32c::crc32c(&key) != header.key_checksum
        || checksum(file, HEADER_BYTES, content_end)? != header.ids_checksum
    {
        return Err(Problem::Bad("its checksum is wrong".into()));
    }
    let key =
        serde_json::from_slice(&key).map_err(|error| Problem::Bad(format!("its key is wrong, {error}")))?;
    let mut ends = vec![0u64; header.num_documents as usize];
    file.read_exact_at(bytemuck::cast_slice_mut(&mut ends), ids_end)?;
    let rising = ends.first().is_none_or(|&first| first > 0) && ends.is_sorted_by(|a, b| a < b);
    if !rising || ends.last().copied().unwrap_or(0) != header.num_tokens {
        return Err(Problem::Bad("its document ends are not in order".into()));
    }
    Ok((header, ends, key))
}

fn checksum(file: &File, start: u64, end: u64) -> io::Result<u32> {
    let mut buffer = vec![0; CHUNK as usize];
    let mut sum = 0;
    let mut at = start;
    while at < end {
        let part = &mut buffer[..CHUNK.min(end - at) as usize];
        file.read_exact_at(part, at)?;
        sum = crc32c::crc32c_append(sum, part);
        at += part.len() as u64;
    }
    Ok(sum)
}
