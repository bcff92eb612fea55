//! Safetensors written tensor by tensor.
//!
//! Shapes are declared first, so the header is known and written before any data, and each tensor goes straight to its
//! place in the file: nothing is gathered in memory. Files are laid out as the `safetensors` package does (wider element
//! types first, then by name), shards are cut in the declared order, as Hugging Face does.

use std::{
    collections::{BTreeMap, HashMap},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use collegium_core::DType;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{
    CheckpointError, dtype,
    header::{self, Entry},
    publish,
    reader::{INDEX_FILE, SINGLE_FILE},
};

/// Name, element type and size of each dim.
type Declared = (String, DType, Vec<usize>);

/// A checkpoint being written; it appears under its name when finished and leaves nothing behind when dropped before.
#[derive(Debug)]
pub struct SafetensorsWriter {
    /// What is being written, for messages.
    path: PathBuf,
    files: Vec<Pending>,
    places: HashMap<String, Place>,
    /// Written last, once the files it names are there.
    index: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Pending {
    path: PathBuf,
    temporary: NamedTempFile,
}

#[derive(Debug)]
struct Place {
    file: usize,
    /// First byte, counted from the start of the file.
    position: u64,
    num_bytes: u64,
    written: bool,
}

#[derive(Serialize)]
struct Index<'a> {
    metadata: IndexMetadata,
    weight_map: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct IndexMetadata {
    total_size: u64,
}

impl SafetensorsWriter {
    /// A checkpoint in an existing folder: `model.safetensors`, or where that would have more than `max_shard_bytes`
    /// of data, several files with an index.
    pub fn create(
        folder: &Path,
        tensors: &[Declared],
        max_shard_bytes: u64,
    ) -> Result<Self, CheckpointError> {
        check_declared(folder, tensors)?;
        let shards = cut(tensors, max_shard_bytes);
        check_free(folder, shards.len() > 1)?;
        let mut writer = Self::empty(folder);
        if let [all] = &shards[..] {
            writer.add_file(folder.join(SINGLE_FILE), all)?;
            return Ok(writer);
        }
        let mut weight_map = BTreeMap::new();
        let names: Vec<_> =
            (1..=shards.len()).map(|i| format!("model-{i:05}-of-{:05}.safetensors", shards.len())).collect();
        for (name, shard) in names.iter().zip(&shards) {
            writer.add_file(folder.join(name), shard)?;
            weight_map.extend(shard.iter().map(|(tensor, ..)| (tensor.as_str(), name.as_str())));
        }
        let total_size = tensors.iter().map(num_bytes).sum();
        writer.index = Some(encode_index(&Index { metadata: IndexMetadata { total_size }, weight_map }));
        Ok(writer)
    }

    /// One file of any name, such as `optimizer.safetensors`.
    pub fn create_file(path: &Path, tensors: &[Declared]) -> Result<Self, CheckpointError> {
        check_declared(path, tensors)?;
        let mut writer = Self::empty(path);
        writer.add_file(path.into(), tensors)?;
        Ok(writer)
    }

    /// Writes one tensor's row-major little-endian bytes, each declared tensor once; any order will do, the declared
    /// one suits the disk best.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let path = self.path.clone();
        let unexpected =
            |how| CheckpointError::Unexpected { path: path.clone(), tensor: name.to_owned(), how };
        let place = self.places.get_mut(name).ok_or_else(|| unexpected("but was not declared"))?;
        if place.written {
            return Err(unexpected("twice"));
        }
        let Pending { path, temporary } = &self.files[place.file];
        if bytes.len() as u64 != place.num_bytes {
            return Err(CheckpointError::WrongBytes {
                path: path.clone(),
                tensor: name.to_owned(),
                expected: place.num_bytes,
                given: bytes.len() as u64,
            });
        }
        let file = temporary.as_file();
        file.write_all_at(bytes, place.position).map_err(|cause| publish::write_error(path, cause))?;
        place.written = true;
        Ok(())
    }

    /// Brings everything to the disk and gives the files their names.
    pub fn finish(self) -> Result<(), CheckpointError> {
        if let Some((name, _)) =
            self.places.iter().filter(|(_, place)| !place.written).min_by_key(|(n, _)| *n)
        {
            let (path, tensor) = (self.path, name.clone());
            return Err(CheckpointError::Unexpected { path, tensor, how: "not at all" });
        }
        // All data first: should the disk be full, no file has its name yet.
        for file in &self.files {
            publish::sync(file.temporary.path())?;
        }
        for file in self.files {
            publish::publish(file.temporary, &file.path)?;
        }
        match self.index {
            Some(json) => publish::write_file(&self.path.join(INDEX_FILE), &json),
            None => Ok(()),
        }
    }

    fn empty(path: &Path) -> Self {
        Self { path: path.into(), files: Vec::new(), places: HashMap::new(), index: None }
    }

    /// Begins one file: its header now, its tensors when they come.
    fn add_file(&mut self, path: PathBuf, tensors: &[Declared]) -> Result<(), CheckpointError> {
        let entries = lay_out(tensors);
        let header = header::encode(&entries);
        let temporary = publish::begin(&path)?;
        temporary.as_file().write_all_at(&header, 0).map_err(|cause| publish::write_error(&path, cause))?;
        for entry in entries {
            let place = Place {
                file: self.files.len(),
                position: header.len() as u64 + entry.range.start,
                num_bytes: entry.range.end - entry.range.start,
                written: false,
            };
            self.places.insert(entry.name, place);
        }
        self.files.push(Pending { path, temporary });
        Ok(())
    }
}

/// Names must differ and sizes must be countable; all else is the caller's choice.
fn check_declared(path: &Path, tensors: &[Declared]) -> Result<(), CheckpointError> {
    let mut seen = std::collections::HashSet::from([header::METADATA]);
    let mut total = 0u64;
    for (name, dtype, sizes) in tensors {
        if !seen.insert(name) {
            return Err(CheckpointError::DuplicateTensor { path: path.into(), tensor: name.clone() });
        }
        let sum = header::num_bytes(*dtype, sizes).and_then(|bytes| total.checked_add(bytes));
        total = sum.ok_or_else(|| CheckpointError::Overflow {
            path: path.into(),
            tensor: name.clone(),
            sizes: sizes.clone(),
        })?;
    }
    Ok(())
}

/// Refuses to mix with a model that cannot be replaced by one rename: a crash in between would leave parts of both.
fn check_free(folder: &Path, sharded: bool) -> Result<(), CheckpointError> {
    let in_the_way: &[&str] = if sharded { &[SINGLE_FILE, INDEX_FILE] } else { &[INDEX_FILE] };
    match in_the_way.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
        Some(path) => Err(CheckpointError::InTheWay { path }),
        None => Ok(()),
    }
}

/// Bytes of a tensor that [`check_declared`] has seen.
fn num_bytes((_, dtype, sizes): &Declared) -> u64 {
    header::num_bytes(*dtype, sizes).expect("sizes were checked when declared")
}

/// Runs of tensors of at most `max_bytes` each; a larger tensor is a run by itself.
fn cut(tensors: &[Declared], max_bytes: u64) -> Vec<&[Declared]> {
    let mut runs = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (i, tensor) in tensors.iter().enumerate() {
        let more = num_bytes(tensor);
        if i > begin && bytes + more > max_bytes {
            runs.push(&tensors[begin..i]);
            (begin, bytes) = (i, 0);
        }
        bytes += more;
    }
    runs.push(&tensors[begin..]);
    runs
}

/// Gives each tensor its place in a file.
fn lay_out(tensors: &[Declared]) -> Vec<Entry> {
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by_key(|(name, dtype, _)| (dtype::position(*dtype), name));
    let mut end = 0;
    sorted
        .into_iter()
        .map(|tensor| {
            let begin = end;
            end += num_bytes(tensor);
            let (name, dtype, sizes) = tensor.clone();
            Entry { name, dtype, sizes, range: begin..end }
        })
        .collect()
}

fn encode_index(index: &Index<'_>) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(index).expect("text and numbers always have a JSON form");
    json.push(b'\n');
    json
}
