//! Qwen3-MoE: Qwen3 attention, experts in the layers that `decoder_sparse_step` and `mlp_only_layers` leave.

use serde_json::{Map, Value, json};

use super::{Defaults, Family, bias_everywhere, common, qwen_window, router_losses, write_router_losses};
use crate::config::{FeedForward, Fields, LayerConfig, ModelConfig, MoeConfig, QkNorm};

pub(super) const FAMILY: Family = Family {
    name: "qwen3_moe",
    architecture: "Qwen3MoeForCausalLM",
    parse,
    write,
    moe_block: "mlp",
    expert_names: ["gate_proj", "up_proj", "down_proj"],
};

const DEFAULTS: Defaults = Defaults {
    family: "qwen3_moe",
    theta: 10_000.0,
    eps: 1e-6,
    tied: false,
    max_position: 32_768,
    derives_kv_heads: false,
    derives_head_dim: true,
    pad: None,
};

fn parse(fields: &mut Fields<'_>) -> ModelConfig {
    let mut config = common(fields, &DEFAULTS);
    config.attention_bias = bias_everywhere(fields);
    config.qk_norm = QkNorm::PerHead;
    router_losses(fields, &mut config, 0.001);
    let moe = MoeConfig {
        num_experts: fields.required_size_either("num_experts", "num_local_experts"),
        top_k: fields.required_size("num_experts_per_tok"),
        intermediate: fields.required_size("moe_intermediate_size"),
        norm_topk_prob: fields.flag("norm_topk_prob").unwrap_or(false),
    };
    let sliding_window = window(fields);
    let is_sparse = sparse_layers(fields, config.num_layers);
    let intermediate = fields.size("intermediate_size");
    if intermediate.is_none() && is_sparse.contains(&false) {
        fields.require("intermediate_size");
    }
    let layer = |sparse| LayerConfig {
        sliding_window,
        feed_forward: match sparse {
            true => FeedForward::Moe(moe.clone()),
            false => FeedForward::Dense { intermediate: intermediate.unwrap_or(1) },
        },
    };
    config.layers = is_sparse.into_iter().map(layer).collect();
    config
}

/// One window for every layer: unlike dense Qwen3, transformers does not heed `max_window_layers` here.
fn window(fields: &mut Fields<'_>) -> Option<usize> {
    let window = qwen_window(fields);
    if let (Some(_), Some(first)) = (window, fields.get("max_window_layers")) {
        fields.warning(format!(
            "max_window_layers = {first} has no effect: Qwen3-MoE has its window in every layer"
        ));
    }
    window
}

/// Which layers have experts.
fn sparse_layers(fields: &mut Fields<'_>, num_layers: usize) -> Vec<bool> {
    let step = fields.size("decoder_sparse_step").unwrap_or(1);
    let dense = fields.sizes("mlp_only_layers").unwrap_or_default();
    if let Some(layer) = dense.iter().find(|&&layer| layer >= num_layers)
        && fields.is_sound()
    {
        fields.problem(format!(
            "mlp_only_layers names layer {layer}, but there are only {num_layers}; remove it"
        ));
    }
    let mut sparse: Vec<bool> = (1..=num_layers).map(|place| place.is_multiple_of(step)).collect();
    for layer in dense {
        sparse.get_mut(layer).into_iter().for_each(|s| *s = false);
    }
    if !sparse.contains(&true) && fields.is_sound() {
        fields.problem(
            "mlp_only_layers and decoder_sparse_step leave no layer with experts; use model_type qwen3"
                .into(),
        );
    }
    sparse
}

fn write(config: &ModelConfig, map: &mut Map<String, Value>) {
    let dense_width = |l: &LayerConfig| match l.feed_forward {
        FeedForward::Dense { intermediate } => Some(intermediate),
        FeedForward::Moe(_) => None,
    };
    let widths: Vec<_> = config.layers.iter().map(dense_width).collect();
    let dense: Vec<usize> = (0..widths.len()).filter(|&i| widths[i].is_some()).collect();
    map.insert("attention_bias".into(), json!(config.attention_bias.qkv));
    map.insert("mlp_only_layers".into(), json!(dense));
    map.insert("decoder_sparse_step".into(), json!(1));
    write_router_losses(config, map);
    if let Some(moe) = config.layers.iter().find_map(|l| l.feed_forward.moe()) {
        map.insert("num_experts".into(), json!(moe.num_experts));
        map.insert("num_experts_per_tok".into(), json!(moe.top_k));
        map.insert("moe_intermediate_size".into(), json!(moe.intermediate));
        map.insert("norm_topk_prob".into(), json!(moe.norm_topk_prob));
        let width = widths.iter().flatten().next();
        map.insert("intermediate_size".into(), json!(width.unwrap_or(&moe.intermediate)));
    }
    let window = config.layers.iter().find_map(|l| l.sliding_window);
    map.insert("use_sliding_window".into(), json!(window.is_some()));
    map.insert("sliding_window".into(), json!(window));
}
