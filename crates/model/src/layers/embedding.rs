//! Token embedding: a row of the table for every token.

use collegium_core::DType;
use collegium_hlo::Value;

/// `table` {vocab, hidden} at `tokens` {batch, seq} (i32) as {token, hidden} of `dtype`.
#[track_caller]
pub fn embed<'g>(table: Value<'g>, tokens: Value<'g>, dtype: DType) -> Value<'g> {
    table.take(tokens.merge(&["batch", "seq"], "token"), "vocab").convert(dtype)
}
