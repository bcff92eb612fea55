//! Output head. Its loss is [`Value::cross_entropy`], which never holds the logits of all tokens where there is a kernel.

use collegium_core::DType;
use collegium_hlo::Value;

/// Logits {token, vocab} in f32 of `hidden` {token, hidden} and the head's weights {vocab, hidden}.
#[track_caller]
pub fn logits<'g>(hidden: Value<'g>, weight: Value<'g>) -> Value<'g> {
    hidden.dot_as(weight, &["hidden"], DType::F32)
}
