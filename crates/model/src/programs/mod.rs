//! The layers as programs: what the trainer, the evaluator and the planner compile or count.
//!
//! Names bind values. A weight's input is called as in the checkpoint, without the layer's prefix; the gradient of the
//! value `x` is `d.x`, as an input (cotangent) or output of a backward half. Activations are `{token, hidden}`.

mod block;
mod ends;
mod expert_layer;
mod optimizer;
mod weights;

pub use block::{block, generation_block};
pub use ends::{embed, head, logits_at, sum_loss};
pub use expert_layer::expert_layer;
pub use optimizer::{HYPER, adamw, squared_norm};
pub use weights::{GroupShape, collect, collect_experts, materialise, materialise_experts};

use collegium_core::DType;
use collegium_hlo::{Dim, Graph, Mesh, Name, Residuals, Value, dim};

use crate::config::ModelConfig;

/// What a layer program is built for.
#[derive(Clone, Debug)]
pub struct Shape<'c> {
    /// The model.
    pub config: &'c ModelConfig,
    /// Devices; experts are spread along axis [`EXPERT_AXIS`](crate::layers::EXPERT_AXIS).
    pub mesh: Mesh,
    /// Element type of activations and working weights.
    pub dtype: DType,
    /// Sequences on each device.
    pub batch: usize,
    /// Tokens of a sequence.
    pub seq: usize,
    /// What forward halves keep.
    pub residuals: Residuals,
}

impl Shape<'_> {
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
    weights: std::cell::RefCell<Vec<(String, Value<'g>)>>,
}

impl<'g> Builder<'g> {
    fn new(graph: &'g Graph, dtype: DType) -> Self {
        Self { graph, dtype, weights: Default::default() }
    }

    /// The weight called `name`.
    fn weight(&self, name: &str, dims: &[(Name, usize)]) -> Value<'g> {
        let dims: Vec<Dim> = dims.iter().map(|&(n, s)| dim(n, s)).collect();
        let value = self.graph.parameter(name, self.dtype, &dims);
        self.weights.borrow_mut().push((name.to_string(), value));
        value
    }

    /// An activation or a cotangent.
    fn input(&self, name: &str, dtype: DType, dims: &[Dim]) -> Value<'g> {
        self.graph.parameter(name, dtype, dims)
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
