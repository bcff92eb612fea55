//! Text from tokens that arrive one at a time, never half a character.

use super::{Kind, Tokenizer, bytes};
use crate::DataError;

/// Turns a growing sequence of ids into growing text. Made by [`Tokenizer::stream_decoder`].
pub struct StreamDecoder<'a> {
    tokenizer: &'a Tokenizer,
    waiting: Waiting,
}

enum Waiting {
    /// Bytes that may become a character.
    Bytes(Vec<u8>),
    /// Some tokenizers decide only from the neighbours whether a token begins with a space, so no token is decoded
    /// alone: the first `settled` tokens were given out and are decoded again with the waiting ones after them.
    /// The first `given` bytes of the window's text were given out.
    Tokens { window: Vec<u32>, settled: usize, given: usize },
}

impl<'a> StreamDecoder<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        let waiting = match tokenizer.0 {
            Kind::Bytes => Waiting::Bytes(Vec::new()),
            Kind::HuggingFace(_) => Waiting::Tokens { window: Vec::new(), settled: 0, given: 0 },
        };
        Self { tokenizer, waiting }
    }

    /// Adds one token and returns the text that became certain: often one word, sometimes nothing.
    pub fn push(&mut self, id: u32) -> Result<String, DataError> {
        self.tokenizer.check(id)?;
        match &mut self.waiting {
            Waiting::Bytes(pending) => {
                pending.extend(u8::try_from(id));
                Ok(bytes::take_certain(pending))
            }
            Waiting::Tokens { window, .. } => {
                window.push(id);
                self.take_added(false)
            }
        }
    }

    /// The text still held back; half a character at the very end becomes U+FFFD.
    pub fn finish(mut self) -> Result<String, DataError> {
        match &self.waiting {
            Waiting::Bytes(pending) => Ok(String::from_utf8_lossy(pending).into_owned()),
            Waiting::Tokens { .. } => self.take_added(true),
        }
    }

    fn take_added(&mut self, at_end: bool) -> Result<String, DataError> {
        let Waiting::Tokens { window, settled, given } = &mut self.waiting else { return Ok(String::new()) };
        let whole = self.tokenizer.decode(window)?;
        // U+FFFD at the end may be half a character that the next token completes.
        let certain = if at_end { &whole[..] } else { whole.trim_end_matches(char::REPLACEMENT_CHARACTER) };
        let added = certain.get(*given..).unwrap_or_default().to_owned();
        *given = certain.len().max(*given);
        if certain.len() == whole.len() {
            window.drain(..*settled);
            *settled = window.len();
            *given = self.tokenizer.decode(window)?.len();
        }
        Ok(added)
    }
}
