//! Batches from a token file: endless and shuffled for training, once and in order for validation.

use crate::{Batch, BatchStream, DataError, StreamState, TokenView, batch::BatchBuilder, rows::RowPlan};

/// Endless training batches: each epoch takes every token once, in an order of its own. A batch at the end of an epoch
/// is filled up from the next, so nothing is dropped.
pub struct TokenBatches {
    rows: Rows,
    batch: usize,
    state: StreamState,
}

impl TokenBatches {
    /// `batch` rows of `seq` tokens per batch, in the order of `seed`.
    pub fn new(view: TokenView, seed: u64, batch: usize, seq: usize) -> Result<Self, DataError> {
        let fingerprint = format!("{}, rows of {seq}", view.fingerprint());
        let state = StreamState { fingerprint, seed, epoch: 0, row: 0 };
        let rows = Rows::new(view, seq, Some([seed, 0]), batch)?;
        Ok(Self { rows, batch, state })
    }

    /// Rows per epoch: how long an epoch is. It differs a little between epochs, for documents pack differently.
    pub fn rows_per_epoch(&self) -> u64 {
        self.rows.plan.num_rows()
    }

    fn open_epoch(&mut self, epoch: u64, row: u64) {
        if epoch != self.state.epoch {
            self.rows.plan =
                RowPlan::new(&self.rows.view.spans, self.rows.seq, Some(&[self.state.seed, epoch]));
        }
        (self.state.epoch, self.state.row) = (epoch, row);
    }
}

impl BatchStream for TokenBatches {
    fn next_batch(&mut self) -> Result<Batch, DataError> {
        let mut builder = self.rows.builder(self.batch);
        for _ in 0..self.batch {
            if self.state.row >= self.rows.plan.num_rows() {
                self.open_epoch(self.state.epoch + 1, 0);
            }
            self.rows.append(&mut builder, self.state.row)?;
            self.state.row += 1;
        }
        Ok(builder.finish())
    }

    fn state(&self) -> StreamState {
        self.state.clone()
    }

    fn restore(&mut self, state: &StreamState) -> Result<(), DataError> {
        state.check(&self.state)?;
        self.open_epoch(state.epoch, state.row);
        Ok(())
    }
}

/// Every token once, in the order of the documents. The last batch is filled up with rows of padding.
pub struct SequentialBatches {
    rows: Rows,
    batch: usize,
    next: u64,
}

impl SequentialBatches {
    /// `batch` rows of `seq` tokens per batch.
    pub fn new(view: TokenView, batch: usize, seq: usize) -> Result<Self, DataError> {
        Ok(Self { rows: Rows::new(view, seq, None, batch)?, batch, next: 0 })
    }
}

impl Iterator for SequentialBatches {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let num_rows = self.rows.plan.num_rows();
        if self.next >= num_rows {
            return None;
        }
        let mut builder = self.rows.builder(self.batch);
        for row in self.next..self.next + self.batch as u64 {
            if row >= num_rows {
                builder.end_row();
            } else if let Err(error) = self.rows.append(&mut builder, row) {
                self.next = num_rows;
                return Some(Err(error));
            }
        }
        self.next += self.batch as u64;
        Some(Ok(builder.finish()))
    }
}

/// The rows of a plan, read from the file.
struct Rows {
    view: TokenView,
    seq: usize,
    plan: RowPlan,
    window: Vec<u32>,
}

impl Rows {
    fn new(view: TokenView, seq: usize, shuffle: Option<[u64; 2]>, batch: usize) -> Result<Self, DataError> {
        for (name, given, least) in [("batch size", batch, 1), ("sequence length", seq, 2)] {
            if given < least {
                let required = format!("at least {least}");
                return Err(DataError::BadSetting { name, required, given: given.to_string() });
            }
        }
        if view.num_tokens() < 2 {
            return Err(DataError::NoDocuments { sources: view.fingerprint() });
        }
        let plan = RowPlan::new(&view.spans, seq, shuffle.as_ref().map(|coordinates| &coordinates[..]));
        Ok(Self { view, seq, plan, window: Vec::new() })
    }

    fn builder(&self, batch: usize) -> BatchBuilder {
        BatchBuilder::new(batch, self.seq, self.view.padding())
    }

    /// Reads one row; each piece with one token more where its document goes on, for the last target.
    fn append(&mut self, builder: &mut BatchBuilder, row: u64) -> Result<(), DataError> {
        for [start, end, document_end] in self.plan.row(row, &self.view.spans) {
            self.view.read(start, document_end.min(end + 1), &mut self.window)?;
            builder.append(&self.window, (end - start) as usize, 0);
        }
        builder.end_row();
        Ok(())
    }
}
