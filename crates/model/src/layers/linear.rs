//! `y = x Wᵀ + b` with weights as Hugging Face stores them, {out, in}.

use collegium_hlo::{Name, Value};

use super::widened;

/// Contracts dim `over` of `x` with that dim of `weight`; adds `bias` where there is one.
#[track_caller]
pub fn linear<'g>(x: Value<'g>, weight: Value<'g>, bias: Option<Value<'g>>, over: Name) -> Value<'g> {
    // bf16 products keep their f32 accumulator until the end: rounding inside is slower and worse.
    let y = x.dot_as(weight, &[over], widened(x.dtype())).convert(x.dtype());
    bias.map_or(y, |b| y + b)
}
