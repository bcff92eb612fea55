//! What a custom call hands over may be anything: handlers answer with an error, or compute, and never panic or write beside
//! their results.

use collegium_core::DType;
use collegium_kernels::ArgumentError;
use collegium_kernels::handlers::{BufferView, BufferViewMut, HANDLERS, Handler};
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

/// Outputs of packed weights.
const FEATURES: i64 = 5;

/// Operands and results that fit one of the kernels, by its place in [`HANDLERS`].
fn good(kernel: usize, float: DType, [a, b, c, d]: [i64; 4]) -> (Vec<Buffer>, Vec<Buffer>) {
    let of = |dtype, dims: &[i64]| Buffer { dtype, dims: dims.to_vec(), surplus: 0 };
    let (f32s, i32s) = (|dims: &[i64]| of(DType::F32, dims), |dims: &[i64]| of(DType::I32, dims));
    let floats = |dims: &[i64]| of(float, dims);
    // {batch = a, seq = b, head = 2 c, head_dim = d}, two heads for each key-value head.
    let (query, key) = (floats(&[a, b, 2 * c, d]), floats(&[a, b, c, d]));
    let (segments, sums) = (i32s(&[a, b]), f32s(&[a, 2 * c, b]));
    let attended = vec![query.clone(), key.clone(), key.clone(), segments];
    match HANDLERS[kernel].0 {
        "collegium.grouped_dot" => {
            (vec![floats(&[2 * a, b]), floats(&[d, b, c]), i32s(&[a])], vec![f32s(&[2 * a, c])])
        }
        "collegium.grouped_outer" => {
            (vec![floats(&[2 * a, b]), floats(&[2 * a, c]), i32s(&[a])], vec![f32s(&[d, b, c])])
        }
        "collegium.attention" => (attended, vec![query, sums]),
        "collegium.attention_gradient" => {
            let results = vec![query.clone(), key.clone(), key];
            ([attended, vec![query.clone(), sums, query]].concat(), results)
        }
        "collegium.cross_entropy" => {
            let operands = vec![floats(&[a, b]), floats(&[c, b]), i32s(&[a]), f32s(&[])];
            (operands, vec![f32s(&[]), floats(&[a, b]), f32s(&[c, b])])
        }
        "collegium.slot_shards" => (vec![f32s(&[a, b, c]), f32s(&[c, d])], vec![floats(&[a, b, d])]),
        "collegium.slot_sums" => (vec![f32s(&[a, b, c]), f32s(&[a, b, d])], vec![f32s(&[c, d])]),
        "collegium.swiglu" => (vec![floats(&[a, b]), floats(&[a, b]), f32s(&[a])], vec![floats(&[a, b])]),
        "collegium.swiglu_gradient" => {
            let (rows, scale) = (vec![floats(&[a, b]); 3], vec![f32s(&[a])]);
            ([rows.clone(), scale.clone()].concat(), [rows, scale].concat())
        }
        "collegium.gathered_sum" => {
            (vec![floats(&[a, b]), i32s(&[c, 2]), i32s(&[a, d])], vec![floats(&[c, b])])
        }
        "collegium.packed_dot" => {
            let weights = if float == DType::F32 {
                floats(&[1, b, 64])
            } else {
                floats(&[1, b.max(0).div_euclid(2) + b.rem_euclid(2), 64, 2])
            };
            (vec![floats(&[a, b]), weights], vec![floats(&[a, FEATURES])])
        }
        "collegium.packed_experts" => {
            // As int8, in experts of FEATURES inside.
            let block = |inner: i64| i64::from(inner > 0);
            let weights = |inner: i64| of(DType::I8, &[c, 1, inner, 64]);
            let scales = |inner: i64| of(DType::Bf16, &[c, 1, block(inner), 64]);
            let tokens = vec![floats(&[a, 3]), f32s(&[a, 2]), i32s(&[a, 2])];
            let values = vec![weights(3), weights(3), weights(FEATURES)];
            ([tokens, values, vec![scales(3), scales(3), scales(FEATURES)]].concat(), vec![floats(&[a, 3])])
        }
        "collegium.route" => {
            let operands = vec![floats(&[a, b]), floats(&[c + 1, b]), f32s(&[c + 1])];
            (operands, vec![f32s(&[a, 1]), i32s(&[a, 1])])
        }
        "collegium.paged_step" => {
            let (token, width) = (i32s(&[a]), 2 * d);
            let tables = vec![f32s(&[a, d]), f32s(&[a, d]), i32s(&[1, b])];
            let places = vec![token.clone(), token.clone(), token];
            let norms = vec![floats(&[width]); 2];
            let cache = floats(&[2 * b, c, width]);
            let operands = [vec![floats(&[a, 4 * c * width])], tables, places, norms].concat();
            (operands, vec![cache.clone(), cache, floats(&[a, 2 * c * width])])
        }
        "collegium.rms_norm" => (vec![floats(&[a, b, c]), floats(&[c])], vec![floats(&[a, b, c])]),
        "collegium.adamw" => {
            let (state, working) = (f32s(&[a, b]), floats(&[a, b]));
            (vec![state.clone(), f32s(&[8]), i32s(&[])], vec![state.clone(), state.clone(), state, working])
        }
        "collegium.sum_of_squares" => (vec![f32s(&[a, b])], vec![f32s(&[])]),
        "collegium.paged_attention" => {
            let (query, cache) = (floats(&[a, 2 * c, d]), floats(&[2 * b, c, d]));
            (vec![query.clone(), cache.clone(), cache, i32s(&[1, b]), i32s(&[a]), i32s(&[a])], vec![query])
        }
        other => panic!("`{other}` needs operands that fit it, here"),
    }
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

/// Shows memory as the buffers say it is.
fn handled(
    handler: Handler,
    (args, memory): (&[Buffer], &[Vec<u32>]),
    (outs, results): (&[Buffer], &mut [Vec<u32>]),
    attributes: &[(&str, i64)],
) -> Result<(), ArgumentError> {
    let views: Vec<BufferView<'_>> = args
        .iter()
        .zip(memory)
        .map(|(b, m)| BufferView {
            dtype: b.dtype,
            dims: &b.dims,
            bytes: &bytemuck::cast_slice(m)[..b.bytes()],
        })
        .collect();
    let mut places: Vec<BufferViewMut<'_>> = outs
        .iter()
        .zip(results)
        .map(|(b, m)| BufferViewMut {
            dtype: b.dtype,
            dims: &b.dims,
            bytes: &mut bytemuck::cast_slice_mut(m)[..b.bytes()],
        })
        .collect();
    handler(&views, &mut places, attributes)
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
        let found = handled(handler, (args, &memory), (outs, &mut results), attributes);
        for (b, m) in outs.iter().zip(&results) {
            let all: &[u8] = bytemuck::cast_slice(m);
            let beside = if found.is_ok() { &all[b.bytes()..] } else { all };
            prop_assert!(beside.iter().all(|&x| x == 0xab), "{}: written where it must not", name);
        }
    }
    Ok(())
}

/// What any kernel reads.
fn attributes(flag: i64) -> [(&'static str, i64); 7] {
    [
        ("weights_transposed", flag),
        ("window", flag),
        ("page", 2 + flag),
        ("features", FEATURES + flag),
        ("intermediate", FEATURES + flag),
        ("normalise", flag),
        ("eps_bits", flag),
    ]
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
