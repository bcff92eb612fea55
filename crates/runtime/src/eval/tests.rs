use collegium_hlo::{Graph, Mesh, dim};

use super::*;

fn run(program: &Program, inputs: &[Vec<HostTensor>]) -> Result<Vec<Vec<Vec<f64>>>, RuntimeError> {
    let backend = EvalBackend::new(program.mesh.num_devices());
    let arrays = inputs.iter().map(|pieces| backend.upload(pieces)).collect::<Result<Vec<_>, _>>()?;
    let outputs = backend.compile(program)?.run(arrays)?;
    outputs.iter().map(pieces).collect()
}

#[test]
fn a_product_by_hand() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::F32, &[dim("token", 2), dim("hidden", 2)]);
    let w = g.parameter("w", DType::F32, &[dim("out", 2), dim("hidden", 2)]);
    let program = g.finish("linear", &[("y", x.dot(w, &["hidden"]) + 1.0)]).unwrap();
    let x = HostTensor::new(&[2, 2], &[1f32, 2.0, 3.0, 4.0]);
    let w = HostTensor::new(&[2, 2], &[1f32, 0.0, 10.0, 1.0]);
    assert_eq!(run(&program, &[vec![x], vec![w]]).unwrap(), [[[2.0, 13.0, 4.0, 35.0]]]);
}

#[test]
fn collectives_by_hand() {
    let g = Graph::new(Mesh::new(&[("data", 2), ("expert", 2)]));
    let x = g.parameter("x", DType::F32, &[dim("rank", 2)]);
    let outputs = [
        ("sum", x.all_reduce(&["data"])),
        ("gathered", x.all_gather("rank", &["expert"])),
        ("scattered", x.reduce_scatter("rank", &["expert"])),
        ("exchanged", x.all_to_all("rank", &["expert"])),
        ("shifted", x.ring_shift("data", 1)),
        ("id", g.rank_id()),
    ];
    let program = g.finish("collectives", &outputs).unwrap();
    let x = (0..4).map(|d| HostTensor::new(&[2], &[d as f32, 10.0 * d as f32])).collect();
    let y = run(&program, &[x]).unwrap();
    assert_eq!(y[0], [[2.0, 20.0], [4.0, 40.0], [2.0, 20.0], [4.0, 40.0]]);
    assert_eq!(
        y[1],
        [[0.0, 0.0, 1.0, 10.0], [0.0, 0.0, 1.0, 10.0], [2.0, 20.0, 3.0, 30.0], [2.0, 20.0, 3.0, 30.0]]
    );
    assert_eq!(y[2], [[1.0], [10.0], [5.0], [50.0]]);
    assert_eq!(y[3], [[0.0, 1.0], [0.0, 10.0], [2.0, 3.0], [20.0, 30.0]]);
    assert_eq!(y[4], [[2.0, 20.0], [3.0, 30.0], [0.0, 0.0], [1.0, 10.0]]);
    assert_eq!(y[5], [[0.0], [1.0], [2.0], [3.0]]);
}

#[test]
fn grouped_products_skip_unused_blocks() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::F32, &[dim("row", 4), dim("a", 1)]);
    let w = g.parameter("w", DType::F32, &[dim("slot", 2), dim("a", 1), dim("b", 2)]);
    let slots = g.literal(DType::I32, &[dim("block", 2)], &[1.0, 2.0]);
    let y = x.grouped_dot(w, slots, "a");
    let program =
        g.finish("grouped", &[("y", y), ("dw", x.grouped_outer(y, slots, dim("slot", 2)))]).unwrap();
    let x = HostTensor::new(&[4, 1], &[1f32, 2.0, 3.0, 4.0]);
    let w = HostTensor::new(&[2, 1, 2], &[1f32, 2.0, 3.0, 4.0]);
    let y = run(&program, &[vec![x], vec![w]]).unwrap();
    assert_eq!(y[0], [[3.0, 4.0, 6.0, 8.0, 0.0, 0.0, 0.0, 0.0]]);
    assert_eq!(y[1], [[0.0, 0.0, 15.0, 20.0]]);
}

#[test]
fn rounding_is_to_the_element_type_unless_never() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::Bf16, &[]);
    let program = g.finish("third", &[("y", x / 3.0)]).unwrap();
    let third = |rounding| evaluate(&program, &[vec![vec![1.0]]], rounding).unwrap()[0][0][0];
    assert_eq!(third(Rounding::Never), 1.0 / 3.0);
    assert_eq!(third(Rounding::ToElementType), 0.333_984_375);
}

#[test]
fn an_index_out_of_range_is_an_error() {
    let g = Graph::new(Mesh::single());
    let table = g.parameter("table", DType::F32, &[dim("row", 3)]);
    let index = g.parameter("index", DType::I32, &[dim("token", 1)]);
    let program = g.finish("look-up", &[("y", table.take(index, "row"))]).unwrap();
    let error =
        run(&program, &[vec![HostTensor::zeros(DType::F32, &[3])], vec![HostTensor::new(&[1], &[3i32])]])
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "program `look-up`, node 2 (take): index 3 is outside dim `row` of size 3; clamp indices and mask the values"
    );
}

#[test]
fn misuse_is_an_error() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::F32, &[]);
    let program = g.finish("add", &[("y", x + 1.0)]).unwrap().donate("x", "y").unwrap();
    let backend = EvalBackend::new(1);
    let executable = backend.compile(&program).unwrap();
    let array = backend.replicate(&HostTensor::scalar(1f32)).unwrap();
    assert!(matches!(
        executable.run(vec![array.clone()]),
        Err(RuntimeError::SharedDonation { input: 0, .. })
    ));
    assert_eq!(executable.run(vec![array]).unwrap()[0].first().unwrap().to_f64(), [2.0]);
    assert!(matches!(executable.run(vec![]), Err(RuntimeError::InputCount { expected: 1, given: 0, .. })));
    assert!(matches!(
        EvalBackend::new(2).compile(&program),
        Err(RuntimeError::DeviceCount { given: 1, devices: 2, .. })
    ));
    let wrong = backend.replicate(&HostTensor::scalar(1i32)).unwrap();
    assert!(matches!(executable.run(vec![wrong]), Err(RuntimeError::InputShape { .. })));
}

/// `values` through [`Value::round_stochastically`](collegium_hlo::Value::round_stochastically).
fn rounded(values: &[f32]) -> Vec<f64> {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::F32, &[dim("value", values.len())]);
    let program = g.finish("rounding", &[("y", x.round_stochastically())]).unwrap();
    run(&program, &[vec![HostTensor::new(&[values.len()], values)]]).unwrap().remove(0).remove(0)
}

#[test]
fn numbers_are_rounded_up_as_often_as_they_are_near() {
    // All f32 between two bf16, of several sizes and both signs.
    for first in [0x3f80_0000u32, 0xbe31_0000, 0x0123_0000, 0x7f7e_0000] {
        let values: Vec<f32> = (0..1 << 16).map(|low| f32::from_bits(first | low)).collect();
        let [near, far] = [first, first + (1 << 16)].map(|bits| f64::from(f32::from_bits(bits)));
        let found = rounded(&values);
        assert_eq!(found[0], near, "a bf16 stays what it is");
        assert!(found.iter().all(|&y| y == near || y == far));
        for (part, ys) in found.chunks(1 << 12).enumerate() {
            let ups = ys.iter().filter(|&&y| y == far).count() as f64 / ys.len() as f64;
            let wanted = (part as f64 + 0.5) / 16.0;
            // Four standard deviations of that many draws.
            assert!((ups - wanted).abs() < 4.0 * 0.5 / 64.0, "{first:x} part {part}: {ups} for {wanted}");
        }
    }
}

#[test]
fn what_is_no_finite_number_is_not_rounded_by_chance() {
    let found = rounded(&[f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0]);
    assert_eq!(found[..2], [f64::INFINITY, f64::NEG_INFINITY]);
    assert!(found[2].is_nan() && found[3] == 0.0 && found[3].is_sign_negative());
}
