//! Rotary position embedding (Su et al., 2104.09864) in the half-split convention of Hugging Face models: the pair
//! (x[i], x[i + d/2]) is turned by the angle `position · frequency[i]`.

use collegium_core::DType;
use collegium_hlo::Value;

/// Cosines and sines of every token's angles, {batch, seq, half} f32. The host makes them, once for all layers: inside a
/// program they would be computed again for every head that they are broadcast to.
#[derive(Clone, Copy)]
pub struct Rotation<'g> {
    /// Cosines.
    pub cos: Value<'g>,
    /// Sines.
    pub sin: Value<'g>,
}

impl<'g> Rotation<'g> {
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
