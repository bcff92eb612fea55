//! The split into halves changes nothing: under every residual policy the two halves give the outputs and gradients of the
//! whole graph, bit for bit (the reference computes the same nodes).

use std::collections::HashMap;

use collegium_core::DType;
use collegium_hlo::{
    Composite, ForwardBackward, Graph, GraphError, Mesh, Op, Program, Residuals, Value, dim, gradient, split,
};
use collegium_runtime::eval::{Pieces, Rounding, evaluate};

/// A layer with a bit of everything: norm, softmax, grouped product, look-up, collectives.
struct Layer<'g> {
    inputs: Vec<Value<'g>>,
    outputs: Vec<(&'static str, Value<'g>)>,
    cotangents: Vec<Value<'g>>,
    gradients: Vec<(&'static str, Value<'g>)>,
}

const DEVICES: usize = 2;

fn layer(g: &Graph) -> Layer<'_> {
    let f32 = |name, dims: &[collegium_hlo::Dim]| g.parameter(name, DType::F32, dims);
    let x = f32("x", &[dim("token", 8), dim("hidden", 6)]);
    let scale = f32("scale", &[dim("hidden", 6)]);
    let router = f32("router", &[dim("expert", 4), dim("hidden", 6)]);
    let experts = f32("experts", &[dim("slot", 3), dim("inner", 5), dim("hidden", 6)]);
    let back = f32("back", &[dim("hidden", 6), dim("inner", 5)]);
    let inputs = vec![x, scale, router, experts, back];

    let normed = x * (x * x).mean(&["hidden"]).rsqrt() * scale;
    let probabilities = normed.dot(router, &["hidden"]).softmax("expert");
    let everywhere = normed.all_gather("token", &["expert"]);
    let order = g.literal(
        DType::I32,
        &[dim("row", 16)],
        &[3., 1., 2., 0., 7., 6., 5., 4., 8., 9., 11., 10., 15., 14., 13., 12.],
    );
    let rows = everywhere.take(order, "token");
    let slots = g.literal(DType::I32, &[dim("block", 4)], &[2., 0., 1., 2.]);
    let inner = rows.grouped_dot(experts, slots, "hidden").silu();
    let mixed = inner.dot(back, &["inner"]).rename(&[("row", "token")]).reduce_scatter("token", &["expert"]);
    let y = x + mixed * probabilities.reduce_max(&["expert"]);
    let load = probabilities.sum(&["token"]).all_reduce(&["expert"]);
    let outputs = vec![("y", y), ("load", load)];

    let cotangents = vec![f32("d_y", &y.shape().dims), f32("d_load", &load.shape().dims)];
    let pairs: Vec<_> = outputs.iter().map(|o| o.1).zip(cotangents.iter().copied()).collect();
    let names = ["d_x", "d_scale", "d_router", "d_experts", "d_back"];
    let gradients = names.into_iter().zip(gradient(&pairs, &inputs)).collect();
    Layer { inputs, outputs, cotangents, gradients }
}

/// Runs a program with values by name; adds its outputs to them.
fn run(program: &Program, values: &mut HashMap<String, Pieces>) {
    let inputs: Vec<Pieces> = program.inputs().map(|(name, _)| values[name].clone()).collect();
    let outputs = evaluate(program, &inputs, Rounding::ToElementType).unwrap();
    values.extend(program.outputs().map(|o| o.0.to_string()).zip(outputs));
}

fn start(layer: &Layer<'_>) -> HashMap<String, Pieces> {
    let names = ["x", "scale", "router", "experts", "back", "d_y", "d_load"];
    let all = layer.inputs.iter().chain(&layer.cotangents);
    let wave = |seed: usize, count: usize| -> Vec<f64> {
        (0..count).map(|i| f64::from((((seed * 31 + i * 7) as f64) * 0.7).sin() as f32)).collect()
    };
    let pieces = |n: usize, v: &Value<'_>| {
        (0..DEVICES).map(|d| wave(n * DEVICES + d, v.shape().num_elements())).collect()
    };
    names.iter().zip(all).enumerate().map(|(n, (name, v))| (name.to_string(), pieces(n, v))).collect()
}

fn halves(g: &Graph, layer: &Layer<'_>, policy: Residuals) -> Result<ForwardBackward, GraphError> {
    assert!(g.num_nodes() > 0);
    split("layer", &layer.outputs, &layer.cotangents, &layer.gradients, policy)
}

#[test]
fn halves_compute_what_the_whole_computes() {
    let g = Graph::new(Mesh::new(&[("expert", DEVICES)]));
    let layer = layer(&g);
    let all: Vec<_> = layer.outputs.iter().chain(&layer.gradients).copied().collect();
    let whole = g.finish("whole", &all).unwrap();
    let mut expected = start(&layer);
    run(&whole, &mut expected);
    for (name, policy) in Residuals::ALL {
        let halves = halves(&g, &layer, policy).unwrap();
        let mut values = start(&layer);
        run(&halves.forward, &mut values);
        run(&halves.backward, &mut values);
        for (output, _) in &all {
            assert_eq!(values[*output], expected[*output], "{output} under {name}");
        }
        assert!(values["d_experts"].iter().flatten().any(|v| *v != 0.0));
    }
}

#[test]
fn policies_keep_what_they_say() {
    let g = Graph::new(Mesh::new(&[("expert", DEVICES)]));
    let layer = layer(&g);
    let kept = |policy| {
        let halves = halves(&g, &layer, policy).unwrap();
        let products = halves
            .backward
            .nodes
            .iter()
            .filter(|n| matches!(n.op, Op::Dot { .. } | Op::GroupedDot { .. }))
            .count();
        let exponentials = halves.backward.nodes.iter().filter(|n| matches!(n.op, Op::Unary(_))).count();
        (halves.residuals.len(), products, exponentials)
    };
    let (everything, dots, nothing) =
        (kept(Residuals::Everything), kept(Residuals::Dots), kept(Residuals::Recompute));
    assert_eq!(nothing.0, 0, "recompute keeps nothing");
    assert!(everything.0 > dots.0 && dots.0 > 0);
    assert_eq!(everything.1, dots.1, "neither repeats a product");
    assert!(nothing.1 > dots.1, "recompute repeats products");
    assert!(dots.2 > everything.2, "keeping the dots repeats element-wise work");
}

#[test]
fn what_element_wise_work_makes_from_kept_values_is_not_kept() {
    let g = Graph::new(Mesh::single());
    let dims = [dim("a", 3), dim("b", 4)];
    let x = g.parameter("x", DType::F32, &dims);
    let w = g.parameter("w", DType::F32, &[dim("b", 4), dim("c", 5)]);
    let product = x.dot(w, &["b"]);
    // The gradient reads both factors; the second follows from the first.
    let y = product * product.exp();
    let d = g.parameter("d_y", DType::F32, &y.shape().dims);
    let dx = gradient(&[(y, d)], &[x])[0];
    let halves = split("layer", &[("y", y)], &[d], &[("d_x", dx)], Residuals::Everything).unwrap();
    let kept = halves.forward.outputs().filter(|(name, _)| halves.residuals.iter().any(|r| r == name));
    assert_eq!(kept.count(), 1, "{:?}", halves.residuals);
    let products = halves.backward.nodes.iter().filter(|n| matches!(n.op, Op::Dot { .. })).count();
    assert_eq!(products, 1, "the product itself is kept: only that of the gradient is left");
}

/// Attention's log-sum-exp is no output of the forward half by itself: it is kept because the call that gives the output makes it.
#[test]
fn attention_keeps_its_output_and_sums() {
    let g = Graph::new(Mesh::single());
    let dims = [dim("batch", 1), dim("seq", 4), dim("head", 2), dim("head_dim", 2)];
    let x = g.parameter("x", DType::F32, &dims);
    let segments = g.parameter("segments", DType::I32, &dims[..2]);
    let kv = x.rename(&[("head", "kv_head")]);
    let y = x.attention(kv, kv, segments, None);
    let d = g.parameter("d_y", DType::F32, &dims);
    let dx = gradient(&[(y, d)], &[x])[0];
    for (name, policy) in Residuals::ALL {
        let halves = split("attention", &[("y", y)], &[d], &[("d_x", dx)], policy).unwrap();
        let forward = |n: &&collegium_hlo::Node| {
            matches!(n.op, Op::Composite { what: Composite::Attention { .. }, .. })
        };
        let (kept, again) = if policy == Residuals::Recompute { (0, 2) } else { (2, 0) };
        assert_eq!(halves.residuals.len(), kept, "{name}");
        assert_eq!(halves.backward.nodes.iter().filter(forward).count(), again, "{name}");
    }
}

#[test]
fn a_kept_output_may_not_be_called_like_an_input() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::F32, &[dim("a", 3)]);
    let d = g.parameter("d_y", DType::F32, &[]);
    // Its gradient reads it again, and a sum is no element-wise work.
    let y = x.sum(&["a"]).exp();
    let dx = gradient(&[(y, d)], &[x])[0];
    let error = split("layer", &[("x", y)], &[d], &[("d_x", dx)], Residuals::Everything).unwrap_err();
    assert!(error.to_string().contains("called `x`"), "{error}");
}
