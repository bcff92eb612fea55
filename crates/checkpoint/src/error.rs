//! Everything that can be wrong with a checkpoint, each with where, what and the remedy.

use std::{io, path::PathBuf};

use collegium_core::DType;

/// What went wrong between tensors and files.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Neither a safetensors file nor a folder with one.
    #[error(
        "{path}: {given}; name a .safetensors file, or a folder with model.safetensors or \
         model.safetensors.index.json"
    )]
    NotSafetensors {
        /// The path.
        path: PathBuf,
        /// What is there instead.
        given: String,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path}: {cause}; check the path and its permissions")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// The file ends inside its header.
    #[error(
        "{path}: the header needs {needed} bytes but the file has {given}; it is truncated, fetch or copy it again"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes up to the end of the header.
        needed: u64,
        /// Bytes there are.
        given: u64,
    },
    /// A header length no real file has.
    #[error(
        "{path}: the header claims {given} bytes, the format allows {limit}; this is not a safetensors file, or it is \
         damaged"
    )]
    HeaderTooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes claimed.
        given: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A header or index that is not the JSON it must be.
    #[error("{path}: {what} is not valid, {reason}; the file is damaged, fetch or write it again")]
    BadJson {
        /// The file.
        path: PathBuf,
        /// Which part: the header, one tensor's entry, the index.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// One name twice in a header, an index or a list of tensors to write.
    #[error("{path}: tensor `{tensor}` is listed twice; every tensor must have its own name")]
    DuplicateTensor {
        /// The file.
        path: PathBuf,
        /// The name.
        tensor: String,
    },
    /// An element type this project does not have.
    #[error(
        "{path}: tensor `{tensor}` has element type {given}, known are {known}; convert the checkpoint to one of them"
    )]
    UnknownDtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The type named.
        given: String,
        /// The types there are.
        known: String,
    },
    /// A shape whose number of bytes does not fit 64 bits.
    #[error("{path}: tensor `{tensor}` of shape {sizes:?} is larger than any file; its header is damaged")]
    Overflow {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Size of each dim.
        sizes: Vec<usize>,
    },
    /// A byte range that does not hold what the shape says.
    #[error(
        "{path}: tensor `{tensor}` ({dtype}{sizes:?}) takes {needed} bytes but its range is {begin}..{end}; the header is \
         damaged"
    )]
    RangeMismatch {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Element type.
        dtype: DType,
        /// Size of each dim.
        sizes: Vec<usize>,
        /// Bytes of the shape.
        needed: u64,
        /// First byte of the range.
        begin: u64,
        /// Byte after the range.
        end: u64,
    },
    /// A byte range beyond the end of the file.
    #[error(
        "{path}: tensor `{tensor}` ends at byte {end} of the data but the file holds {given}; it is truncated, fetch or copy \
         it again"
    )]
    OutOfFile {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Byte after its range.
        end: u64,
        /// Bytes of data in the file.
        given: u64,
    },
    /// Two tensors that share bytes.
    #[error(
        "{path}: tensors `{first}` and `{second}` overlap at byte {begin} of the data; the header is damaged"
    )]
    Overlap {
        /// The file.
        path: PathBuf,
        /// The tensor that begins earlier.
        first: String,
        /// The tensor that begins inside it.
        second: String,
        /// Where the second begins.
        begin: u64,
    },
    /// Bytes that belong to no tensor, which the format forbids.
    #[error(
        "{path}: bytes {begin}..{end} of the data belong to no tensor; the file is damaged, fetch or write it again"
    )]
    Hole {
        /// The file.
        path: PathBuf,
        /// First such byte.
        begin: u64,
        /// Byte after them.
        end: u64,
    },
    /// A tensor that is not there.
    #[error("{path}: no tensor `{tensor}`{}", suggest(.nearest))]
    MissingTensor {
        /// The checkpoint.
        path: PathBuf,
        /// The name asked for.
        tensor: String,
        /// Similar names that are there.
        nearest: Vec<String>,
    },
    /// A tensor of another shape than the model's.
    #[error(
        "{path}: tensor `{tensor}` must have shape {expected:?}, got {given:?}; the checkpoint belongs to another model or \
         its config.json was edited"
    )]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What the model needs.
        expected: Vec<usize>,
        /// What the file holds.
        given: Vec<usize>,
    },
    /// A tensor of integers where weights are expected.
    #[error(
        "{path}: tensor `{tensor}` must hold floating-point numbers, got {given}; this is no weight of the model"
    )]
    NotFloat {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its element type.
        given: DType,
    },
    /// An index that names a file which is not there.
    #[error("{index}: tensor `{tensor}` is in `{shard}`, which is not there; fetch that file too")]
    MissingShard {
        /// The index.
        index: PathBuf,
        /// The file named.
        shard: String,
        /// A tensor said to be in it.
        tensor: String,
    },
    /// An index that names a file outside its folder.
    #[error(
        "{index}: `{shard}` is not the name of a file in the same folder; the index is damaged or hostile"
    )]
    ShardElsewhere {
        /// The index.
        index: PathBuf,
        /// The name given.
        shard: String,
    },
    /// An index that looks for a tensor in the wrong file.
    #[error(
        "{index}: tensor `{tensor}` should be in `{shard}` but is not; index and files are of different checkpoints"
    )]
    NotInShard {
        /// The index.
        index: PathBuf,
        /// The tensor.
        tensor: String,
        /// The file named.
        shard: String,
    },
    /// A file could not be written.
    #[error(
        "cannot write {path}: {cause}{free}; nothing was left half written and earlier checkpoints are untouched, free space or \
         choose another folder"
    )]
    Write {
        /// The destination.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
        /// Space left on that file system, as text in parentheses; empty where unknown.
        free: String,
    },
    /// A model in the folder that cannot be replaced in one move.
    #[error(
        "{path} is in the way and cannot be replaced in one move; remove that model or choose another folder"
    )]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// A tensor written that was not declared, or twice.
    #[error(
        "{path}: tensor `{tensor}` is written {how}; write exactly the tensors the file was created with"
    )]
    Unexpected {
        /// The file or folder.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// In which wrong way.
        how: &'static str,
    },
    /// Another number of bytes than declared.
    #[error(
        "{path}: tensor `{tensor}` takes {expected} bytes, got {given}; write it with the shape and type it was declared with"
    )]
    WrongBytes {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Bytes declared.
        expected: u64,
        /// Bytes given.
        given: u64,
    },
}

fn suggest(nearest: &[String]) -> String {
    match nearest {
        [] => "; it belongs to another model".to_owned(),
        names => format!("; did you mean `{}`?", names.join("` or `")),
    }
}
