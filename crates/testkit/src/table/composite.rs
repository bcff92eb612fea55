//! Composite operations. Their plain form is what the reference evaluates; finite differences say whether that is right, and
//! devices with kernels are compared with it.

use collegium_core::DType;
use collegium_hlo::{ADAMW_HYPER, Around, Graph, Links, Packed, PagedStep, Value, dim, gradient};

use super::{bf16, f32, index};
use crate::case::Build;
use crate::{Fill, Gradient, Input, OpCase};

pub(super) fn cases() -> Vec<OpCase> {
    [
        attention(),
        paged(),
        cross_entropy(),
        slots(),
        swiglu(),
        gathered(),
        squares(),
        adamw(),
        packed(),
        serving(),
    ]
    .concat()
}

/// Query, key, value and segments.
fn attention_inputs(
    of: fn(&[collegium_hlo::Dim]) -> Input,
    [batch, seq, head, kv_head, head_dim]: [usize; 5],
    num_segments: usize,
) -> Vec<Input> {
    let places = [dim("batch", batch), dim("seq", seq)];
    let heads = |name, count| of(&[places[0], places[1], dim(name, count), dim("head_dim", head_dim)]);
    let kv = heads("kv_head", kv_head);
    vec![heads("head", head), kv.clone(), kv, index(&places, num_segments)]
}

fn attention() -> Vec<OpCase> {
    let whole = |name: &str, inputs| OpCase::new(name, inputs, |_, x| x[0].attention(x[1], x[2], x[3], None));
    vec![
        whole("attention_f32", attention_inputs(f32, [2, 7, 4, 2, 6], 1)),
        whole("attention_packed", attention_inputs(f32, [2, 9, 2, 2, 5], 2)),
        // Its gradients to query and key are zero, up to what rounding leaves.
        whole("attention_one_token", attention_inputs(f32, [2, 1, 3, 1, 4], 1)).gradient(Gradient::None),
        whole("attention_blocks", attention_inputs(f32, [1, 131, 2, 1, 3], 1)),
        whole("attention_bf16", attention_inputs(bf16, [2, 7, 4, 2, 32], 1)),
        OpCase::new("attention_window", attention_inputs(f32, [2, 9, 2, 1, 6], 2), |_, x| {
            x[0].attention(x[1], x[2], x[3], Some(3))
        }),
        OpCase::new("attention_window_blocks", attention_inputs(f32, [1, 140, 1, 1, 2], 1), |_, x| {
            x[0].attention(x[1], x[2], x[3], Some(20))
        }),
    ]
}

/// Five tokens of two sequences, over a cache of six pages of four places.
fn paged() -> Vec<OpCase> {
    let inputs = |of: fn(&[collegium_hlo::Dim]) -> Input, head_dim| {
        let (token, width) = (dim("token", 5), dim("head_dim", head_dim));
        let cache = of(&[dim("place", 24), dim("kv_head", 2), width]);
        let given = |dims: &[collegium_hlo::Dim], v: &[f64]| index(dims, 9).fill(Fill::Given(v.to_vec()));
        vec![
            of(&[token, dim("head", 6), width]),
            cache.clone(),
            cache,
            given(&[dim("sequence", 2), dim("page", 3)], &[4.0, 1.0, 5.0, 2.0, 3.0, 0.0]),
            given(&[token], &[0.0, 1.0, 1.0, 0.0, 0.0]),
            given(&[token], &[11.0, 0.0, 5.0, 6.0, 3.0]),
        ]
    };
    let case = |name: &str, inputs| {
        OpCase::new(name, inputs, |_, x| x[0].paged_attention([x[1], x[2]], None, x[3], x[4], x[5], 4, None))
            .gradient(Gradient::None)
    };
    vec![
        case("paged_attention_f32", inputs(f32, 7)),
        case("paged_attention_bf16", inputs(bf16, 32)),
        OpCase::new("paged_attention_window", inputs(f32, 6), |_, x| {
            x[0].paged_attention([x[1], x[2]], None, x[3], x[4], x[5], 4, Some(3))
        })
        .gradient(Gradient::None),
        OpCase::new("paged_attention_int8", inputs(bf16, 32), |_, x| {
            let [(keys, key_scales), (values, value_scales)] = [x[1], x[2]].map(|x| {
                let [cells, scales] = x.int8_rows();
                (cells, scales)
            });
            let scales = Some([key_scales, value_scales]);
            x[0].paged_attention([keys, values], scales, x[3], x[4], x[5], 4, None)
        })
        .gradient(Gradient::None),
    ]
}

/// Hidden states, weight, targets of which two do not count, and scale.
fn loss_inputs(of: fn(&[collegium_hlo::Dim]) -> Input) -> Vec<Input> {
    let (token, hidden, vocab) = (dim("token", 6), dim("hidden", 5), dim("vocab", 9));
    let targets = Fill::Given(vec![0.0, 8.0, -1.0, 3.0, -100.0, 3.0]);
    vec![
        of(&[token, hidden]),
        of(&[vocab, hidden]),
        index(&[token], 9).fill(targets),
        f32(&[]).fill(Fill::Given(vec![0.3])),
    ]
}

fn cross_entropy() -> Vec<OpCase> {
    let loss =
        |name: &str, of| OpCase::new(name, loss_inputs(of), |_, x| x[0].cross_entropy(x[1], x[2], x[3]));
    vec![
        loss("cross_entropy_f32", f32),
        loss("cross_entropy_bf16", bf16),
        // As the trainer has it: a cotangent of one, so that loss and gradients are one call.
        OpCase::new("cross_entropy_at_once", loss_inputs(f32), |g, x| {
            let loss = x[0].cross_entropy(x[1], x[2], x[3]);
            let found = gradient(&[(loss, g.scalar(DType::F32, 1.0))], &x[..2]);
            let all: Value<'_> = found[0].sum(&["hidden", "token"]) + found[1].sum(&["hidden", "vocab"]);
            all + loss
        })
        .gradient(Gradient::None),
    ]
}

/// Two ranks of three slots, four experts: one expert twice, one slot empty.
fn slots() -> Vec<OpCase> {
    let held = [Some(0), Some(2), Some(3), Some(1), Some(2), None];
    let wanted = held.iter().flat_map(|h| (0..4).map(move |e| f64::from(*h == Some(e)))).collect();
    let (rank, slot, expert, flat) = (dim("rank", 2), dim("slot", 3), dim("expert", 4), dim("flat", 37));
    let wanted = f32(&[rank, slot, expert]).fill(Fill::Given(wanted));
    let sharded = vec![wanted.clone(), f32(&[expert, flat])];
    let sums = vec![wanted, f32(&[rank, slot, flat])];
    vec![
        OpCase::new("slot_shards_f32", sharded.clone(), |_, x| x[0].slot_shards(x[1], DType::F32)),
        OpCase::new("slot_shards_bf16", sharded, |_, x| x[0].slot_shards(x[1], DType::Bf16)),
        OpCase::new("slot_sums", sums, |_, x| x[0].slot_sums(x[1])),
    ]
}

fn swiglu() -> Vec<OpCase> {
    let dims = [dim("row", 6), dim("intermediate", 19)];
    let down = f32(&[dim("hidden", 4), dims[1]]);
    vec![
        OpCase::new("swiglu_f32", vec![f32(&dims), f32(&dims)], |_, x| x[0].swiglu(x[1], DType::F32)),
        OpCase::new("swiglu_f32_to_bf16", vec![f32(&dims), f32(&dims)], |_, x| {
            x[0].swiglu(x[1], DType::Bf16)
        }),
        OpCase::new("swiglu_bf16", vec![bf16(&dims), bf16(&dims)], |_, x| x[0].swiglu(x[1], DType::Bf16)),
        // Its gradient to the weights reads the result again.
        OpCase::new("swiglu_down", vec![f32(&dims), f32(&dims), down], |_, x| {
            x[0].swiglu(x[1], DType::F32).dot(x[2], &["intermediate"])
        }),
    ]
}

/// Four tokens of two links each, nine cells of one: two cells are empty, one link leads elsewhere.
fn gathered() -> Vec<OpCase> {
    let (token, choice, cell, reader) = (dim("token", 4), dim("choice", 2), dim("cell", 9), dim("reader", 1));
    let hidden = dim("hidden", 21);
    let cell_of_choice = [4, 0, 8, -1, 1, 2, 5, 7];
    let choice_of_cell = |cell| cell_of_choice.iter().position(|&c| c == cell).map_or(-1.0, |c| c as f64);
    let table = |dims: &[collegium_hlo::Dim], values| index(dims, 1).fill(Fill::Given(values));
    let to_cells = table(&[token, choice], cell_of_choice.map(f64::from).to_vec());
    let to_tokens = table(&[cell, reader], (0..9).map(choice_of_cell).collect());
    let dispatch = |name: &str, of: fn(&[collegium_hlo::Dim]) -> Input| {
        let inputs = vec![of(&[token, hidden]), to_tokens.clone(), to_cells.clone()];
        OpCase::new(name, inputs, |_, x| x[0].gathered_sum(Links { index: x[1], inverse: x[2] }))
    };
    let combine = |name: &str, of: fn(&[collegium_hlo::Dim]) -> Input| {
        let inputs = vec![of(&[cell, hidden]), to_cells.clone(), to_tokens.clone()];
        OpCase::new(name, inputs, |_, x| x[0].gathered_sum(Links { index: x[1], inverse: x[2] }))
    };
    vec![
        dispatch("gathered_sum_dispatch_f32", f32),
        dispatch("gathered_sum_dispatch_bf16", bf16),
        combine("gathered_sum_combine_f32", f32),
        combine("gathered_sum_combine_bf16", bf16),
    ]
}

fn squares() -> Vec<OpCase> {
    vec![OpCase::new("sum_of_squares", vec![f32(&[dim("row", 6), dim("flat", 35)])], |_, x| {
        x[0].sum_of_squares()
    })]
}

/// Inputs of packed weights, elements and, for int8, scales.
fn packed_inputs(dtype: DType, slots: Option<usize>, features: usize, inner: usize) -> Vec<Input> {
    let (values, scales) = Packed::dims(dtype, slots, features, inner);
    match dtype {
        DType::I8 => vec![Input::new(dtype, &values).fill(Fill::Below(100)), bf16(&scales)],
        _ => vec![Input::new(dtype, &values)],
    }
}

/// Products with packed weights. What lies behind the last output or the end of a pair is not zero here, and must not matter.
fn packed() -> Vec<OpCase> {
    let dot = |name: &str, x: fn(&[collegium_hlo::Dim]) -> Input, dtype, inner, build: Build| {
        let rows = x(&[dim("token", 5), dim("hidden", inner)]);
        let inputs = [vec![rows], packed_inputs(dtype, None, 70, inner)].concat();
        OpCase::new(name, inputs, build).gradient(Gradient::None)
    };
    fn product<'g>(x: &[Value<'g>], dtype: DType) -> Value<'g> {
        let weights = Packed { values: x[1], scales: x.get(2).copied() };
        x[0].packed_dot(weights, 70, dtype, Around::default())
    }
    // Of normalised rows, added to something.
    let surrounded = |name: &str, x: fn(&[collegium_hlo::Dim]) -> Input, dtype: DType| {
        let (token, inner) = (dim("token", 5), dim("hidden", 38));
        let more = [x(&[token, inner]), x(&[inner]), x(&[token, dim("feature", 70)])];
        let inputs = [more.to_vec(), packed_inputs(dtype, None, 70, inner.size)].concat();
        OpCase::new(name, inputs, |_, x| {
            let weights = Packed { values: x[3], scales: x.get(4).copied() };
            let around = Around { norm: Some((x[1], 1e-5)), onto: Some(x[2]) };
            x[0].packed_dot(weights, 70, x[0].dtype(), around)
        })
        .gradient(Gradient::None)
    };
    let experts = |name: &str, x: fn(&[collegium_hlo::Dim]) -> Input, dtype: DType| {
        let (token, choice) = (dim("token", 3), dim("choice", 2));
        let weights =
            [(20, 66), (20, 66), (66, 20)].map(|(out, inner)| packed_inputs(dtype, Some(4), out, inner));
        // One token has an expert less.
        let choices = index(&[token, choice], 1).fill(Fill::Given(vec![3.0, 0.0, -1.0, 2.0, 1.0, 3.0]));
        let rows = x(&[token, dim("hidden", 66)]);
        let mut inputs = vec![rows.clone(), f32(&[token, choice]), choices, rows];
        inputs.extend(weights.iter().map(|w| w[0].clone()));
        inputs.extend(weights.iter().filter_map(|w| w.get(1).cloned()));
        OpCase::new(name, inputs, |_, x| {
            let weight = |i: usize| Packed { values: x[4 + i], scales: x.get(7 + i).copied() };
            // One of both ways.
            let onto = x.get(7).is_none().then(|| x[3]);
            let sum = x[0].packed_experts((x[1], x[2]), [0, 1, 2].map(weight), 20, onto);
            if onto.is_some() { sum } else { sum + x[3] }
        })
        .gradient(Gradient::None)
    };
    vec![
        dot("packed_dot_f32", f32, DType::F32, 37, |_, x| product(x, DType::F32)),
        dot("packed_dot_bf16", bf16, DType::Bf16, 48, |_, x| product(x, DType::F32)),
        // In bf16, since the kernel keeps 15 bits of rows that meet int8.
        dot("packed_dot_int8", bf16, DType::I8, 37, |_, x| product(x, DType::Bf16)),
        surrounded("packed_dot_surrounded_f32", f32, DType::F32),
        surrounded("packed_dot_surrounded_bf16", bf16, DType::Bf16),
        surrounded("packed_dot_surrounded_int8", bf16, DType::I8),
        experts("packed_experts_f32", f32, DType::F32),
        experts("packed_experts_bf16", bf16, DType::Bf16),
        experts("packed_experts_int8", bf16, DType::I8),
    ]
}

/// What else a step of serving is made of.
fn serving() -> Vec<OpCase> {
    let (token, hidden, expert) = (dim("token", 5), dim("hidden", 9), dim("expert", 6));
    let routed = vec![f32(&[token, hidden]), f32(&[expert, hidden]), f32(&[expert])];
    let route = |name: &str, build: Build| OpCase::new(name, routed.clone(), build).gradient(Gradient::None);
    let normed_route = |name: &str, of: fn(&[collegium_hlo::Dim]) -> Input, build: Build| {
        let inputs = vec![of(&[token, hidden]), of(&[expert, hidden]), f32(&[expert]), of(&[hidden])];
        OpCase::new(name, inputs, build).gradient(Gradient::None)
    };
    fn routed_of<'g>(x: &[Value<'g>]) -> [Value<'g>; 3] {
        x[0].normed_route((x[3], 1e-5), x[1], x[2], (2, true))
    }
    let norm = |name: &str, of: fn(&[collegium_hlo::Dim]) -> Input| {
        let inputs = vec![of(&[token, dim("head", 2), hidden]), of(&[hidden])];
        OpCase::new(name, inputs, |_, x| x[0].rms_norm_rows(x[1], 1e-5)).gradient(Gradient::None)
    };
    let taken = |name: &str, of: fn(&[collegium_hlo::Dim]) -> Input| {
        let inputs = vec![of(&[dim("vocab", 7), hidden]), index(&[token], 7)];
        OpCase::new(name, inputs, |_, x| x[0].take_rows(x[1])).gradient(Gradient::None)
    };
    let step = |name: &str, of: fn(&[collegium_hlo::Dim]) -> Input, width: usize, build: Build| {
        let given = |dims: &[collegium_hlo::Dim], v: &[f64]| index(dims, 100).fill(Fill::Given(v.to_vec()));
        let (head_dim, half) = (dim("head_dim", width), dim("half", width / 2));
        let (page, kv_head, row) = (dim("cache_page", 6), dim("kv_head", 2), dim("row", 16));
        let inputs = vec![
            of(&[token, dim("feature", 10 * width)]),
            f32(&[token, half]),
            f32(&[token, half]),
            given(&[dim("sequence", 2), dim("page", 3)], &[4.0, 1.0, 5.0, 2.0, 3.0, 0.0]),
            given(&[token], &[0.0, 1.0, 1.0, 0.0, 0.0]),
            given(&[token], &[11.0, 0.0, 5.0, 6.0, 40.0]),
            given(&[token], &[75.0, 32.0, 37.0, 70.0, 88.0]),
            of(&[head_dim]),
            of(&[head_dim]),
            of(&[page, kv_head, head_dim, row]),
            of(&[page, kv_head, row, head_dim]),
        ];
        OpCase::new(name, inputs, build).gradient(Gradient::None)
    };
    vec![
        route("route_f32", |_, x| x[0].route(x[1], x[2], 2, false).0),
        route("route_normalised", |_, x| x[0].route(x[1], x[2], 2, true).0),
        route("route_experts", |_, x| x[0].route(x[1], x[2], 2, true).1),
        normed_route("normed_route_f32", f32, |_, x| routed_of(x)[1]),
        normed_route("normed_route_experts", f32, |_, x| routed_of(x)[2]),
        normed_route("normed_route_normed", bf16, |_, x| routed_of(x)[0]),
        norm("rms_norm_f32", f32),
        norm("rms_norm_bf16", bf16),
        taken("take_rows_f32", f32),
        taken("take_rows_bf16", bf16),
        OpCase::new("chained", vec![f32(&[token, hidden]), f32(&[dim("element", 40)])], |_, x| {
            let part = |start| x[1].slice("element", start, start + 9).rename(&[("element", "hidden")]);
            let first = x[0].rms_norm_rows(part(16), 1e-5);
            // A second chain, behind something that is no kernel's.
            (first + x[0]).rms_norm_rows(part(0), 1e-5).rms_norm_rows(part(16), 1e-5) + first
        })
        .gradient(Gradient::None),
        step("paged_step_f32", f32, 6, stepped::<2>),
        step("paged_step_keys", f32, 6, stepped::<0>),
        step("paged_step_values", f32, 6, stepped::<1>),
        step("paged_step_bf16", bf16, 32, stepped::<2>),
        step("paged_step_int8", bf16, 32, stepped_int8::<4>),
        step("paged_step_int8_f32", f32, 6, stepped_int8::<4>),
        step("paged_step_int8_keys", f32, 6, stepped_int8::<0>),
        step("paged_step_int8_values", f32, 6, stepped_int8::<1>),
        step("paged_step_int8_key_scales", f32, 6, stepped_int8::<2>),
        step("paged_step_int8_value_scales", f32, 6, stepped_int8::<3>),
    ]
}

/// A result of a step over the inputs of its cases.
fn stepped<'g, const RESULT: usize>(_: &'g Graph, x: &[Value<'g>]) -> Value<'g> {
    step_over(x, [x[9], x[10]], None, RESULT)
}

/// The same over what the caches are in int8.
fn stepped_int8<'g, const RESULT: usize>(_: &'g Graph, x: &[Value<'g>]) -> Value<'g> {
    let by_page = ["cache_page", "kv_head", "row", "head_dim"];
    let [[keys, key_scales], [values, value_scales]] =
        [x[9].transpose(&by_page), x[10]].map(Value::int8_rows);
    let keys = keys.transpose(&["cache_page", "kv_head", "head_dim", "row"]);
    step_over(x, [keys, values], Some([key_scales, value_scales]), RESULT).convert(DType::F32)
}

fn step_over<'g>(
    x: &[Value<'g>],
    caches: [Value<'g>; 2],
    scales: Option<[Value<'g>; 2]>,
    result: usize,
) -> Value<'g> {
    let [cos, sin, pages] = [x[1], x[2], x[3]];
    let [sequence, position, place] = [x[4], x[5], x[6]];
    let norms = Some(([x[7], x[8]], 1e-5));
    let with = PagedStep { cos, sin, pages, sequence, position, place, norms, caches, scales, window: None };
    let (mixed, mut results) = x[0].paged_step(&with);
    results.push(mixed);
    results[result]
}

/// A shard with an end of what decays inside, and one that decays whole.
fn adamw() -> Vec<OpCase> {
    let inputs = |dims: &[collegium_hlo::Dim], end: f64| {
        let hyper = [0.1, 0.3, 0.9, 0.95, 2.0, 3.0, 1e-3, 0.5];
        let positive = f32(dims).fill(Fill::Between(0.0, 2.0));
        let hyper = f32(&[dim("entry", ADAMW_HYPER)]).fill(Fill::Given(hyper.to_vec()));
        let end = index(&[], 64).fill(Fill::Given(vec![end]));
        vec![f32(dims), f32(dims), positive, f32(dims), hyper, end]
    };
    vec![
        OpCase::new("adamw", inputs(&[dim("flat", 37)], 21.0), |_, x| {
            let made = x[0].adamw([x[1], x[2], x[3]], x[4], x[5], DType::F32);
            Value::concat(&[made.master, made.first, made.second], "flat")
        })
        .gradient(Gradient::None),
        OpCase::new("adamw_bf16", inputs(&[dim("expert", 3), dim("flat", 18)], 18.0), |_, x| {
            let made = x[0].adamw([x[1], x[2], x[3]], x[4], x[5], DType::Bf16);
            let state = [made.master, made.first, made.second].map(|v| v.convert(DType::Bf16));
            Value::concat(&[&state[..], &[made.working]].concat(), "flat")
        })
        .gradient(Gradient::None),
    ]
}
