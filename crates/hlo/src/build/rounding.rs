//! Stochastic rounding to bfloat16 (Gupta et al., 1502.02551): up or down, the nearer the likelier, so that it adds no bias where many small
//! changes are rounded one after the other.
//!
//! The chance is a hash of the number's own bits. So there is no state to keep or to share: a number is rounded alike on every device, in every
//! layout and after a resume, and any change to it draws anew.

use collegium_core::DType;

use crate::{Unary, Value};

/// Bits of an f32 behind those of a bfloat16.
const CUT_BITS: i32 = 16;

/// Odd multipliers of the hash: the first, and the others with how far the high bits come down before each (as in xxHash, with sums for exclusive ors).
const FIRST: f64 = 2_654_435_769.0;
const THEN: [(f64, f64); 2] = [(15.0, 2_246_822_519.0), (13.0, 3_266_489_917.0)];

impl Value<'_> {
    /// f32 to bf16, up or down by chance. What is no finite number is converted as it is. No gradient.
    #[track_caller]
    pub fn round_stochastically(self) -> Self {
        let bits = self.bitcast(DType::U32);
        let down = |value: Self, by: f64| value.shift_right(self.graph.scalar(DType::U32, by));
        let hash = THEN.iter().fold(bits * FIRST, |hash, &(by, factor)| (hash + down(hash, by)) * factor);
        let cut = f64::from(CUT_BITS);
        // The magnitude grows by less than one unit of the last bit that is kept: carries into the exponent are the next number.
        let kept = down(bits + down(hash, cut), cut) * cut.exp2();
        let rounded = kept.bitcast(DType::F32);
        self.unary(Unary::IsFinite).select(rounded, self).convert(DType::Bf16)
    }
}
