//! Calls of the handlers, right and wrong: what tests and the fuzz target share.

use collegium_core::DType;
use collegium_kernels::ArgumentError;
use collegium_kernels::handlers::{BufferView, BufferViewMut, HANDLERS, Handler};

#[derive(Clone, Debug)]
pub struct Buffer {
    pub dtype: DType,
    pub dims: Vec<i64>,
    /// What is added to the bytes of the dims, so that memory is too short or too long.
    pub surplus: i64,
}

impl Buffer {
    pub fn bytes(&self) -> usize {
        let elements = self.dims.iter().try_fold(1_i64, |n, &d| n.checked_mul(d)).unwrap_or(64);
        (elements.clamp(0, 4096) * self.dtype.size_bytes() as i64 + self.surplus).max(0) as usize
    }
}

/// Outputs of packed weights.
pub const FEATURES: i64 = 5;

/// Operands and results that fit one of the kernels, by its place in [`HANDLERS`].
pub fn good(kernel: usize, float: DType, [a, b, c, d]: [i64; 4]) -> (Vec<Buffer>, Vec<Buffer>) {
    let of = |dtype, dims: &[i64]| Buffer { dtype, dims: dims.to_vec(), surplus: 0 };
    let (f32s, i32s) = (|dims: &[i64]| of(DType::F32, dims), |dims: &[i64]| of(DType::I32, dims));
    let floats = |dims: &[i64]| of(float, dims);
    // {batch = a, seq = b, head = 2 c, head_dim = d}, two heads for each key-value head.
    let (query, key) = (floats(&[a, b, 2 * c, d]), floats(&[a, b, c, d]));
    let (segments, sums) = (i32s(&[a, b]), f32s(&[a, 2 * c, b]));
    let attended = vec![query.clone(), key.clone(), key.clone(), segments];
    match HANDLERS[kernel].0 {
        "collegium.grouped_dot" => {
            (vec![floats(&[2 * a, b]), floats(&[d, b, c]), i32s(&[a])], vec![floats(&[2 * a, c])])
        }
        "collegium.grouped_outer" => {
            (vec![floats(&[2 * a, b]), floats(&[2 * a, c]), i32s(&[a])], vec![f32s(&[d, b, c])])
        }
        "collegium.grouped_dot_sum" => {
            let product = [floats(&[2 * a, b]), floats(&[d, b, c])];
            (
                [product.clone().to_vec(), product.to_vec(), vec![i32s(&[a])]].concat(),
                vec![floats(&[2 * a, c])],
            )
        }
        "collegium.expert_rows" => {
            let (up, down) = (floats(&[d, c, b]), floats(&[d, b, c]));
            let given = vec![floats(&[3, b]), i32s(&[2 * a, 1]), i32s(&[3, 2])];
            let rows = floats(&[2 * a, c]);
            let operands = [given, vec![up.clone(), up, down, i32s(&[a]), f32s(&[2 * a])]].concat();
            (operands, vec![rows.clone(), rows, floats(&[2 * a, b])])
        }
        "collegium.expert_rows_gradient" => {
            let (rows, scale) = (floats(&[2 * a, c]), f32s(&[2 * a]));
            let given = vec![floats(&[2 * a, b]), rows.clone(), rows.clone(), floats(&[d, b, c]), i32s(&[a])];
            let operands = [given, vec![scale.clone()]].concat();
            (operands, vec![rows.clone(), rows.clone(), rows, scale])
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
        "collegium.swiglu" => (vec![floats(&[a, b]), floats(&[a, b])], vec![floats(&[a, b])]),
        "collegium.swiglu_gradient" => {
            let rows = floats(&[a, b]);
            (vec![rows.clone(), rows.clone()], vec![rows.clone(), rows.clone(), rows])
        }
        "collegium.gathered_sum" => {
            (vec![floats(&[a, b]), i32s(&[c, 2]), i32s(&[a, d])], vec![floats(&[c, b])])
        }
        "collegium.take_rows" => (vec![floats(&[a, b]), i32s(&[c])], vec![floats(&[c, b])]),
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
            let weights = |inner: i64| of(DType::I8, &[c, 1, (inner + 1) / 2, 64, 2]);
            let scales = |inner: i64| of(DType::Bf16, &[c, 1, block(inner), 64]);
            let tokens = vec![floats(&[a, 3]), f32s(&[a, 2]), i32s(&[a, 2])];
            let values = vec![weights(3), weights(3), weights(FEATURES)];
            ([tokens, values, vec![scales(3), scales(3), scales(FEATURES)]].concat(), vec![floats(&[a, 3])])
        }
        "collegium.route" => {
            let operands = vec![floats(&[a, b]), floats(&[c + 1, b]), f32s(&[c + 1])];
            (operands, vec![f32s(&[a, 1]), i32s(&[a, 1])])
        }
        name @ ("collegium.paged_step" | "collegium.paged_step_int8") => {
            let (token, width) = (i32s(&[a]), 2 * d);
            let tables = vec![f32s(&[a, d]), f32s(&[a, d]), i32s(&[1, b])];
            let places = vec![token.clone(), token.clone(), token];
            let norms = vec![floats(&[width]); 2];
            let is_int8 = name == "collegium.paged_step_int8";
            let cells = |dims| of(if is_int8 { DType::I8 } else { float }, dims);
            let scales = vec![f32s(&[b, c, 16]); if is_int8 { 2 } else { 0 }];
            let caches = [vec![cells(&[b, c, width, 16]), cells(&[b, c, 16, width])], scales].concat();
            let operands = [vec![floats(&[a, 4 * c * width])], tables, places, norms].concat();
            (operands, [caches, vec![floats(&[a, 2 * c * width])]].concat())
        }
        "collegium.rms_norm" => (vec![floats(&[a, b, c]), floats(&[c])], vec![floats(&[a, b, c])]),
        "collegium.adamw" => {
            let (state, working) = (f32s(&[a, b]), floats(&[a, b]));
            (vec![state.clone(), f32s(&[8]), i32s(&[])], vec![state.clone(), state.clone(), state, working])
        }
        "collegium.sum_of_squares" => (vec![f32s(&[a, b])], vec![f32s(&[])]),
        other => panic!("`{other}` needs operands that fit it, here"),
    }
}

/// Shows memory as the buffers say it is.
pub fn handled(
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

/// Calls a handler with memory whose every word is `bits`; none where it wrote where it must not.
pub fn answer(
    handler: Handler,
    args: &[Buffer],
    outs: &[Buffer],
    attributes: &[(&str, i64)],
    bits: u32,
) -> Option<Result<(), ArgumentError>> {
    // 32-bit words, so that buffers are aligned as the runtime's are.
    let words = |b: &Buffer, word: u32| vec![word; b.bytes().div_ceil(4) + 1];
    let memory: Vec<Vec<u32>> = args.iter().map(|b| words(b, bits)).collect();
    let mut results: Vec<Vec<u32>> = outs.iter().map(|b| words(b, 0xabab_abab)).collect();
    let found = handled(handler, (args, &memory), (outs, &mut results), attributes);
    let is_kept = |(b, m): (&Buffer, &Vec<u32>)| {
        let all: &[u8] = bytemuck::cast_slice(m);
        let beside = if found.is_ok() { &all[b.bytes()..] } else { all };
        beside.iter().all(|&x| x == 0xab)
    };
    outs.iter().zip(&results).all(is_kept).then_some(found)
}

/// What any kernel reads.
pub fn attributes(flag: i64) -> [(&'static str, i64); 9] {
    [
        ("weights_transposed", flag),
        ("window", flag),
        ("page", 2 + flag),
        ("features", FEATURES + flag),
        ("intermediate", FEATURES + flag),
        ("normalise", flag),
        ("eps_bits", flag),
        ("is_normed", flag),
        ("is_added", flag),
    ]
}
