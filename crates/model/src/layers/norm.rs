//! Root-mean-square normalisation (Zhang & Sennrich, 1910.07467): `y = weight · x / sqrt(mean(x²) + eps)`, in f32,
//! rounded to the element type of `x` before the weight, as Hugging Face models do.

use collegium_core::DType;
use collegium_hlo::{Name, Value};

/// Normalises `x` over its last dim, `over`; `weight` has that one dim. The result is that of serving
/// ([`Value::rms_norm_rows`]), to the bit.
#[track_caller]
pub fn rms_norm<'g>(x: Value<'g>, weight: Value<'g>, over: Name, eps: f64) -> Value<'g> {
    let eps = eps as f32;
    let wide = x.convert(DType::F32);
    let scale = ((wide * wide).mean(&[over]) + f64::from(eps)).rsqrt();
    let exact = (wide * scale).convert(x.dtype()) * weight;
    x.rms_norm_rows(weight, eps).with_gradient_of(exact)
}
