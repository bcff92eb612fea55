//! What users of the graph see: messages, sharing of equal nodes, donations.

use collegium_core::DType;
use collegium_hlo::{Graph, GraphError, Mesh, Op, Value, dim, gradient};

/// The message of a graph that does not build, without its place in the source.
fn message(build: impl for<'g> Fn(&'g Graph) -> Value<'g>) -> String {
    let g = Graph::new(Mesh::new(&[("expert", 2)]));
    let result = g.scope("layers.3", || build(&g));
    let error = g.finish("case", &[("y", result)]).expect_err("it does not build").to_string();
    let (text, site) = error.rsplit_once(" (at ").expect("it says where");
    assert!(site.contains("building.rs:"), "the site is the caller's: {site}");
    text.to_string()
}

fn x(g: &Graph) -> Value<'_> {
    g.parameter("x", DType::F32, &[dim("token", 4), dim("hidden", 8)])
}

fn w(g: &Graph) -> Value<'_> {
    g.parameter("w", DType::F32, &[dim("out", 3), dim("hidden", 6)])
}

#[test]
fn messages_say_where_what_and_what_to_do() {
    assert_eq!(
        message(|g| x(g) + w(g)),
        "layers.3: add: dims of one side must include the other's, by name and size; got f32{token=4, hidden=8} and \
         f32{out=3, hidden=6}"
    );
    assert_eq!(
        message(|g| x(g).dot(w(g), &["hidden"])),
        "layers.3: dot: contracted dim `hidden` must be on both sides with one size; got f32{token=4, hidden=8} and \
         f32{out=3, hidden=6}"
    );
    assert_eq!(
        message(|g| x(g) + x(g).convert(DType::Bf16)),
        "layers.3: add: element types differ, f32{token=4, hidden=8} and bf16{token=4, hidden=8}; convert one of them"
    );
    assert_eq!(
        message(|g| x(g).split("hidden", &[dim("head", 3), dim("inner", 2)])),
        "layers.3: reshape: f32{token=4, hidden=8} and f32{token=4, head=3, inner=2} differ in the number of elements"
    );
    assert_eq!(
        message(|g| x(g).sum(&["heads"])),
        "layers.3: reduce: no dim `heads` in f32{token=4, hidden=8}"
    );
    assert_eq!(
        message(|g| x(g)
            .reduce_scatter("token", &["expert"])
            .reduce_scatter("token", &["expert"])
            .reduce_scatter("token", &["expert"])),
        "layers.3: reduce_scatter: dim `token` of f32{token=1, hidden=8} must be a multiple of the group's 2 devices"
    );
    assert_eq!(
        message(|g| x(g).all_reduce(&["data"])),
        "layers.3: no axes [\"data\"] in the mesh [(\"expert\", 2)]"
    );
    assert_eq!(
        message(|g| g.parameter("x", DType::F32, &[dim("a", 2), dim("a", 3)])),
        "layers.3: parameter: dim name `a` appears twice in f32{a=2, a=3}; rename one"
    );
    assert_eq!(
        message(|g| x(g).merge(&["hidden", "token"], "both")),
        "layers.3: merge: [\"hidden\", \"token\"] are not neighbours in f32{token=4, hidden=8}; transpose first"
    );
    assert_eq!(
        message(|g| {
            let y = x(g).rem(x(g));
            gradient(&[(y, y)], &[x(g)])[0]
        })
        .as_str(),
        "layers.3: no gradient passes through `remainder`; wrap its input in stop_gradient"
    );
}

#[test]
fn the_first_error_is_kept() {
    assert!(message(|g| (x(g).sum(&["heads"]) + w(g)).transpose(&["nothing"])).contains("`heads`"));
}

#[test]
fn equal_nodes_are_stored_once() {
    let g = Graph::new(Mesh::single());
    let once = x(&g).exp() * 2.0;
    let count = g.num_nodes();
    let again = x(&g).exp() * 2.0;
    assert_eq!(g.num_nodes(), count);
    let program = g.finish("case", &[("a", once), ("b", again)]).unwrap();
    assert_eq!(program.outputs[0].1, program.outputs[1].1);
    assert_eq!(program.nodes.iter().filter(|n| matches!(n.op, Op::Unary(_))).count(), 1);
}

#[test]
fn what_no_output_needs_is_left_out() {
    let g = Graph::new(Mesh::single());
    let (used, unused) = (x(&g), w(&g));
    unused.exp();
    let program = g.finish("case", &[("y", used.exp())]).unwrap();
    assert_eq!(program.inputs().map(|i| i.0).collect::<Vec<_>>(), ["x"]);
    assert_eq!(program.nodes.len(), 2);
}

#[test]
fn a_stand_in_has_the_gradient_of_what_it_stands_for_and_nothing_else_of_it() {
    let g = Graph::new(Mesh::new(&[("expert", 2)]));
    let x = g.parameter("x", DType::F32, &[dim("rank", 2), dim("hidden", 8)]);
    let exact = x.all_to_all("rank", &["expert"]);
    let rounded = x.floor().convert(DType::I8).all_to_all("rank", &["expert"]).convert(DType::F32);
    let stopped = rounded.stop_gradient();
    let y = rounded.with_gradient_of(exact);
    let d = g.parameter("d", DType::F32, &y.shape().dims);
    let back = gradient(&[(y * 2.0, d)], &[x])[0];
    let types = |name: &str, output| -> Vec<DType> {
        let program = g.finish(name, &[("out", output)]).unwrap();
        let exchanges = program.nodes.iter().filter(|n| matches!(n.op, Op::AllToAll { .. }));
        exchanges.map(|n| n.shape.dtype).collect()
    };
    assert_eq!(types("forward", y), [DType::I8], "the exact value is not sent");
    assert_eq!(types("backward", back), [DType::F32]);
    let none = gradient(&[(stopped, d)], &[x])[0];
    assert_eq!(types("stopped", none), [], "an equal value keeps its own gradient");
    let scalar = g.scalar(DType::F32, 0.0);
    y.with_gradient_of(scalar);
    let error = g.finish("bad", &[("y", y)]).unwrap_err().to_string();
    assert!(error.contains("with_gradient_of: f32{rank=2, hidden=8} does not stand in for f32{}"), "{error}");
}

#[test]
fn names_bind_buffers_so_they_are_unique() {
    let g = Graph::new(Mesh::single());
    let other = g.parameter("x", DType::F32, &[dim("token", 4)]);
    let doubled = g.finish("case", &[("y", x(&g) + other)]).unwrap_err();
    assert_eq!(
        doubled.to_string(),
        "program `case`: two parameters are called `x`; names bind buffers, so give each its own"
    );
    let doubled = g.finish("case", &[("y", other), ("y", other.exp())]).unwrap_err();
    assert!(matches!(doubled, GraphError::DoubledName { kind: "outputs", .. }));
}

#[test]
fn donations_are_checked() {
    let g = Graph::new(Mesh::single());
    let outputs = [("new", x(&g) + 1.0), ("sum", x(&g).sum(&["token"])), ("other", x(&g) * 2.0)];
    let program = g.finish("case", &outputs).unwrap();
    let why = |input: &str, output: &str| program.clone().donate(input, output).unwrap_err().to_string();
    assert_eq!(why("y", "new"), "cannot donate input `y` to output `new`: no such input or output");
    assert_eq!(why("x", "sum"), "cannot donate input `x` to output `sum`: their shapes differ");
    let donated = program.clone().donate("x", "new").unwrap();
    assert!(donated.to_stablehlo().contains("{tf.aliasing_output = 0 : i32}"));
    assert_eq!(
        donated.donate("x", "other").unwrap_err().to_string(),
        "cannot donate input `x` to output `other`: one of them is in another donation"
    );
}
