//! The header of a safetensors file: parsed with every promise of the format checked, and written.
//!
//! A file is a little-endian `u64`, that many bytes of JSON, then the data. The JSON maps each tensor to its element
//! type, shape and byte range in the data; ranges tile the data, without overlap and without holes. Checks are our own
//! rather than the `safetensors` package's, because that one takes the last of two tensors with one name and does not
//! say which tensor is wrong. Tests hold the two against each other.

use std::{collections::HashMap, ops::Range, path::Path};

use collegium_core::DType;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{CheckpointError, dtype, pairs::Pairs};

/// Longest header the format allows.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;
/// The length before the header.
pub const LENGTH_BYTES: u64 = 8;
/// Key of the file's own remarks among the tensors.
pub const METADATA: &str = "__metadata__";

/// One tensor of a file.
pub struct Entry {
    pub name: String,
    pub dtype: DType,
    pub sizes: Vec<usize>,
    /// Where its bytes are, counted from the start of the data.
    pub range: Range<u64>,
}

#[derive(Deserialize, Serialize)]
#[serde(expecting = "an object with dtype, shape and data_offsets")]
struct RawEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// Bytes of a tensor, if they can be counted.
pub fn num_bytes(dtype: DType, sizes: &[usize]) -> Option<u64> {
    let elements = sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64))?;
    elements.checked_mul(dtype.size_bytes() as u64)
}

/// The tensors of the file at `path`, in the order of their bytes, from its header and the number of bytes behind it.
pub fn parse(path: &Path, json: &[u8], data_bytes: u64) -> Result<Vec<Entry>, CheckpointError> {
    let bad = |what: &str, reason: String| CheckpointError::BadJson {
        path: path.into(),
        what: what.to_owned(),
        reason,
    };
    let text = std::str::from_utf8(json).map_err(|e| bad("the header", e.to_string()))?;
    let members: Pairs<&RawValue> =
        serde_json::from_str(text).map_err(|e| bad("the header", e.to_string()))?;
    if let Some(tensor) = members.repeated() {
        return Err(CheckpointError::DuplicateTensor { path: path.into(), tensor: tensor.to_owned() });
    }
    let mut entries = Vec::with_capacity(members.0.len());
    for (name, value) in members.0 {
        let bad = |e: serde_json::Error| bad(&format!("the entry `{name}` of the header"), e.to_string());
        if name == METADATA {
            serde_json::from_str::<HashMap<String, String>>(value.get()).map_err(bad)?;
            continue;
        }
        let raw = serde_json::from_str(value.get()).map_err(bad)?;
        entries.push(entry(path, name, raw, data_bytes)?);
    }
    entries.sort_by_key(|e| (e.range.start, e.range.end));
    check_tiling(path, &entries, data_bytes)?;
    Ok(entries)
}

/// One entry, checked for itself.
fn entry(path: &Path, name: String, raw: RawEntry, data_bytes: u64) -> Result<Entry, CheckpointError> {
    let (begin, end) = raw.data_offsets;
    let Some(dtype) = dtype::parse(&raw.dtype) else {
        let known = dtype::all_names();
        return Err(CheckpointError::UnknownDtype {
            path: path.into(),
            tensor: name,
            given: raw.dtype,
            known,
        });
    };
    let Some(needed) = num_bytes(dtype, &raw.shape) else {
        return Err(CheckpointError::Overflow { path: path.into(), tensor: name, sizes: raw.shape });
    };
    if begin.checked_add(needed) != Some(end) {
        let (path, sizes) = (path.into(), raw.shape);
        return Err(CheckpointError::RangeMismatch { path, tensor: name, dtype, sizes, needed, begin, end });
    }
    if end > data_bytes {
        return Err(CheckpointError::OutOfFile { path: path.into(), tensor: name, end, given: data_bytes });
    }
    Ok(Entry { name, dtype, sizes: raw.shape, range: begin..end })
}

/// Entries in order of their bytes must cover the data exactly once.
fn check_tiling(path: &Path, entries: &[Entry], data_bytes: u64) -> Result<(), CheckpointError> {
    let mut covered = 0;
    let mut before = "";
    for entry in entries {
        let begin = entry.range.start;
        if begin < covered {
            let (first, second) = (before.to_owned(), entry.name.clone());
            return Err(CheckpointError::Overlap { path: path.into(), first, second, begin });
        }
        if begin > covered {
            return Err(CheckpointError::Hole { path: path.into(), begin: covered, end: begin });
        }
        covered = entry.range.end;
        before = &entry.name;
    }
    if covered < data_bytes {
        return Err(CheckpointError::Hole { path: path.into(), begin: covered, end: data_bytes });
    }
    Ok(())
}

/// Everything before the data of a file with these tensors, which are given in the order of their bytes.
///
/// Padded with spaces to a multiple of 8 bytes, so that data behind it is aligned as the format asks.
pub fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut json = format!(r#"{{"{METADATA}":{{"format":"pt"}}"#);
    for entry in entries {
        let raw = RawEntry {
            dtype: dtype::name(entry.dtype).to_owned(),
            shape: entry.sizes.clone(),
            data_offsets: (entry.range.start, entry.range.end),
        };
        let pair = (serde_json::to_string(&entry.name), serde_json::to_string(&raw));
        let (Ok(name), Ok(value)) = pair else { unreachable!("text and numbers always have a JSON form") };
        json += &format!(",{name}:{value}");
    }
    json.push('}');
    let padded = json.len().next_multiple_of(LENGTH_BYTES as usize);
    let mut bytes = (padded as u64).to_le_bytes().to_vec();
    bytes.extend(json.into_bytes());
    bytes.resize(LENGTH_BYTES as usize + padded, b' ');
    bytes
}
