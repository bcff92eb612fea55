//! Making a token file: documents are read in order by one thread and encoded in chunks by all.

use super::format::{Header, Key};
use crate::{DataError, Documents, Sources, Tokenizer, file};
use rayon::prelude::*;
use std::{
    fs::File,
    io::{self, BufWriter, Seek, Write},
    path::Path,
};

/// A chunk is encoded in parallel, then written; this bounds the memory and keeps every core busy.
const CHUNK_BYTES: usize = 8 << 20;
/// Document windows are addressed by 32-bit document numbers.
const MAX_DOCUMENTS: u64 = u32::MAX as u64;

/// How far the making of a token file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// About how many bytes of the source files are done.
    pub bytes_done: u64,
    /// Bytes of all source files.
    pub bytes_total: u64,
    /// Documents written.
    pub documents: u64,
    /// Tokens written.
    pub tokens: u64,
}

pub(super) fn build(
    sources: &Sources,
    tokenizer: &Tokenizer,
    key: &Key,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), DataError> {
    let failed = |error| DataError::write(path, error);
    let temporary = file::new_beside(path).map_err(failed)?;
    let mut writer = Writer::new(temporary.as_file(), tokenizer.vocab_size()).map_err(failed)?;
    let mut documents = sources.documents();
    loop {
        let chunk = next_chunk(&mut documents)?;
        if chunk.is_empty() {
            break;
        }
        let encode = |text: &String| encode_document(tokenizer, text);
        let encoded = chunk.par_iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        encoded.iter().try_for_each(|ids| writer.document(ids)).map_err(failed)?;
        let (documents_done, limit) = (writer.ends.len() as u64, MAX_DOCUMENTS);
        if documents_done > limit {
            return Err(DataError::TooManyDocuments { given: documents_done, limit });
        }
        progress(Progress {
            bytes_done: documents.bytes_done(),
            bytes_total: key.total_bytes(),
            documents: documents_done,
            tokens: writer.header.num_tokens,
        });
    }
    if writer.ends.is_empty() {
        let names: Vec<String> = sources.files().iter().map(|path| path.display().to_string()).collect();
        return Err(DataError::NoDocuments { sources: names.join(", ") });
    }
    writer.finish(&key.to_json()).map_err(failed)?;
    file::persist(temporary, path).map_err(failed)
}

fn next_chunk(documents: &mut Documents) -> Result<Vec<String>, DataError> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while bytes < CHUNK_BYTES {
        let Some(document) = documents.next().transpose()? else { break };
        // A document costs memory besides its text.
        bytes += document.len() + 64;
        chunk.push(document);
    }
    Ok(chunk)
}

/// The ids of a document with exactly one end-of-document token at its end; some tokenizers add theirs.
fn encode_document(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, DataError> {
    let mut ids = tokenizer.encode(text)?;
    let end = tokenizer.end_of_document();
    if ids.last() != Some(&end) {
        ids.push(end);
    }
    Ok(ids)
}

struct Writer<'a> {
    out: BufWriter<&'a File>,
    header: Header,
    ends: Vec<u64>,
}

impl<'a> Writer<'a> {
    /// Leaves room for the header, which is known last.
    fn new(file: &'a File, vocab_size: usize) -> io::Result<Self> {
        let header = Header::new(vocab_size);
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.write_all(bytemuck::bytes_of(&header))?;
        Ok(Self { out, header, ends: Vec::new() })
    }

    fn document(&mut self, ids: &[u32]) -> io::Result<()> {
        let bytes: Vec<u8> = match self.header.width {
            2 => ids.iter().flat_map(|&id| (id as u16).to_le_bytes()).collect(),
            _ => ids.iter().flat_map(|id| id.to_le_bytes()).collect(),
        };
        self.header.num_tokens += ids.len() as u64;
        self.ends.push(self.header.num_tokens);
        self.content(&bytes)
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.header.ids_checksum = crc32c::crc32c_append(self.header.ids_checksum, bytes);
        self.out.write_all(bytes)
    }

    fn finish(mut self, key: &[u8]) -> io::Result<()> {
        let ends = std::mem::take(&mut self.ends);
        self.content(bytemuck::cast_slice(&ends))?;
        self.out.write_all(key)?;
        self.header.num_documents = ends.len() as u64;
        self.header.key_bytes = key.len() as u64;
        self.header.key_checksum = crc32c::crc32c(key);
        self.out.seek(io::SeekFrom::Start(0))?;
        self.out.write_all(bytemuck::bytes_of(&self.header))?;
        self.out.flush()
    }
}

/// A token file of the given documents under a key that names nothing.
#[cfg(test)]
pub(super) fn write_for_test(path: &Path, vocab_size: usize, documents: &[&[u32]]) {
    let file = File::create(path).unwrap();
    let mut writer = Writer::new(&file, vocab_size).unwrap();
    documents.iter().for_each(|ids| writer.document(ids).unwrap());
    writer.finish(br#"{"files":[],"field":"","tokenizer":"","end_of_document":0}"#).unwrap();
}
