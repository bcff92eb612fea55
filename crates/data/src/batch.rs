//! One batch of rows as the model's programs take it, and what every endless source of batches promises.
//!
//! A row holds several short documents side by side rather than one document and padding: the segment ids keep
//! attention inside a document and the positions restart with it, so packing changes the speed and nothing else.

use crate::DataError;
use serde::{Deserialize, Serialize};

/// The target of a token whose prediction is not counted.
pub const NO_TARGET: i32 = -1;

/// `batch` rows of `seq` tokens, row after row in each vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Number of rows.
    pub batch: usize,
    /// Tokens per row.
    pub seq: usize,
    /// The input token at each place; padding holds the end-of-document token.
    pub tokens: Vec<i32>,
    /// The token to predict at each place, or [`NO_TARGET`] (padding, last token of a document, masked prompt).
    pub targets: Vec<i32>,
    /// Which document of its row a token belongs to, counted from 0; the padding of a row counts as one more.
    pub segments: Vec<i32>,
    /// Distance from the beginning of the document, or of its window where a long document was cut.
    pub positions: Vec<i32>,
}

impl Batch {
    /// How many predictions count.
    pub fn num_targets(&self) -> usize {
        self.targets.iter().filter(|&&target| target != NO_TARGET).count()
    }

    /// The rows of one rank: the batch is cut into `num_ranks` equal contiguous shares.
    pub fn share(&self, rank: usize, num_ranks: usize) -> Result<Batch, DataError> {
        if num_ranks == 0 || !self.batch.is_multiple_of(num_ranks) || rank >= num_ranks {
            return Err(DataError::UnevenShare { batch: self.batch, rank, num_ranks });
        }
        let rows = self.batch / num_ranks;
        let range = rank * rows * self.seq..(rank + 1) * rows * self.seq;
        Ok(Batch {
            batch: rows,
            seq: self.seq,
            tokens: self.tokens[range.clone()].to_vec(),
            targets: self.targets[range.clone()].to_vec(),
            segments: self.segments[range.clone()].to_vec(),
            positions: self.positions[range].to_vec(),
        })
    }
}

/// Where a [`BatchStream`] stands: enough to continue exactly, small enough to sit in every checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamState {
    /// What the rows are made from (data, tokenizer, sequence length, settings). A state fits only its own stream.
    pub fingerprint: String,
    /// The seed of the order.
    pub seed: u64,
    /// How many times the data was completely passed (always 0 where data is made on the fly).
    pub epoch: u64,
    /// The next row within the epoch.
    pub row: u64,
}

/// Endless batches in a fixed order. Rows come from the state alone, so neither the number of ranks nor the
/// batch size changes which row follows which.
pub trait BatchStream: Send {
    /// The next `batch` rows.
    fn next_batch(&mut self) -> Result<Batch, DataError>;
    /// Where the stream stands: everything before was handed out.
    fn state(&self) -> StreamState;
    /// Continues from a saved state; refuses the state of another stream.
    fn restore(&mut self, state: &StreamState) -> Result<(), DataError>;
}

impl StreamState {
    /// Refuses a state that was saved by a stream over other data or settings.
    pub(crate) fn check(&self, own: &StreamState) -> Result<(), DataError> {
        if (&self.fingerprint, self.seed) == (&own.fingerprint, own.seed) {
            return Ok(());
        }
        Err(DataError::ForeignState {
            saved: self.fingerprint.clone(),
            saved_seed: self.seed,
            own: own.fingerprint.clone(),
            own_seed: own.seed,
        })
    }
}

/// Fills a batch piece by piece.
pub(crate) struct BatchBuilder {
    batch: Batch,
    used: usize,
    pieces: i32,
    padding: i32,
}

impl BatchBuilder {
    pub(crate) fn new(rows: usize, seq: usize, padding: u32) -> Self {
        let vector = || Vec::with_capacity(rows * seq);
        let batch = Batch {
            batch: 0,
            seq,
            tokens: vector(),
            targets: vector(),
            segments: vector(),
            positions: vector(),
        };
        Self { batch, used: 0, pieces: 0, padding: padding as i32 }
    }

    /// Places left in the open row.
    pub(crate) fn free(&self) -> usize {
        self.batch.seq - self.used
    }

    /// Appends the first `len` tokens of `window` to the open row. The window may reach one token further, which is
    /// then the last target. Targets before index `first_target` of the window are not counted.
    pub(crate) fn append(&mut self, window: &[u32], len: usize, first_target: usize) {
        debug_assert!(len <= self.free() && len <= window.len());
        for (i, &token) in window[..len].iter().enumerate() {
            let counted = i + 1 >= first_target;
            let target = window.get(i + 1).filter(|_| counted).map_or(NO_TARGET, |&next| next as i32);
            self.push(token as i32, target, i as i32);
        }
        self.used += len;
        self.pieces += 1;
    }

    fn push(&mut self, token: i32, target: i32, position: i32) {
        self.batch.tokens.push(token);
        self.batch.targets.push(target);
        self.batch.segments.push(self.pieces);
        self.batch.positions.push(position);
    }

    /// Pads the open row and opens the next.
    pub(crate) fn end_row(&mut self) {
        (0..self.free() as i32).for_each(|position| self.push(self.padding, NO_TARGET, position));
        self.batch.batch += 1;
        self.used = 0;
        self.pieces = 0;
    }

    pub(crate) fn finish(self) -> Batch {
        debug_assert_eq!(self.batch.tokens.len(), self.batch.batch * self.batch.seq);
        self.batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows() -> Batch {
        let mut builder = BatchBuilder::new(2, 5, 9);
        builder.append(&[1, 2, 3, 4], 3, 0);
        builder.append(&[5], 1, 0);
        builder.end_row();
        builder.append(&[6, 7, 8], 3, 2);
        builder.end_row();
        builder.finish()
    }

    #[test]
    fn rows_hold_documents_side_by_side() {
        let batch = two_rows();
        assert_eq!(batch.tokens, [1, 2, 3, 5, 9, 6, 7, 8, 9, 9]);
        assert_eq!(batch.targets, [2, 3, 4, -1, -1, -1, 8, -1, -1, -1]);
        assert_eq!(batch.segments, [0, 0, 0, 1, 2, 0, 0, 0, 1, 1]);
        assert_eq!(batch.positions, [0, 1, 2, 0, 0, 0, 1, 2, 0, 1]);
        assert_eq!(batch.num_targets(), 4);
    }

    #[test]
    fn shares_are_contiguous_and_refuse_an_uneven_cut() {
        let batch = two_rows();
        assert_eq!(batch.share(1, 2).unwrap().tokens, [6, 7, 8, 9, 9]);
        let refused = batch.share(0, 3).unwrap_err().to_string();
        assert_eq!(
            refused,
            "a batch of 2 rows cannot be shared evenly over 3 ranks (rank 0); make the batch size a multiple of \
             the number of ranks"
        );
    }
}
