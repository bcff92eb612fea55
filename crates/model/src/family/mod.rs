//! Model families: one file each, one line in the registry.

mod llama;
mod mixtral;
mod olmoe;
mod qwen3;
mod qwen3_moe;

use serde_json::{Map, Value};

use crate::config::{AttentionBias, Fields, LayerConfig, ModelConfig, QkNorm, Rope};

/// What a family is: how its `config.json` reads and how its checkpoint names things.
pub struct Family {
    /// `model_type`.
    pub name: &'static str,
    /// Class name in `architectures`.
    pub architecture: &'static str,
    /// Reads the keys.
    pub parse: fn(&mut Fields<'_>) -> ModelConfig,
    /// Writes the keys that are the family's own.
    pub write: fn(&ModelConfig, &mut Map<String, Value>),
    /// Name of a sparse layer's block within the layer.
    pub moe_block: &'static str,
    /// Names of an expert's gate, up and down weights.
    pub expert_names: [&'static str; 3],
}

/// The registry.
pub const FAMILIES: &[Family] =
    &[llama::FAMILY, qwen3::FAMILY, qwen3_moe::FAMILY, mixtral::FAMILY, olmoe::FAMILY];

/// Families to come; their names are known so that the message can say so.
pub const PLANNED: &[&str] = &["deepseek_v3", "gpt_oss"];

/// The family of a `model_type`.
pub fn find(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|f| f.name == name)
}

/// Supported `model_type`s.
pub fn names() -> Vec<&'static str> {
    FAMILIES.iter().map(|f| f.name).collect()
}

/// What transformers assumes where a key is absent. Sizes for which it has a fixed number must be written here.
struct Defaults {
    family: &'static str,
    theta: f64,
    eps: f64,
    tied: bool,
    max_position: usize,
    /// Whether an absent `num_key_value_heads` means as many as query heads.
    derives_kv_heads: bool,
    /// Whether an absent `head_dim` means an equal share of the width.
    derives_head_dim: bool,
    pad: Option<u32>,
}

/// Most layers there can be: each costs memory when the configuration is read.
const MAX_LAYERS: usize = 1 << 16;

/// What all families share; `layers`, norms and biases are the family's own.
fn common(fields: &mut Fields<'_>, defaults: &Defaults) -> ModelConfig {
    fields.only("hidden_act", &"silu".into(), "the gated feed-forward here is SwiGLU");
    fields.only("attention_dropout", &0.0.into(), "there is no dropout here; set it to 0");
    let num_heads = fields.required_size("num_attention_heads");
    let hidden_size = fields.required_size("hidden_size");
    if !defaults.derives_kv_heads && !fields.has("num_key_value_heads") {
        fields.require("num_key_value_heads");
    }
    if !defaults.derives_head_dim {
        fields.require("head_dim");
    }
    fields.require("num_hidden_layers");
    ModelConfig {
        family: defaults.family,
        vocab_size: fields.required_size("vocab_size"),
        hidden_size,
        num_layers: fields.size_up_to("num_hidden_layers", MAX_LAYERS).unwrap_or(1),
        num_heads,
        num_kv_heads: fields.size("num_key_value_heads").unwrap_or(num_heads),
        head_dim: fields.size("head_dim").unwrap_or_else(|| share_of_width(fields, hidden_size, num_heads)),
        rms_norm_eps: fields.positive("rms_norm_eps").unwrap_or(defaults.eps),
        rope: Rope::parse(fields, defaults.theta),
        max_position_embeddings: fields.size("max_position_embeddings").unwrap_or(defaults.max_position),
        tie_word_embeddings: fields.flag("tie_word_embeddings").unwrap_or(defaults.tied),
        attention_bias: AttentionBias::default(),
        mlp_bias: false,
        qk_norm: QkNorm::None,
        clip_qkv: None,
        initializer_range: fields.non_negative("initializer_range").unwrap_or(0.02),
        eos_token_id: fields.token("eos_token_id"),
        bos_token_id: fields.token("bos_token_id"),
        router_aux_loss_coef: 0.0,
        output_router_logits: false,
        pad_token_id: pad_token(fields, defaults.pad),
        layers: Vec::new(),
    }
}

/// The size of a head where none is given.
fn share_of_width(fields: &mut Fields<'_>, hidden_size: usize, num_heads: usize) -> usize {
    if fields.is_sound() && !hidden_size.is_multiple_of(num_heads) {
        fields.problem(format!(
            "hidden_size {hidden_size} is not a multiple of num_attention_heads {num_heads}; give head_dim"
        ));
    }
    (hidden_size / num_heads).max(1)
}

fn pad_token(fields: &mut Fields<'_>, default: Option<u32>) -> Option<u32> {
    if fields.has("pad_token_id") { fields.token("pad_token_id") } else { default }
}

/// The load-balancing loss, the same in all families with experts.
fn router_losses(fields: &mut Fields<'_>, config: &mut ModelConfig, default_coef: f64) {
    config.router_aux_loss_coef = fields.non_negative("router_aux_loss_coef").unwrap_or(default_coef);
    config.output_router_logits = fields.flag("output_router_logits").unwrap_or(false);
}

fn write_router_losses(config: &ModelConfig, map: &mut Map<String, Value>) {
    map.insert("router_aux_loss_coef".into(), config.router_aux_loss_coef.into());
    map.insert("output_router_logits".into(), config.output_router_logits.into());
}

/// Every layer alike.
fn uniform(config: &mut ModelConfig, layer: LayerConfig) {
    config.layers = vec![layer; config.num_layers];
}

/// One bias switch for all four projections (Llama, Qwen3).
fn bias_everywhere(fields: &mut Fields<'_>) -> AttentionBias {
    let on = fields.flag("attention_bias").unwrap_or(false);
    AttentionBias { qkv: on, output: on }
}

/// Qwen's window, which counts only where `use_sliding_window` is set.
fn qwen_window(fields: &mut Fields<'_>) -> Option<usize> {
    let on = fields.flag("use_sliding_window").unwrap_or(false);
    let window = fields.get("sliding_window");
    if on && window.is_none() {
        fields.problem("use_sliding_window is true but sliding_window is missing; give its length".into());
    }
    if on { fields.size("sliding_window") } else { None }
}
