//! One program per rule that trips it, and one that trips none.

use collegium_core::DType;

use super::*;
use crate::{Graph, Mesh, Name, Value, dim};

const TRN1: Target = Target::Neuron(Generation::Trn1);
const TRN2: Target = Target::Neuron(Generation::Trn2);

/// Findings of a program of one result, `rule severity` each.
fn findings(
    axes: &[(Name, usize)],
    target: Target,
    build: impl for<'g> Fn(&'g Graph) -> Value<'g>,
) -> Vec<String> {
    let g = Graph::new(Mesh::new(axes));
    let program = g.finish("case", &[("y", build(&g))]).unwrap();
    words(&lint(&program, target))
}

fn words(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|f| format!("{} {:?}", f.rule, f.severity)).collect()
}

fn floats(g: &Graph) -> Value<'_> {
    g.parameter("x", DType::F32, &[dim("a", 4), dim("b", 8)])
}

fn integers(g: &Graph) -> Value<'_> {
    g.parameter("x", DType::I32, &[dim("a", 4), dim("b", 8)])
}

#[test]
fn a_plain_program_has_no_findings() {
    for (name, target) in Target::ALL {
        let found = findings(&[("expert", 2)], target, |g| {
            let w = g.parameter("w", DType::F32, &[dim("slot", 2), dim("c", 3), dim("b", 8)]);
            let slots = g.literal(DType::I32, &[dim("block", 2)], &[0.0, 1.0]);
            floats(g).softmax("b").grouped_dot(w, slots, "b").all_reduce(&["expert"])
        });
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn operators_and_types() {
    assert_eq!(findings(&[], TRN2, |g| floats(g).is_finite()), ["operator Error"]);
    assert_eq!(findings(&[], Target::Cuda, |g| floats(g).is_finite()), [""; 0]);
    assert_eq!(findings(&[], TRN2, |g| g.parameter("x", DType::F64, &[])), ["f64 Error"]);
    assert_eq!(findings(&[], TRN2, |g| integers(g).rem(integers(g))), ["integer-remainder Error"]);
    assert_eq!(findings(&[], TRN2, |g| floats(g).rem(floats(g))), [""; 0]);
    assert_eq!(findings(&[], TRN2, |g| integers(g) / 3.0), ["integer-quotient Error"]);
    assert_eq!(findings(&[], TRN2, |g| integers(g) / integers(g)), ["integer-quotient Error"]);
    assert_eq!(findings(&[], TRN2, |g| integers(g) / 4.0), [""; 0]);
    assert_eq!(findings(&[], TRN2, |g| floats(g) / 3.0), [""; 0]);
    let power = findings(&[], TRN2, |g| {
        let x = g.parameter("x", DType::I64, &[]);
        x.pow(x)
    });
    assert_eq!(power, ["integer-power Error"]);
    assert_eq!(findings(&[], TRN2, |g| integers(g).dot(integers(g), &["a", "b"])), ["integer-product Error"]);
    assert_eq!(findings(&[], TRN2, |g| integers(g).sum(&["a"])), ["integer-reduction Error"]);
    assert_eq!(
        findings(&[], Target::Cpu, |g| g.iota(DType::Bf16, &[dim("a", 300)], "a")),
        ["inexact-iota Error"]
    );
    assert_eq!(findings(&[], Target::Cpu, |g| g.iota(DType::Bf16, &[dim("a", 257)], "a")), [""; 0]);
    let narrow = findings(&[], Target::Cpu, |g| {
        let x = g.parameter("x", DType::Bf16, &[dim("a", 4)]);
        x.dot(x, &["a"])
    });
    assert_eq!(narrow, ["narrow-product Warning"]);
}

#[test]
fn a_scatter_of_integers() {
    // The builder refuses it, so it is made from one of floats.
    let g = Graph::new(Mesh::single());
    let index = g.parameter("index", DType::I32, &[dim("a", 4)]);
    let y = floats(&g).scatter_add(index, dim("row", 5));
    let mut program = g.finish("case", &[("y", y)]).unwrap();
    program.nodes.iter_mut().for_each(|n| n.shape.dtype = DType::I32);
    assert_eq!(words(&lint(&program, TRN2)), ["integer-scatter Error"]);
}

#[test]
fn collectives() {
    let four: &[(Name, usize)] = &[("expert", 4)];
    assert_eq!(findings(four, TRN2, |g| integers(g).all_reduce(&["expert"])), ["integer-collective Error"]);
    assert_eq!(findings(four, TRN2, |g| integers(g).all_gather("a", &["expert"])), [""; 0]);
    assert_eq!(findings(four, TRN2, |g| integers(g).all_to_all("a", &["expert"])), ["all-to-all-type Error"]);
    let last = findings(four, TRN2, |g| floats(g).transpose(&["b", "a"]).all_to_all("a", &["expert"]));
    assert_eq!(last, ["all-to-all-dim Warning"]);
    assert_eq!(findings(four, TRN1, floats), ["group-size Error"]);
    assert_eq!(findings(&[("expert", 8)], TRN1, floats), [""; 0]);
    assert_eq!(
        findings(&[("expert", 8)], TRN2, |g| floats(g).all_reduce(&["expert"])),
        ["group-size Warning"]
    );
    assert_eq!(
        findings(&[("expert", 8)], TRN2, |g| floats(g).ring_shift("expert", 3)),
        ["group-size Warning", "ring Warning"]
    );
    assert_eq!(findings(four, TRN2, |g| floats(g).ring_shift("expert", 3)), [""; 0], "backwards by one");
}

#[test]
fn too_many_communicators() {
    const AXES: [(Name, usize); 5] = [("a1", 2), ("a2", 2), ("a3", 2), ("a4", 2), ("a5", 2)];
    let reduced = |subsets: usize| {
        findings(&AXES, TRN1, move |g| {
            (1..=subsets).fold(floats(g), |x, subset| {
                let axes: Vec<Name> =
                    AXES.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1).map(|(_, a)| a.0).collect();
                x.all_reduce(&axes)
            })
        })
    };
    assert_eq!(reduced(16), [""; 0]);
    assert_eq!(reduced(17), ["communicators Error"]);
}

#[test]
fn look_ups() {
    let take = |row: usize, end: usize| {
        findings(&[], TRN2, move |g| {
            let table = g.parameter("table", DType::F32, &[dim("row", 5), dim("hidden", row)]);
            table.take(g.iota(DType::I32, &[dim("token", end)], "token"), "row")
        })
    };
    assert_eq!(take(512, 5), [""; 0]);
    assert_eq!(take(127, 5), ["small-gather Warning"]);
    assert_eq!(take(16 << 10, 5), ["weight-gather Error"]);
    assert_eq!(take(512, 6), ["index-range Error"]);
    let put = findings(&[], Target::Cpu, |g| {
        floats(g).scatter_add(g.literal(DType::I32, &[dim("a", 4)], &[0.0, 1.0, 5.0, 2.0]), dim("row", 5))
    });
    assert_eq!(put, ["index-range Error"]);
}

#[test]
fn sizes() {
    let product = |size: usize| {
        findings(&[], TRN1, move |g| {
            let x = g.parameter("x", DType::Bf16, &[dim("a", size), dim("b", size)]);
            x.dot(x.rename(&[("a", "c")]), &["b"])
        })
    };
    assert_eq!(product(8192), [""; 0]);
    assert_eq!(product(30_000), ["instructions Warning"]);
    assert_eq!(product(70_000), ["instructions Error", "memory Error"]);
    assert_eq!(findings(&[], Target::Cpu, |g| g.parameter("x", DType::F32, &[dim("a", 1 << 40)])), [""; 0]);
}

#[test]
fn every_rule_says_where_it_is_known_from() {
    let mut ids: Vec<&str> = RULES.iter().map(|r| r.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    assert!(RULES.iter().all(|r| !r.source.is_empty()));
}

#[test]
fn a_finding_reads_well() {
    let g = Graph::new(Mesh::single());
    let program = g.finish("case", &[("y", integers(&g).sum(&["a"]))]).unwrap();
    assert_eq!(
        lint(&program, TRN2)[0].to_string(),
        "error[integer-reduction] node 1: add over integers (i32{b=8}); convert to f32, which is exact below 2^24"
    );
}
