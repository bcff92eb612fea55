//! One configuration for everything that can be wrong with one, and the text users see.

use collegium_model::config::{ModelConfig, ModelError};
use serde_json::{Value, json};

/// A sound model of every family.
fn sound(family: &str) -> Value {
    let mut json = json!({
        "model_type": family, "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 48, "pad_token_id": null,
    });
    if matches!(family, "qwen3_moe" | "mixtral" | "olmoe") {
        json["num_experts"] = json!(6);
        json["num_experts_per_tok"] = json!(2);
    }
    if family == "qwen3_moe" {
        json["moe_intermediate_size"] = json!(16);
    }
    json
}

/// The problems of a sound configuration with some keys changed; null removes.
fn problems(family: &str, changes: Value) -> Vec<String> {
    let mut json = sound(family);
    assert!(ModelConfig::from_json(&json, "here").is_ok(), "{family}");
    let object = json.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => object.remove(key),
            value => object.insert(key.clone(), value.clone()),
        };
    }
    match ModelConfig::from_json(&json, "here") {
        Err(ModelError::Config { problems, .. }) => problems,
        other => panic!("{family} with {changes}: {other:?}"),
    }
}

#[test]
fn sizes_that_cannot_be() {
    for (family, changes, wanted) in [
        (
            "llama",
            json!({"hidden_size": null}),
            "hidden_size is missing; the model cannot be built without it",
        ),
        (
            "llama",
            json!({"num_attention_heads": 0}),
            "num_attention_heads is 0; it must be a whole number from 1 to 2147483647",
        ),
        (
            "llama",
            json!({"vocab_size": "many"}),
            "vocab_size is \"many\"; it must be a whole number from 1 to 2147483647",
        ),
        (
            "llama",
            json!({"num_hidden_layers": 1e12 as u64}),
            "num_hidden_layers is 1000000000000; it must be a whole number from 1 to 65536",
        ),
        (
            "llama",
            json!({"vocab_size": 2147483647, "hidden_size": 2147483640}),
            "these sizes make 9223373039729635560 parameters, more than the 1125899906842624 there can be",
        ),
        (
            "mixtral",
            json!({"num_hidden_layers": 65536, "num_experts": 2147483647, "intermediate_size": 2147483647}),
            "these sizes make 18446744073709551615 parameters",
        ),
        (
            "llama",
            json!({"num_key_value_heads": 3}),
            "num_attention_heads 4 is not a multiple of num_key_value_heads 3; every key-value head serves equally many",
        ),
        (
            "llama",
            json!({"head_dim": 7}),
            "head_dim 7 is odd; the rotary embedding turns pairs, make it even",
        ),
        (
            "mixtral",
            json!({"hidden_size": 30, "head_dim": null}),
            "hidden_size 30 is not a multiple of num_attention_heads 4; give head_dim",
        ),
        (
            "llama",
            json!({"hidden_size": 30}),
            "hidden_size 30 is not a multiple of num_attention_heads 4; transf",
        ),
        (
            "olmoe",
            json!({"head_dim": 16}),
            "OLMoE's heads fill its width: 4 heads of 16 are not hidden_size 32",
        ),
        ("qwen3", json!({"head_dim": null}), "head_dim is missing; the model cannot be built without it"),
        (
            "qwen3",
            json!({"num_key_value_heads": null}),
            "num_key_value_heads is missing; the model cannot be",
        ),
        (
            "llama",
            json!({"pad_token_id": 100}),
            "pad_token_id 100 is beyond the vocabulary of 100; set it to a",
        ),
        ("llama", json!({"rms_norm_eps": 0}), "rms_norm_eps is 0; it must be a number above 0"),
        (
            "llama",
            json!({"initializer_range": -1}),
            "initializer_range is -1; it must be a number, 0 or above",
        ),
        ("olmoe", json!({"clip_qkv": -8}), "clip_qkv is -8; it must be a number above 0"),
    ] {
        only(&problems(family, changes), wanted);
    }
}

#[test]
fn experts_that_cannot_be() {
    for (family, changes, wanted) in [
        (
            "olmoe",
            json!({"num_experts_per_tok": 7}),
            "num_experts_per_tok 7 is more than the 6 experts there are; lower it",
        ),
        (
            "qwen3_moe",
            json!({"num_local_experts": 8}),
            "num_experts is 6 but num_local_experts is 8; they are one thing, keep one",
        ),
        ("mixtral", json!({"num_experts": null}), "num_local_experts is missing; the model cannot be built"),
        ("qwen3_moe", json!({"mlp_only_layers": [2]}), "mlp_only_layers names layer 2, but there are only 2"),
        (
            "qwen3_moe",
            json!({"mlp_only_layers": "all"}),
            "mlp_only_layers is \"all\"; it must be a list of whole",
        ),
        (
            "qwen3_moe",
            json!({"mlp_only_layers": [0], "intermediate_size": null}),
            "intermediate_size is missing",
        ),
        (
            "qwen3_moe",
            json!({"decoder_sparse_step": 3}),
            "mlp_only_layers and decoder_sparse_step leave no layer",
        ),
        (
            "qwen3_moe",
            json!({"decoder_sparse_step": 0}),
            "decoder_sparse_step is 0; it must be a whole number",
        ),
        (
            "mixtral",
            json!({"router_aux_loss_coef": -0.1}),
            "router_aux_loss_coef is -0.1; it must be a number, 0",
        ),
    ] {
        only(&problems(family, changes), wanted);
    }
}

#[test]
fn options_refused_by_name() {
    for (family, changes, wanted) in [
        (
            "llama",
            json!({"hidden_act": "gelu"}),
            "hidden_act = \"gelu\" is not supported; the gated feed-forward here is SwiGLU",
        ),
        (
            "llama",
            json!({"attention_dropout": 0.1}),
            "attention_dropout = 0.1 is not supported; there is no dropout",
        ),
        (
            "llama",
            json!({"partial_rotary_factor": 0.5}),
            "partial_rotary_factor = 0.5 is not supported; heads are",
        ),
        (
            "llama",
            json!({"quantization_config": {"bits": 4}}),
            "quantization_config = {\"bits\":4} is not supported; convert the checkpoint",
        ),
        (
            "mixtral",
            json!({"router_jitter_noise": 0.1}),
            "router_jitter_noise = 0.1 is not supported; the router",
        ),
        ("mixtral", json!({"attention_bias": true}), "attention_bias = true is not supported; Mixtral's"),
        (
            "olmoe",
            json!({"sliding_window": 8}),
            "sliding_window = 8 is not supported; OLMoE's attention has no",
        ),
        (
            "qwen3",
            json!({"layer_types": ["full_attention", "linear_attention"]}),
            "layer_types: \"linear_attention\" is not supported; full_attention and sliding_attention are",
        ),
        (
            "qwen3",
            json!({"layer_types": ["full_attention"]}),
            "layer_types lists 1 layers, num_hidden_layers is 2",
        ),
        (
            "qwen3",
            json!({"layer_types": ["full_attention", "sliding_attention"], "sliding_window": 8}),
            "layer_types has sliding_attention but use_sliding_window is not true; set it",
        ),
        (
            "qwen3",
            json!({"use_sliding_window": true}),
            "use_sliding_window is true but sliding_window is missing",
        ),
        (
            "qwen3",
            json!({"use_sliding_window": true, "sliding_window": 0}),
            "sliding_window is 0; it must be",
        ),
        ("qwen3", json!({"use_sliding_window": 1}), "use_sliding_window is 1; it must be true or false"),
    ] {
        only(&problems(family, changes), wanted);
    }
}

#[test]
fn rope_that_cannot_be() {
    for (changes, wanted) in [
        (
            json!({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}),
            "rope_scaling.rope_type = \"yarn\" is not supported; default, linear and llama3 are",
        ),
        (
            json!({"rope_scaling": {"type": "dynamic", "factor": 4.0}}),
            "rope_scaling.rope_type = \"dynamic\" is not supported",
        ),
        (
            json!({"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4}}),
            "rope_parameters.factor is missing; scaling of type linear needs it",
        ),
        (
            json!({"rope_parameters": {"rope_type": "linear", "factor": -2.0}}),
            "rope_parameters.factor is -2.0; it must be a number above 0",
        ),
        (
            json!({"rope_parameters": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0,
                "high_freq_factor": 1.0, "original_max_position_embeddings": 8192}}),
            "rope_parameters.high_freq_factor is 1; it must be above low_freq_factor, 4",
        ),
        (
            json!({"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}),
            "rope_parameters.partial_rotary_factor = 0.5 is not supported",
        ),
        (
            json!({"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}),
            "rope_parameters differs by kind of layer; only one setting for all layers is supported",
        ),
        (
            json!({"rope_theta": 5e5, "rope_parameters": {"rope_theta": 1e4}}),
            "rope_parameters.rope_theta is 10000 but elsewhere it is 500000; keep one",
        ),
        (
            json!({"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": {"rope_theta": 1e4}}),
            "rope_parameters and rope_scaling contradict each other; keep one",
        ),
        (json!({"rope_theta": 0}), "rope_theta is 0; it must be a number above 0"),
        (json!({"rope_scaling": "linear"}), "rope_scaling is \"linear\"; it must be an object"),
    ] {
        only(&problems("llama", changes), wanted);
    }
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let changes = json!({"hidden_act": "gelu", "vocab_size": null, "num_experts": 0, "rope_theta": "big"});
    let error = problems("mixtral", changes);
    assert_eq!(error.len(), 4, "{error:?}");
    let mut json = sound("llama");
    json["hidden_act"] = json!("relu");
    json["head_dim"] = json!(0);
    let text = ModelConfig::from_json(&json, "runs/x/config.json").unwrap_err().to_string();
    assert_eq!(
        text,
        "runs/x/config.json cannot be used:\n  hidden_act = \"relu\" is not supported; the gated feed-forward here is \
         SwiGLU\n  head_dim is 0; it must be a whole number from 1 to 2147483647"
    );
}

#[test]
fn families_there_are_none_of() {
    let text = |json: Value| ModelConfig::from_json(&json, "here").unwrap_err().to_string();
    let supported = "supported are llama, qwen3, qwen3_moe, mixtral, olmoe";
    assert_eq!(
        text(json!({"model_type": "gpt_oss"})),
        format!("here: model_type \"gpt_oss\" is not yet supported; {supported}")
    );
    assert_eq!(
        text(json!({"model_type": "mamba"})),
        format!("here: model_type \"mamba\" is unknown; {supported}")
    );
    assert!(text(json!({})).starts_with("here is no model configuration: model_type is missing; give"));
    assert!(text(json!({"model_type": 3})).contains("model_type is 3; it must be text"));
    assert!(text(json!([1])).contains("it is no JSON object"));
}

/// Exactly one problem, so that one mistake is one message.
#[track_caller]
fn only(problems: &[String], wanted: &str) {
    assert!(problems.len() == 1 && problems[0].starts_with(wanted), "wanted {wanted:?}, got {problems:?}");
}
