//! Gated feed-forward (SwiGLU; Shazeer, 2002.05202): `down(silu(gate x) · up x)`.

use collegium_hlo::Value;

use super::linear;

/// `x` {token, hidden}; `gate` and `up` {intermediate, hidden}, `down` {hidden, intermediate}.
#[track_caller]
pub fn feed_forward<'g>(x: Value<'g>, gate: Value<'g>, up: Value<'g>, down: Value<'g>) -> Value<'g> {
    let inner = linear(x, gate, None, "hidden").silu() * linear(x, up, None, "hidden");
    linear(inner, down, None, "intermediate")
}
