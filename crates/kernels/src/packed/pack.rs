//! Packing of panels, from matrices whose contracted dim lies along rows of memory, or across them.

use super::{SLACK, TILE_LANES, lanes};
use crate::Operand;
use crate::lanes::vectorized;

/// Packs rows that lie along the contracted dim: panel `p` holds rows `WIDTH p ..`, one lane of each side by side.
/// `row(i)` gives row `i` of `count`, of at most `elements`; what a shorter one lacks is zero.
pub(crate) fn pack_along<'a, T: Operand, const WIDTH: usize>(
    row: impl Fn(usize) -> &'a [T],
    count: usize,
    elements: usize,
    out: &mut [u32],
) {
    let lanes = lanes::<T>(elements);
    for first in (0..count).step_by(WIDTH) {
        let panel = &mut out[first * lanes..][..WIDTH * lanes + SLACK];
        let rows = (count - first).min(WIDTH);
        // Up to 16 rows at once; 12 or 32 of them are a panel.
        for group in (0..WIDTH).step_by(16) {
            let mut sources: [&[T]; 16] = [&[]; 16];
            let used = rows.saturating_sub(group).min(16);
            for (i, source) in sources.iter_mut().enumerate().take(used) {
                *source = row(first + group + i);
                assert!(source.len() <= elements, "rows fit the panel");
            }
            vectorized(|| transpose_group::<T, WIDTH>(&sources, lanes, group, panel));
        }
    }
}

/// Writes lane `l` of source `i` to `panel[l * WIDTH + at + i]`, always 16 at once: where panels are narrower, the next
/// lane's write mends it.
#[inline(always)]
fn transpose_group<T: Operand, const WIDTH: usize>(
    sources: &[&[T]; 16],
    lanes: usize,
    at: usize,
    panel: &mut [u32],
) {
    for lane in (0..lanes).step_by(16) {
        let mut block = [[0_u32; 16]; 16];
        for (source, line) in sources.iter().zip(&mut block) {
            T::load(source, lane, line);
        }
        transpose(&mut block);
        let count = (lanes - lane).min(16);
        for (i, line) in block.iter().enumerate().take(count) {
            panel[(lane + i) * WIDTH + at..][..16].copy_from_slice(line);
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // both indices, both ways round
fn transpose(block: &mut [[u32; 16]; 16]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the feature.
        return unsafe { crate::simd::avx512::transpose(block) };
    }
    let lines = *block;
    *block = std::array::from_fn(|i| std::array::from_fn(|j| lines[j][i]));
}

/// Packs `columns` of a matrix whose contracted dim lies across memory: `row(k)` gives the columns at place `k` of `elements`
/// along it. Panel `p` holds columns `WIDTH p ..`.
pub(crate) fn pack_across<'a, T: Operand, const WIDTH: usize>(
    row: impl Fn(usize) -> &'a [T],
    columns: usize,
    elements: usize,
    out: &mut [u32],
) {
    /// Lanes packed of one panel before the next one's: whole cache lines are written, and rows are read nearly in order.
    const GROUP: usize = 8;
    let lanes = lanes::<T>(elements);
    let none: &[T] = &[];
    for lane in (0..lanes).step_by(GROUP) {
        let group = (lanes - lane).min(GROUP);
        let mut sources = [[none; 2]; GROUP];
        for (i, pair) in sources.iter_mut().enumerate().take(group) {
            for (j, source) in pair.iter_mut().enumerate().take(T::PER_LANE) {
                let k = (lane + i) * T::PER_LANE + j;
                if k < elements {
                    *source = &row(k)[..columns];
                }
            }
        }
        vectorized(|| {
            for first in (0..columns).step_by(WIDTH) {
                let panel = &mut out[first * lanes + lane * WIDTH..][..group * WIDTH];
                for (pair, line) in sources.iter().zip(panel.as_chunks_mut::<WIDTH>().0) {
                    T::across(pair, first, line);
                }
            }
        });
    }
}

/// Copies rows that lie along the contracted dim, as they are: whole tiles of lanes for each, zero behind its end.
pub(super) fn pack_rows_along<'a, T: Operand>(
    row: impl Fn(usize) -> &'a [T],
    count: usize,
    elements: usize,
    out: &mut [u32],
) {
    let stride = lanes::<T>(elements).next_multiple_of(TILE_LANES);
    for (i, line) in out.chunks_exact_mut(stride.max(1)).enumerate().take(count) {
        let (line, from): (&mut [T], _) = (bytemuck::cast_slice_mut(line), row(i));
        line[..from.len()].copy_from_slice(from);
        line[from.len()..].fill(T::zeroed());
    }
}

/// The same from a matrix whose contracted dim lies across memory.
pub(super) fn pack_rows_across<'a, T: Operand>(
    row: impl Fn(usize) -> &'a [T],
    count: usize,
    elements: usize,
    out: &mut [u32],
) {
    let stride = lanes::<T>(elements).next_multiple_of(TILE_LANES);
    for lane in (0..stride).step_by(TILE_LANES) {
        let mut sources: [[&[T]; 2]; TILE_LANES] = [[&[]; 2]; TILE_LANES];
        for (i, pair) in sources.iter_mut().enumerate() {
            for (j, source) in pair.iter_mut().enumerate().take(T::PER_LANE) {
                let k = (lane + i) * T::PER_LANE + j;
                if k < elements {
                    *source = &row(k)[..count];
                }
            }
        }
        vectorized(|| {
            for first in (0..count).step_by(16) {
                let mut block = [[0_u32; 16]; TILE_LANES];
                for (pair, line) in sources.iter().zip(&mut block) {
                    T::across(pair, first, line);
                }
                transpose(&mut block);
                for (i, line) in block.iter().enumerate().take(count - first) {
                    out[(first + i) * stride + lane..][..TILE_LANES].copy_from_slice(line);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::super::{COLS, ROWS, left_across, left_along, reserve};
    use super::*;
    use crate::simd::lines::Lines;

    fn lane_of<T: Operand>(values: &[T], lane: usize) -> u32 {
        let mut line = [0; 16];
        T::load(values, lane, &mut line);
        line[0]
    }

    fn packs_like_its_definition<T: Operand>(of: fn(f32) -> T) {
        for (count, elements) in [(1, 1), (12, 16), (13, 33), (40, 7), (64, 100), (5, 0), (0, 5), (31, 31)] {
            let along: Vec<T> = (0..count * elements).map(|i| of((i % 251) as f32 - 99.0)).collect();
            let across: Vec<T> =
                (0..count * elements).map(|at| along[at % count * elements + at / count]).collect();
            let depth = lanes::<T>(elements);
            for width in [ROWS, COLS] {
                let mut found = Lines::default();
                reserve(&mut found, count, width, depth);
                found.fill(77);
                let mut other = Lines::default();
                other.extend(&found);
                let line = |i: usize| &along[i * elements..][..elements];
                let row = |k: usize| &across[k * count..][..count];
                if width == ROWS {
                    pack_along::<T, ROWS>(line, count, elements, &mut found);
                    pack_across::<T, ROWS>(row, count, elements, &mut other);
                } else {
                    pack_along::<T, COLS>(line, count, elements, &mut found);
                    pack_across::<T, COLS>(row, count, elements, &mut other);
                }
                for i in 0..count.next_multiple_of(width) {
                    for lane in 0..depth {
                        let at = i / width * width * depth + lane * width + i % width;
                        let want =
                            if i < count { lane_of(&along[i * elements..][..elements], lane) } else { 0 };
                        assert_eq!(found[at], want, "{count} x {elements}, width {width}, {i}, lane {lane}");
                        assert_eq!(
                            other[at], want,
                            "across: {count} x {elements}, {width}, {i}, lane {lane}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_left_side_has_room_for_any_number_of_rows() {
        fn packs<T: Operand>() {
            let values = [T::from_f32(1.0); 40 * 33];
            for (count, elements) in (1..40).flat_map(|count| [1, 33].map(|elements| (count, elements))) {
                left_along::<T>(
                    |i| &values[i * elements..][..elements],
                    count,
                    elements,
                    &mut Lines::default(),
                );
                left_across::<T>(|k| &values[k * count..][..count], count, elements, &mut Lines::default());
            }
        }
        packs::<f32>();
        packs::<bf16>();
    }

    #[test]
    fn panels_hold_every_lane_in_its_place() {
        packs_like_its_definition::<f32>(|x| x);
        packs_like_its_definition::<bf16>(bf16::from_f32);
    }
}
