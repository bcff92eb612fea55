//! OLMoE: norms over the whole query and key projections, experts in every layer.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, bias_everywhere, common, router_losses, uniform, write_router_losses};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig, MoeConfig, QkNorm};

pub(super) const FAMILY: Family = Family {
    name: "olmoe",
    architecture: "OlmoeForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

const DEFAULTS: Defaults = Defaults {
    family: "olmoe",
    theta: 10_000.0,
    eps: 1e-5,
    tied: false,
    max_position: 4096,
    derives_kv_heads: true,
    derives_head_dim: true,
    pad: Some(1),
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &DEFAULTS);
    config.attention_bias = bias_everywhere(fields);
    config.qk_norm = QkNorm::WholeProjection;
    config.clip_qkv = fields.positive("clip_qkv");
    router_losses(fields, &mut config, 0.01);
    fields.only("sliding_window", &Value::Null, "OLMoE's attention has no window; remove it");
    if fields.is_sound() && config.head_dim * config.num_heads != config.hidden_size {
        let (d, h) = (config.head_dim, config.num_heads);
        fields.problem(format!(
            "OLMoE's heads fill its width: {h} heads of {d} are not hidden_size {}",
            config.hidden_size
        ));
    }
    let moe = MoeConfig {
        num_experts: fields.required_size_either("num_experts", "num_local_experts"),
        top_k: fields.required_size("num_experts_per_tok"),
        intermediate: fields.required_size("intermediate_size"),
        norm_topk_prob: fields.flag("norm_topk_prob").unwrap_or(false),
    };
    uniform(&mut config, LayerConfig { sliding_window: None, feed_forward: FeedForward::Moe(moe) });
    config
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    map.insert("clip_qkv".into(), json!(config.clip_qkv));
    write_router_losses(config, map);
    if let Some(moe) = config.layers.first().and_then(|l| l.feed_forward.moe()) {
        map.insert("num_experts".into(), json!(moe.num_experts));
        map.insert("num_experts_per_tok".into(), json!(moe.top_k));
        map.insert("intermediate_size".into(), json!(moe.intermediate));
        map.insert("norm_topk_prob".into(), json!(moe.norm_topk_prob));
    }
}
