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

/// More than any model has, and few enough that every count of bytes or operations fits 64 bits.
const MAX_PARAMETERS: u64 = 1 << 50;

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
    /// Whether the projections of a dense feed-forward have a bias.
    pub mlp_bias: bool,
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
    /// Whether transformers adds the load-balancing loss to the loss it returns.
    pub output_router_logits: bool,
    /// Token whose row of the embedding transformers leaves out of the gradient of the look-up.
    pub pad_token_id: Option<u32>,
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
    /// The model of a `config.json`, or of the folder that holds one; what it says that is neither honoured nor known to
    /// be harmless comes back as warnings.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown family, or everything in it that cannot be, at once.
    pub fn from_file(path: &Path) -> Result<(Self, Vec<String>), ModelError> {
        let path = if path.is_dir() { path.join("config.json") } else { path.to_path_buf() };
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(&path)
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
        let no_model = |why: &str| ModelError::Json { path: origin.into(), why: why.into() };
        let object = value.as_object().ok_or_else(|| no_model("it is no JSON object"))?;
        let name = match object.get("model_type") {
            Some(Value::String(name)) => name,
            Some(other) => return Err(no_model(&format!("model_type is {other}; it must be text"))),
            None => return Err(no_model("model_type is missing")),
        };
        let family = family::find(name).ok_or_else(|| ModelError::UnknownFamily {
            path: origin.into(),
            family: name.clone(),
            planned: family::PLANNED.contains(&name.as_str()),
        })?;
        let mut fields = Fields::new(object);
        let config = (family.parse)(&mut fields);
        config.check(&mut fields);
        let (problems, warnings) = fields.finish();
        if problems.is_empty() {
            Ok((config, warnings))
        } else {
            Err(ModelError::Config { path: origin.into(), problems })
        }
    }

    /// Values that contradict each other. What a single key may be is checked where it is read; where that failed, the
    /// stand-in for it would only contradict more.
    fn check(&self, fields: &mut Fields<'_>) {
        if !fields.is_sound() {
            return;
        }
        let (heads, kv_heads) = (self.num_heads, self.num_kv_heads);
        if !heads.is_multiple_of(kv_heads) {
            fields.problem(format!(
                "num_attention_heads {heads} is not a multiple of num_key_value_heads {kv_heads}; every key-value head \
                 serves equally many query heads"
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            fields.problem(format!(
                "head_dim {} is odd; the rotary embedding turns pairs, make it even",
                self.head_dim
            ));
        }
        if let Some(moe) = self.layers.iter().find_map(|l| l.feed_forward.moe())
            && moe.top_k > moe.num_experts
        {
            fields.problem(format!(
                "num_experts_per_tok {} is more than the {} experts there are; lower it",
                moe.top_k, moe.num_experts
            ));
        }
        let parameters = self.num_parameters();
        if parameters > MAX_PARAMETERS {
            fields.problem(format!(
                "these sizes make {parameters} parameters, more than the {MAX_PARAMETERS} there can be; check them"
            ));
        }
        self.check_tokens(fields);
    }

    /// Token ids beyond the vocabulary: generation never meets them, but a row to be left out must exist.
    fn check_tokens(&self, fields: &mut Fields<'_>) {
        let outside = |id: Option<u32>| id.filter(|&id| id as usize >= self.vocab_size);
        for (key, id) in [("bos_token_id", self.bos_token_id), ("eos_token_id", self.eos_token_id)] {
            if let Some(id) = outside(id) {
                fields.warning(format!("{key} {id} is beyond the vocabulary of {}", self.vocab_size));
            }
        }
        if let Some(id) = outside(self.pad_token_id) {
            let size = self.vocab_size;
            fields.problem(format!(
                "pad_token_id {id} is beyond the vocabulary of {size}; set it to a token or to null"
            ));
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
        set("pad_token_id", json!(self.pad_token_id));
        self.rope.write(&mut map);
        (family.write)(self, &mut map);
        Value::Object(map)
    }

    /// Parameters of the whole model.
    pub fn num_parameters(&self) -> u64 {
        crate::params::groups(self).iter().fold(0, |sum: u64, group| sum.saturating_add(group.num_elements()))
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
