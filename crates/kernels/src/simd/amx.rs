//! AMX: products of bf16 pairs by tiles of sixteen rows of sixteen pairs (Intel 64 and IA-32 Architectures Optimization
//! Reference Manual, chapter 20).
//!
//! A tile of the left side has its rows along the contracted dim, one of the right side has its pairs across it: what a
//! [`Product`] holds already. Tiles may be smaller, so there are no edges to pad. Nothing else of a program uses tile
//! registers between two instructions here, since the compiler does not know them; what they are configured for is set at the
//! start of each product and given up at its end.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::OnceLock;

use super::Pair;
use super::entries::Product;
use super::lines::Lines;

/// Rows of a tile, and pairs of one of its rows.
const TILE: usize = 16;
/// Rows and columns of a block of the result: two tiles each way.
const BLOCK: usize = 2 * TILE;
/// Columns of a block of few rows: four tiles in a row.
const WIDE: usize = 4 * TILE;

/// Whether the processor has tiles of bf16 and the system lets this process use them, for which it must be asked.
pub(super) fn is_available() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(|| {
        // AMX-BF16 and AMX-TILE (CPUID.(EAX=07H, ECX=0):EDX).
        const BOTH: u32 = 1 << 22 | 1 << 24;
        __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BOTH == BOTH && ask_the_system()
    })
}

/// Linux saves tiles of a process that asked for them (Documentation/arch/x86/xstate.rst).
#[cfg(target_os = "linux")]
fn ask_the_system() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: takes two numbers and touches no memory; older systems return an error.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn ask_the_system() -> bool {
    false
}

/// What the tile registers hold, as `ldtilecfg` reads it.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Sizes of a block, and pairs summed over at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sizes {
    /// Rows of its upper and lower tiles, columns of its left and right ones. A second size of zero means that there is no
    /// second tile.
    Square { rows: [usize; 2], columns: [usize; 2], depth: usize },
    /// Rows of a block of [`WIDE`] columns.
    Wide { rows: usize, depth: usize },
}

impl Sizes {
    fn of(rows: usize, columns: usize, depth: usize) -> Self {
        let halves = |n: usize| [n.min(TILE), n.min(BLOCK).saturating_sub(TILE)];
        match rows <= TILE && columns >= WIDE {
            true => Self::Wide { rows, depth },
            false => Self::Square { rows: halves(rows), columns: halves(columns), depth },
        }
    }

    fn columns(self) -> usize {
        match self {
            Self::Square { columns, .. } => columns.iter().sum(),
            Self::Wide { .. } => WIDE,
        }
    }

    /// Sums in registers 0 to 3. Then the left side in 4 and 5, the right side in 6 and 7; or the left side in 4, the right
    /// side in 5 to 7.
    fn shapes(self) -> Shapes {
        let tiles = match self {
            Self::Square { rows: [r0, r1], columns: [c0, c1], depth: d } => {
                [(r0, c0), (r0, c1), (r1, c0), (r1, c1), (r0, d), (r1, d), (d, c0), (d, c1)]
            }
            Self::Wide { rows, depth } => {
                let (sums, right) = ((rows, TILE), (depth, TILE));
                [sums, sums, sums, sums, (rows, depth), right, right, right]
            }
        };
        let mut shapes =
            Shapes { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        for (i, (rows, columns)) in tiles.into_iter().enumerate().filter(|(_, (r, c))| r * c > 0) {
            shapes.rows[i] = rows as u8;
            shapes.row_bytes[i] = (4 * columns) as u16;
        }
        shapes
    }
}

/// A block with its memory; strides in bytes.
struct Block {
    left: *const Pair,
    left_stride: usize,
    /// From one tile of the left side to that of the next depth.
    left_next: usize,
    /// From the upper tile to the lower one.
    left_lower: usize,
    right: *const Pair,
    right_stride: usize,
    out: *mut f32,
    out_stride: usize,
    /// Depths summed over.
    count: usize,
    accumulate: bool,
}

/// The product. Any sizes; the left side must be contiguous along its steps or along its rows.
///
/// # Safety
/// [`is_available`].
pub(super) unsafe fn product(p: &mut Product<'_, Pair>) {
    thread_local! {
        static TURNED: std::cell::Cell<Lines<Pair>> = std::cell::Cell::default();
    }
    if p.rows == 0 || p.columns == 0 {
        return;
    }
    let last = |count: usize, stride: usize| count.saturating_sub(1) * stride;
    assert!(last(p.rows, p.out_row) + p.columns <= p.out.len());
    assert!(p.left_step == 1 || p.left_row == 1);
    if p.steps > 0 {
        assert!(last(p.rows, p.left_row) + last(p.steps, p.left_step) < p.left.len());
        assert!(last(p.steps, p.right_step) + p.columns <= p.right.len());
    } else if !p.accumulate {
        p.out.chunks_mut(p.out_row.max(1)).take(p.rows).for_each(|row| row[..p.columns].fill(0.0));
    }
    let mut turned = if p.left_step == 1 { Lines::default() } else { TURNED.take() };
    let whole = p.steps / TILE * TILE;
    // SAFETY: promised by the caller; the sides hold what was just asserted.
    unsafe {
        if whole > 0 {
            part(p, &mut turned, 0, TILE, whole / TILE, p.accumulate);
        }
        if whole < p.steps {
            part(p, &mut turned, whole, p.steps - whole, 1, p.accumulate || whole > 0);
        }
        asm!("tilerelease", options(nostack, nomem));
    }
    if p.left_step != 1 {
        TURNED.set(turned);
    }
}

/// Adds steps `first ..`, `depth` of them `count` times.
///
/// # Safety
/// As [`product`], and the product has these steps.
unsafe fn part(
    p: &mut Product<'_, Pair>,
    turned: &mut Lines<Pair>,
    first: usize,
    depth: usize,
    count: usize,
    accumulate: bool,
) {
    let mut set = None;
    for row in (0..p.rows).step_by(BLOCK) {
        let rows = (p.rows - row).min(BLOCK);
        let (left, left_stride, left_next) = if p.left_step == 1 {
            (p.left[row * p.left_row + first..].as_ptr(), p.left_row, TILE)
        } else {
            turn(p, row, rows, first, depth * count, turned);
            (turned.as_ptr(), TILE, BLOCK * TILE)
        };
        let mut column = 0;
        while column < p.columns {
            let sizes = Sizes::of(rows, p.columns - column, depth);
            let block = Block {
                left,
                left_stride: 4 * left_stride,
                left_next: 4 * left_next,
                left_lower: 4 * TILE * left_stride,
                right: p.right[first * p.right_step + column..].as_ptr(),
                right_stride: 4 * p.right_step,
                out: p.out[row * p.out_row + column..].as_mut_ptr(),
                out_stride: 4 * p.out_row,
                count,
                accumulate,
            };
            // SAFETY: promised by the caller; tiles have the sizes that they are configured for.
            unsafe {
                if set != Some(sizes) {
                    let shapes = sizes.shapes();
                    asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(nostack, readonly));
                    set = Some(sizes);
                }
                match sizes {
                    Sizes::Wide { .. } => wide(&block),
                    Sizes::Square { rows: [_, 0], columns: [_, 0], .. } => one(&block),
                    Sizes::Square { rows: [_, 0], .. } => beside(&block),
                    Sizes::Square { columns: [_, 0], .. } => over(&block),
                    Sizes::Square { .. } => four(&block),
                }
            }
            column += sizes.columns();
        }
    }
}

/// Copies rows of a left side that is contiguous along its rows: {depth, row, step}, with 32 rows and 16 steps of each depth.
fn turn(p: &Product<'_, Pair>, row: usize, rows: usize, first: usize, steps: usize, to: &mut Lines<Pair>) {
    to.resize(steps.div_ceil(TILE) * BLOCK * TILE);
    for depth in (0..steps).step_by(TILE) {
        for half in (0..rows).step_by(TILE) {
            let wide = (rows - half).min(TILE);
            let mut block = [[0; TILE]; TILE];
            for (k, line) in block.iter_mut().enumerate().take((steps - depth).min(TILE)) {
                let at = (first + depth + k) * p.left_step + row + half;
                line[..wide].copy_from_slice(&p.left[at..][..wide]);
            }
            // SAFETY: a processor with AMX has AVX-512.
            unsafe { super::avx512::transpose(&mut block) };
            let to = &mut to[(depth * 2 + half) * TILE..][..TILE * TILE];
            to.copy_from_slice(block.as_flattened());
        }
    }
}

/// One asm block for a block of the result: sums are made zero or loaded, then for each depth tiles are loaded and multiplied, then sums are
/// stored.
macro_rules! block {
    ($b:expr, [$($zero:literal),*], [$($load:literal),*], [$($step:literal),*], [$($store:literal),*]) => {
        asm!(
            "test {accumulate}, {accumulate}",
            "jnz 3f",
            $($zero,)*
            "jmp 2f",
            "3:",
            $($load,)*
            "2:",
            $($step,)*
            "add {left}, {left_next}",
            "add {lower}, {left_next}",
            "add {right}, {right_next}",
            "dec {count}",
            "jnz 2b",
            $($store,)*
            "/* not all blocks use {lower_out} and {ahead} */",
            accumulate = in(reg) usize::from($b.accumulate),
            left = inout(reg) $b.left => _,
            lower = inout(reg) $b.left.wrapping_byte_add($b.left_lower) => _,
            left_stride = in(reg) $b.left_stride,
            left_next = in(reg) $b.left_next,
            right = inout(reg) $b.right => _,
            right_stride = in(reg) $b.right_stride,
            right_next = in(reg) TILE * $b.right_stride,
            out = in(reg) $b.out,
            lower_out = in(reg) $b.out.wrapping_byte_add(TILE * $b.out_stride),
            out_stride = in(reg) $b.out_stride,
            ahead = const AHEAD,
            count = inout(reg) $b.count => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// How far ahead few rows ask for the right side, in bytes: then it is read from memory, once, and lies there as it is read (see
/// [`prepacked`](crate::prepacked)); where it does not, nothing is lost but the asking.
const AHEAD: usize = 8192;

/// Four tiles in a row.
///
/// # Safety
/// As [`four`].
unsafe fn wide(b: &Block) {
    // SAFETY: promised by the caller; a hint may have any address.
    unsafe {
        block!(
            b,
            ["tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3"],
            [
                "tileloadd tmm0, [{out} + {out_stride}]",
                "tileloadd tmm1, [{out} + {out_stride} + 64]",
                "tileloadd tmm2, [{out} + {out_stride} + 128]",
                "tileloadd tmm3, [{out} + {out_stride} + 192]"
            ],
            [
                ".irp line, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "prefetcht1 [{right} + {ahead} + 128 * \\line]",
                "prefetcht1 [{right} + {ahead} + 128 * \\line + 64]",
                ".endr",
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm5, [{right} + {right_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm5",
                "tileloadd tmm6, [{right} + {right_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {right_stride} + 128]",
                "tdpbf16ps tmm2, tmm4, tmm7",
                "tileloadd tmm5, [{right} + {right_stride} + 192]",
                "tdpbf16ps tmm3, tmm4, tmm5"
            ],
            [
                "tilestored [{out} + {out_stride}], tmm0",
                "tilestored [{out} + {out_stride} + 64], tmm1",
                "tilestored [{out} + {out_stride} + 128], tmm2",
                "tilestored [{out} + {out_stride} + 192], tmm3"
            ]
        );
    }
}

/// Two tiles by two.
///
/// # Safety
/// The block's memory is there, `count` is positive and the tiles are configured.
unsafe fn four(b: &Block) {
    // SAFETY: promised by the caller.
    unsafe {
        block!(
            b,
            ["tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3"],
            [
                "tileloadd tmm0, [{out} + {out_stride}]",
                "tileloadd tmm1, [{out} + {out_stride} + 64]",
                "tileloadd tmm2, [{lower_out} + {out_stride}]",
                "tileloadd tmm3, [{lower_out} + {out_stride} + 64]"
            ],
            [
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm6, [{right} + {right_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {right_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{lower} + {left_stride}]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7"
            ],
            [
                "tilestored [{out} + {out_stride}], tmm0",
                "tilestored [{out} + {out_stride} + 64], tmm1",
                "tilestored [{lower_out} + {out_stride}], tmm2",
                "tilestored [{lower_out} + {out_stride} + 64], tmm3"
            ]
        );
    }
}

/// Two tiles side by side.
///
/// # Safety
/// As [`four`].
unsafe fn beside(b: &Block) {
    // SAFETY: promised by the caller.
    unsafe {
        block!(
            b,
            ["tilezero tmm0", "tilezero tmm1"],
            ["tileloadd tmm0, [{out} + {out_stride}]", "tileloadd tmm1, [{out} + {out_stride} + 64]"],
            [
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm6, [{right} + {right_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {right_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7"
            ],
            ["tilestored [{out} + {out_stride}], tmm0", "tilestored [{out} + {out_stride} + 64], tmm1"]
        );
    }
}

/// Two tiles, one over the other.
///
/// # Safety
/// As [`four`].
unsafe fn over(b: &Block) {
    // SAFETY: promised by the caller.
    unsafe {
        block!(
            b,
            ["tilezero tmm0", "tilezero tmm2"],
            ["tileloadd tmm0, [{out} + {out_stride}]", "tileloadd tmm2, [{lower_out} + {out_stride}]"],
            [
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm6, [{right} + {right_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm5, [{lower} + {left_stride}]",
                "tdpbf16ps tmm2, tmm5, tmm6"
            ],
            ["tilestored [{out} + {out_stride}], tmm0", "tilestored [{lower_out} + {out_stride}], tmm2"]
        );
    }
}

/// One tile.
///
/// # Safety
/// As [`four`].
unsafe fn one(b: &Block) {
    // SAFETY: promised by the caller.
    unsafe {
        block!(
            b,
            ["tilezero tmm0"],
            ["tileloadd tmm0, [{out} + {out_stride}]"],
            [
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm6, [{right} + {right_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6"
            ],
            ["tilestored [{out} + {out_stride}], tmm0"]
        );
    }
}
