//! Gated feed-forward (SwiGLU; Shazeer, 2002.05202): `down(silu(gate x) · up x)`.

use collegium_hlo::Value;

use super::linear;

/// A matrix {out, in} and its bias {out}, where it has one.
pub type Projection<'g> = (Value<'g>, Option<Value<'g>>);

/// `x` {token, hidden}; `gate` and `up` {intermediate, hidden}, `down` {hidden, intermediate}.
#[track_caller]
pub fn feed_forward<'g>(
    x: Value<'g>,
    gate: Projection<'g>,
    up: Projection<'g>,
    down: Projection<'g>,
) -> Value<'g> {
    let inner = linear(x, gate.0, gate.1, "hidden").swiglu(linear(x, up.0, up.1, "hidden"), x.dtype());
    linear(inner, down.0, down.1, "intermediate")
}
