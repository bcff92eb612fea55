//! The trainer's layer programs as one rank of a layout would run them: built, never compiled.
//!
//! Data and expert parallelism are the trainer's own, and its programs are taken as they are. What it cannot run yet is priced from
//! the same programs with other sizes, exactly:
//! - *tensor*: heads, inner widths and vocabulary divided by the degree; rows {token, hidden} are shared out by sequence parallelism;
//! - *context*: tokens divided by the degree, attention's products multiplied by it (each query still sees all keys before it);
//! - *pipeline*: fewer layers;
//! - *latent attention, shared experts*: graphs of this crate from the same layer functions (`programs/foreign.rs`).
//!
//! Long sequences are built short, as more sequences: all but attention counts tokens, and attention's products grow with the keys that
//! a query sees.

mod foreign;

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{ForwardBackward, GraphError, Mesh, Program, Residuals};
use collegium_model::config::{FeedForward, LayerConfig, ModelConfig, MoeConfig};
use collegium_model::layers::EXPERT_AXIS;
use collegium_model::programs;

use crate::model::PlanModel;
use crate::work::Work;

/// Longest sequence that a program is built for.
const BUILT_SEQ: usize = 2048;
/// Queries of a block in the trainer's attention: a query sees half a block too many.
const QUERY_BLOCK: f64 = 64.0;

/// What a layer program is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// Ranks that share heads, inner widths and vocabulary.
    pub tensor: usize,
    /// Ranks that share the tokens of a sequence.
    pub context: usize,
    /// Sequences of a micro-batch.
    pub batch: usize,
    /// Tokens of a whole sequence.
    pub seq: usize,
    /// Element type of activations and working weights.
    pub dtype: DType,
    /// What forward halves keep.
    pub residuals: Residuals,
}

impl Local {
    /// Tokens of a micro-batch on one rank, before sequence parallelism.
    pub fn tokens(&self) -> usize {
        self.batch * self.seq / self.context
    }
}

/// Forward and backward of one layer on one rank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Halves {
    /// Forward.
    pub forward: Work,
    /// Backward.
    pub backward: Work,
    /// Bytes that the forward half leaves for the backward half, of rows {token, hidden}: sequence parallelism shares them out.
    pub row_residuals: f64,
    /// Other bytes left.
    pub residuals: f64,
    /// Bytes of attention's inner values among those left, where they are written at all.
    pub attention_residuals: f64,
}

impl Halves {
    fn of(split: &ForwardBackward) -> Self {
        let mut halves = Self {
            forward: Work::of(&split.forward),
            backward: Work::of(&split.backward),
            ..Self::default()
        };
        let inputs = split.backward.inputs().filter(|(name, _)| !name.starts_with("d."));
        let weights = |name: &str| {
            name.ends_with("weight") || ["gate", "up", "down", "embed", "lm_head"].contains(&name)
        };
        for (_, shape) in inputs.filter(|(n, _)| !weights(n)) {
            let bytes = shape.num_bytes() as f64;
            if shape.has("query") && shape.has("key") {
                halves.attention_residuals += bytes;
            } else if shape.has("token") && shape.has("hidden") {
                halves.row_residuals += bytes;
            } else {
                halves.residuals += bytes;
            }
        }
        halves
    }

    /// Both, one after the other.
    fn then(mut self, other: &Self) -> Self {
        self.forward.add_runs(&other.forward, 1.0);
        self.backward.add_runs(&other.backward, 1.0);
        self.row_residuals += other.row_residuals;
        self.residuals += other.residuals;
        self.attention_residuals += other.attention_residuals;
        self
    }

    fn scale_attention(mut self, factor: f64) -> Self {
        for work in [&mut self.forward, &mut self.backward] {
            work.attention_flops *= factor;
            work.attention_bytes *= factor;
        }
        self.attention_residuals *= factor;
        self
    }
}

/// The configuration that one rank of a tensor-parallel group holds.
fn local_config(model: &PlanModel, tensor: usize) -> ModelConfig {
    let share = |n: usize| n.div_ceil(tensor);
    let mut config = model.config.clone();
    config.num_heads = share(config.num_heads);
    config.num_kv_heads = share(config.num_kv_heads);
    // Every key-value head serves equally many query heads.
    config.num_heads = config.num_heads.next_multiple_of(config.num_kv_heads);
    config.vocab_size = share(config.vocab_size);
    for layer in &mut config.layers {
        if let FeedForward::Dense { intermediate } = &mut layer.feed_forward {
            let gated = if model.gated { *intermediate } else { (*intermediate * 2).div_ceil(3) };
            *intermediate = gated.div_ceil(tensor);
        }
    }
    config
}

/// Sizes at which the program of a long sequence is built, and what attention's products grow by.
fn built(local: &Local, window: Option<usize>) -> (usize, usize, f64) {
    let own = local.seq.div_ceil(local.context);
    let seen = |seq: f64| match window {
        Some(w) if (w as f64) < seq => w as f64,
        _ => (seq + QUERY_BLOCK) / 2.0,
    };
    if own <= BUILT_SEQ && local.context == 1 {
        return (local.batch, own, 1.0);
    }
    let pieces = own.div_ceil(BUILT_SEQ);
    let seq = own.div_ceil(pieces);
    (local.batch * pieces, seq, seen(local.seq as f64) / seen(seq as f64))
}

fn shape<'c>(
    config: &'c ModelConfig,
    local: &Local,
    batch: usize,
    seq: usize,
    mesh: Mesh,
) -> programs::Shape<'c> {
    programs::Shape {
        config,
        mesh,
        dtype: local.dtype,
        batch,
        seq,
        residuals: local.residuals,
        exchange: programs::Exchange::default(),
        forced_routing: false,
    }
}

/// Attention with the dense feed-forward, or with the router and the shared experts of a sparse layer.
///
/// # Errors
/// Sizes that do not fit together.
pub fn block(model: &PlanModel, layer: &LayerConfig, local: &Local) -> Result<Halves, GraphError> {
    let config = local_config(model, local.tensor);
    let (batch, seq, factor) = built(local, layer.sliding_window);
    let shape = shape(&config, local, batch, seq, Mesh::single());
    let feed_forward = match &layer.feed_forward {
        FeedForward::Dense { .. } => {
            let dense = config.layers.iter().find(|l| l.feed_forward.moe().is_none());
            dense.map_or_else(|| layer.feed_forward.clone(), |l| l.feed_forward.clone())
        }
        moe => moe.clone(),
    };
    let own = LayerConfig { sliding_window: layer.sliding_window, feed_forward };
    let mut halves = match &model.latent {
        None => Halves::of(&programs::block(&shape, &own)?).scale_attention(factor),
        Some(latent) => {
            // Built with values as wide as keys.
            let key = (latent.plain_dim + latent.rotated_dim) as f64;
            let factor = factor * (key + latent.value_dim as f64) / (2.0 * key);
            let attention = Halves::of(&foreign::latent_attention(&shape, latent)?).scale_attention(factor);
            attention.then(&Halves::of(&foreign::feed_forward(&shape, &own.feed_forward)?))
        }
    };
    if model.shared > 0 && layer.feed_forward.moe().is_some() {
        let dense = FeedForward::Dense { intermediate: model.shared.div_ceil(local.tensor) };
        halves = halves.then(&Halves::of(&foreign::feed_forward(&shape, &dense)?));
    }
    Ok(halves)
}

/// Dispatch, experts and combine of `tokens` tokens of one rank, over `expert` ranks, each expert cut into `cut` parts.
///
/// # Errors
/// Sizes that do not fit together.
pub fn experts(
    model: &PlanModel,
    moe: &MoeConfig,
    tokens: usize,
    expert: usize,
    cut: usize,
    local: &Local,
) -> Result<Halves, GraphError> {
    const BLOCK: usize = 128;
    let moe = MoeConfig { intermediate: moe.intermediate.div_ceil(cut), ..moe.clone() };
    let mesh = if expert > 1 { Mesh::new(&[(EXPERT_AXIS, expert)]) } else { Mesh::single() };
    let shape = shape(&model.config, local, 1, tokens, mesh);
    let rows = tokens * moe.top_k;
    let slots = (moe.num_experts / expert).max(1);
    let blocks = rows.div_ceil(BLOCK).max(1);
    let places = if expert > 1 { rows.div_ceil(expert).max(1) } else { blocks * BLOCK };
    let split = programs::expert_layer(&shape, &moe, Bucket { slots, places, blocks }, BLOCK)?;
    Ok(Halves::of(&split))
}

/// Embedding, and head with loss.
///
/// # Errors
/// Sizes that do not fit together.
pub fn ends(model: &PlanModel, local: &Local) -> Result<(Halves, Work), GraphError> {
    let config = local_config(model, local.tensor);
    let (batch, seq, _) = built(local, None);
    let shape = shape(&config, local, batch, seq, Mesh::single());
    let head: Program = programs::head(&shape)?;
    Ok((Halves::of(&programs::embed(&shape)?), Work::of(&head)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Latent, Sizes};

    fn local(tensor: usize, context: usize, batch: usize, seq: usize) -> Local {
        let (dtype, residuals) = (DType::Bf16, Residuals::Everything);
        Local { tensor, context, batch, seq, dtype, residuals }
    }

    fn dense(latent: Option<Latent>) -> PlanModel {
        let sizes = Sizes {
            layers: 1,
            hidden: 256,
            heads: 4,
            kv_heads: 4,
            head_dim: 64,
            vocab: 512,
            dense_layers: 0,
            intermediate: 384,
            experts: 0,
            top_k: 0,
            expert_intermediate: 0,
            tied: false,
        };
        PlanModel { latent, ..PlanModel::plain("test", sizes.config().unwrap()) }
    }

    fn of(model: &PlanModel, local: &Local) -> Halves {
        block(model, &model.config.layers[0], local).unwrap()
    }

    /// Projections and feed-forward: 2 FLOPs a parameter and token forward, 4 backward.
    #[test]
    fn products_are_those_of_the_parameters() {
        let latent = Latent { query_rank: 96, kv_rank: 64, plain_dim: 32, rotated_dim: 16, value_dim: 32 };
        for model in [dense(None), dense(Some(latent))] {
            let found = of(&model, &local(1, 1, 2, 256));
            let parameters = model.layer_parameters(&model.config.layers[0]) - 2.0 * 256.0;
            let expected = 2.0 * 512.0 * parameters;
            assert!((found.forward.product_flops() / expected - 1.0).abs() < 1e-9, "{:?}", model.latent);
            assert!((found.backward.product_flops() / expected - 2.0).abs() < 1e-9);
            let scores = model.attention_flops_per_token(256) * 512.0;
            let blocked = found.forward.attention_flops / scores;
            assert!(blocked > 1.0 && blocked < 1.3, "{blocked}: half a block too many keys are multiplied");
        }
    }

    #[test]
    fn tensor_and_context_degrees_share_the_products() {
        let model = dense(None);
        let whole = of(&model, &local(1, 1, 1, 1024));
        for (tensor, context) in [(2, 1), (1, 2), (4, 2)] {
            let part = of(&model, &local(tensor, context, 1, 1024));
            let ranks = (tensor * context) as f64;
            let share = |w: &Work| w.product_flops() * ranks;
            assert!((share(&part.forward) / whole.forward.product_flops() - 1.0).abs() < 1e-9);
            let attention = part.forward.attention_flops * ranks / whole.forward.attention_flops;
            assert!((attention - 1.0).abs() < 1e-9, "{tensor} x {context}: {attention}");
        }
    }

    #[test]
    fn a_long_sequence_is_built_short_and_priced_long() {
        let model = dense(None);
        let (long, short) = (of(&model, &local(1, 1, 1, 8192)), of(&model, &local(1, 1, 4, 2048)));
        assert_eq!(long.forward.product_flops(), short.forward.product_flops());
        let growth = long.forward.attention_flops / short.forward.attention_flops;
        assert!((growth - (8192.0 + 64.0) / (2048.0 + 64.0)).abs() < 1e-9);
    }
}
