//! Root-mean-square normalisation (Zhang & Sennrich, 1910.07467): `y = weight · x / sqrt(mean(x²) + eps)`, in f32,
//! rounded to the element type of `x` before the weight, as Hugging Face models do.

use collegium_hlo::Value;

/// Normalises `x` over its last dim; `weight` has that one dim. The result is that of serving
/// ([`Value::rms_norm_rows`]), to the bit.
#[track_caller]
pub fn rms_norm<'g>(x: Value<'g>, weight: Value<'g>, eps: f64) -> Value<'g> {
    x.rms_norm(weight, eps as f32)
}
