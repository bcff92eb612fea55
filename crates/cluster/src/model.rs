//! The model to be planned: what `config.json` says, and what the trainer's families do not have yet.

use std::path::Path;

use collegium_model::config::{FeedForward, LayerConfig, ModelConfig, ModelError, MoeConfig};
use serde_json::{Map, Value};

use crate::ClusterError;

/// Multi-head latent attention (DeepSeek-V2, 2405.04434): low-rank projections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Latent {
    /// Rank of the queries; 0 for a full projection.
    pub query_rank: usize,
    /// Rank of keys and values.
    pub kv_rank: usize,
    /// Size of a head's part without rotation.
    pub plain_dim: usize,
    /// Size of a head's rotated part.
    pub rotated_dim: usize,
    /// Size of a value head.
    pub value_dim: usize,
}

/// A model, and its parts that the trainer cannot run yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanModel {
    /// Its name in answers.
    pub name: String,
    /// Sizes; of a model with latent attention, the head counts only.
    pub config: ModelConfig,
    /// Latent attention in place of the projections of `config`.
    pub latent: Option<Latent>,
    /// Inner width of the experts that every token goes to besides.
    pub shared: usize,
    /// Whether dense feed-forwards have a gate; without one, two matrices in place of three.
    pub gated: bool,
    /// Tokens after the next that are predicted too (DeepSeek-V3, 2412.19437, 2.2): each by one more layer, the last of `config`, and one more
    /// pass through the head.
    pub predictions: usize,
}

impl PlanModel {
    /// The model of a `config.json` or a folder with one.
    ///
    /// # Errors
    /// A file that cannot be read, or a family that nothing here knows.
    pub fn from_file(path: &Path) -> Result<Self, ClusterError> {
        let name = path.display().to_string();
        match ModelConfig::from_file(path) {
            Ok((config, _)) => Ok(Self::plain(&name, config)),
            Err(ModelError::UnknownFamily { family, .. }) if family.starts_with("deepseek_v") => {
                let file = if path.is_dir() { path.join("config.json") } else { path.to_path_buf() };
                let text = std::fs::read_to_string(&file)
                    .map_err(|source| ClusterError::Read { path: name.clone(), source })?;
                let wrong = |why: String| ClusterError::Description { path: name.clone(), why };
                let value: Value = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
                let object = value.as_object().ok_or_else(|| wrong("it is no JSON object".into()))?;
                Self::deepseek(&name, object)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// A model that the trainer runs.
    pub fn plain(name: &str, config: ModelConfig) -> Self {
        Self { name: name.into(), config, latent: None, shared: 0, gated: true, predictions: 0 }
    }

    /// A `config.json` of the DeepSeek-V2 and V3 families.
    fn deepseek(name: &str, object: &Map<String, Value>) -> Result<Self, ClusterError> {
        let missing = |key: &str| ClusterError::Description {
            path: name.into(),
            why: format!("{key} is missing; the model cannot be built without it"),
        };
        let size = |key: &str| {
            object
                .get(key)
                .and_then(Value::as_u64)
                .map(|n| n as usize)
                .filter(|n| *n > 0)
                .ok_or_else(|| missing(key))
        };
        let predictions = size("num_nextn_predict_layers").unwrap_or(0);
        let layers = size("num_hidden_layers")? + predictions;
        let dense = size("first_k_dense_replace").unwrap_or(0);
        let sizes = Sizes {
            layers,
            hidden: size("hidden_size")?,
            heads: size("num_attention_heads")?,
            kv_heads: size("num_attention_heads")?,
            head_dim: 128,
            vocab: size("vocab_size")?,
            dense_layers: dense,
            intermediate: size("intermediate_size")?,
            experts: size("n_routed_experts")?,
            top_k: size("num_experts_per_tok")?,
            expert_intermediate: size("moe_intermediate_size")?,
            tied: object.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false),
        };
        let latent = Latent {
            query_rank: size("q_lora_rank").unwrap_or(0),
            kv_rank: size("kv_lora_rank")?,
            plain_dim: size("qk_nope_head_dim")?,
            rotated_dim: size("qk_rope_head_dim")?,
            value_dim: size("v_head_dim")?,
        };
        let shared = size("n_shared_experts").unwrap_or(0) * sizes.expert_intermediate;
        let config = sizes.config()?;
        Ok(Self { name: name.into(), config, latent: Some(latent), shared, gated: true, predictions })
    }

    /// What of it the trainer cannot run yet, in words.
    pub fn not_trainable(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        if self.latent.is_some() {
            all.push("latent attention");
        }
        if self.shared > 0 {
            all.push("shared experts");
        }
        if self.predictions > 0 {
            all.push("prediction of more than the next token");
        }
        if !self.gated {
            all.push("feed-forward without a gate");
        }
        all
    }

    /// Whether it has experts.
    pub fn is_sparse(&self) -> bool {
        self.config.layers.iter().any(|l| l.feed_forward.moe().is_some())
    }

    /// The mixture of its sparse layers.
    pub fn moe(&self) -> Option<&MoeConfig> {
        self.config.layers.iter().find_map(|l| l.feed_forward.moe())
    }

    /// Parameters of attention in one layer.
    pub fn attention_parameters(&self) -> f64 {
        let c = &self.config;
        let (h, heads) = (c.hidden_size as f64, c.num_heads as f64);
        match self.latent {
            None => h * c.head_dim as f64 * (2.0 * heads + 2.0 * c.num_kv_heads as f64),
            Some(l) => {
                let key = (l.plain_dim + l.rotated_dim) as f64;
                let query = match l.query_rank {
                    0 => h * heads * key,
                    rank => rank as f64 * (h + heads * key),
                };
                let kv = h * (l.kv_rank + l.rotated_dim) as f64
                    + l.kv_rank as f64 * heads * (l.plain_dim + l.value_dim) as f64;
                query + kv + heads * l.value_dim as f64 * h
            }
        }
    }

    /// Parameters of one layer without its routed experts.
    pub fn layer_parameters(&self, layer: &LayerConfig) -> f64 {
        let h = self.config.hidden_size as f64;
        let matrices = if self.gated { 3.0 } else { 2.0 };
        self.attention_parameters()
            + 2.0 * h
            + match &layer.feed_forward {
                FeedForward::Dense { intermediate } => matrices * h * *intermediate as f64,
                FeedForward::Moe(m) => h * m.num_experts as f64 + 3.0 * h * self.shared as f64,
            }
    }

    /// Parameters of the routed experts of one layer.
    pub fn expert_parameters(&self, layer: &LayerConfig) -> f64 {
        layer
            .feed_forward
            .moe()
            .map_or(0.0, |m| 3.0 * (m.num_experts * m.intermediate) as f64 * self.config.hidden_size as f64)
    }

    /// Parameters of embedding and head.
    pub fn end_parameters(&self) -> f64 {
        let table = (self.config.vocab_size * self.config.hidden_size) as f64;
        if self.config.tie_word_embeddings { table } else { 2.0 * table }
    }

    /// All parameters.
    pub fn parameters(&self) -> f64 {
        let layers: f64 =
            self.config.layers.iter().map(|l| self.layer_parameters(l) + self.expert_parameters(l)).sum();
        layers + self.end_parameters()
    }

    /// FLOPs of one token, forward and backward, that the model calls for: no recomputation, and of attention what a causal
    /// mask leaves (half).
    pub fn flops_per_token(&self, seq: usize) -> f64 {
        let c = &self.config;
        let active: f64 = c
            .layers
            .iter()
            .map(|l| {
                let chosen = l.feed_forward.moe().map_or(0.0, |m| m.top_k as f64 / m.num_experts as f64);
                self.layer_parameters(l) + chosen * self.expert_parameters(l)
            })
            .sum();
        let head = (c.vocab_size * c.hidden_size) as f64;
        let heads = 1.0 + self.predictions as f64;
        6.0 * (active + heads * head) + 3.0 * self.attention_flops_per_token(seq)
    }

    /// FLOPs of a token's scores and weighted sum in all layers, forward, under a causal mask.
    pub fn attention_flops_per_token(&self, seq: usize) -> f64 {
        let c = &self.config;
        let width = match self.latent {
            None => 2 * c.head_dim,
            Some(l) => l.plain_dim + l.rotated_dim + l.value_dim,
        } as f64;
        let keys = |window: Option<usize>| match window {
            Some(w) if w < seq => w as f64,
            _ => seq as f64 / 2.0,
        };
        c.layers.iter().map(|l| 2.0 * width * c.num_heads as f64 * keys(l.sliding_window)).sum()
    }
}

/// Sizes of a model in a few numbers, as tables of measurements give them.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Layers.
    pub layers: usize,
    /// Width.
    pub hidden: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads.
    pub kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// Vocabulary.
    pub vocab: usize,
    /// Layers at the bottom without experts.
    pub dense_layers: usize,
    /// Inner width of a dense feed-forward.
    pub intermediate: usize,
    /// Experts; 0 for none.
    pub experts: usize,
    /// Experts of a token.
    pub top_k: usize,
    /// Inner width of an expert.
    pub expert_intermediate: usize,
    /// Whether the head shares the embedding.
    pub tied: bool,
}

impl Sizes {
    /// A sparse model for tests.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self {
        layers: 4,
        hidden: 256,
        heads: 4,
        kv_heads: 2,
        head_dim: 64,
        vocab: 1024,
        dense_layers: 0,
        intermediate: 512,
        experts: 8,
        top_k: 2,
        expert_intermediate: 256,
        tied: false,
    };

    /// A configuration of these sizes; checked as any other.
    ///
    /// # Errors
    /// Sizes that contradict each other.
    pub fn config(&self) -> Result<ModelConfig, ModelError> {
        let value = serde_json::json!({
            "model_type": if self.experts > 0 { "qwen3_moe" } else { "llama" },
            "vocab_size": self.vocab, "hidden_size": self.hidden, "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads, "num_key_value_heads": self.kv_heads, "head_dim": self.head_dim,
            "intermediate_size": self.intermediate.max(1), "num_experts": self.experts.max(1),
            "num_experts_per_tok": self.top_k.max(1), "moe_intermediate_size": self.expert_intermediate.max(1),
            "mlp_only_layers": (0..self.dense_layers).collect::<Vec<_>>(), "tie_word_embeddings": self.tied,
        });
        Ok(ModelConfig::from_json(&value, "the row")?.0)
    }
}
