//! Vector instructions, chosen at run time.
//!
//! Kernels are written once, over a [`Level`] of instructions: its methods are single instructions (or a few), and every
//! body that uses them is `#[inline(always)]` up to the entry functions in [`entries`], which carry the features. So each
//! level gets its own machine code from one text. Drivers above the entries are ordinary safe code.
//!
//! A product multiplies *units*: one f32, or two neighbouring bf16 of the contracted dim where the processor has a dot
//! product of such pairs that is worth it. Levels without it widen bf16 to f32 when they pack.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod entries;
pub(crate) mod lines;
pub(crate) mod pack;
pub(crate) mod portable;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use half::bf16;

static PORTABLE: AtomicBool = AtomicBool::new(false);

/// Makes all kernels of this process take the paths for processors without AVX-512, or lets them choose again: for tests,
/// and to look for a defect.
pub fn force_portable(on: bool) {
    PORTABLE.store(on, Ordering::Relaxed);
}

/// Instruction sets that the kernels have code for, the plainest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// What every target of the compiler has.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 F, BW and VL.
    Avx512,
    /// AVX-512 with dot products of bf16 pairs.
    Avx512Bf16,
    /// The same with tiles of bf16.
    Amx,
}

impl Instructions {
    /// All sets with the names that `COLLEGIUM_INSTRUCTIONS` uses.
    pub const ALL: [(&'static str, Self); 5] = [
        ("portable", Self::Portable),
        ("avx2", Self::Avx2),
        ("avx512", Self::Avx512),
        ("avx512-bf16", Self::Avx512Bf16),
        ("amx", Self::Amx),
    ];

    /// The set that is fastest on this processor, or another named by the variable `COLLEGIUM_INSTRUCTIONS` (to tell whether a
    /// difference comes from the kernels). A name that is unknown or beyond the processor changes nothing.
    pub fn best() -> Self {
        static BEST: OnceLock<Instructions> = OnceLock::new();
        if PORTABLE.load(Ordering::Relaxed) {
            return Self::Portable;
        }
        *BEST.get_or_init(|| {
            let available = Self::available();
            let wanted = std::env::var("COLLEGIUM_INSTRUCTIONS").ok();
            let wanted = Self::ALL.iter().find(|(name, _)| wanted.as_deref() == Some(name));
            match wanted {
                Some((_, wanted)) => available.min(*wanted),
                None if available < Self::Amx && has_slow_pairs() => available.min(Self::Avx512),
                None => available,
            }
        })
    }

    /// The last set that this processor has, which need not be the fastest.
    #[cfg(target_arch = "x86_64")]
    pub fn available() -> Self {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        match (avx2, avx512, is_x86_feature_detected!("avx512bf16")) {
            (_, true, true) if amx::is_available() => Self::Amx,
            (_, true, true) => Self::Avx512Bf16,
            (_, true, false) => Self::Avx512,
            (true, false, _) => Self::Avx2,
            _ => Self::Portable,
        }
    }

    /// The last set that this processor has, which need not be the fastest.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn available() -> Self {
        Self::Portable
    }

    /// This set and all plainer ones, each of which this processor has if it has this one.
    pub fn and_plainer(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().map(|(_, set)| set).filter(move |set| *set <= self)
    }
}

/// Whether dot products of pairs take longer than widening both and multiplying in f32. On Intel's processors they take four times as long as a
/// multiply-add (0.78 against 0.19 ns on a Xeon of 2023) and do twice the work; on AMD's they take as long as one. By maker, not by the clock: which
/// set is used must not differ from run to run.
fn has_slow_pairs() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        let maker = std::arch::x86_64::__cpuid(0);
        [maker.ebx, maker.edx, maker.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// A product by tiles, which may have any sizes.
///
/// # Panics
/// Where the processor has none.
pub(crate) fn multiply_tiles(product: &mut entries::Product<'_, Pair>) {
    #[cfg(target_arch = "x86_64")]
    {
        assert!(amx::is_available(), "products by tiles need AMX");
        // SAFETY: just asserted.
        unsafe { amx::product(product) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = product;
        unreachable!("there are no tiles here")
    }
}

/// What products multiply: `DEPTH` neighbouring elements of the contracted dim.
pub trait Unit<T>: bytemuck::Pod + Default + Send + Sync {
    /// Elements in a unit.
    const DEPTH: usize;

    /// A unit of elements, `second` only where `DEPTH` is two.
    fn of(first: T, second: T) -> Self;
}

/// Two bf16, the first in the low half.
pub type Pair = u32;

impl Unit<f32> for f32 {
    const DEPTH: usize = 1;

    fn of(first: f32, _: f32) -> Self {
        first
    }
}

impl Unit<bf16> for f32 {
    const DEPTH: usize = 1;

    fn of(first: bf16, _: bf16) -> Self {
        f32::from_bits(u32::from(first.to_bits()) << 16)
    }
}

impl Unit<bf16> for Pair {
    const DEPTH: usize = 2;

    fn of(first: bf16, second: bf16) -> Self {
        u32::from(second.to_bits()) << 16 | u32::from(first.to_bits())
    }
}

/// A computation for elements `T`, compiled for every level that can serve them.
pub trait Work<T> {
    /// Runs it.
    ///
    /// Called only for a level that the processor has, by [`run_f32`] and [`run_bf16`].
    fn run<L: entries::Entries>(self)
    where
        L::Unit: Unit<T>;
}

/// Runs work on f32 with these instructions, or the best plainer ones.
pub(crate) fn run_f32(instructions: Instructions, work: impl Work<f32>) {
    match instructions.min(Instructions::available()) {
        #[cfg(target_arch = "x86_64")]
        best if best >= Instructions::Avx512 => work.run::<avx512::Avx512>(),
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => work.run::<avx2::Avx2>(),
        _ => work.run::<portable::Portable>(),
    }
}

/// Runs work on bf16 with these instructions, or the best plainer ones.
pub(crate) fn run_bf16(instructions: Instructions, work: impl Work<bf16>) {
    match instructions.min(Instructions::available()) {
        #[cfg(target_arch = "x86_64")]
        Instructions::Amx => work.run::<avx512::Amx>(),
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512Bf16 => work.run::<avx512::Avx512Bf16>(),
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => work.run::<avx512::Avx512>(),
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => work.run::<avx2::Avx2>(),
        _ => work.run::<portable::Portable>(),
    }
}

/// A set of instructions. Methods are unsafe for one reason: the processor must have the instructions; pointers must be good for
/// `LANES` elements.
pub trait Level: Copy + 'static {
    /// What its products multiply.
    type Unit: bytemuck::Pod + Default + Send + Sync;
    /// Lanes of f32.
    type Vector: Copy;
    /// Lanes of units.
    type Units: Copy;
    /// Lanes of a vector; divides [`WIDTH`](entries::WIDTH).
    const LANES: usize;
    /// Vectors side by side in the inner loop of a product: as many as registers allow with eight rows.
    const COLUMNS: usize;
    /// Elements in a unit.
    const DEPTH: usize;
    /// Whether products go by tiles; units are pairs then.
    const HAS_TILES: bool = false;
    /// Queries that attention takes at once: a multiple of [`ROWS`](entries::ROWS), at most 32.
    const QUERIES: usize = entries::ROWS;

    unsafe fn splat(x: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(x: Self::Vector, to: *mut f32);
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger of each lane; where `b` is not a number, `b`.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// 2^x for x up to 127, zero for very small ones; NaN stays.
    unsafe fn exp2(x: Self::Vector) -> Self::Vector;
    unsafe fn sum(x: Self::Vector) -> f32;
    unsafe fn largest(x: Self::Vector) -> f32;

    unsafe fn load_units(from: *const Self::Unit) -> Self::Units;
    unsafe fn repeat_unit(from: *const Self::Unit) -> Self::Units;
    /// `sum + a b`, over the elements of each unit.
    unsafe fn dot(sum: Self::Vector, a: Self::Units, b: Self::Units) -> Self::Vector;
    /// Where units are pairs: stores one row's values, pairs along the row (`LANES / 2` units).
    unsafe fn store_row(_: Self::Vector, _: *mut Self::Unit) {
        unreachable!("units of one element are stored as they are")
    }
    /// Where units are pairs: stores the values of two rows, pairs across the rows (`LANES` units).
    unsafe fn store_across(_: Self::Vector, _: Self::Vector, _: *mut Self::Unit) {
        unreachable!("units of one element are stored as they are")
    }
}

/// Powers below 2 to this are zero: they vanish beside the others of their row, and as factors they would give denormal numbers, on which some
/// processors take a hundred times as long.
pub(crate) const LEAST: f32 = -100.0;

/// Coefficients of 2^r on -1/2..1/2, lowest first (Cephes, `exp2f`): one or two units in the last place.
pub(crate) const EXP2: [f32; 7] = [
    1.0,
    std::f32::consts::LN_2,
    0.240_226_48,
    0.055_503_324,
    0.009_618_437,
    0.001_339_887_5,
    0.000_153_533_62,
];
