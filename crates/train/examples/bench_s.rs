//! scratch
use collegium_core::DType;
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::ModelConfig;
use collegium_runtime::PjrtBackend;
use collegium_train::{bench, engine::Settings};

fn main() {
    let devices: usize = std::env::args().nth(1).map_or(1, |a| a.parse().unwrap());
    let res = match std::env::args().nth(2).as_deref() {
        Some("all") => Residuals::Everything,
        Some("none") => Residuals::Recompute,
        _ => Residuals::Dots,
    };
    let json = serde_json::json!({"model_type":"qwen3_moe","vocab_size":4096,"hidden_size":256,"num_hidden_layers":4,"num_attention_heads":8,"num_key_value_heads":4,"head_dim":32,"num_experts":16,"num_experts_per_tok":2,"moe_intermediate_size":512,"norm_topk_prob":true});
    let config = ModelConfig::from_json(&json, "s").unwrap().0;
    let backend = Arc::new(
        PjrtBackend::open(std::path::Path::new(&std::env::var("COLLEGIUM_CPU_PLUGIN").unwrap()), devices)
            .unwrap(),
    );
    let s = Settings { dtype: DType::F32, residuals: res, batch: 16 / devices, seq: 256 };
    let b = bench::train_steps(
        backend,
        config,
        Mesh::new(&[("data", 1), ("expert", devices)]),
        s,
        5,
        &mut |i, t| println!("step {i}: {t:.0} tokens/s"),
    )
    .unwrap();
    println!("{b:#?}");
}
