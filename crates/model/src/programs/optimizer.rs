//! AdamW (Loshchilov & Hutter, 1711.05101) on shards, in place, and the norm it is clipped by.

use collegium_core::DType;
use collegium_hlo::{Dim, Graph, GraphError, Mesh, Program, Value, dim};

/// Entries of `hyper`, in order: learning rate, weight decay, beta 1, beta 2, the two bias corrections 1 / (1 - beta^t), epsilon,
/// and the factor that gradients are scaled by (clipping).
pub const HYPER: usize = 8;

/// One step: `master`, `m`, `v`, `gradient` f32 of `sizes`, `hyper` {[`HYPER`]} and `decay_end` (i32 scalar: places along the last dim
/// from there on do not decay) to `master_out`, `m_out`, `v_out`, in place, and `gradient_out`, zeros in place of the gradient.
///
/// # Errors
/// None.
pub fn adamw(sizes: &[usize], mesh: &Mesh) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let dims = dims_of(sizes);
    let input = |name: &str| graph.parameter(name, DType::F32, &dims);
    let (p, m, v) = (input("master"), input("m"), input("v"));
    let hyper = graph.parameter("hyper", DType::F32, &[dim("entry", HYPER)]);
    let entry = |i: usize| hyper.index("entry", i);
    let [rate, decay, beta1, beta2, correct1, correct2, eps, scale] = std::array::from_fn(entry);
    let decay_end = graph.parameter("decay_end", DType::I32, &[]);
    let last = dims[dims.len() - 1].name;
    let decays = graph.iota(DType::I32, &dims, last).less(decay_end).convert(DType::F32);

    let g = input("gradient") * scale;
    let m = m * beta1 + g * (-beta1 + 1.0);
    let v = v * beta2 + g * g * (-beta2 + 1.0);
    let step = m * correct1 / ((v * correct2).sqrt() + eps) + p * decays * decay;
    let outputs = [
        ("master_out", p - step * rate),
        ("m_out", m),
        ("v_out", v),
        ("gradient_out", graph.full(DType::F32, &dims, 0.0)),
    ];
    let program = graph.finish("adamw", &outputs)?;
    program
        .donate("master", "master_out")?
        .donate("m", "m_out")?
        .donate("v", "v_out")?
        .donate("gradient", "gradient_out")
}

/// Sum of the squares of many shards `g0`, `g1`, .. of the given sizes: `squared_norm`, a scalar on every rank for its own shards.
///
/// # Errors
/// None.
pub fn squared_norm(shards: &[Vec<usize>], mesh: &Mesh) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let parts: Vec<Value<'_>> = shards
        .iter()
        .enumerate()
        .map(|(i, sizes)| graph.parameter(format!("g{i}"), DType::F32, &dims_of(sizes)).sum_of_squares())
        .collect();
    let total = parts[1..].iter().fold(parts[0], |sum, &p| sum + p);
    graph.finish("squared_norm", &[("squared_norm", total)])
}

fn dims_of(sizes: &[usize]) -> Vec<Dim> {
    const NAMES: [&str; 2] = ["expert", "flat"];
    sizes.iter().zip(&NAMES[2 - sizes.len()..]).map(|(&s, &n)| dim(n, s)).collect()
}
