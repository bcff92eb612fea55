//! Llama 2 and 3 (dense).

use serde_json::{Map, Value, json};

use super::{Defaults, Family, bias_everywhere, common, uniform};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "llama",
    architecture: "LlamaForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

const DEFAULTS: Defaults = Defaults {
    family: "llama",
    theta: 10_000.0,
    eps: 1e-6,
    tied: false,
    max_position: 2048,
    derives_kv_heads: true,
    derives_head_dim: true,
    pad: None,
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &DEFAULTS);
    config.attention_bias = bias_everywhere(fields);
    config.mlp_bias = fields.flag("mlp_bias").unwrap_or(false);
    let intermediate = fields.required_size("intermediate_size");
    uniform(
        &mut config,
        LayerConfig { sliding_window: None, feed_forward: FeedForward::Dense { intermediate } },
    );
    if fields.is_sound() && !config.hidden_size.is_multiple_of(config.num_heads) {
        let (width, heads) = (config.hidden_size, config.num_heads);
        fields.problem(format!(
            "hidden_size {width} is not a multiple of num_attention_heads {heads}; transformers loads no such Llama"
        ));
    }
    config
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    map.insert("mlp_bias".into(), json!(config.mlp_bias));
    if let Some(FeedForward::Dense { intermediate }) = config.layers.first().map(|l| &l.feed_forward) {
        map.insert("intermediate_size".into(), json!(intermediate));
    }
}
