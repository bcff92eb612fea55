//! Rows on their way between ranks, in a smaller element type.
//!
//! int8 is block-scaled: a row is cut into blocks, each is divided by its scale, the largest magnitude over 127, and rounded. Scales travel beside
//! in f32, 4 bytes for 128. `int8(x) = round(x / s)`, `s = max |block| / 127`; the error of an element is at most s / 2.
//!
//! Only what goes to the experts is int8. Results, and gradients both ways, travel in bf16: results are added into the residual stream
//! and gradients have outliers that a block scale would pay for with all their neighbours; bf16 keeps 8 bits of every element
//! whatever the others are. (DeepSeek-V3, 2412.19437, section 3.3.3: dispatch in fp8, combine in bf16.) The gradient of rounding is taken to be one.

use collegium_core::DType;
use collegium_hlo::{Value, dim};

/// Most elements that share a scale.
const BLOCK: usize = 128;

/// The type of results and gradients, where rows go out as `sent_as`.
pub(super) fn returned_as(sent_as: DType) -> DType {
    if sent_as == DType::I8 { DType::Bf16 } else { sent_as }
}

/// `exchange(x)` for `x` {.., hidden}, where rows travel as `sent_as`. `exchange` moves whole rows and leaves their dims behind the first alone.
#[track_caller]
pub(super) fn sent<'g>(x: Value<'g>, sent_as: DType, exchange: impl Fn(Value<'g>) -> Value<'g>) -> Value<'g> {
    let plain = exchange(x.convert(returned_as(sent_as))).convert(x.dtype());
    if sent_as != DType::I8 {
        return plain;
    }
    let row = *x.shape().dims.last().expect("rows have a hidden dim");
    let lane = (1..=BLOCK.min(row.size)).rev().find(|&n| row.size.is_multiple_of(n)).unwrap_or(1);
    let blocks = x.convert(DType::F32).split(row.name, &[dim("scale", row.size / lane), dim("lane", lane)]);
    let largest = blocks.abs().reduce_max(&["lane"]);
    let scale = (largest / 127.0).max(x.graph().scalar(DType::F32, f64::from(f32::MIN_POSITIVE)));
    let rounded = (blocks / scale.broadcast(&blocks.shape().dims) + 0.5).floor().convert(DType::I8);
    let (rounded, scale) = (exchange(rounded), exchange(scale));
    let received = rounded.convert(DType::F32) * scale.broadcast(&rounded.shape().dims);
    let received = received.merge(&["scale", "lane"], row.name).convert(x.dtype());
    received.with_gradient_of(plain)
}
