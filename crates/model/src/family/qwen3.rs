//! Qwen3 (dense): norms of queries and keys per head, windows in some layers.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, bias_everywhere, common, qwen_window};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig, QkNorm};

pub(super) const FAMILY: Family = Family {
    name: "qwen3",
    architecture: "Qwen3ForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

const DEFAULTS: Defaults = Defaults {
    family: "qwen3",
    theta: 10_000.0,
    eps: 1e-6,
    tied: false,
    max_position: 32_768,
    derives_kv_heads: false,
    derives_head_dim: false,
    pad: None,
};

/// Layers below this one see everything, where `max_window_layers` is absent.
const DEFAULT_MAX_WINDOW_LAYERS: usize = 28;

const SLIDING: &str = "sliding_attention";
const FULL: &str = "full_attention";

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &DEFAULTS);
    config.attention_bias = bias_everywhere(fields);
    config.qk_norm = QkNorm::PerHead;
    let intermediate = fields.required_size("intermediate_size");
    let layer =
        |sliding_window| LayerConfig { sliding_window, feed_forward: FeedForward::Dense { intermediate } };
    config.layers = windows(fields, config.num_layers).into_iter().map(layer).collect();
    config
}

/// The window of every layer: as `layer_types` says, else in all layers from `max_window_layers` on.
fn windows(fields: &mut Fields<'_>, num_layers: usize) -> Vec<Option<usize>> {
    let window = qwen_window(fields);
    let first = fields.count("max_window_layers").unwrap_or(DEFAULT_MAX_WINDOW_LAYERS);
    let Some(types) = fields.strings("layer_types") else {
        return (0..num_layers).map(|i| window.filter(|_| i >= first)).collect();
    };
    if fields.is_sound() && types.len() != num_layers {
        fields
            .problem(format!("layer_types lists {} layers, num_hidden_layers is {num_layers}", types.len()));
    }
    if let Some(kind) = types.iter().find(|kind| ![FULL, SLIDING].contains(kind)) {
        fields.problem(format!("layer_types: \"{kind}\" is not supported; {FULL} and {SLIDING} are"));
    }
    if window.is_none() && types.contains(&SLIDING) && fields.is_sound() {
        fields.problem(format!("layer_types has {SLIDING} but use_sliding_window is not true; set it"));
    }
    types.iter().map(|kind| window.filter(|_| *kind == SLIDING)).collect()
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    if let Some(FeedForward::Dense { intermediate }) = config.layers.first().map(|l| &l.feed_forward) {
        map.insert("intermediate_size".into(), json!(intermediate));
    }
    let window = config.layers.iter().find_map(|l| l.sliding_window);
    let first = config.layers.iter().position(|l| l.sliding_window.is_some()).unwrap_or(config.num_layers);
    let kind = |l: &LayerConfig| if l.sliding_window.is_some() { SLIDING } else { FULL };
    map.insert("use_sliding_window".into(), json!(window.is_some()));
    map.insert("sliding_window".into(), json!(window));
    map.insert("max_window_layers".into(), json!(first));
    map.insert("layer_types".into(), config.layers.iter().map(kind).collect::<Vec<_>>().into());
}
