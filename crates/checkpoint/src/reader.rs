//! Safetensors read tensor by tensor, from one file or from shards with an index.
//!
//! Opening reads and checks the headers only; data is read at its position in the file when asked for. So a checkpoint
//! may be larger than memory, and threads may read from one reader at once. (Mapping the files into memory would do the
//! same, but a mapped file that somebody shortens kills the process.)

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use collegium_core::{DType, HostTensor};
use serde::Deserialize;

use crate::{
    CheckpointError,
    header::{self, LENGTH_BYTES, MAX_HEADER_BYTES},
    nearest::nearest,
    pairs::Pairs,
};

/// Name of a checkpoint's only file.
pub(crate) const SINGLE_FILE: &str = "model.safetensors";
/// Name of the list that says which file has which tensor.
pub(crate) const INDEX_FILE: &str = "model.safetensors.index.json";
/// Elements converted to `f32` at a time.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// Type and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Element type.
    pub dtype: DType,
    /// Size of each dim.
    pub sizes: Vec<usize>,
}

/// The tensors of a checkpoint, read when asked for.
#[derive(Debug)]
pub struct SafetensorsReader {
    path: PathBuf,
    shards: Vec<Shard>,
    tensors: BTreeMap<String, Located>,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    file: File,
}

#[derive(Debug)]
struct Located {
    shard: usize,
    info: TensorInfo,
    /// First byte, counted from the start of the file.
    position: u64,
}

#[derive(Deserialize)]
struct Index {
    weight_map: Pairs<String>,
}

impl SafetensorsReader {
    /// Opens a `.safetensors` file, or a folder with `model.safetensors` or with `model.safetensors.index.json` and
    /// the files that names.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let none =
            |given: &str| CheckpointError::NotSafetensors { path: path.into(), given: given.to_owned() };
        let kind = std::fs::metadata(path).map_err(|cause| read_error(path, cause))?;
        let mut reader = Self { path: path.into(), shards: Vec::new(), tensors: BTreeMap::new() };
        if kind.is_file() {
            reader.add_file(path)?;
        } else if !kind.is_dir() {
            return Err(none("neither a file nor a folder"));
        } else if path.join(SINGLE_FILE).is_file() {
            reader.add_file(&path.join(SINGLE_FILE))?;
        } else if path.join(INDEX_FILE).is_file() {
            reader.add_index(&path.join(INDEX_FILE))?;
        } else {
            return Err(none("no safetensors in this folder"));
        }
        Ok(reader)
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Type and shape of one tensor.
    pub fn info(&self, name: &str) -> Result<TensorInfo, CheckpointError> {
        Ok(self.located(name)?.info.clone())
    }

    /// One tensor as it is in the file.
    pub fn read(&self, name: &str) -> Result<HostTensor, CheckpointError> {
        let located = self.located(name)?;
        let mut tensor = HostTensor::zeros(located.info.dtype, &located.info.sizes);
        self.read_at(located, 0, tensor.bytes_mut())?;
        Ok(tensor)
    }

    /// One tensor of floating-point numbers as `f32`, which must have the shape `expected_sizes`.
    pub fn read_f32(&self, name: &str, expected_sizes: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let located = self.located(name)?;
        let (path, tensor) = (&self.shards[located.shard].path, name.to_owned());
        let TensorInfo { dtype, sizes } = &located.info;
        if sizes != expected_sizes {
            let (expected, given) = (expected_sizes.to_vec(), sizes.clone());
            return Err(CheckpointError::WrongShape { path: path.clone(), tensor, expected, given });
        }
        if !dtype.is_float() {
            return Err(CheckpointError::NotFloat { path: path.clone(), tensor, given: *dtype });
        }
        let mut values = vec![0f32; sizes.iter().product()];
        if *dtype == DType::F32 {
            self.read_at(located, 0, bytemuck::cast_slice_mut(&mut values))?;
        } else {
            self.read_converted(located, &mut values)?;
        }
        Ok(values)
    }

    /// Fills `values` from numbers of another width, a chunk at a time, so that the tensor is not held twice.
    fn read_converted(&self, located: &Located, values: &mut [f32]) -> Result<(), CheckpointError> {
        let width = located.info.dtype.size_bytes();
        let mut bytes = vec![0u8; CHUNK_ELEMENTS.min(values.len()) * width];
        for (i, chunk) in values.chunks_mut(CHUNK_ELEMENTS).enumerate() {
            let bytes = &mut bytes[..chunk.len() * width];
            self.read_at(located, (i * CHUNK_ELEMENTS * width) as u64, bytes)?;
            to_f32(located.info.dtype, bytes, chunk);
        }
        Ok(())
    }

    fn read_at(&self, located: &Located, offset: u64, bytes: &mut [u8]) -> Result<(), CheckpointError> {
        let Shard { path, file } = &self.shards[located.shard];
        file.read_exact_at(bytes, located.position + offset).map_err(|cause| read_error(path, cause))
    }

    fn located(&self, name: &str) -> Result<&Located, CheckpointError> {
        self.tensors.get(name).ok_or_else(|| CheckpointError::MissingTensor {
            path: self.path.clone(),
            tensor: name.to_owned(),
            nearest: nearest(name, self.names()),
        })
    }

    /// Adds every tensor of one file.
    fn add_file(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let shard = self.shards.len();
        let (file, tensors) = open_file(path, shard)?;
        self.shards.push(Shard { path: path.into(), file });
        self.tensors.extend(tensors);
        Ok(())
    }

    /// Adds the tensors an index names, each from the file the index names; others in those files do not count.
    fn add_index(&mut self, index: &Path) -> Result<(), CheckpointError> {
        let Pairs(weight_map) = read_index(index)?;
        let mut by_shard: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (tensor, shard) in weight_map {
            by_shard.entry(shard).or_default().push(tensor);
        }
        for (name, wanted) in by_shard {
            let path = shard_path(index, &name, &wanted[0])?;
            let (file, mut tensors) = open_file(&path, self.shards.len())?;
            self.shards.push(Shard { path, file });
            for tensor in wanted {
                let Some(located) = tensors.remove(&tensor) else {
                    return Err(CheckpointError::NotInShard { index: index.into(), tensor, shard: name });
                };
                self.tensors.insert(tensor, located);
            }
        }
        Ok(())
    }
}

/// Opens one file and says where its tensors are.
fn open_file(path: &Path, shard: usize) -> Result<(File, BTreeMap<String, Located>), CheckpointError> {
    let failed = |cause| read_error(path, cause);
    let file = File::open(path).map_err(failed)?;
    let given = file.metadata().map_err(failed)?.len();
    let truncated = |needed| CheckpointError::Truncated { path: path.into(), needed, given };
    if given < LENGTH_BYTES {
        return Err(truncated(LENGTH_BYTES));
    }
    let mut length = [0; LENGTH_BYTES as usize];
    file.read_exact_at(&mut length, 0).map_err(failed)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(CheckpointError::HeaderTooLarge {
            path: path.into(),
            given: length,
            limit: MAX_HEADER_BYTES,
        });
    }
    // The length is checked against the file before memory is taken for it.
    let data_begin = LENGTH_BYTES + length;
    if given < data_begin {
        return Err(truncated(data_begin));
    }
    let mut json = vec![0; length as usize];
    file.read_exact_at(&mut json, LENGTH_BYTES).map_err(failed)?;
    let entries = header::parse(path, &json, given - data_begin)?;
    let located = entries.into_iter().map(|entry| {
        let info = TensorInfo { dtype: entry.dtype, sizes: entry.sizes };
        (entry.name, Located { shard, info, position: data_begin + entry.range.start })
    });
    Ok((file, located.collect()))
}

fn read_index(path: &Path) -> Result<Pairs<String>, CheckpointError> {
    let json = std::fs::read(path).map_err(|cause| read_error(path, cause))?;
    let index: Index = serde_json::from_slice(&json).map_err(|e| CheckpointError::BadJson {
        path: path.into(),
        what: "the index".to_owned(),
        reason: e.to_string(),
    })?;
    if let Some(tensor) = index.weight_map.repeated() {
        return Err(CheckpointError::DuplicateTensor { path: path.into(), tensor: tensor.to_owned() });
    }
    Ok(index.weight_map)
}

/// The file an index names, which must lie beside it: an index from elsewhere must not reach other files.
fn shard_path(index: &Path, shard: &str, tensor: &str) -> Result<PathBuf, CheckpointError> {
    if Path::new(shard).file_name() != Some(shard.as_ref()) {
        return Err(CheckpointError::ShardElsewhere { index: index.into(), shard: shard.to_owned() });
    }
    let path = index.with_file_name(shard);
    if !path.is_file() {
        let (shard, tensor) = (shard.to_owned(), tensor.to_owned());
        return Err(CheckpointError::MissingShard { index: index.into(), shard, tensor });
    }
    Ok(path)
}

/// Converts numbers of `dtype`, which is a floating-point type other than `f32`.
fn to_f32(dtype: DType, bytes: &[u8], values: &mut [f32]) {
    fn each<const N: usize>(bytes: &[u8], values: &mut [f32], convert: impl Fn([u8; N]) -> f32) {
        for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
            *value = convert(*bytes);
        }
    }
    match dtype {
        DType::F16 => each(bytes, values, |b| half::f16::from_le_bytes(b).to_f32()),
        DType::Bf16 => each(bytes, values, |b| half::bf16::from_le_bytes(b).to_f32()),
        DType::F64 => each(bytes, values, |b| f64::from_le_bytes(b) as f32),
        _ => unreachable!("the caller checks the element type"),
    }
}

fn read_error(path: &Path, cause: std::io::Error) -> CheckpointError {
    CheckpointError::Read { path: path.into(), cause }
}
