//! What serving a model takes: bytes of its weights, of a token in the cache, and those that a step of decoding reads.

use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_model::params::{self, GroupKey};
use collegium_model::programs::{GroupShape, is_product};

use crate::Types;

/// int8 has two bytes of scale for 32 weights.
const INT8: f64 = 1.0 + 2.0 / 32.0;

/// Bytes of the weights in memory, where weights of products are packed. `dtype` is f32, bf16, or i8 for int8 weights.
pub fn weight_bytes(config: &ModelConfig, dtype: DType) -> f64 {
    let wide = Types::from(dtype).activations().size_bytes() as f64;
    let packed = if dtype == DType::I8 { INT8 } else { wide };
    let mut bytes = 0.0;
    for group in params::groups(config) {
        for (name, sizes) in GroupShape::of(&group).params {
            let elements = sizes.iter().product::<usize>() as f64 * group.experts.unwrap_or(1) as f64;
            bytes += elements * if is_product(&name) { packed } else { wide };
            // The head is a packed copy of the embedding then.
            if group.key == GroupKey::Embed && config.tie_word_embeddings {
                bytes += elements * packed;
            }
        }
    }
    bytes
}

/// Bytes of a token in the cache: keys and values of all layers.
pub fn cache_bytes_per_token(config: &ModelConfig, types: impl Into<Types>) -> usize {
    let types: Types = types.into();
    let cell = |dtype: DType| config.head_dim * dtype.size_bytes();
    let row =
        if types.int8_cache { cell(DType::I8) + DType::F32.size_bytes() } else { cell(types.activations()) };
    2 * config.num_layers * config.num_kv_heads * row
}

/// Bytes of weights that a step of `rows` tokens reads, each expert once. Which experts tokens pick is taken as independent and even, which it about is
/// with random weights; tokens that agree read fewer.
pub fn weight_bytes_of_step(config: &ModelConfig, dtype: DType, rows: usize) -> f64 {
    let experts: f64 = config
        .layers
        .iter()
        .filter_map(|layer| layer.feed_forward.moe())
        .map(|moe| {
            let (all, picked) = (moe.num_experts as f64, moe.top_k as f64);
            let met = all * (1.0 - (1.0 - picked / all).powi(rows as i32));
            (met - picked) * 3.0 * (config.hidden_size * moe.intermediate) as f64
        })
        .sum();
    let each = if dtype == DType::I8 { INT8 } else { dtype.size_bytes() as f64 };
    (config.num_active_parameters() as f64 + experts) * each
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(experts: usize) -> ModelConfig {
        let json = serde_json::json!({
            "model_type": "qwen3_moe", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 16, "num_experts": experts, "num_experts_per_tok": 2, "moe_intermediate_size": 16,
            "intermediate_size": 16, "norm_topk_prob": true, "hidden_act": "silu", "max_position_embeddings": 64,
            "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": false,
        });
        ModelConfig::from_json(&json, "the test").unwrap().0
    }

    #[test]
    fn bytes_follow_from_the_configuration() {
        let config = config(8);
        assert_eq!(cache_bytes_per_token(&config, DType::F32), 2 * 2 * 16 * 4);
        assert_eq!(cache_bytes_per_token(&config, DType::I8), 2 * 2 * 16 * 2);
        let int8 = Types { weights: DType::F32, int8_cache: true };
        assert_eq!(cache_bytes_per_token(&config, int8), 2 * 2 * (16 + 4));
        assert_eq!(weight_bytes(&config, DType::F32), 4.0 * config.num_parameters() as f64);
        let (half, quarter) = (weight_bytes(&config, DType::Bf16), weight_bytes(&config, DType::I8));
        assert!(2.0 * half == weight_bytes(&config, DType::F32) && quarter < half && quarter > 0.5 * half);
        // One token reads its own experts; very many read all.
        let one = weight_bytes_of_step(&config, DType::F32, 1);
        assert_eq!(one, 4.0 * config.num_active_parameters() as f64);
        let experts = 4.0 * (2 * 6 * 3 * 32 * 16) as f64;
        assert!((weight_bytes_of_step(&config, DType::F32, 1000) - one - experts).abs() < 1.0);
    }
}
