use collegium_core::DType;

use super::*;
use crate::{Graph, Mesh, dim};

#[test]
fn a_layer_by_hand() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::F32, &[dim("token", 4), dim("hidden", 8)]);
    let w = g.parameter("w", DType::F32, &[dim("out", 16), dim("hidden", 8)]);
    let y = x.dot(w, &["hidden"]).silu();
    let cost = g.finish("layer", &[("y", y)]).unwrap().cost();
    assert_eq!(cost.matmul_flops, 2 * 4 * 8 * 16);
    // logistic and product, one each per element of {4, 16}
    assert_eq!(cost.flops, 1024 + 2 * 64);
    // the product reads x (128 bytes) and w (512), the fused silu reads its result (256)
    assert_eq!((cost.bytes_read, cost.bytes_written), (128 + 512 + 256, 256 + 256));
    // x, w, the product and y
    assert_eq!(cost.peak_live_bytes, 128 + 512 + 256 + 256);
    assert!(cost.collectives.is_empty());
}

#[test]
fn a_donated_input_makes_room() {
    let g = Graph::new(Mesh::single());
    let w = g.parameter("w", DType::F32, &[dim("a", 10)]);
    let row = w.sum(&["a"]);
    let new = (w + row).reshape(&[dim("b", 10)]);
    let program = g.finish("update", &[("w_new", new)]).unwrap();
    assert_eq!(program.cost().peak_live_bytes, 40 + 4 + 40);
    let donated = program.donate("w", "w_new").unwrap().cost();
    assert_eq!(donated.peak_live_bytes, 40 + 4 + 40, "both are there while the last kernel runs");
    assert_eq!((donated.bytes_read, donated.bytes_written), (40 + 44, 4 + 40));
}

#[test]
fn collectives_by_hand() {
    let g = Graph::new(Mesh::new(&[("data", 2), ("expert", 4)]));
    let x = g.parameter("x", DType::F32, &[dim("rank", 4), dim("hidden", 25)]);
    let y = x.all_to_all("rank", &["expert"]).all_to_all("rank", &["expert"]).all_reduce(&["data"]);
    let outputs = [
        ("y", y),
        ("gathered", x.all_gather("rank", &["expert"])),
        ("piece", x.reduce_scatter("rank", &["expert"])),
        ("shifted", x.ring_shift("data", 1)),
    ];
    let cost = g.finish("exchange", &outputs).unwrap().cost();
    let of = |kind| {
        cost.collectives.iter().find(|t| t.kind == kind).map(|t| (t.group_size, t.count, t.bytes_per_device))
    };
    assert_eq!(of("all_to_all"), Some((4, 2, 2 * 300)));
    assert_eq!(of("all_reduce"), Some((2, 1, 400)));
    assert_eq!(of("all_gather"), Some((4, 1, 1200)));
    assert_eq!(of("reduce_scatter"), Some((4, 1, 300)));
    assert_eq!(of("ring_shift"), Some((2, 1, 400)));
}

#[test]
fn grouped_products_and_look_ups_by_hand() {
    let g = Graph::new(Mesh::single());
    let x = g.parameter("x", DType::Bf16, &[dim("row", 8), dim("hidden", 4)]);
    let w = g.parameter("w", DType::Bf16, &[dim("slot", 2), dim("inner", 6), dim("hidden", 4)]);
    let table = g.parameter("table", DType::F32, &[dim("word", 1000), dim("hidden", 4)]);
    let index = g.parameter("index", DType::I32, &[dim("token", 3)]);
    let slots = g.literal(DType::I32, &[dim("block", 2)], &[0.0, 1.0]);
    let y = x.grouped_dot(w, slots, "hidden");
    let d = x.grouped_outer(x.rename(&[("hidden", "other")]), slots, dim("slot", 2));
    let program = g.finish("grouped", &[("y", y), ("d", d), ("rows", table.take(index, "word"))]).unwrap();
    let cost = program.cost();
    assert_eq!(cost.matmul_flops, 2 * 8 * 4 * 6 + 2 * 8 * 4 * 4);
    let grouped = 64 + 96 + 8 + 64 + 8;
    assert_eq!(cost.bytes_read, grouped + 48 + 12);
    assert_eq!(cost.bytes_written, 8 * 6 * 4 + 2 * 16 * 4 + 48 + 8, "the last is the literal itself");
}

#[test]
fn costs_of_runs_add_up() {
    let g = Graph::new(Mesh::new(&[("expert", 2)]));
    let x = g.parameter("x", DType::F32, &[dim("a", 10)]);
    let cost = g.finish("sum", &[("y", (x * 2.0).all_reduce(&["expert"]))]).unwrap().cost();
    let mut total = Cost::default();
    total.add(&cost, 3);
    total.add(&cost, 1);
    assert_eq!(total.flops, 40);
    assert_eq!((total.collectives[0].count, total.collectives[0].bytes_per_device), (4, 160));
    assert_eq!(total.peak_live_bytes, cost.peak_live_bytes);
}
