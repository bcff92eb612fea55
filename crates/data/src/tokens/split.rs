//! Which tokens train and which validate.
//!
//! Whole documents go to one half, drawn by the seed, so that no text is on both sides. Where the fraction is less
//! than one document (one long book, say) the tokens are cut by position instead: the end of the data validates.

use super::TokenFile;
use crate::{DataError, rng::Rng};
use std::sync::Arc;

/// A range of tokens within one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Some of the documents of a token file.
#[derive(Clone, Debug)]
pub struct TokenView {
    pub(crate) file: Arc<TokenFile>,
    pub(crate) spans: Arc<[Span]>,
    name: String,
}

/// The two halves. They have no token in common and together all of them.
#[derive(Clone, Debug)]
pub struct Split {
    /// Tokens to train on, never empty.
    pub train: TokenView,
    /// Tokens to validate on, empty only where the fraction is 0.
    pub validation: TokenView,
}

impl TokenView {
    fn new(file: &Arc<TokenFile>, spans: Vec<Span>, name: String) -> Self {
        Self { file: file.clone(), spans: spans.into(), name }
    }

    /// Number of tokens.
    pub fn num_tokens(&self) -> u64 {
        self.spans.iter().map(|span| span.end - span.start).sum()
    }

    /// Number of documents, or of parts of documents.
    pub fn num_documents(&self) -> usize {
        self.spans.len()
    }

    /// Names the content and the choice of documents.
    pub fn fingerprint(&self) -> String {
        format!("{}, {}", self.file.fingerprint(), self.name)
    }

    /// The id that fills the ends of rows.
    pub(crate) fn padding(&self) -> u32 {
        self.file.end_of_document()
    }

    /// The ids from `start` up to `end`, replacing what was in `ids`.
    pub(crate) fn read(&self, start: u64, end: u64, ids: &mut Vec<u32>) -> Result<(), DataError> {
        self.file.read(start, end, ids)
    }
}

impl TokenFile {
    /// Every document, for evaluation.
    pub fn all(self: &Arc<Self>) -> TokenView {
        TokenView::new(self, self.spans().collect(), "all of it".into())
    }

    /// Splits by the validation fraction, from 0 (no validation) to less than 1.
    pub fn split(self: &Arc<Self>, fraction: f64, seed: u64) -> Result<Split, DataError> {
        if !(0.0..1.0).contains(&fraction) {
            return Err(DataError::BadSetting {
                name: "validation fraction",
                required: "at least 0 and less than 1".into(),
                given: fraction.to_string(),
            });
        }
        let wanted = fraction * self.num_documents() as f64;
        let (train, validation) = if wanted < 1.0 {
            self.split_by_position(fraction)
        } else {
            // There are at least two documents here, and one of them must train.
            self.split_by_document((wanted.round() as usize).min(self.num_documents() - 1), seed)
        };
        for (half, spans) in [("training", &train), ("validation", &validation)] {
            if spans.is_empty() && (half == "training" || fraction > 0.0) {
                return Err(DataError::EmptySplit { half, documents: self.num_documents(), fraction });
            }
        }
        let name = |half| format!("{half} half at fraction {fraction} by seed {seed}");
        Ok(Split {
            train: TokenView::new(self, train, name("training")),
            validation: TokenView::new(self, validation, name("validation")),
        })
    }

    fn spans(&self) -> impl Iterator<Item = Span> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| Span { start, end })
    }

    fn split_by_document(&self, num_validation: usize, seed: u64) -> (Vec<Span>, Vec<Span>) {
        let mut order: Vec<u32> = (0..self.num_documents() as u32).collect();
        Rng::at(&[seed, u64::from_be_bytes(*b"split\0\0\0")]).shuffle(&mut order);
        let mut validates = vec![false; order.len()];
        order[..num_validation].iter().for_each(|&document| validates[document as usize] = true);
        let (validation, train): (Vec<_>, Vec<_>) =
            self.spans().zip(validates).partition(|&(_, validates)| validates);
        let spans = |half: Vec<(Span, bool)>| half.into_iter().map(|(span, _)| span).collect();
        (spans(train), spans(validation))
    }

    fn split_by_position(&self, fraction: f64) -> (Vec<Span>, Vec<Span>) {
        let cut = self.num_tokens() - (self.num_tokens() as f64 * fraction).ceil() as u64;
        let not_empty = |span: &Span| span.start < span.end;
        let before =
            self.spans().map(|span| Span { end: span.end.min(cut), ..span }).filter(not_empty).collect();
        let after =
            self.spans().map(|span| Span { start: span.start.max(cut), ..span }).filter(not_empty).collect();
        (before, after)
    }
}
