//! The inventory of parameters against the tensors of real checkpoints, and the counts made from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use collegium_model::config::ModelConfig;
use collegium_model::params::{GroupKey, Init, groups};
use serde_json::{Map, Value, json};

type Shapes = BTreeMap<String, Vec<usize>>;

/// Every case.
fn fixtures() -> Vec<(PathBuf, ModelConfig)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let folders = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let read = |path: PathBuf| {
        let (config, _) = ModelConfig::from_file(&path).unwrap();
        (path, config)
    };
    folders.map(read).collect()
}

/// Names and shapes in the headers of a folder's checkpoint files.
fn shapes_on_disk(folder: &Path) -> Shapes {
    let mut shapes = Shapes::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("model") || !name.ends_with(".safetensors") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        for (name, entry) in header.iter().filter(|(name, _)| *name != "__metadata__") {
            let sizes = serde_json::from_value(entry["shape"].clone()).unwrap();
            assert!(shapes.insert(name.clone(), sizes).is_none(), "{name} twice");
        }
    }
    shapes
}

/// Names and shapes as the inventory has them.
fn shapes_of(config: &ModelConfig) -> Shapes {
    let mut shapes = Shapes::new();
    for group in groups(config) {
        for expert in 0..group.experts.unwrap_or(1) {
            for param in &group.params {
                assert!(
                    shapes.insert(param.name_of(expert), param.sizes.clone()).is_none(),
                    "{}",
                    param.name
                );
            }
        }
    }
    shapes
}

#[test]
fn the_inventory_is_what_checkpoints_hold() {
    let cases = fixtures();
    assert!(cases.len() >= 12);
    for (folder, config) in cases {
        let on_disk = shapes_on_disk(&folder);
        assert_eq!(shapes_of(&config), on_disk, "{}", folder.display());
        let elements: usize = on_disk.values().map(|sizes| sizes.iter().product::<usize>()).sum();
        assert_eq!(config.num_parameters(), elements as u64, "{}", folder.display());
    }
}

#[test]
fn what_decays_comes_first_and_matrices_decay() {
    for (_, config) in fixtures() {
        for group in groups(&config) {
            assert!(group.params.is_sorted_by_key(|p| !p.decay), "{:?}", group.key);
            for param in &group.params {
                assert_eq!(param.decay, param.sizes.len() == 2, "{}", param.name);
                let init = match (param.decay, param.name.ends_with("bias")) {
                    (true, _) => Init::Normal { std: 0.02 },
                    (false, true) => Init::Zeros,
                    (false, false) => Init::Ones,
                };
                assert_eq!(param.init, init, "{}", param.name);
            }
        }
    }
}

#[test]
fn groups_come_in_the_order_of_the_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/qwen3_moe_mixed");
    let keys: Vec<GroupKey> =
        groups(&ModelConfig::from_file(&folder).unwrap().0).iter().map(|g| g.key).collect();
    use GroupKey::{Embed, Experts, Head, Layer};
    assert_eq!(keys, [Embed, Layer(0), Layer(1), Experts(1), Layer(2), Experts(2), Head]);
}

/// Published totals: Mixtral-8x7B 46.7 billion with 12.9 active, OLMoE-1B-7B 6.92 with 1.28, Qwen3-30B-A3B 30.5 with 3.3. The
/// active ones count the embedding, which `num_active_parameters` leaves out.
#[test]
fn counts_are_the_published_ones() {
    let mixtral = json!({
        "model_type": "mixtral", "vocab_size": 32000, "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "num_local_experts": 8,
        "num_experts_per_tok": 2,
    });
    let olmoe = json!({
        "model_type": "olmoe", "vocab_size": 50304, "hidden_size": 2048, "num_hidden_layers": 16,
        "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 1024, "num_experts": 64,
        "num_experts_per_tok": 8,
    });
    let qwen = json!({
        "model_type": "qwen3_moe", "vocab_size": 151936, "hidden_size": 2048, "num_hidden_layers": 48,
        "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "moe_intermediate_size": 768,
        "num_experts": 128, "num_experts_per_tok": 8, "max_window_layers": 48,
    });
    for (json, total, active) in [
        (mixtral, 46_702_792_704, 12_879_925_248),
        (olmoe, 6_919_161_856, 1_282_017_280),
        (qwen, 30_532_122_624, 3_353_032_704),
    ] {
        let config = ModelConfig::from_json(&json, "published").unwrap().0;
        let table = (config.vocab_size * config.hidden_size) as u64;
        assert_eq!(config.num_parameters(), total, "{}", config.family);
        assert_eq!(config.num_active_parameters() + table, active, "{}", config.family);
    }
}
