//! What the `config.json` of each reference case means, and that writing one loses nothing.

use std::path::{Path, PathBuf};

use collegium_model::config::{FeedForward, ModelConfig, ModelError, QkNorm, RopeScaling};
use serde_json::{Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn fixture(name: &str) -> ModelConfig {
    let (config, warnings) = ModelConfig::from_file(&fixtures().join(name)).unwrap();
    assert!(warnings.is_empty(), "{name}: {warnings:?}");
    config
}

fn windows(config: &ModelConfig) -> Vec<Option<usize>> {
    config.layers.iter().map(|l| l.sliding_window).collect()
}

/// Inner width of every layer, and whether it has experts.
fn widths(config: &ModelConfig) -> Vec<(usize, bool)> {
    let width = |l: &FeedForward| match l {
        FeedForward::Dense { intermediate } => (*intermediate, false),
        FeedForward::Moe(moe) => (moe.intermediate, true),
    };
    config.layers.iter().map(|l| width(&l.feed_forward)).collect()
}

/// Every case.
fn all_fixtures() -> Vec<(String, ModelConfig)> {
    let folders = std::fs::read_dir(fixtures()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let read = |path: PathBuf| {
        let (config, _) = ModelConfig::from_file(&path).unwrap();
        (path.display().to_string(), config)
    };
    folders.map(read).collect()
}

#[test]
fn dense_families() {
    let llama = fixture("llama");
    assert_eq!((llama.family, llama.vocab_size, llama.hidden_size, llama.num_layers), ("llama", 256, 64, 2));
    assert_eq!((llama.num_heads, llama.num_kv_heads, llama.head_dim), (4, 2, 16));
    assert_eq!((llama.rms_norm_eps, llama.rope.theta), (1e-6, 10_000.0));
    assert_eq!((llama.bos_token_id, llama.eos_token_id, llama.pad_token_id), (Some(1), Some(2), None));
    assert_eq!((llama.qk_norm, llama.tie_word_embeddings), (QkNorm::None, false));
    assert_eq!(widths(&llama), [(160, false); 2]);

    let qwen3 = fixture("qwen3");
    assert_eq!((qwen3.qk_norm, qwen3.tie_word_embeddings), (QkNorm::PerHead, true));
    assert_eq!(windows(&qwen3), [None, None]);
    assert_eq!(windows(&fixture("qwen3_window")), [None, Some(8)]);

    let scaled = fixture("llama3_rope");
    assert!(scaled.attention_bias.qkv && scaled.attention_bias.output);
    let RopeScaling::Llama3 { factor, original_max_position, .. } = scaled.rope.scaling else {
        panic!("{:?}", scaled.rope)
    };
    assert_eq!((factor, original_max_position), (8.0, 32.0));
}

#[test]
fn families_with_experts() {
    let mixtral = fixture("mixtral");
    let moe = mixtral.layers[1].feed_forward.moe().unwrap();
    assert_eq!((moe.num_experts, moe.top_k, moe.intermediate, moe.norm_topk_prob), (4, 2, 96, true));
    assert_eq!((mixtral.head_dim, mixtral.router_aux_loss_coef), (16, 0.02));
    assert!(mixtral.output_router_logits);
    assert_eq!(windows(&fixture("mixtral_window")), [Some(8); 2]);

    let olmoe = fixture("olmoe_clip");
    assert_eq!((olmoe.qk_norm, olmoe.clip_qkv), (QkNorm::WholeProjection, Some(0.5)));
    assert!(olmoe.layers[0].feed_forward.moe().unwrap().norm_topk_prob && !olmoe.output_router_logits);

    assert_eq!(widths(&fixture("qwen3_moe_mixed")), [(48, false), (16, true), (16, true)]);
    let step = fixture("qwen3_moe_step");
    assert_eq!(widths(&step), [(48, false), (16, true)]);
    assert_eq!(windows(&step), [Some(8); 2]);
}

#[test]
fn the_two_rope_spellings_mean_the_same() {
    let old = fixture("llama_old_spelling");
    assert_eq!(old.rope.scaling, RopeScaling::Linear { factor: 2.0 });
    let mut json = old.to_hf_json();
    let keys = json.as_object_mut().unwrap();
    keys.remove("rope_theta");
    keys.remove("rope_scaling");
    assert_eq!(ModelConfig::from_json(&json, "new").unwrap(), (old.clone(), vec![]));
    let mut json = old.to_hf_json();
    json.as_object_mut().unwrap().remove("rope_parameters");
    assert_eq!(ModelConfig::from_json(&json, "old").unwrap(), (old, vec![]));
}

/// Reference values: `ROPE_INIT_FUNCTIONS` of transformers 5.23, which computes in f32.
#[test]
fn frequencies_are_those_of_transformers() {
    let mut rope = fixture("llama3_rope").rope;
    let close = |got: Vec<f64>, wanted: &[f64]| {
        assert_eq!(got.len(), wanted.len());
        got.iter().zip(wanted).for_each(|(g, w)| assert!((g / w - 1.0).abs() < 5e-7, "{g} is not {w}"));
    };
    rope.theta = 500_000.0;
    rope.scaling = RopeScaling::Llama3 {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position: 8192.0,
    };
    let wanted = [
        1.0,
        0.193922758102417,
        0.03760603070259094,
        0.00729266507551074,
        0.0005248460220173001,
        3.428102354519069e-05,
        6.647869668086059e-06,
        1.289173155782919e-06,
    ];
    close(rope.inv_frequencies(16), &wanted);
    rope.theta = 10_000.0;
    rope.scaling = RopeScaling::Linear { factor: 4.0 };
    close(
        rope.inv_frequencies(8),
        &[0.25, 0.02500000037252903, 0.0024999999441206455, 0.0002500000118743628],
    );
}

#[test]
fn a_written_configuration_reads_back_equal() {
    let cases = all_fixtures();
    assert!(cases.len() >= 12, "{} cases", cases.len());
    for (name, config) in cases {
        let (again, warnings) = ModelConfig::from_json(&config.to_hf_json(), &name).unwrap();
        assert_eq!(again, config, "{name}");
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
    }
}

#[test]
fn what_transformers_derives_is_derived() {
    let json = json!({
        "model_type": "llama", "vocab_size": 10, "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3,
        "intermediate_size": 8, "num_key_value_heads": null, "rope_scaling": {},
    });
    let (config, warnings) = ModelConfig::from_json(&json, "here").unwrap();
    assert_eq!((config.num_kv_heads, config.head_dim, config.rope.theta), (3, 8, 10_000.0));
    assert!(warnings.is_empty(), "{warnings:?}");
    // Without the key OLMoE pads with 1, so that row is left untrained.
    let mut json = fixture("olmoe").to_hf_json();
    json.as_object_mut().unwrap().remove("pad_token_id");
    let (config, warnings) = ModelConfig::from_json(&json, "here").unwrap();
    assert_eq!(config.pad_token_id, Some(1));
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn keys_without_effect_are_told() {
    let mut json = fixture("llama").to_hf_json();
    json["sliding_window"] = json!(16);
    json["nothing_known"] = Value::Null;
    json["eos_token_id"] = json!([2, 5]);
    json["bos_token_id"] = json!(999);
    json["rope_parameters"]["beta_fast"] = json!(32);
    let (config, warnings) = ModelConfig::from_json(&json, "here").unwrap();
    assert_eq!(config.eos_token_id, Some(2));
    let wanted = [
        "rope_parameters.beta_fast = 32 is unknown here and has no effect",
        "eos_token_id = [2,5]: only the first counts here",
        "bos_token_id 999 is beyond the vocabulary of 256",
        "sliding_window = 16 is unknown here and has no effect",
    ];
    assert_eq!(warnings, wanted);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = ModelConfig::from_file(Path::new("/nowhere/config.json")).unwrap_err();
    assert!(matches!(error, ModelError::Read { .. }));
    assert!(error.to_string().starts_with("cannot read /nowhere/config.json: "), "{error}");
}
