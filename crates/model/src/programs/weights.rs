//! From uniformly sharded masters to working weights and back.
//!
//! Every group of parameters is one flat vector, padded and split evenly over all ranks, whatever the layout. Working weights are
//! gathered from the shards; gradients are summed back onto them. For experts each matrix of each one is a flat vector of its own, and
//! equal-split all-to-alls carry the shards to the slots that a layout names: any layout, copies included, costs the same. (SYMI 2504.19925.)
//! A lone device's shards of experts are their matrices as they are: in f32 it needs no other working weights, and gradients no way back.
//!
//! Sums of gradients begin with those of the first micro-batch after an update; until then they take no memory.

use collegium_core::DType;
use collegium_hlo::{Dim, Graph, GraphError, Mesh, Name, Program, Value, dim};

use crate::params::{GroupKey, ParamGroup, ParamSpec};

/// Elements that every shard is a multiple of, so that reductions over shards have equal rows.
const LANE: usize = 64;

/// Parameters of a group in flat order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupShape {
    /// Name and sizes of every parameter (of one expert, in an expert group).
    pub params: Vec<(String, Vec<usize>)>,
}

impl GroupShape {
    /// The parameters of a group under the names that programs know them by.
    pub fn of(group: &ParamGroup) -> Self {
        let named = |(i, p): (usize, &ParamSpec)| (program_name(group.key, &p.name, i), p.sizes.clone());
        Self { params: group.params.iter().enumerate().map(named).collect() }
    }

    /// Elements of all parameters.
    pub fn len(&self) -> usize {
        self.params.iter().map(|p| p.1.iter().product::<usize>()).sum()
    }

    /// Whether there is nothing in the group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements of one rank's shard of the whole group.
    pub fn shard_len(&self, ranks: usize) -> usize {
        self.len().div_ceil(ranks * LANE) * LANE
    }

    /// Sizes of one rank's shard of every vector that the group lies in: one for the whole group, or one for each matrix of `experts`.
    pub fn shards(&self, experts: Option<usize>, ranks: usize) -> Vec<Vec<usize>> {
        match experts {
            None => vec![vec![self.shard_len(ranks)]],
            Some(experts) => {
                self.params.iter().map(|(_, sizes)| expert_shard(sizes, experts, ranks)).collect()
            }
        }
    }
}

/// What programs call a parameter.
fn program_name(key: GroupKey, name: &str, position: usize) -> String {
    match key {
        GroupKey::Embed => "embed".into(),
        GroupKey::Head if name.contains("norm") => "norm".into(),
        GroupKey::Head => "lm_head".into(),
        GroupKey::Experts(_) => ["gate", "up", "down"][position].into(),
        GroupKey::Layer(layer) => {
            let local = name.strip_prefix(&format!("model.layers.{layer}.")).unwrap_or(name);
            if local.ends_with(".gate.weight") { "router.weight".into() } else { local.into() }
        }
    }
}

/// Sizes of one rank's shard of a matrix of every expert.
fn expert_shard(sizes: &[usize], experts: usize, ranks: usize) -> Vec<usize> {
    match ranks {
        1 => [&[experts], sizes].concat(),
        _ => vec![experts, sizes.iter().product::<usize>().div_ceil(ranks * LANE) * LANE],
    }
}

/// Whether the slots of a rank are the experts themselves, in order: shards, working weights and gradients of slots have the same sizes.
pub fn slots_are_experts(experts: usize, slots: usize, mesh: &Mesh) -> bool {
    mesh.num_devices() == 1 && slots == experts
}

/// What working weights are, which are made from f32 masters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Working {
    /// Element type.
    pub dtype: DType,
    /// Whether masters are rounded to it by chance ([`Value::round_stochastically`], for bf16), not to the nearest.
    pub stochastic: bool,
}

impl Working {
    /// Rounded to the nearest.
    pub fn nearest(dtype: DType) -> Self {
        Self { dtype, stochastic: false }
    }

    /// A master as a working weight.
    fn of(self, master: Value<'_>) -> Value<'_> {
        match self.stochastic {
            true => master.round_stochastically(),
            false => master.convert(self.dtype),
        }
    }
}

/// When gradients are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collect {
    /// They are the first since the update: they are the sum.
    Begin,
    /// They are added to the sum.
    Add,
}

fn axes(mesh: &Mesh) -> Vec<Name> {
    mesh.axes().iter().map(|a| a.0).collect()
}

/// Dims for sizes whose meaning does not matter here.
fn plain(sizes: &[usize]) -> Vec<Dim> {
    const NAMES: [Name; 4] = ["d0", "d1", "d2", "d3"];
    sizes.iter().zip(NAMES).map(|(&s, n)| dim(n, s)).collect()
}

/// `shard` {flat} f32 of every rank to the group's `working` weights, whole on every rank.
///
/// # Errors
/// None for a group of parameters with at most three dims.
pub fn materialise(group: &GroupShape, mesh: &Mesh, working: Working) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let shard = graph.parameter("shard", DType::F32, &[dim("flat", group.shard_len(mesh.num_devices()))]);
    let flat = working.of(shard).all_gather("flat", &axes(mesh));
    let weights = cut(flat, group);
    graph.finish("materialise", &weights)
}

/// Gradients `d.<name>` f32 of every rank, summed onto the shards: `sum_out` {flat}, in place of `sum` where they are added to it. A
/// parameter that is used twice (tied embeddings) is named in `twice` with the second gradient's name.
///
/// # Errors
/// None for a group of parameters with at most three dims.
pub fn collect(
    group: &GroupShape,
    twice: Option<(&str, &str)>,
    how: Collect,
    mesh: &Mesh,
) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let ranks = mesh.num_devices();
    let shard = group.shard_len(ranks);
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
    let own = flat.reduce_scatter("flat", &axes(mesh));
    match how {
        Collect::Begin => graph.finish("collect", &[("sum_out", own)]),
        Collect::Add => {
            let sum = graph.parameter("sum", DType::F32, &[dim("flat", shard)]);
            graph.finish("collect", &[("sum_out", sum + own)])?.donate("sum", "sum_out")
        }
    }
}

/// `shard.<name>` f32 of every rank ([`GroupShape::shards`]) to the `working` weights in every rank's slots, `<name>` {slot, ..}. `slots`
/// {rank, slot, expert} f32, the same on all ranks, is one where that slot of that rank holds that expert. Where
/// [slots are the experts](slots_are_experts) there is no such input.
///
/// # Errors
/// None for experts of parameters with at most two dims.
pub fn materialise_experts(
    expert: &GroupShape,
    experts: usize,
    slots: usize,
    mesh: &Mesh,
    working: Working,
) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let lone = slots_are_experts(experts, slots, mesh);
    let wanted = (!lone).then(|| wanted(&graph, experts, slots));
    let weights: Vec<(&str, Value<'_>)> = expert
        .params
        .iter()
        .map(|(name, sizes)| {
            let shard = expert_shards(&graph, "shard", name, sizes, experts);
            let Some(wanted) = wanted else { return (name.as_str(), working.of(shard)) };
            let shard = flattened(shard, "expert");
            // Slots take them in f32; what is rounded already stays what it is.
            let shard = if working.stochastic { working.of(shard).convert(DType::F32) } else { shard };
            let received = wanted.slot_shards(shard, working.dtype).all_to_all("rank", &axes(mesh));
            let flat = received.transpose(&["slot", "rank", "flat"]).merge(&["rank", "flat"], "flat");
            let flat = flat.slice("flat", 0, sizes.iter().product());
            (name.as_str(), flat.reshape(&slot_dims(slots, sizes)))
        })
        .collect();
    graph.finish("materialise_experts", &weights)
}

/// Gradients `d.<name>` {slot, ..} f32 of every rank's slots, summed over copies onto the shards: `sum_out.<name>`, in place of `sum.<name>`
/// where they are added to it. `slots` as for [`materialise_experts`].
///
/// # Errors
/// None for experts of parameters with at most two dims.
pub fn collect_experts(
    expert: &GroupShape,
    experts: usize,
    slots: usize,
    how: Collect,
    mesh: &Mesh,
) -> Result<Program, GraphError> {
    let graph = Graph::new(mesh.clone());
    let ranks = mesh.num_devices();
    let lone = slots_are_experts(experts, slots, mesh);
    let wanted = (!lone).then(|| wanted(&graph, experts, slots));
    let sums: Vec<(String, Value<'_>)> = expert
        .params
        .iter()
        .map(|(name, sizes)| {
            let given = graph.parameter(format!("d.{name}"), DType::F32, &slot_dims(slots, sizes));
            let sum = (how == Collect::Add).then(|| expert_shards(&graph, "sum", name, sizes, experts));
            let own = match wanted {
                None => given,
                Some(wanted) => {
                    let flat = flattened(given, "slot");
                    let count = flat.size("flat");
                    let shard = expert_shard(sizes, experts, ranks)[1..].iter().product::<usize>();
                    let padded = flat.pad("flat", 0, shard * ranks - count);
                    let sent = padded.split("flat", &[dim("rank", ranks), dim("flat", shard)]);
                    let sent = sent.transpose(&["rank", "slot", "flat"]);
                    wanted.slot_sums(sent.all_to_all("rank", &axes(mesh)))
                }
            };
            let dims = expert_dims(&expert_shard(sizes, experts, ranks));
            let own = own.reshape(&dims);
            (format!("sum_out.{name}"), sum.map_or(own, |sum| sum + own))
        })
        .collect();
    let outputs: Vec<_> = sums.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    let program = graph.finish("collect_experts", &outputs)?;
    match how {
        Collect::Begin => Ok(program),
        Collect::Add => expert.params.iter().try_fold(program, |program, (name, _)| {
            program.donate(&format!("sum.{name}"), &format!("sum_out.{name}"))
        }),
    }
}

/// One rank's shards of a matrix of every expert, as an input.
fn expert_shards<'g>(
    graph: &'g Graph,
    prefix: &str,
    name: &str,
    sizes: &[usize],
    experts: usize,
) -> Value<'g> {
    let shard = expert_shard(sizes, experts, graph.mesh().num_devices());
    graph.parameter(format!("{prefix}.{name}"), DType::F32, &expert_dims(&shard))
}

/// Which slot of which rank holds which expert.
fn wanted(graph: &Graph, experts: usize, slots: usize) -> Value<'_> {
    let ranks = graph.mesh().num_devices();
    graph.parameter("slots", DType::F32, &[dim("rank", ranks), dim("slot", slots), dim("expert", experts)])
}

fn expert_dims(shard: &[usize]) -> Vec<Dim> {
    [&[dim("expert", shard[0])], &plain(&shard[1..])[..]].concat()
}

fn slot_dims(slots: usize, sizes: &[usize]) -> Vec<Dim> {
    [&[dim("slot", slots)], &plain(sizes)[..]].concat()
}

/// {first, ..} as {first, flat}.
fn flattened<'g>(x: Value<'g>, first: Name) -> Value<'g> {
    let sizes = x.shape().sizes();
    x.reshape(&[dim(first, sizes[0]), dim("flat", sizes[1..].iter().product())])
}

/// The parameters of a group out of its flat vector.
fn cut<'a, 'g>(flat: Value<'g>, group: &'a GroupShape) -> Vec<(&'a str, Value<'g>)> {
    let mut start = 0;
    let mut weights = Vec::new();
    for (name, sizes) in &group.params {
        let count: usize = sizes.iter().product();
        weights.push((name.as_str(), flat.slice("flat", start, start + count).reshape(&plain(sizes))));
        start += count;
    }
    weights
}
