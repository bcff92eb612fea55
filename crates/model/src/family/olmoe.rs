//! OLMoE: norms over the whole query and key projections, experts in every layer.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, common, uniform};
use crate::config::{AttentionBias, FeedForward, Fields, LayerConfig, ModelConfig, MoeConfig, QkNorm};

pub(super) const FAMILY: Family = Family {
    name: "olmoe",
    architecture: "OlmoeForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &Defaults { family: "olmoe", theta: 10_000.0, eps: 1e-5, tied: false });
    let bias = fields.flag("attention_bias").unwrap_or(false);
    config.attention_bias = AttentionBias { qkv: bias, output: bias };
    config.qk_norm = QkNorm::WholeProjection;
    config.clip_qkv = fields.number("clip_qkv");
    config.router_aux_loss_coef = fields.number("router_aux_loss_coef").unwrap_or(0.01);
    if config.head_dim * config.num_heads != config.hidden_size {
        let (d, h) = (config.head_dim, config.num_heads);
        fields.problem(format!(
            "OLMoE's heads fill its width: {h} heads of {d} are not hidden_size {}",
            config.hidden_size
        ));
    }
    let moe = MoeConfig {
        num_experts: fields.size("num_experts").or_else(|| fields.size("num_local_experts")).unwrap_or(64),
        top_k: fields.size("num_experts_per_tok").unwrap_or(8),
        intermediate: fields.required_size("intermediate_size"),
        norm_topk_prob: fields.flag("norm_topk_prob").unwrap_or(false),
    };
    uniform(&mut config, LayerConfig { sliding_window: None, feed_forward: FeedForward::Moe(moe) });
    config
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    map.insert("clip_qkv".into(), json!(config.clip_qkv));
    map.insert("router_aux_loss_coef".into(), json!(config.router_aux_loss_coef));
    if let Some(moe) = config.layers.first().and_then(|l| l.feed_forward.moe()) {
        map.insert("num_experts".into(), json!(moe.num_experts));
        map.insert("num_experts_per_tok".into(), json!(moe.top_k));
        map.insert("intermediate_size".into(), json!(moe.intermediate));
        map.insert("norm_topk_prob".into(), json!(moe.norm_topk_prob));
    }
}
