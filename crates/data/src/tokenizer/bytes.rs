//! The byte tokenizer: id = byte value, 256 ends a document. On disk it is a byte-level BPE without merges: 256
//! symbols under GPT-2's printable names for bytes, each with our id, so `transformers` computes the same ids.

use serde_json::{Map, Value, json};

pub(super) const END_OF_DOCUMENT: u32 = 256;
pub(super) const END_OF_DOCUMENT_NAME: &str = "<|endoftext|>";

pub(super) fn decode(ids: &[u32]) -> String {
    let bytes: Vec<u8> = ids.iter().filter_map(|&id| u8::try_from(id).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes off the front of `pending` whatever later bytes cannot change.
pub(super) fn take_certain(pending: &mut Vec<u8>) -> String {
    let mut text = String::new();
    while !pending.is_empty() {
        let (valid, bad) = match std::str::from_utf8(pending) {
            Ok(valid) => (valid.len(), Some(0)),
            Err(error) => (error.valid_up_to(), error.error_len()),
        };
        text += &String::from_utf8_lossy(&pending[..valid]);
        pending.drain(..valid + bad.unwrap_or(0));
        match bad {
            None => break,
            Some(0) => {}
            Some(_) => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    text
}

/// The printable character that stands for a byte in byte-level BPE files: printable Latin-1 stands for itself, the
/// other 68 bytes for U+0100 onwards in their order.
fn byte_name(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let earlier = (0..byte).filter(|&other| !printable(other)).count() as u32;
    char::from_u32(0x100 + earlier).expect("U+0100..U+0144 are characters")
}

pub(super) fn tokenizer_json() -> String {
    let vocabulary: Map<String, Value> =
        (0..=255u8).map(|byte| (byte_name(byte).to_string(), json!(byte))).collect();
    let byte_level =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let end = json!({"id": END_OF_DOCUMENT, "content": END_OF_DOCUMENT_NAME, "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true});
    let model = json!({"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": vocabulary, "merges": []});
    let whole = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [end],
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null, "decoder": byte_level,
        "model": model});
    format!("{whole:#}\n")
}

pub(super) fn tokenizer_config() -> String {
    config(END_OF_DOCUMENT_NAME, None)
}

/// The `tokenizer_config.json` for a tokenizer whose end-of-document token has this name, made from an earlier one
/// or from nothing.
pub(super) fn config(end_of_document: &str, earlier: Option<Map<String, Value>>) -> String {
    let mut config = earlier.unwrap_or_else(|| {
        Map::from_iter([
            ("tokenizer_class".into(), json!("PreTrainedTokenizerFast")),
            ("pad_token".into(), json!(end_of_document)),
            ("clean_up_tokenization_spaces".into(), json!(false)),
        ])
    });
    config.insert("eos_token".into(), json!(end_of_document));
    format!("{:#}\n", Value::Object(config))
}

#[cfg(test)]
mod tests {
    use crate::Tokenizer;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// The same vocabulary read back by the `tokenizers` library, which `transformers` uses.
    static SAVED: LazyLock<Tokenizer> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        Tokenizer::bytes().save(folder.path()).unwrap();
        Tokenizer::from_file(&folder.path().join("tokenizer.json"), None).unwrap()
    });

    #[test]
    fn the_saved_file_has_our_ids_for_every_byte() {
        assert_eq!(SAVED.vocab_size(), 257);
        assert_eq!(SAVED.end_of_document(), 256);
        let every_scalar_length = "\0\t\n ~\u{7f}\u{80}\u{ad}\u{ff}\u{100}\u{7ff}\u{800}\u{ffff}\u{10ffff}";
        assert_eq!(
            SAVED.encode(every_scalar_length).unwrap(),
            Tokenizer::bytes().encode(every_scalar_length).unwrap()
        );
    }

    fn streamed(tokenizer: &Tokenizer, ids: &[u32]) -> String {
        let mut decoder = tokenizer.stream_decoder();
        let mut text: String = ids.iter().map(|&id| decoder.push(id).unwrap()).collect();
        text += &decoder.finish().unwrap();
        text
    }

    proptest! {
        #[test]
        fn texts_return_unchanged(text in "\\PC{0,40}") {
            for tokenizer in [&Tokenizer::bytes(), &*SAVED] {
                let ids = tokenizer.encode(&text).unwrap();
                prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text.clone());
                prop_assert_eq!(ids, text.bytes().map(u32::from).collect::<Vec<_>>());
            }
        }

        #[test]
        fn any_ids_decode_alike_at_once_and_streamed(ids in prop::collection::vec(0u32..257, 0..60)) {
            let tokenizer = Tokenizer::bytes();
            prop_assert_eq!(streamed(&tokenizer, &ids), tokenizer.decode(&ids).unwrap());
        }

        #[test]
        fn text_streams_unchanged(text in "\\PC{0,40}") {
            for tokenizer in [&Tokenizer::bytes(), &*SAVED] {
                prop_assert_eq!(streamed(tokenizer, &tokenizer.encode(&text).unwrap()), text.clone());
            }
        }
    }

    #[test]
    fn an_id_beyond_the_vocabulary_is_refused() {
        let refused = Tokenizer::bytes().decode(&[65, 257]).unwrap_err().to_string();
        assert_eq!(
            refused,
            "token id 257 is beyond the vocabulary of 257 tokens; use the tokenizer that the model was trained with"
        );
    }
}
