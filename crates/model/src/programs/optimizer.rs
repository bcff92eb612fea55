//! AdamW (Loshchilov & Hutter, 1711.05101) on shards, in place, and the norm it is clipped by.

use collegium_core::DType;
use collegium_hlo::{ADAMW_HYPER, Dim, Graph, GraphError, Mesh, Program, Value, dim};

use super::Working;

/// Entries of `hyper`, in order: learning rate, weight decay, beta 1, beta 2, the two bias corrections 1 / (1 - beta^t), epsilon,
/// and the factor that gradients are scaled by (clipping).
pub const HYPER: usize = ADAMW_HYPER;

/// One step: `master`, `m`, `v`, `gradient` f32 of `sizes`, `hyper` {[`HYPER`]} and `decay_end` (i32 scalar: places along the last dim
/// from there on do not decay) to `master_out`, `m_out`, `v_out`, in place, and, where `working` names a type, `working_out`, the new
/// weights in it.
///
/// # Errors
/// None for at most three sizes.
pub fn adamw(sizes: &[usize], working: Option<DType>, mesh: &Mesh) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let dims = dims_of(sizes);
    let input = |name: &str| graph.parameter(name, DType::F32, &dims);
    let (master, state) = (input("master"), ["m", "v", "gradient"].map(input));
    let hyper = graph.parameter("hyper", DType::F32, &[dim("entry", HYPER)]);
    let decay_end = graph.parameter("decay_end", DType::I32, &[]);
    let made = master.adamw(state, hyper, decay_end, working.unwrap_or(DType::F32));
    let mut outputs = vec![("master_out", made.master), ("m_out", made.first), ("v_out", made.second)];
    outputs.extend(working.map(|_| ("working_out", made.working)));
    let program = graph.finish("adamw", &outputs)?;
    program.donate("master", "master_out")?.donate("m", "m_out")?.donate("v", "v_out")
}

/// In which type the update of a shard writes the new weights besides: on a lone device the shards of experts are their working weights but for
/// the type, so that no pass of its own makes these, unless they are rounded by chance.
pub fn working_of_update(experts: Option<usize>, mesh: &Mesh, working: Working) -> Option<DType> {
    let rounds = working.dtype != DType::F32 && !working.stochastic;
    (experts.is_some() && mesh.num_devices() == 1 && rounds).then_some(working.dtype)
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
    const NAMES: [&str; 3] = ["expert", "row", "flat"];
    sizes.iter().zip(&NAMES[3 - sizes.len()..]).map(|(&s, &n)| dim(n, s)).collect()
}
