//! Text to token ids and back.
//!
//! One type for both kinds, so that nothing downstream asks which it is: bytes, which need no file and are the
//! default, and any Hugging Face `tokenizer.json`. Either can be written beside a checkpoint so that `transformers`
//! loads it, and either is named by a fingerprint that token files and data states remember.

mod bytes;
mod decode;
mod hugging_face;

pub use decode::StreamDecoder;

use crate::DataError;
use bytes::END_OF_DOCUMENT;
use hugging_face::HuggingFace;
use serde_json::{Map, Value};
use std::path::Path;

/// Text to token ids and back.
#[derive(Clone)]
pub struct Tokenizer(Kind);

#[derive(Clone)]
enum Kind {
    Bytes,
    HuggingFace(Box<HuggingFace>),
}

impl Tokenizer {
    /// One token per byte (id = byte value) and one end-of-document token, id 256.
    pub fn bytes() -> Self {
        Self(Kind::Bytes)
    }

    /// Reads a `tokenizer.json`. The end-of-document token is `end_of_document` where given, else the `eos_token` of
    /// a `tokenizer_config.json` in the same folder, else the first of the common names it knows.
    pub fn from_file(path: &Path, end_of_document: Option<&str>) -> Result<Self, DataError> {
        HuggingFace::open(path, end_of_document).map(|tokenizer| Self(Kind::HuggingFace(Box::new(tokenizer))))
    }

    /// Learns a byte-level BPE vocabulary of `vocab_size` tokens (256 bytes and the end-of-document token included).
    pub fn train_bpe<I>(documents: I, vocab_size: usize) -> Result<Self, DataError>
    where
        I: IntoIterator<Item = Result<String, DataError>>,
        I::IntoIter: Send,
    {
        let trained = hugging_face::train_bpe(documents.into_iter(), vocab_size)?;
        Ok(Self(Kind::HuggingFace(Box::new(trained))))
    }

    /// Number of ids; every id of [`encode`](Self::encode) is below it. A model may round it up.
    pub fn vocab_size(&self) -> usize {
        match &self.0 {
            Kind::Bytes => END_OF_DOCUMENT as usize + 1,
            Kind::HuggingFace(tokenizer) => tokenizer.vocab_size(),
        }
    }

    /// The token that ends a document.
    pub fn end_of_document(&self) -> u32 {
        match &self.0 {
            Kind::Bytes => END_OF_DOCUMENT,
            Kind::HuggingFace(tokenizer) => tokenizer.end_of_document(),
        }
    }

    /// The ids of a text, without an end-of-document token. A `tokenizer.json` behaves as in `transformers`: special
    /// tokens it adds by itself (Llama's begin-of-text) are there, and those spelled out in the text are recognised.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, DataError> {
        match &self.0 {
            Kind::Bytes => Ok(text.bytes().map(u32::from).collect()),
            Kind::HuggingFace(tokenizer) => tokenizer.encode(text),
        }
    }

    /// The ids of a text that spells all special tokens it wants, as the text of a chat template does: none is added.
    pub fn encode_spelled(&self, text: &str) -> Result<Vec<u32>, DataError> {
        match &self.0 {
            Kind::Bytes => self.encode(text),
            Kind::HuggingFace(tokenizer) => tokenizer.encode_spelled(text),
        }
    }

    /// The id of the token of this name.
    pub fn id_of(&self, name: &str) -> Option<u32> {
        match &self.0 {
            Kind::Bytes => (name == bytes::END_OF_DOCUMENT_NAME).then_some(END_OF_DOCUMENT),
            Kind::HuggingFace(tokenizer) => tokenizer.id_of(name),
        }
    }

    /// The text of its `tokenizer.json`.
    pub fn json(&self) -> String {
        match &self.0 {
            Kind::Bytes => bytes::tokenizer_json(),
            Kind::HuggingFace(tokenizer) => tokenizer.tokenizer_json(),
        }
    }

    /// The text of the ids; special tokens are left out, bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> Result<String, DataError> {
        ids.iter().try_for_each(|&id| self.check(id))?;
        match &self.0 {
            Kind::Bytes => Ok(bytes::decode(ids)),
            Kind::HuggingFace(tokenizer) => tokenizer.decode(ids),
        }
    }

    fn check(&self, id: u32) -> Result<(), DataError> {
        let vocab_size = self.vocab_size();
        if (id as usize) < vocab_size { Ok(()) } else { Err(DataError::TokenOutOfRange { id, vocab_size }) }
    }

    /// Decodes ids one at a time, never giving out half a character.
    pub fn stream_decoder(&self) -> StreamDecoder<'_> {
        StreamDecoder::new(self)
    }

    /// Names the mapping from text to ids: equal fingerprints mean equal ids for every text.
    pub fn fingerprint(&self) -> String {
        match &self.0 {
            Kind::Bytes => "bytes".into(),
            Kind::HuggingFace(tokenizer) => tokenizer.fingerprint().into(),
        }
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json` into a folder, so that `transformers` loads the same ids.
    pub fn save(&self, folder: &Path) -> Result<(), DataError> {
        let config = match &self.0 {
            Kind::Bytes => bytes::tokenizer_config(),
            Kind::HuggingFace(tokenizer) => tokenizer.tokenizer_config(),
        };
        crate::file::write_atomically(&folder.join("tokenizer.json"), self.json().as_bytes())?;
        crate::file::write_atomically(&folder.join("tokenizer_config.json"), config.as_bytes())
    }
}

/// A token that a `tokenizer_config.json` names, such as its `eos_token`: a string, or an object with `content`.
pub fn special_token<'c>(config: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    let token = config.get(name)?;
    token.as_str().or_else(|| token.get("content")?.as_str())
}
