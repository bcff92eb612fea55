//! What a model is, as its `config.json` says it.

mod error;
mod fields;
mod rope;

use std::path::Path;

use serde_json::{Map, Value, json};

pub use error::ModelError;
pub use fields::Fields;
pub use rope::{Rope, RopeScaling};

use crate::family;

/// A model of one of the supported families.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// `model_type` of the `config.json`.
    pub family: &'static str,
    /// Tokens there are.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_layers: usize,
    /// Query heads.
    pub num_heads: usize,
    /// Key-value heads.
    pub num_kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// Added to the mean square in norms.
    pub rms_norm_eps: f64,
    /// Rotary embedding.
    pub rope: Rope,
    /// Longest sequence the model was made for.
    pub max_position_embeddings: usize,
    /// Whether the head shares the embedding's weights.
    pub tie_word_embeddings: bool,
    /// Biases of the attention projections.
    pub attention_bias: AttentionBias,
    /// Norms of queries and keys.
    pub qk_norm: QkNorm,
    /// Bound on the projected queries, keys and values.
    pub clip_qkv: Option<f64>,
    /// Standard deviation of random initial weights.
    pub initializer_range: f64,
    /// Token that ends a document.
    pub eos_token_id: Option<u32>,
    /// Token that begins one.
    pub bos_token_id: Option<u32>,
    /// Weight of the load-balancing loss.
    pub router_aux_loss_coef: f64,
    /// Every layer, from the embedding upwards.
    pub layers: Vec<LayerConfig>,
}

/// Which projections of attention have a bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttentionBias {
    /// Queries, keys, values.
    pub qkv: bool,
    /// Output.
    pub output: bool,
}

/// How queries and keys are normalised before the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QkNorm {
    /// Not at all.
    None,
    /// Each head alone, with one weight for all (Qwen3).
    PerHead,
    /// All heads together (OLMoE).
    WholeProjection,
}

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerConfig {
    /// How many tokens back a token sees, itself included.
    pub sliding_window: Option<usize>,
    /// What follows attention.
    pub feed_forward: FeedForward,
}

/// The feed-forward part of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedForward {
    /// One gated feed-forward for all tokens.
    Dense {
        /// Inner width.
        intermediate: usize,
    },
    /// A mixture of experts.
    Moe(MoeConfig),
}

/// A mixture of experts.
#[derive(Clone, Debug, PartialEq)]
pub struct MoeConfig {
    /// Experts.
    pub num_experts: usize,
    /// Experts of a token.
    pub top_k: usize,
    /// Inner width of an expert.
    pub intermediate: usize,
    /// Whether the weights of the chosen experts are made to sum to one.
    pub norm_topk_prob: bool,
}

impl ModelConfig {
    /// The model of a `config.json`; what it says that is neither honoured nor known to be harmless comes back as warnings.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown family, or everything in it that cannot be, at once.
    pub fn from_file(path: &Path) -> Result<(Self, Vec<String>), ModelError> {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ModelError::Read { path: origin.clone(), source })?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|e| ModelError::Json { path: origin.clone(), why: e.to_string() })?;
        Self::from_json(&value, &origin)
    }

    /// The model of the contents of a `config.json`; `origin` names it in messages.
    ///
    /// # Errors
    /// An unknown family, or everything in it that cannot be, at once.
    pub fn from_json(value: &Value, origin: &str) -> Result<(Self, Vec<String>), ModelError> {
        let object = value
            .as_object()
            .ok_or_else(|| ModelError::Json { path: origin.into(), why: "it is no JSON object".into() })?;
        let mut fields = Fields::new(object);
        let name = fields.string("model_type").unwrap_or_default();
        let family = family::find(&name).ok_or_else(|| ModelError::UnknownFamily {
            path: origin.into(),
            family: name.clone(),
            planned: family::PLANNED.contains(&name.as_str()),
        })?;
        let config = (family.parse)(&mut fields);
        config.check(&mut fields);
        let (problems, warnings) = fields.finish();
        if problems.is_empty() {
            Ok((config, warnings))
        } else {
            Err(ModelError::Config { path: origin.into(), problems })
        }
    }

    /// Sizes that contradict each other.
    fn check(&self, fields: &mut Fields<'_>) {
        let positive = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_layers),
            ("num_attention_heads", self.num_heads),
            ("num_key_value_heads", self.num_kv_heads),
            ("head_dim", self.head_dim),
        ];
        for (name, value) in positive {
            if value == 0 {
                fields.problem(format!("{name} is missing or 0; give a number above 0"));
            }
        }
        if self.num_kv_heads > 0 && !self.num_heads.is_multiple_of(self.num_kv_heads) {
            let (heads, kv) = (self.num_heads, self.num_kv_heads);
            fields.problem(format!(
                "num_attention_heads {heads} is not a multiple of num_key_value_heads {kv}"
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            fields.problem(format!("head_dim {} is odd; the rotary embedding needs pairs", self.head_dim));
        }
        if self.layers.len() != self.num_layers {
            fields.problem(format!(
                "num_hidden_layers is {} but {} layers are described",
                self.num_layers,
                self.layers.len()
            ));
        }
        for moe in self.layers.iter().filter_map(|l| l.feed_forward.moe()).take(1) {
            if moe.top_k == 0 || moe.top_k > moe.num_experts {
                fields.problem(format!(
                    "num_experts_per_tok {} must be between 1 and the {} experts",
                    moe.top_k, moe.num_experts
                ));
            }
            if moe.intermediate == 0 {
                fields.problem("the inner width of the experts is 0; give moe_intermediate_size (Mixtral, OLMoE: intermediate_size)".into());
            }
        }
    }

    /// A `config.json` that transformers 4 and 5 both read.
    pub fn to_hf_json(&self) -> Value {
        let family = family::find(self.family).expect("a configuration is of a known family");
        let mut map = Map::new();
        let mut set = |key: &str, value: Value| map.insert(key.to_string(), value);
        set("architectures", json!([family.architecture]));
        set("model_type", json!(self.family));
        set("vocab_size", json!(self.vocab_size));
        set("hidden_size", json!(self.hidden_size));
        set("num_hidden_layers", json!(self.num_layers));
        set("num_attention_heads", json!(self.num_heads));
        set("num_key_value_heads", json!(self.num_kv_heads));
        set("head_dim", json!(self.head_dim));
        set("hidden_act", json!("silu"));
        set("max_position_embeddings", json!(self.max_position_embeddings));
        set("rms_norm_eps", json!(self.rms_norm_eps));
        set("initializer_range", json!(self.initializer_range));
        set("tie_word_embeddings", json!(self.tie_word_embeddings));
        set("attention_dropout", json!(0.0));
        set("use_cache", json!(true));
        set("dtype", json!("float32"));
        set("torch_dtype", json!("float32"));
        set("bos_token_id", json!(self.bos_token_id));
        set("eos_token_id", json!(self.eos_token_id));
        self.rope.write(&mut map);
        (family.write)(self, &mut map);
        Value::Object(map)
    }

    /// Parameters of the whole model.
    pub fn num_parameters(&self) -> u64 {
        crate::params::groups(self).iter().map(|g| g.num_elements()).sum()
    }

    /// Parameters that one token's forward pass multiplies with: the chosen experts only, and no embedding look-up.
    pub fn num_active_parameters(&self) -> u64 {
        let embedding = (self.vocab_size * self.hidden_size) as u64;
        let idle: u64 = self
            .layers
            .iter()
            .filter_map(|l| l.feed_forward.moe())
            .map(|m| ((m.num_experts - m.top_k) * 3 * m.intermediate * self.hidden_size) as u64)
            .sum();
        let unused_table = if self.tie_word_embeddings { 0 } else { embedding };
        self.num_parameters() - idle - unused_table
    }
}

impl FeedForward {
    /// The mixture, if the layer is sparse.
    pub fn moe(&self) -> Option<&MoeConfig> {
        match self {
            Self::Moe(moe) => Some(moe),
            Self::Dense { .. } => None,
        }
    }
}
