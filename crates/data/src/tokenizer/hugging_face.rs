//! Any Hugging Face `tokenizer.json`, read by the library its authors maintain, and byte-level BPE training.

use super::bytes::{self, END_OF_DOCUMENT_NAME};
use crate::DataError;
use sha2::{Digest, Sha256};
use std::path::Path;
use tokenizers::{
    AddedToken, DecoderWrapper, Model, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerBuilder,
    models::bpe::{BPE, BpeTrainerBuilder},
    pre_tokenizers::byte_level::ByteLevel,
};

/// Names of the end-of-document token in published tokenizers, tried in this order. Base models' names come first:
/// a chat model's end of turn is not the end of a document.
const COMMON_NAMES: [&str; 8] = [
    "<|endoftext|>",
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
    "</s>",
    "<eos>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|return|>",
];

#[derive(Clone)]
pub(super) struct HuggingFace {
    tokenizer: tokenizers::Tokenizer,
    vocab_size: usize,
    end_of_document: u32,
    end_of_document_name: String,
    json: String,
    fingerprint: String,
}

impl HuggingFace {
    pub(super) fn open(path: &Path, end_of_document: Option<&str>) -> Result<Self, DataError> {
        let json = std::fs::read_to_string(path).map_err(|error| DataError::read(path, error))?;
        let bad = |reason: String| DataError::BadTokenizer { path: path.into(), reason };
        let tokenizer = tokenizers::Tokenizer::from_bytes(&json).map_err(|error| bad(error.to_string()))?;
        let name = match end_of_document {
            Some(name) => Some(name.to_owned()),
            None => eos_of_config(path).or_else(|| {
                COMMON_NAMES.iter().find(|name| tokenizer.token_to_id(name).is_some()).map(|&name| name.to_owned())
            }),
        };
        let name = name.ok_or_else(|| bad("it has no end-of-document token of a known name".into()))?;
        let end = tokenizer.token_to_id(&name).ok_or_else(|| bad(format!("it has no token `{name}`")))?;
        Ok(Self::new(tokenizer, end, name, json))
    }

    fn new(tokenizer: tokenizers::Tokenizer, end_of_document: u32, name: String, json: String) -> Self {
        // Ids may have gaps, so the size is what the highest id demands.
        let vocab_size = tokenizer.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1);
        let hash = Sha256::new().chain_update(&json).chain_update(end_of_document.to_le_bytes()).finalize();
        let fingerprint = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { tokenizer, vocab_size, end_of_document, end_of_document_name: name, json, fingerprint }
    }

    pub(super) fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    pub(super) fn end_of_document(&self) -> u32 {
        self.end_of_document
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, DataError> {
        let encoding = self.tokenizer.encode_fast(text, true);
        let encoding = encoding.map_err(|error| DataError::Tokenize { reason: error.to_string() })?;
        Ok(encoding.get_ids().to_vec())
    }

    pub(super) fn decode(&self, ids: &[u32]) -> Result<String, DataError> {
        self.tokenizer.decode(ids, true).map_err(|error| DataError::Tokenize { reason: error.to_string() })
    }

    /// The file as it was read, so that nothing of it is lost on the way through.
    pub(super) fn tokenizer_json(&self) -> String {
        self.json.clone()
    }

    pub(super) fn tokenizer_config(&self) -> String {
        bytes::config(&self.end_of_document_name)
    }
}

/// The `eos_token` of the `tokenizer_config.json` beside a `tokenizer.json`, a string or an object with `content`.
fn eos_of_config(tokenizer: &Path) -> Option<String> {
    let text = std::fs::read_to_string(tokenizer.with_file_name("tokenizer_config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_str(&text).ok()?;
    let eos = config.get("eos_token")?;
    eos.as_str().or_else(|| eos.get("content")?.as_str()).map(str::to_owned)
}

/// Learns merges over the documents, GPT-2's way: bytes as the alphabet, words split by its pattern.
pub(super) fn train_bpe(
    documents: impl Iterator<Item = Result<String, DataError>> + Send,
    vocab_size: usize,
) -> Result<HuggingFace, DataError> {
    const SMALLEST: usize = 257;
    if vocab_size < SMALLEST {
        return Err(DataError::VocabularyTooSmall { given: vocab_size, smallest: SMALLEST });
    }
    let end = AddedToken::from(END_OF_DOCUMENT_NAME, true);
    let mut trainer = BpeTrainerBuilder::new()
        .vocab_size(vocab_size)
        .show_progress(false)
        .special_tokens(vec![end])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let byte_level = ByteLevel::new(false, true, true);
    let mut learner =
        TokenizerBuilder::<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>::new()
            .with_model(BPE::default())
            .with_pre_tokenizer(Some(byte_level.into()))
            .with_decoder(Some(byte_level.into()))
            .build()
            .map_err(|error| DataError::Tokenize { reason: error.to_string() })?;

    // The library takes plain texts; the first unreadable document ends the stream and is reported afterwards.
    let mut failed = None;
    let mut any = false;
    let texts = documents.map_while(|document| match document {
        Ok(text) => {
            any |= !text.is_empty();
            Some(text)
        }
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    let trained = learner.train(&mut trainer, texts).map(drop);
    if let Some(error) = failed {
        return Err(error);
    }
    trained.map_err(|error| DataError::Tokenize { reason: error.to_string() })?;
    if !any {
        return Err(DataError::NoDocuments { sources: "the documents given for training a tokenizer".into() });
    }
    let json = learner.to_string(true).map_err(|error| DataError::Tokenize { reason: error.to_string() })?;
    let tokenizer =
        tokenizers::Tokenizer::from_bytes(&json).map_err(|error| DataError::Tokenize { reason: error.to_string() })?;
    let end = tokenizer.get_model().token_to_id(END_OF_DOCUMENT_NAME).unwrap_or_default();
    Ok(HuggingFace::new(tokenizer, end, END_OF_DOCUMENT_NAME.into(), json))
}
