//! Which piece of which document lies in which row.
//!
//! A document longer than a row is cut into windows of one row each; its last window and the short documents are
//! packed several to a row. Pieces come in their (shuffled) order and each goes into the fullest open row that still
//! has room; a limited number of rows stays open, so packing takes one pass and a row holds neighbours of the order.
//! Every token is in exactly one piece and every piece in exactly one row.

use crate::{rng::Rng, tokens::Span};

/// Rows that wait for a fitting piece. More rows waste less room and take longer to search.
const OPEN_ROWS: usize = 64;

/// Window `window` of span `span`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    span: u32,
    window: u32,
}

/// The rows of one epoch.
pub(crate) struct RowPlan {
    seq: u64,
    pieces: Vec<Piece>,
    /// Where each row ends in `pieces`.
    ends: Vec<usize>,
}

impl RowPlan {
    /// Rows of `seq` tokens, in the order of the documents or shuffled by the coordinates.
    pub(crate) fn new(spans: &[Span], seq: usize, shuffle: Option<&[u64]>) -> Self {
        let seq = seq as u64;
        let windows = |span: &Span| (span.end - span.start).div_ceil(seq);
        let mut order = Vec::with_capacity(spans.iter().map(windows).sum::<u64>() as usize);
        for (i, span) in spans.iter().enumerate() {
            order.extend((0..windows(span)).map(|window| Piece { span: i as u32, window: window as u32 }));
        }
        if let Some(coordinates) = shuffle {
            Rng::at(coordinates).shuffle(&mut order);
        }
        Packer::new(Self { seq, pieces: Vec::with_capacity(order.len()), ends: Vec::new() })
            .pack(spans, order)
    }

    pub(crate) fn num_rows(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The token ranges of a row: start and end of the piece, and the end of its document part.
    pub(crate) fn row<'a>(&'a self, row: u64, spans: &'a [Span]) -> impl Iterator<Item = [u64; 3]> + 'a {
        let row = row as usize;
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        self.pieces[start..self.ends[row]].iter().map(|&piece| {
            let span = spans[piece.span as usize];
            let [start, end] = self.range(piece, span);
            [start, end, span.end]
        })
    }

    fn range(&self, piece: Piece, span: Span) -> [u64; 2] {
        let start = span.start + u64::from(piece.window) * self.seq;
        [start, span.end.min(start + self.seq)]
    }
}

struct Packer {
    plan: RowPlan,
    open: Vec<OpenRow>,
}

struct OpenRow {
    free: u64,
    pieces: Vec<Piece>,
}

impl Packer {
    fn new(plan: RowPlan) -> Self {
        Self { plan, open: Vec::new() }
    }

    fn pack(mut self, spans: &[Span], order: Vec<Piece>) -> RowPlan {
        for piece in order {
            let [start, end] = self.plan.range(piece, spans[piece.span as usize]);
            self.place(piece, end - start);
        }
        for row in std::mem::take(&mut self.open) {
            self.close(row);
        }
        self.plan
    }

    fn place(&mut self, piece: Piece, len: u64) {
        let fitting = self.open.iter_mut().enumerate().filter(|(_, row)| row.free >= len);
        let index = match fitting.min_by_key(|(_, row)| row.free) {
            Some((index, row)) => {
                row.pieces.push(piece);
                row.free -= len;
                index
            }
            None => {
                self.open.push(OpenRow { free: self.plan.seq - len, pieces: vec![piece] });
                self.open.len() - 1
            }
        };
        if self.open[index].free == 0 {
            let row = self.open.remove(index);
            self.close(row);
        } else if self.open.len() > OPEN_ROWS {
            let fullest = (0..self.open.len()).min_by_key(|&i| self.open[i].free);
            let row = self.open.remove(fullest.expect("more than OPEN_ROWS rows are open"));
            self.close(row);
        }
    }

    fn close(&mut self, row: OpenRow) {
        self.plan.pieces.extend(row.pieces);
        self.plan.ends.push(self.plan.pieces.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::{prop, prop_assert, proptest};

    fn spans(lengths: &[u64]) -> Vec<Span> {
        let mut end = 0;
        let span = |&len: &u64| {
            end += len;
            Span { start: end - len, end }
        };
        lengths.iter().map(span).collect()
    }

    proptest! {
        #[test]
        fn every_token_lies_in_exactly_one_row(
            lengths in prop::collection::vec(1u64..40, 1..300), seq in 1usize..24, seed: u64, shuffle: bool
        ) {
            let spans = spans(&lengths);
            let coordinates = [seed];
            let plan = RowPlan::new(&spans, seq, shuffle.then_some(&coordinates));
            let mut count = vec![0; lengths.iter().sum::<u64>() as usize];
            for row in 0..plan.num_rows() {
                let ranges: Vec<[u64; 3]> = plan.row(row, &spans).collect();
                prop_assert!(ranges.iter().map(|[start, end, _]| end - start).sum::<u64>() <= seq as u64);
                ranges.iter().for_each(|&[start, end, _]| (start..end).for_each(|i| count[i as usize] += 1));
            }
            prop_assert!(count.iter().all(|&times| times == 1), "{:?}", count);
        }
    }

    #[test]
    fn packing_wastes_little() {
        let mut rng = Rng::at(&[1]);
        let lengths: Vec<u64> = (0..5000).map(|_| rng.between(1, 300)).collect();
        let plan = RowPlan::new(&spans(&lengths), 256, Some(&[1]));
        let padding = 1.0 - lengths.iter().sum::<u64>() as f64 / (plan.num_rows() * 256) as f64;
        assert!(padding < 0.03, "{padding}");
    }
}
