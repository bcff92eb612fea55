//! Root-mean-square normalisation (Zhang & Sennrich, 1910.07467): `y = weight · x / sqrt(mean(x²) + eps)`, in f32,
//! rounded to the element type of `x` before the weight, as Hugging Face models do.

use collegium_core::DType;
use collegium_hlo::{Name, Value};

/// Normalises `x` over dim `over`; `weight` has that one dim.
#[track_caller]
pub fn rms_norm<'g>(x: Value<'g>, weight: Value<'g>, over: Name, eps: f64) -> Value<'g> {
    let wide = x.convert(DType::F32);
    let scale = ((wide * wide).mean(&[over]) + eps).rsqrt();
    (wide * scale).convert(x.dtype()) * weight
}
