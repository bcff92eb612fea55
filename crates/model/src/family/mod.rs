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

/// Defaults that differ between families.
struct Defaults {
    family: &'static str,
    theta: f64,
    eps: f64,
    tied: bool,
}

/// What all families share; `layers`, norms and biases are the family's own.
fn common(fields: &mut Fields<'_>, defaults: &Defaults) -> ModelConfig {
    fields.only("hidden_act", &"silu".into(), "the gated feed-forward here is SwiGLU");
    fields.only("attention_dropout", &0.0.into(), "there is no dropout here; set it to 0");
    let num_heads = fields.required_size("num_attention_heads");
    let hidden_size = fields.required_size("hidden_size");
    let head_dim = fields.size("head_dim").unwrap_or_else(|| hidden_size / num_heads.max(1));
    if fields.get("head_dim").is_none() && !hidden_size.is_multiple_of(num_heads.max(1)) {
        fields.problem(format!(
            "hidden_size {hidden_size} is not a multiple of num_attention_heads {num_heads}; give head_dim"
        ));
    }
    ModelConfig {
        family: defaults.family,
        vocab_size: fields.required_size("vocab_size"),
        hidden_size,
        num_layers: fields.required_size("num_hidden_layers"),
        num_heads,
        num_kv_heads: fields.size("num_key_value_heads").unwrap_or(num_heads),
        head_dim,
        rms_norm_eps: fields.number("rms_norm_eps").unwrap_or(defaults.eps),
        rope: Rope::parse(fields, defaults.theta),
        max_position_embeddings: fields.size("max_position_embeddings").unwrap_or(4096),
        tie_word_embeddings: fields.flag("tie_word_embeddings").unwrap_or(defaults.tied),
        attention_bias: AttentionBias::default(),
        qk_norm: QkNorm::None,
        clip_qkv: None,
        initializer_range: fields.number("initializer_range").unwrap_or(0.02),
        eos_token_id: fields.token("eos_token_id"),
        bos_token_id: fields.token("bos_token_id"),
        router_aux_loss_coef: 0.0,
        layers: Vec::new(),
    }
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

/// Qwen's window: `layer_types` where given, else layers from `max_window_layers` on, if `use_sliding_window`.
fn qwen_windows(fields: &mut Fields<'_>, layers: usize) -> Vec<Option<usize>> {
    let on = fields.flag("use_sliding_window").unwrap_or(false);
    let window = fields.size("sliding_window").filter(|_| on);
    let first = fields.size("max_window_layers").unwrap_or(28);
    let types = fields.get("layer_types").and_then(Value::as_array).cloned();
    let slides = |i: usize| match &types {
        Some(types) => types.get(i).and_then(Value::as_str) == Some("sliding_attention"),
        None => i >= first,
    };
    (0..layers).map(|i| window.filter(|_| slides(i))).collect()
}

/// Writes Qwen's window keys.
fn write_qwen_windows(config: &ModelConfig, map: &mut Map<String, Value>) {
    let window = config.layers.iter().find_map(|l| l.sliding_window);
    let first = config.layers.iter().position(|l| l.sliding_window.is_some()).unwrap_or(config.num_layers);
    let kind =
        |l: &LayerConfig| if l.sliding_window.is_some() { "sliding_attention" } else { "full_attention" };
    map.insert("use_sliding_window".into(), window.is_some().into());
    map.insert("sliding_window".into(), window.into());
    map.insert("max_window_layers".into(), first.into());
    map.insert("layer_types".into(), config.layers.iter().map(kind).collect::<Vec<_>>().into());
}
