//! Mixtral: experts in every layer, weights of the chosen ones renormalised.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, common, router_losses, uniform, write_router_losses};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig, MoeConfig};

pub(super) const FAMILY: Family = Family {
    name: "mixtral",
    architecture: "MixtralForCausalLM",
    parse,
    write,
    moe_block: "block_sparse_moe",
    expert_names: ["w1", "w3", "w2"],
};

const DEFAULTS: Defaults = Defaults {
    family: "mixtral",
    theta: 1e6,
    eps: 1e-5,
    tied: false,
    max_position: 131072,
    derives_kv_heads: false,
    derives_head_dim: true,
    pad: None,
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &DEFAULTS);
    fields.only("router_jitter_noise", &0.0.into(), "the router here adds no noise; set it to 0");
    fields.only("attention_bias", &json!(false), "Mixtral's attention has no bias");
    router_losses(fields, &mut config, 0.001);
    let moe = MoeConfig {
        num_experts: fields.required_size_either("num_local_experts", "num_experts"),
        top_k: fields.required_size("num_experts_per_tok"),
        intermediate: fields.required_size("intermediate_size"),
        norm_topk_prob: true,
    };
    let sliding_window = fields.size("sliding_window");
    uniform(&mut config, LayerConfig { sliding_window, feed_forward: FeedForward::Moe(moe) });
    config
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    write_router_losses(config, map);
    map.insert("sliding_window".into(), json!(config.layers.first().and_then(|l| l.sliding_window)));
    if let Some(moe) = config.layers.first().and_then(|l| l.feed_forward.moe()) {
        map.insert("num_local_experts".into(), json!(moe.num_experts));
        map.insert("num_experts_per_tok".into(), json!(moe.top_k));
        map.insert("intermediate_size".into(), json!(moe.intermediate));
    }
}
