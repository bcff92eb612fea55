//! The handlers of custom calls with arguments that are nearly right, as coverage suggests them: an error or a result, and nothing read or
//! written beside the buffers.
//!
//!     cargo install cargo-fuzz
//!     cd crates/kernels && cargo +nightly fuzz run handlers -- -max_total_time=300

#![no_main]

#[path = "../../tests/calls/mod.rs"]
mod calls;

use calls::{Buffer, answer, attributes, good};
use collegium_core::DType;
use collegium_kernels::handlers::HANDLERS;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    kernel: u8,
    narrow: bool,
    sizes: [u8; 4],
    faults: Vec<Fault>,
    flag: i8,
    bits: u32,
}

/// What is wrong with one of the buffers, operands and results counted through.
#[derive(Arbitrary, Debug)]
struct Fault {
    buffer: u8,
    what: What,
}

#[derive(Arbitrary, Debug)]
enum What {
    Type(u8),
    Size { at: u8, size: i64 },
    SmallSize { at: u8, size: u8 },
    Rank(u8),
    Surplus(i8),
    Missing,
}

const TYPES: [DType; 6] = [DType::F32, DType::Bf16, DType::I32, DType::I8, DType::F64, DType::Bool];

fn spoil(buffers: &mut Vec<Buffer>, at: usize, what: &What) {
    if matches!(what, What::Missing) {
        buffers.remove(at);
        return;
    }
    let buffer = &mut buffers[at];
    let rank = buffer.dims.len().max(1);
    match *what {
        What::Type(dtype) => buffer.dtype = TYPES[usize::from(dtype) % TYPES.len()],
        What::Size { at, size } => {
            buffer.dims.get_mut(usize::from(at) % rank).into_iter().for_each(|d| *d = size);
        }
        What::SmallSize { at, size } => {
            buffer.dims.get_mut(usize::from(at) % rank).into_iter().for_each(|d| *d = i64::from(size % 40));
        }
        What::Rank(rank) => buffer.dims.resize(usize::from(rank % 6), 2),
        What::Surplus(bytes) => buffer.surplus = i64::from(bytes),
        What::Missing => {}
    }
}

fuzz_target!(|input: Input| {
    let kernel = usize::from(input.kernel) % HANDLERS.len();
    let float = if input.narrow { DType::Bf16 } else { DType::F32 };
    let (mut args, mut outs) = good(kernel, float, input.sizes.map(|size| i64::from(size % 24)));
    for Fault { buffer, what } in input.faults.iter().take(3) {
        let all = args.len() + outs.len();
        let Some(at) = usize::from(*buffer).checked_rem(all) else { break };
        match at.checked_sub(args.len()) {
            Some(at) => spoil(&mut outs, at, what),
            None => spoil(&mut args, at, what),
        }
    }
    let (name, handler) = HANDLERS[kernel];
    let found = answer(handler, &args, &outs, &attributes(i64::from(input.flag % 3)), input.bits);
    assert!(found.is_some(), "{name}: written where it must not");
});
