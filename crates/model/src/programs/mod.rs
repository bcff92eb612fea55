//! The layers as programs: what the trainer, the evaluator and the planner compile or count.
//!
//! Names bind values. A weight's input is called as in the checkpoint, without the layer's prefix; the gradient of the
//! value `x` is `d.x`, as an input (cotangent) or output of a backward half. Activations are `{token, hidden}`.

mod block;
mod ends;
mod expert_layer;
mod fused;
mod optimizer;
mod packing;
mod projections;
mod serving;
mod slab;
mod weights;

pub use block::{block, generation_block};
pub use ends::{embed, head, logits_at, sum_loss};
pub use expert_layer::expert_layer;
pub use fused::{FusedShape, fused};
pub use optimizer::{HYPER, adamw, squared_norm, working_of_update};
pub use packing::Packing;
pub use serving::{LendRoom, PAGE, Part, StepShape, cache_parts, serving};
pub use slab::{Kept, SlabPart, Slabs, is_product, kept, scales_of, slab_name};
pub use weights::{
    Collect, GroupShape, Working, collect, collect_experts, materialise, materialise_experts,
    slots_are_experts,
};

use collegium_balance::{Bucket, Topology};
use collegium_core::DType;
use collegium_hlo::{Dim, Graph, Mesh, Name, Residuals, Value, dim};

use crate::config::{ModelConfig, MoeConfig};
use crate::layers::transport::{self, AllToAll, Sizes};
use crate::layers::{EXPERT_AXIS, NODE_AXIS, Transport, group_axes};

/// What a layer program is built for.
#[derive(Clone, Debug)]
pub struct Shape<'c> {
    /// The model.
    pub config: &'c ModelConfig,
    /// Devices; experts are spread along the axes of [`group_axes`].
    pub mesh: Mesh,
    /// Element type of activations and working weights.
    pub dtype: DType,
    /// Sequences on each device.
    pub batch: usize,
    /// Tokens of a sequence.
    pub seq: usize,
    /// What forward halves keep.
    pub residuals: Residuals,
    /// How tokens meet their experts.
    pub exchange: Exchange,
    /// Whether the caller says which experts tokens go to, in place of the router.
    pub forced_routing: bool,
}

/// How tokens travel between the ranks of an expert-parallel group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// By which collectives.
    pub transport: &'static dyn Transport,
    /// Element type on the way, where it is not that of the activations: bf16, or int8 for block-scaled rows (to the experts; results and
    /// gradients are bf16 then).
    pub sent_as: Option<DType>,
    /// Whether tokens are dealt out over the ranks before they are routed, so that every source sends alike.
    pub shuffle: bool,
}

impl Default for Exchange {
    fn default() -> Self {
        Self { transport: &AllToAll, sent_as: None, shuffle: false }
    }
}

impl Shape<'_> {
    /// Element type of rows on their way between ranks.
    fn sent_as(&self) -> DType {
        self.exchange.sent_as.unwrap_or(self.dtype)
    }

    /// Ranks of an expert-parallel group, on how many nodes.
    fn topology(&self) -> Topology {
        let axis = |name| self.mesh.size(name).unwrap_or(1);
        let nodes = axis(NODE_AXIS);
        Topology::new(nodes * axis(EXPERT_AXIS), nodes).expect("nodes divide their own multiple")
    }

    /// Ranks of an expert-parallel group.
    fn expert_ranks(&self) -> usize {
        self.topology().num_ranks()
    }

    /// The transport of this group.
    fn transport(&self) -> &'static dyn Transport {
        transport::of_group(self.exchange.transport, self.expert_ranks())
    }

    fn sizes(&self, moe: &MoeConfig, bucket: Bucket, block: usize) -> Sizes {
        Sizes { topology: self.topology(), experts: moe.num_experts, bucket, block }
    }

    /// `x` {token, ..} with the tokens dealt out over the ranks of the group, or back: the exchange is its own inverse.
    fn shuffled<'g>(&self, x: Value<'g>) -> Value<'g> {
        let ranks = self.expert_ranks();
        if !self.exchange.shuffle || ranks == 1 {
            return x;
        }
        let each = dim("place", x.size("token") / ranks);
        x.split("token", &[dim("rank", ranks), each])
            .all_to_all("rank", group_axes(&self.mesh))
            .merge(&["rank", "place"], "token")
    }

    fn token(&self) -> Dim {
        dim("token", self.batch * self.seq)
    }

    fn hidden(&self) -> Dim {
        dim("hidden", self.config.hidden_size)
    }
}

/// A program under construction: its weights are remembered, so that their gradients can be asked for.
struct Builder<'g> {
    graph: &'g Graph,
    dtype: DType,
    /// How the weights of products lie.
    packing: Packing,
    /// Those of the layer that is built.
    slabs: std::cell::RefCell<Slabs>,
    /// In front of every name, while the layers of a program need names of their own.
    prefix: std::cell::RefCell<String>,
    weights: std::cell::RefCell<Vec<(String, Value<'g>)>>,
}

impl<'g> Builder<'g> {
    fn new(graph: &'g Graph, dtype: DType) -> Self {
        Self {
            graph,
            dtype,
            packing: Packing::Natural,
            slabs: Default::default(),
            prefix: Default::default(),
            weights: Default::default(),
        }
    }

    /// What `build` makes, with `prefix` in front of the names of its inputs.
    fn within<T>(&self, prefix: &str, build: impl FnOnce() -> T) -> T {
        let before = self.prefix.replace(prefix.to_string());
        let made = build();
        self.prefix.replace(before);
        made
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix.borrow())
    }

    /// The weight called `name`.
    fn weight(&self, name: &str, dims: &[(Name, usize)]) -> Value<'g> {
        let dims: Vec<Dim> = dims.iter().map(|&(n, s)| dim(n, s)).collect();
        if !self.is_natural() {
            return self.weight_as(name, self.dtype, &dims);
        }
        let name = self.full_name(name);
        let value = self.graph.parameter(name.clone(), self.dtype, &dims);
        self.weights.borrow_mut().push((name, value));
        value
    }

    /// An activation or a cotangent.
    fn input(&self, name: &str, dtype: DType, dims: &[Dim]) -> Value<'g> {
        self.graph.parameter(self.full_name(name), dtype, dims)
    }

    /// Gradients of all weights (in f32) and of the activations `also`, as named outputs.
    fn gradients(
        &self,
        outputs: &[(Value<'g>, Value<'g>)],
        also: &[(&str, Value<'g>)],
    ) -> Vec<(String, Value<'g>)> {
        let weights = self.weights.borrow();
        let wrt: Vec<Value<'g>> = also.iter().map(|a| a.1).chain(weights.iter().map(|w| w.1)).collect();
        let found = collegium_hlo::gradient(outputs, &wrt);
        let names = also.iter().map(|a| a.0).chain(weights.iter().map(|w| w.0.as_str()));
        let mut named: Vec<_> = names.zip(found).map(|(n, v)| (format!("d.{n}"), v)).collect();
        named[also.len()..].iter_mut().for_each(|(_, v)| *v = v.convert(DType::F32));
        named
    }
}

/// Borrowed names, as `finish` and `split` take them.
fn named<'a, 'g>(values: &'a [(String, Value<'g>)]) -> Vec<(&'a str, Value<'g>)> {
    values.iter().map(|(n, v)| (n.as_str(), *v)).collect()
}
