//! From uniformly sharded masters to working weights and back.
//!
//! Every group of parameters is one flat vector, padded and split evenly over all ranks, whatever the layout. Working weights are
//! gathered from the shards; gradients are summed back onto them. For experts each one is a flat vector of its own, and an equal-split
//! all-to-all carries the shards to the slots that a layout names: any layout, copies included, costs the same. (SYMI 2504.19925.)

use collegium_core::DType;
use collegium_hlo::{Dim, Graph, GraphError, Mesh, Name, Program, Value, dim};

/// Elements that every shard is a multiple of, so that reductions over shards have equal rows.
const LANE: usize = 64;

/// Parameters of a group in flat order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupShape {
    /// Name and sizes of every parameter (of one expert, in an expert group).
    pub params: Vec<(String, Vec<usize>)>,
}

impl GroupShape {
    /// Elements of all parameters.
    pub fn len(&self) -> usize {
        self.params.iter().map(|p| p.1.iter().product::<usize>()).sum()
    }

    /// Whether there is nothing in the group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements of one rank's shard.
    pub fn shard_len(&self, ranks: usize) -> usize {
        self.len().div_ceil(ranks * LANE) * LANE
    }
}

fn axes(mesh: &Mesh) -> Vec<Name> {
    mesh.axes().iter().map(|a| a.0).collect()
}

/// Dims for sizes whose meaning does not matter here.
fn plain(sizes: &[usize]) -> Vec<Dim> {
    const NAMES: [Name; 4] = ["d0", "d1", "d2", "d3"];
    sizes.iter().zip(NAMES).map(|(&s, n)| dim(n, s)).collect()
}

/// `shard` {flat} f32 of every rank to the group's weights in `dtype`, whole on every rank.
///
/// # Errors
/// None for a group of parameters with at most three dims.
pub fn materialise(group: &GroupShape, mesh: &Mesh, dtype: DType) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let shard = graph.parameter("shard", DType::F32, &[dim("flat", group.shard_len(mesh.num_devices()))]);
    let flat = shard.convert(dtype).all_gather("flat", &axes(mesh));
    let weights = cut(flat, group, &[]);
    graph.finish("materialise", &weights)
}

/// Gradients `d.<name>` f32 of every rank, summed onto the shards: `sum` {flat} in, `sum_out` out, in place. A parameter that
/// is used twice (tied embeddings) is named in `twice` with the second gradient's name.
///
/// # Errors
/// None for a group of parameters with at most three dims.
pub fn collect(group: &GroupShape, twice: Option<(&str, &str)>, mesh: &Mesh) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let ranks = mesh.num_devices();
    let shard = group.shard_len(ranks);
    let sum = graph.parameter("sum", DType::F32, &[dim("flat", shard)]);
    let gradient = |name: &str, sizes: &[usize]| {
        let count = sizes.iter().product();
        graph.parameter(format!("d.{name}"), DType::F32, &plain(sizes)).reshape(&[dim("flat", count)])
    };
    let parts: Vec<Value<'_>> = group
        .params
        .iter()
        .map(|(name, sizes)| match twice {
            Some((first, second)) if first == name => gradient(name, sizes) + gradient(second, sizes),
            _ => gradient(name, sizes),
        })
        .collect();
    let flat = Value::concat(&parts, "flat").pad("flat", 0, shard * ranks - group.len());
    let out = sum + flat.reduce_scatter("flat", &axes(mesh));
    graph.finish("collect", &[("sum_out", out)])?.donate("sum", "sum_out")
}

/// `shard` {expert, flat} f32 of every rank to the weights in every rank's slots, {slot, ..} in `dtype`. `slots` {rank, slot, expert}
/// f32, the same on all ranks, is one where that slot of that rank holds that expert. A lone device with a slot for every expert
/// has no such input: its slots are the experts, in order.
///
/// # Errors
/// None for experts of parameters with at most two dims.
pub fn materialise_experts(
    expert: &GroupShape,
    experts: usize,
    slots: usize,
    mesh: &Mesh,
    dtype: DType,
) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let ranks = mesh.num_devices();
    let shard =
        graph.parameter("shard", DType::F32, &[dim("expert", experts), dim("flat", expert.shard_len(ranks))]);
    if ranks == 1 && slots == experts {
        let flat = shard.convert(dtype).rename(&[("expert", "slot")]);
        return graph.finish("materialise_experts", &cut(flat, expert, &[dim("slot", slots)]));
    }
    let wanted = graph.parameter(
        "slots",
        DType::F32,
        &[dim("rank", ranks), dim("slot", slots), dim("expert", experts)],
    );
    let received = wanted.slot_shards(shard, dtype).all_to_all("rank", &axes(mesh));
    let flat = received.transpose(&["slot", "rank", "flat"]).merge(&["rank", "flat"], "flat");
    graph.finish("materialise_experts", &cut(flat, expert, &[dim("slot", slots)]))
}

/// Gradients `d.<name>` {slot, ..} f32 of every rank's slots, summed over copies onto the shards: `sum` {expert, flat} in,
/// `sum_out` out, in place. `slots` as for [`materialise_experts`].
///
/// # Errors
/// None for experts of parameters with at most two dims.
pub fn collect_experts(
    expert: &GroupShape,
    experts: usize,
    slots: usize,
    mesh: &Mesh,
) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let ranks = mesh.num_devices();
    let shard = expert.shard_len(ranks);
    let sum = graph.parameter("sum", DType::F32, &[dim("expert", experts), dim("flat", shard)]);
    let parts: Vec<Value<'_>> = expert
        .params
        .iter()
        .map(|(name, sizes)| {
            let mut dims = vec![dim("slot", slots)];
            dims.extend(plain(sizes));
            let value = graph.parameter(format!("d.{name}"), DType::F32, &dims);
            value.reshape(&[dims[0], dim("flat", sizes.iter().product())])
        })
        .collect();
    let flat = Value::concat(&parts, "flat").pad("flat", 0, shard * ranks - expert.len());
    if ranks == 1 && slots == experts {
        let out = sum + flat.rename(&[("slot", "expert")]);
        return graph.finish("collect_experts", &[("sum_out", out)])?.donate("sum", "sum_out");
    }
    let wanted = graph.parameter(
        "slots",
        DType::F32,
        &[dim("rank", ranks), dim("slot", slots), dim("expert", experts)],
    );
    let sent =
        flat.split("flat", &[dim("rank", ranks), dim("flat", shard)]).transpose(&["rank", "slot", "flat"]);
    let received = sent.all_to_all("rank", &axes(mesh));
    let out = sum + wanted.slot_sums(received);
    graph.finish("collect_experts", &[("sum_out", out)])?.donate("sum", "sum_out")
}

/// The parameters of a group out of its flat vector, behind the dims `leading`.
fn cut<'a, 'g>(flat: Value<'g>, group: &'a GroupShape, leading: &[Dim]) -> Vec<(&'a str, Value<'g>)> {
    let mut start = 0;
    let mut weights = Vec::new();
    for (name, sizes) in &group.params {
        let count: usize = sizes.iter().product();
        let mut dims = leading.to_vec();
        dims.extend(plain(sizes));
        weights.push((name.as_str(), flat.slice("flat", start, start + count).reshape(&dims)));
        start += count;
    }
    weights
}
