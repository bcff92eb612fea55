//! Rotary position embedding (Su et al., 2104.09864) in the half-split convention of Hugging Face models: the pair
//! (x[i], x[i + d/2]) is turned by the angle `position · frequency[i]`.

use collegium_core::DType;
use collegium_hlo::{Value, dim};

/// Cosines and sines of every position: {batch, seq, half}, f32.
#[derive(Clone, Copy)]
pub struct Rotation<'g> {
    cos: Value<'g>,
    sin: Value<'g>,
}

impl<'g> Rotation<'g> {
    /// The rotation of `positions` {batch, seq} (i32) by `frequencies` (radians per position).
    pub fn new(positions: Value<'g>, frequencies: &[f64]) -> Self {
        let g = positions.graph();
        let half = dim("half", frequencies.len());
        let mut dims = positions.shape().dims;
        dims.push(half);
        let angle =
            positions.convert(DType::F32).broadcast(&dims) * g.literal(DType::F32, &[half], frequencies);
        Self { cos: angle.cos(), sin: angle.sin() }
    }

    /// Turns `x` {batch, seq, .., head_dim}.
    #[track_caller]
    pub fn apply(self, x: Value<'g>) -> Value<'g> {
        let half = x.size("head_dim") / 2;
        let wide = x.convert(DType::F32);
        let low = wide.slice("head_dim", 0, half).rename(&[("head_dim", "half")]);
        let high = wide.slice("head_dim", half, 2 * half).rename(&[("head_dim", "half")]);
        let turned = [low * self.cos - high * self.sin, high * self.cos + low * self.sin];
        Value::concat(&turned, "half").rename(&[("half", "head_dim")]).convert(x.dtype())
    }
}
