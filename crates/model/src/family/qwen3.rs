//! Qwen3 (dense): norms of queries and keys per head.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, bias_everywhere, common, qwen_windows, write_qwen_windows};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig, QkNorm};

pub(super) const FAMILY: Family = Family {
    name: "qwen3",
    architecture: "Qwen3ForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &Defaults { family: "qwen3", theta: 10_000.0, eps: 1e-6, tied: false });
    config.attention_bias = bias_everywhere(fields);
    config.qk_norm = QkNorm::PerHead;
    let intermediate = fields.required_size("intermediate_size");
    let layer =
        |sliding_window| LayerConfig { sliding_window, feed_forward: FeedForward::Dense { intermediate } };
    config.layers = qwen_windows(fields, config.num_layers).into_iter().map(layer).collect();
    config
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    if let Some(FeedForward::Dense { intermediate }) = config.layers.first().map(|l| &l.feed_forward) {
        map.insert("intermediate_size".into(), json!(intermediate));
    }
    write_qwen_windows(config, map);
}
