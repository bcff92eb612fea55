//! Any Hugging Face `tokenizer.json`, read by the library its authors maintain, and byte-level BPE training.

use super::bytes::{self, END_OF_DOCUMENT_NAME};
use super::special_token;
use crate::DataError;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::path::Path;
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
    TokenizerBuilder, TokenizerImpl,
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
    json: String,
    config: String,
    fingerprint: String,
}

impl HuggingFace {
    pub(super) fn open(path: &Path, end_of_document: Option<&str>) -> Result<Self, DataError> {
        let json = std::fs::read_to_string(path).map_err(|error| DataError::read(path, error))?;
        let bad = |reason: String| DataError::BadTokenizer { path: path.into(), reason };
        let tokenizer = tokenizers::Tokenizer::from_bytes(&json).map_err(|error| bad(error.to_string()))?;
        let config = config_beside(path);
        let known = || COMMON_NAMES.into_iter().find(|name| tokenizer.token_to_id(name).is_some());
        let name = end_of_document.or_else(|| special_token(config.as_ref()?, "eos_token")).or_else(known);
        let name = name.ok_or_else(|| bad("it has no end-of-document token of a known name".into()))?;
        let end = tokenizer.token_to_id(name).ok_or_else(|| bad(format!("it has no token `{name}`")))?;
        let config_text = bytes::config(name, config.clone());
        Ok(Self::new(tokenizer, end, json, config_text))
    }

    fn new(tokenizer: tokenizers::Tokenizer, end_of_document: u32, json: String, config: String) -> Self {
        // Ids may have gaps, so the size is what the highest id demands.
        let vocab_size = tokenizer.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1);
        let hash = Sha256::new().chain_update(&json).chain_update(end_of_document.to_le_bytes()).finalize();
        let fingerprint = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { tokenizer, vocab_size, end_of_document, json, config, fingerprint }
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
        self.encode_with(text, true)
    }

    pub(super) fn encode_spelled(&self, text: &str) -> Result<Vec<u32>, DataError> {
        self.encode_with(text, false)
    }

    pub(super) fn id_of(&self, name: &str) -> Option<u32> {
        self.tokenizer.token_to_id(name)
    }

    fn encode_with(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, DataError> {
        let encoding = self.tokenizer.encode_fast(text, add_special_tokens);
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

    /// The configuration that lay beside it, a chat template in it included.
    pub(super) fn tokenizer_config(&self) -> String {
        self.config.clone()
    }
}

/// The `tokenizer_config.json` beside a `tokenizer.json`, where there is a readable one.
fn config_beside(tokenizer: &Path) -> Option<Map<String, Value>> {
    let text = std::fs::read_to_string(tokenizer.with_file_name("tokenizer_config.json")).ok()?;
    serde_json::from_str(&text).ok()
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
    let mut trainer = BpeTrainerBuilder::new()
        .vocab_size(vocab_size)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(END_OF_DOCUMENT_NAME, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut learner = untrained().map_err(failed)?;

    // The library takes plain texts, so the first unreadable document ends them and is reported afterwards.
    let mut unreadable = None;
    let mut any = false;
    let texts = documents.map_while(|document| document.map_err(|error| unreadable = Some(error)).ok());
    let trained = learner.train(&mut trainer, texts.inspect(|text| any |= !text.is_empty())).map(drop);
    match unreadable {
        Some(error) => return Err(error),
        None => trained.map_err(failed)?,
    }
    if !any {
        return Err(DataError::NoDocuments {
            sources: "the documents given for training a tokenizer".into(),
        });
    }
    let json = learner.to_string(true).map_err(failed)?;
    let tokenizer = tokenizers::Tokenizer::from_bytes(&json).map_err(failed)?;
    let end = tokenizer.token_to_id(END_OF_DOCUMENT_NAME).expect("the trainer was given this token");
    Ok(HuggingFace::new(tokenizer, end, json, bytes::tokenizer_config()))
}

type Learner =
    TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

fn untrained() -> tokenizers::Result<Learner> {
    let byte_level = ByteLevel::new(false, true, true);
    TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_pre_tokenizer(Some(byte_level.into()))
        .with_decoder(Some(byte_level.into()))
        .build()
}

fn failed(error: tokenizers::Error) -> DataError {
    DataError::Tokenize { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use crate::{DataError, Tokenizer};
    use proptest::prelude::{prop_assert_eq, proptest};
    use std::{fs, path::Path, sync::LazyLock};

    static LEARNED: LazyLock<Tokenizer> = LazyLock::new(|| {
        let texts =
            ["the cat sat on the mat", "the dog sat on the log, naïve"].map(|text| Ok(text.to_owned()));
        Tokenizer::train_bpe(texts, 280).unwrap()
    });

    fn open(folder: &Path, end_of_document: Option<&str>) -> Result<Tokenizer, DataError> {
        Tokenizer::from_file(&folder.join("tokenizer.json"), end_of_document)
    }

    #[test]
    fn a_learned_vocabulary_merges_and_returns_unchanged_from_disk() {
        assert_eq!(LEARNED.vocab_size(), 280);
        let text = "the cat sat on the log";
        let ids = LEARNED.encode(text).unwrap();
        assert!(ids.len() < text.len() / 2, "{ids:?}");
        let folder = tempfile::tempdir().unwrap();
        LEARNED.save(folder.path()).unwrap();
        let read = open(folder.path(), None).unwrap();
        assert_eq!(read.encode(text).unwrap(), ids);
        assert_eq!(read.end_of_document(), LEARNED.end_of_document());
        assert_eq!(read.fingerprint(), LEARNED.fingerprint());
        assert_ne!(read.fingerprint(), Tokenizer::bytes().fingerprint());
    }

    proptest! {
        #[test]
        fn texts_return_unchanged(text in "\\PC{0,40}") {
            let ids = LEARNED.encode(&text).unwrap();
            prop_assert_eq!(LEARNED.decode(&ids).unwrap(), text.clone());
            let mut decoder = LEARNED.stream_decoder();
            let mut streamed: String = ids.iter().map(|&id| decoder.push(id).unwrap()).collect();
            streamed += &decoder.finish().unwrap();
            prop_assert_eq!(streamed, text);
        }
    }

    #[test]
    fn the_end_of_document_token_is_the_given_the_configured_or_a_known_one() {
        let folder = tempfile::tempdir().unwrap();
        LEARNED.save(folder.path()).unwrap();
        let json = folder.path().join("tokenizer.json");
        let two = fs::read_to_string(&json).unwrap().replace("<|endoftext|>", "<|stop|>");
        fs::write(&json, two).unwrap();
        let end = |given| open(folder.path(), given).map(|tokenizer| tokenizer.end_of_document());
        let no_known = end(None).unwrap_err().to_string();
        assert!(
            no_known.contains("it has no token `<|endoftext|>`"),
            "the configuration names it: {no_known}"
        );
        assert_eq!(end(Some("<|stop|>")).unwrap(), LEARNED.end_of_document());
        fs::write(
            folder.path().join("tokenizer_config.json"),
            r#"{"eos_token": {"content": "<|stop|>"}, "x": 1}"#,
        )
        .unwrap();
        assert_eq!(end(None).unwrap(), LEARNED.end_of_document());
        let copy = tempfile::tempdir().unwrap();
        open(folder.path(), None).unwrap().save(copy.path()).unwrap();
        let config = fs::read_to_string(copy.path().join("tokenizer_config.json")).unwrap();
        assert!(config.contains("\"x\": 1"), "what else was configured is kept: {config}");
        fs::remove_file(folder.path().join("tokenizer_config.json")).unwrap();
        let unknown = end(None).unwrap_err().to_string();
        assert!(unknown.contains("no end-of-document token of a known name; take the file"), "{unknown}");
    }

    #[test]
    fn files_that_are_no_tokenizer_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = || open(folder.path(), None).err().unwrap().to_string();
        assert!(refused().starts_with("cannot read "));
        for content in ["", "{", "{}", r#"{"version": "1.0", "model": {"type": "Magic"}}"#] {
            fs::write(folder.path().join("tokenizer.json"), content).unwrap();
            assert!(
                refused().contains("tokenizer.json: not a usable tokenizer.json, "),
                "{content}: {}",
                refused()
            );
        }
    }

    #[test]
    fn impossible_training_is_refused() {
        let refused = |texts: Vec<Result<String, DataError>>, size| {
            Tokenizer::train_bpe(texts, size).err().unwrap().to_string()
        };
        assert_eq!(
            refused(vec![Ok("a".into())], 256),
            "a byte-level BPE vocabulary needs at least 257 tokens, got 256; ask for more"
        );
        assert!(refused(vec![], 300).starts_with("no text in the documents given"));
        let broken = || Err(DataError::VocabularyTooSmall { given: 1, smallest: 2 });
        assert!(refused(vec![Ok("a".into()), broken()], 300).contains("needs at least 2 tokens"));
    }
}
