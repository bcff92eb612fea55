//! What a custom call hands over may be anything: handlers answer with an error, or compute, and never panic or write beside
//! their results.

mod calls;

use calls::{Buffer, answer, attributes, good, handled};
use collegium_core::DType;
use collegium_kernels::handlers::HANDLERS;
use proptest::prelude::*;

fn buffer() -> impl Strategy<Value = Buffer> {
    let dtype = prop_oneof![
        6 => Just(DType::F32), 4 => Just(DType::Bf16), 4 => Just(DType::I32), 1 => Just(DType::I8), 1 => Just(DType::F64), 1 => Just(DType::Bool)
    ];
    let size = prop_oneof![12 => 0..5_i64, 1 => Just(-1_i64), 1 => Just(i64::MAX), 1 => Just(1_i64 << 40)];
    let surplus = prop_oneof![8 => Just(0_i64), 1 => -5..5_i64];
    (dtype, prop::collection::vec(size, 0..4), surplus).prop_map(|(dtype, dims, surplus)| Buffer {
        dtype,
        dims,
        surplus,
    })
}

/// The same, of which one buffer is then replaced; none where the place is beyond them.
fn nearly_good() -> impl Strategy<Value = (Vec<Buffer>, Vec<Buffer>)> {
    let float = prop_oneof![Just(DType::F32), Just(DType::Bf16)];
    (0..HANDLERS.len(), float, prop::array::uniform4(0..4_i64), 0..12_usize, buffer()).prop_map(
        |(kernel, float, sizes, at, other)| {
            let (mut args, mut outs) = good(kernel, float, sizes);
            if let Some(place) = args.iter_mut().chain(&mut outs).nth(at) {
                *place = other;
            }
            (args, outs)
        },
    )
}

fn call(
    args: &[Buffer],
    outs: &[Buffer],
    attributes: &[(&str, i64)],
    bits: u32,
) -> Result<(), TestCaseError> {
    for (name, handler) in HANDLERS {
        let found = answer(handler, args, outs, attributes, bits);
        prop_assert!(found.is_some(), "{}: written where it must not", name);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_is_answered(
        args in prop::collection::vec(buffer(), 0..10),
        outs in prop::collection::vec(buffer(), 0..5),
        flag in -1..3_i64,
        bits in any::<u32>(),
    ) {
        call(&args, &outs, &attributes(flag), bits)?;
    }

    #[test]
    fn nearly_good_calls_are_answered((args, outs) in nearly_good(), flag in -1..3_i64, bits in prop_oneof![Just(0), any::<u32>()]) {
        call(&args, &outs, &attributes(flag), bits)?;
    }
}

/// Without this the test above could be one of refusals only.
#[test]
fn every_kernel_takes_what_fits_it() {
    for (at, (name, handler)) in HANDLERS.into_iter().enumerate() {
        for float in [DType::F32, DType::Bf16] {
            let (args, outs) = good(at, float, [2, 3, 1, 4]);
            let memory: Vec<Vec<u32>> = args.iter().map(|b| vec![0; b.bytes().div_ceil(4)]).collect();
            let mut results: Vec<Vec<u32>> = outs.iter().map(|b| vec![0; b.bytes().div_ceil(4)]).collect();
            let found = handled(handler, (&args, &memory), (&outs, &mut results), &attributes(0));
            assert!(found.is_ok(), "{name} {float:?}: {found:?}");
        }
    }
}
