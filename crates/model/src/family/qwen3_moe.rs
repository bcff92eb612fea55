//! Qwen3-MoE: Qwen3 attention, experts in the layers that `decoder_sparse_step` and `mlp_only_layers` leave.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, bias_everywhere, common, qwen_windows, write_qwen_windows};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig, MoeConfig, QkNorm};

pub(super) const FAMILY: Family = Family {
    name: "qwen3_moe",
    architecture: "Qwen3MoeForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config =
        common(fields, &Defaults { family: "qwen3_moe", theta: 10_000.0, eps: 1e-6, tied: false });
    config.attention_bias = bias_everywhere(fields);
    config.qk_norm = QkNorm::PerHead;
    config.router_aux_loss_coef = fields.number("router_aux_loss_coef").unwrap_or(0.001);
    let intermediate = fields.size("intermediate_size").unwrap_or(0);
    let moe = MoeConfig {
        num_experts: fields.size("num_experts").or_else(|| fields.size("num_local_experts")).unwrap_or(0),
        top_k: fields.size("num_experts_per_tok").unwrap_or(8),
        intermediate: fields.size("moe_intermediate_size").unwrap_or(0),
        norm_topk_prob: fields.flag("norm_topk_prob").unwrap_or(false),
    };
    let step = fields.size("decoder_sparse_step").unwrap_or(1).max(1);
    let dense_layers = dense_layers(fields);
    let windows = qwen_windows(fields, config.num_layers);
    for (index, sliding_window) in windows.into_iter().enumerate() {
        let sparse =
            !dense_layers.contains(&index) && moe.num_experts > 0 && (index + 1).is_multiple_of(step);
        let feed_forward =
            if sparse { FeedForward::Moe(moe.clone()) } else { FeedForward::Dense { intermediate } };
        config.layers.push(LayerConfig { sliding_window, feed_forward });
    }
    if intermediate == 0 && config.layers.iter().any(|l| l.feed_forward.moe().is_none()) {
        fields.problem("intermediate_size is missing or 0, but some layers are dense (mlp_only_layers, decoder_sparse_step)".into());
    }
    config
}

fn dense_layers(fields: &mut Fields<'_>) -> Vec<usize> {
    let Some(value) = fields.get("mlp_only_layers") else { return Vec::new() };
    let list: Option<Vec<usize>> =
        value.as_array().and_then(|l| l.iter().map(|v| v.as_u64().map(|n| n as usize)).collect());
    list.unwrap_or_else(|| {
        fields.problem(format!("mlp_only_layers is {value}; it must be a list of layer numbers"));
        Vec::new()
    })
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    let dense = |l: &LayerConfig| l.feed_forward.moe().is_none();
    let only: Vec<usize> =
        config.layers.iter().enumerate().filter(|(_, l)| dense(l)).map(|(i, _)| i).collect();
    let width = config.layers.iter().find_map(|l| match l.feed_forward {
        FeedForward::Dense { intermediate } => Some(intermediate),
        FeedForward::Moe(_) => None,
    });
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    map.insert("mlp_only_layers".into(), json!(only));
    map.insert("decoder_sparse_step".into(), json!(1));
    map.insert("router_aux_loss_coef".into(), json!(config.router_aux_loss_coef));
    if let Some(moe) = config.layers.iter().find_map(|l| l.feed_forward.moe()) {
        map.insert("intermediate_size".into(), json!(width.unwrap_or(moe.intermediate)));
        map.insert("num_experts".into(), json!(moe.num_experts));
        map.insert("num_experts_per_tok".into(), json!(moe.top_k));
        map.insert("moe_intermediate_size".into(), json!(moe.intermediate));
        map.insert("norm_topk_prob".into(), json!(moe.norm_topk_prob));
    }
    write_qwen_windows(config, map);
}
