//! Output head and loss.

use collegium_core::DType;
use collegium_hlo::{Value, dim};

/// Logits {token, vocab} in f32 of `hidden` {token, hidden} and the head's weights {vocab, hidden}.
#[track_caller]
pub fn logits<'g>(hidden: Value<'g>, weight: Value<'g>) -> Value<'g> {
    hidden.dot_as(weight, &["hidden"], DType::F32)
}

/// Sum over the tokens with a target of `-ln softmax(logits)[target]`: logits {token, vocab} f32, targets {token} i32,
/// negative where the token does not count. A scalar.
#[track_caller]
pub fn cross_entropy<'g>(logits: Value<'g>, targets: Value<'g>) -> Value<'g> {
    let vocab = dim("vocab", logits.size("vocab"));
    let hit = targets.one_hot(vocab, DType::F32);
    let counts = targets.at_least(targets.graph().scalar(DType::I32, 0.0)).convert(DType::F32);
    // Negative targets hit nothing, so only the log-sum-exp needs the mask.
    let loss = logits.log_sum_exp("vocab") * counts - (logits * hit).sum(&["vocab"]);
    loss.sum(&["token"])
}
