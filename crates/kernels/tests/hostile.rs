//! What a custom call hands over may be anything: handlers answer with an error, or compute, and never panic or write beside
//! their results.

use collegium_core::DType;
use collegium_kernels::handlers::{BufferView, BufferViewMut, HANDLERS};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Buffer {
    dtype: DType,
    dims: Vec<i64>,
    /// What is added to the bytes of the dims, so that memory is too short or too long.
    surplus: i64,
}

impl Buffer {
    fn bytes(&self) -> usize {
        let elements = self.dims.iter().try_fold(1_i64, |n, &d| n.checked_mul(d)).unwrap_or(64);
        (elements.clamp(0, 4096) * self.dtype.size_bytes() as i64 + self.surplus).max(0) as usize
    }
}

fn buffer() -> impl Strategy<Value = Buffer> {
    let dtype = prop_oneof![
        6 => Just(DType::F32), 4 => Just(DType::Bf16), 4 => Just(DType::I32), 1 => Just(DType::F64), 1 => Just(DType::Bool)
    ];
    let size = prop_oneof![12 => 0..5_i64, 1 => Just(-1_i64), 1 => Just(i64::MAX), 1 => Just(1_i64 << 40)];
    let surplus = prop_oneof![8 => Just(0_i64), 1 => -5..5_i64];
    (dtype, prop::collection::vec(size, 0..4), surplus).prop_map(|(dtype, dims, surplus)| Buffer {
        dtype,
        dims,
        surplus,
    })
}

/// Buffers that fit a grouped product, of which one is then replaced.
fn nearly_good() -> impl Strategy<Value = (Vec<Buffer>, Vec<Buffer>)> {
    let size = || 0..4_i64;
    (size(), size(), size(), size(), 0..6_usize, buffer()).prop_map(
        |(blocks, inner, outer, slots, at, other)| {
            let of = |dtype, dims: &[i64]| Buffer { dtype, dims: dims.to_vec(), surplus: 0 };
            let mut all = vec![
                of(DType::F32, &[2 * blocks, inner]),
                of(DType::F32, &[slots, inner, outer]),
                of(DType::I32, &[blocks]),
                of(DType::F32, &[2 * blocks, outer]),
            ];
            if let Some(place) = all.get_mut(at) {
                *place = other;
            }
            let out = all.split_off(3);
            (all, out)
        },
    )
}

fn call(
    args: &[Buffer],
    outs: &[Buffer],
    attributes: &[(&str, i64)],
    bits: u32,
) -> Result<(), TestCaseError> {
    // 32-bit words, so that buffers are aligned as the runtime's are; `bits` is every word.
    let words = |b: &Buffer| vec![bits; b.bytes().div_ceil(4) + 1];
    let memory: Vec<Vec<u32>> = args.iter().map(words).collect();
    for (name, handler) in HANDLERS {
        let mut results: Vec<Vec<u32>> =
            outs.iter().map(|b| vec![0xabab_abab; b.bytes().div_ceil(4) + 1]).collect();
        let views: Vec<BufferView<'_>> = args
            .iter()
            .zip(&memory)
            .map(|(b, m)| BufferView {
                dtype: b.dtype,
                dims: &b.dims,
                bytes: &bytemuck::cast_slice(m)[..b.bytes()],
            })
            .collect();
        let mut places: Vec<BufferViewMut<'_>> = outs
            .iter()
            .zip(&mut results)
            .map(|(b, m)| BufferViewMut {
                dtype: b.dtype,
                dims: &b.dims,
                bytes: &mut bytemuck::cast_slice_mut(m)[..b.bytes()],
            })
            .collect();
        let found = handler(&views, &mut places, attributes);
        drop(places);
        for (b, m) in outs.iter().zip(&results) {
            let all: &[u8] = bytemuck::cast_slice(m);
            let beside = if found.is_ok() { &all[b.bytes()..] } else { all };
            prop_assert!(beside.iter().all(|&x| x == 0xab), "{}: written where it must not", name);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_is_answered(
        args in prop::collection::vec(buffer(), 0..5),
        outs in prop::collection::vec(buffer(), 0..3),
        flag in -1..3_i64,
        bits in any::<u32>(),
    ) {
        call(&args, &outs, &[("weights_transposed", flag)], bits)?;
    }

    #[test]
    fn nearly_good_calls_are_answered((args, outs) in nearly_good(), flag in -1..3_i64, bits in prop_oneof![Just(0), any::<u32>()]) {
        call(&args, &outs, &[("weights_transposed", flag)], bits)?;
    }
}
