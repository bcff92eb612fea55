//! From blocks to runs of rows: neighbouring blocks of one slot are one run.

use std::ops::Range;

use crate::ArgumentError;

/// Neighbouring rows of one slot; of none in unused blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) slot: Option<usize>,
    pub(super) rows: Range<usize>,
}

/// The runs of `num_rows` rows in equal blocks. They cover all rows, in order.
pub(super) fn runs(
    kernel: &'static str,
    num_rows: usize,
    block_slot: &[i32],
    num_slots: usize,
) -> Result<Vec<Run>, ArgumentError> {
    let blocks = block_slot.len();
    if num_rows.checked_rem(blocks).unwrap_or(num_rows) != 0 {
        let required = format!("as many blocks as divide the {num_rows} rows");
        return Err(ArgumentError::Dims { kernel, name: "block_slot", required, given: blocks.to_string() });
    }
    let block = num_rows.checked_div(blocks).unwrap_or(0);
    let mut runs: Vec<Run> = Vec::new();
    for (i, &slot) in block_slot.iter().enumerate() {
        let slot = usize::try_from(slot).ok().filter(|&s| s < num_slots);
        let rows = i * block..(i + 1) * block;
        match runs.last_mut() {
            Some(run) if run.slot == slot => run.rows.end = rows.end,
            _ => runs.push(Run { slot, rows }),
        }
    }
    Ok(runs)
}

/// Cuts `0..len` into the fewest pieces of at most `most`, as equal as multiples of `grain` allow.
pub(super) fn pieces(len: usize, most: usize, grain: usize) -> impl Iterator<Item = Range<usize>> {
    let count = len.div_ceil(most).max(1);
    let piece = len.div_ceil(count).next_multiple_of(grain);
    (0..len).step_by(piece.max(1)).map(move |start| start..(start + piece).min(len))
}

/// The runs in pieces of at most `most` rows, as equal as multiples of `grain` allow: a slot (none where blocks are unused) and its rows.
/// They cover all rows, in order.
pub(super) fn row_tiles(
    kernel: &'static str,
    num_rows: usize,
    (block_slot, num_slots): (&[i32], usize),
    (most, grain): (usize, usize),
) -> Result<Vec<Run>, ArgumentError> {
    let runs = runs(kernel, num_rows, block_slot, num_slots)?;
    let tiles = runs.into_iter().flat_map(|Run { slot, rows }| {
        pieces(rows.len(), most, grain)
            .map(move |piece| Run { slot, rows: rows.start + piece.start..rows.start + piece.end })
    });
    Ok(tiles.collect())
}

/// The first `count` elements; they are `all`'s no more.
pub(super) fn cut<'o, T>(all: &mut &'o mut [T], count: usize) -> &'o mut [T] {
    all.split_off_mut(..count).expect("runs cover the rows")
}

/// Puts the longest tiles first, so that threads end together, and those of unused blocks last.
pub(super) fn longest_first<T>(tiles: &mut [T], run: impl Fn(&T) -> &Run) {
    tiles.sort_by_key(|tile| {
        let Run { slot, rows } = run(tile);
        std::cmp::Reverse((slot.is_some(), rows.len()))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_blocks_of_a_slot_are_one_run() {
        let found = runs("k", 12, &[1, 1, -1, 7, 0, 1], 2).expect("fits");
        let run = |slot, rows| Run { slot, rows };
        assert_eq!(found, [run(Some(1), 0..4), run(None, 4..8), run(Some(0), 8..10), run(Some(1), 10..12)]);
        assert_eq!(runs("k", 0, &[], 2), Ok(vec![]));
    }

    #[test]
    fn blocks_must_divide_the_rows() {
        for blocks in [[0; 5].as_slice(), &[]] {
            let error = runs("k", 12, blocks, 1).expect_err("does not divide");
            assert!(
                error.to_string().contains("`block_slot` must be as many blocks as divide the 12 rows"),
                "{error}"
            );
        }
    }

    #[test]
    fn pieces_cover_and_are_nearly_equal() {
        for (len, most) in [(0, 4), (1, 256), (256, 256), (257, 256), (600, 256), (8192, 256)] {
            let all: Vec<_> = pieces(len, most, 8).collect();
            assert_eq!(all.iter().cloned().flatten().collect::<Vec<_>>(), (0..len).collect::<Vec<_>>());
            assert!(all.iter().all(|p| p.len() <= most.next_multiple_of(8) && !p.is_empty()));
        }
        assert_eq!(pieces(600, 256, 8).map(|p| p.len()).collect::<Vec<_>>(), [200, 200, 200]);
    }
}
