//! Shape D, the sparse model of the benchmarks, with random weights: vocabulary 8192, width 768, 12 layers, 12 heads, 32 experts of 320, 4 of them for each
//! token.

use std::sync::Arc;

use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use collegium_serve::{Handle, Limits, Runner};
use collegium_train::RandomInit;
use serde_json::json;

/// The model.
pub fn model() -> ModelConfig {
    let config = json!({
        "model_type": "qwen3_moe", "vocab_size": 8192, "hidden_size": 768, "num_hidden_layers": 12,
        "num_attention_heads": 12, "num_key_value_heads": 4, "head_dim": 64, "num_experts": 32,
        "num_experts_per_tok": 4, "moe_intermediate_size": 320, "intermediate_size": 320, "norm_topk_prob": true,
        "hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
        "tie_word_embeddings": false, "initializer_range": 0.02,
    });
    ModelConfig::from_json(&config, "the benchmark").expect("a model of a known family").0
}

/// An engine whose programs are compiled, and the seconds that took.
pub fn engine(
    backend: &Arc<dyn Backend>,
    config: &ModelConfig,
    dtype: DType,
    limits: Limits,
) -> (Handle, f64) {
    let init = RandomInit::new(config, 1);
    let value = &mut |name: &str, sizes: &[usize]| init.value(name, sizes);
    let room = (limits.cache_pages, limits.context);
    let mut runner = Runner::new(backend.clone(), config.clone(), dtype, room, value).expect("it fits");
    let compiled = runner.compile_ahead().expect("programs of the engine compile");
    (Handle::start(runner, None, limits).expect("limits that can be"), compiled)
}
