//! Everything that can be wrong with data, each with where, what and the remedy.

use std::{io, path::Path, path::PathBuf};

/// What went wrong between the files and the batches.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {cause}; check the path and its permissions")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// A file could not be written.
    #[error(
        "cannot write {path}: {cause}; nothing was left half written, free space or choose another folder"
    )]
    Write {
        /// The destination.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// A file of a kind that is not understood was named.
    #[error(
        "{path}: data files must end in .txt, .jsonl or .parquet; convert it or rename it to its true kind"
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
    /// A folder holds no data file.
    #[error(
        "{path}: no .txt, .jsonl or .parquet file in this folder or below it; name the folder that has them"
    )]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The sources hold no text at all.
    #[error("no text in {sources}; give at least one document that is not empty")]
    NoDocuments {
        /// What was searched.
        sources: String,
    },
    /// Bytes that are not text.
    #[error(
        "{path}, line {line}: invalid UTF-8 at byte {offset} of the file; convert the file to UTF-8 (for example \
         `iconv -f latin1 -t utf-8`)"
    )]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The first wrong byte, from 0.
        offset: u64,
    },
    /// A record without the wanted text.
    #[error("{path}, line {line}: no string field `{field}`, {given}; choose another with --field")]
    MissingField {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The wanted field.
        field: String,
        /// What the record holds instead.
        given: String,
    },
    /// A line that is not a JSON object.
    #[error("{path}, line {line}: not a JSON object ({reason}); a .jsonl file has one object per line")]
    BadJson {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The parser's reason.
        reason: String,
    },
    /// A parquet file without the wanted column.
    #[error("{path}: no string column `{field}`, the columns are {columns}; choose another with --field")]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The wanted column.
        field: String,
        /// The columns that are there.
        columns: String,
    },
    /// A parquet file that cannot be decoded.
    #[error(
        "{path}, row {row}: {reason}; the file is damaged or uses an unsupported codec, fetch or write it again"
    )]
    BadParquet {
        /// The file.
        path: PathBuf,
        /// The row reached, from 0.
        row: u64,
        /// The decoder's reason.
        reason: String,
    },
    /// A `tokenizer.json` that cannot be used.
    #[error(
        "{path}: not a usable tokenizer.json, {reason}; take the file from the model's page, or name the \
             end-of-document token"
    )]
    BadTokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The tokenizer failed on a text.
    #[error(
        "the tokenizer failed: {reason}; try the byte tokenizer to find out whether the text is at fault"
    )]
    Tokenize {
        /// The library's reason.
        reason: String,
    },
    /// An id outside the vocabulary.
    #[error(
        "token id {id} is beyond the vocabulary of {vocab_size} tokens; use the tokenizer that the model was trained \
         with"
    )]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Number of ids.
        vocab_size: usize,
    },
    /// Too few tokens asked of BPE training.
    #[error("a byte-level BPE vocabulary needs at least {smallest} tokens, got {given}; ask for more")]
    VocabularyTooSmall {
        /// The wish.
        given: usize,
        /// Bytes and the end-of-document token.
        smallest: usize,
    },
    /// A token file that is damaged or not one.
    #[error("{path}: not a usable token file, {reason}; delete it and it is made again from the text")]
    BadTokenFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// More documents than the row plan can address.
    #[error("{given} documents are more than the {limit} that one token file holds; split the data")]
    TooManyDocuments {
        /// How many there are.
        given: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A setting out of its range.
    #[error("{name} must be {required}, got {given}")]
    BadSetting {
        /// Its name in the configuration.
        name: &'static str,
        /// What is allowed.
        required: String,
        /// What was given.
        given: String,
    },
    /// One half of the split has no tokens.
    #[error(
        "the {half} half of the split is empty ({documents} documents, validation fraction {fraction}); give more \
         text or change the fraction"
    )]
    EmptySplit {
        /// "training" or "validation".
        half: &'static str,
        /// Documents in the data.
        documents: usize,
        /// The fraction asked for.
        fraction: f64,
    },
    /// A batch that does not divide by the ranks.
    #[error(
        "a batch of {batch} rows cannot be shared evenly over {num_ranks} ranks (rank {rank}); make the batch size a \
         multiple of the number of ranks"
    )]
    UnevenShare {
        /// Rows of the batch.
        batch: usize,
        /// The rank that asked.
        rank: usize,
        /// Number of ranks.
        num_ranks: usize,
    },
    /// A data position saved over other data.
    #[error(
        "the saved data position belongs to other data or settings ({saved}, seed {saved_seed}) than this run's \
         ({own}, seed {own_seed}); resume with the data, tokenizer, sequence length and seed of the first run"
    )]
    ForeignState {
        /// Fingerprint in the state.
        saved: String,
        /// Seed in the state.
        saved_seed: u64,
        /// Fingerprint of this stream.
        own: String,
        /// Seed of this stream.
        own_seed: u64,
    },
}

impl DataError {
    pub(crate) fn read(path: &Path, cause: io::Error) -> Self {
        Self::Read { path: path.into(), cause }
    }

    pub(crate) fn write(path: &Path, cause: io::Error) -> Self {
        Self::Write { path: path.into(), cause }
    }
}
