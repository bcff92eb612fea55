//! Tokens per second of the engine on a sparse model with random weights (vocabulary 8192, width 768, 12 layers, 12 heads, 32 experts
//! of 320, 4 of them for each token), beside what reading its weights at this machine's rate would allow. The rate is measured in the same run.
//!
//!     cargo bench -p collegium-serve --bench engine [-- --json] [--only f32|bf16|i8] [--batch N]

use std::sync::Arc;
use std::time::Instant;

use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use collegium_serve::bytes::weight_bytes_of_step;
use collegium_serve::{Event, Handle, Limits, Request, Runner, Stop, memory_read_rate};
use collegium_train::{RandomInit, setup};
use serde_json::json;

const PROMPT: usize = 128;
const NEW: usize = 128;
const CONTEXT: usize = 320;

fn model() -> ModelConfig {
    let config = json!({
        "model_type": "qwen3_moe", "vocab_size": 8192, "hidden_size": 768, "num_hidden_layers": 12,
        "num_attention_heads": 12, "num_key_value_heads": 4, "head_dim": 64, "num_experts": 32,
        "num_experts_per_tok": 4, "moe_intermediate_size": 320, "intermediate_size": 320, "norm_topk_prob": true,
        "hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
        "tie_word_embeddings": false, "initializer_range": 0.02,
    });
    ModelConfig::from_json(&config, "the benchmark").expect("a model of a known family").0
}

fn main() {
    let as_json = std::env::args().any(|a| a == "--json");
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let rate = memory_read_rate();
    let config = model();
    if !as_json {
        println!("memory is read at {:.1} GB/s", rate / 1e9);
        println!(
            "{:>5} {:>6} {:>14} {:>14} {:>16}",
            "dtype", "batch", "prefill tok/s", "decode tok/s", "of the read rate"
        );
    }
    let options: Vec<String> = std::env::args().collect();
    let option = |name| options.iter().position(|o| o == name).and_then(|at| options.get(at + 1));
    let only = option("--only");
    let batches = option("--batch").and_then(|n| n.parse().ok()).map_or(vec![1, 8], |n: usize| vec![n]);
    for dtype in [DType::F32, DType::Bf16, DType::I8] {
        if only.is_some_and(|name| !format!("{dtype:?}").eq_ignore_ascii_case(name)) {
            continue;
        }
        let (engine, compiled) = engine(&backend, &config, dtype);
        if !as_json {
            println!("{dtype:?}: programs compiled in {compiled:.1} s");
        }
        for &batch in &batches {
            // The first round warms up.
            round(&engine, batch, 0);
            let (prefill, decode) = round(&engine, batch, 1);
            let share = decode / batch as f64 * weight_bytes_of_step(&config, dtype, batch) / rate;
            if as_json {
                let line = json!({"dtype": format!("{dtype:?}"), "batch": batch, "prefill_tokens_per_second": prefill,
                    "decode_tokens_per_second": decode, "read_rate_bytes_per_second": rate, "share_of_read_rate": share});
                println!("{line}");
            } else {
                let share = format!("{:.0} %", 100.0 * share);
                println!("{:>5} {batch:>6} {prefill:>14.0} {decode:>14.1} {share:>16}", format!("{dtype:?}"));
            }
        }
    }
}

/// An engine whose programs are compiled, and the seconds that took.
fn engine(backend: &Arc<dyn Backend>, config: &ModelConfig, dtype: DType) -> (Handle, f64) {
    let limits = Limits::new(9, CONTEXT);
    let init = RandomInit::new(config, 1);
    let value = &mut |name: &str, sizes: &[usize]| init.value(name, sizes);
    let room = (limits.cache_pages, limits.context);
    let mut runner = Runner::new(backend.clone(), config.clone(), dtype, room, value).expect("it fits");
    let compiled = runner.compile_ahead().expect("programs of the engine compile");
    (Handle::start(runner, None, limits).expect("limits that can be"), compiled)
}

/// Prompts of `batch` requests and their continuations: tokens per second of the prompts (to the last first token) and of what follows.
fn round(engine: &Handle, batch: usize, seed: u32) -> (f64, f64) {
    let started = Instant::now();
    let request = |row: u32| Request {
        stop: Stop { ignore_eos: true, ..Stop::default() },
        // No prompt of an earlier round is in the cache.
        ..Request::greedy(
            (0..PROMPT as u32).map(|i| (i * 31 + row * 977 + seed * 5003 + batch as u32) % 8000).collect(),
            NEW,
        )
    };
    let mut all: Vec<_> =
        (0..batch as u32).map(|row| engine.submit(request(row)).expect("it fits")).collect();
    let first = |events: &mut tokio::sync::mpsc::UnboundedReceiver<Event>| {
        assert!(matches!(events.blocking_recv(), Some(Event::Token(_))), "a token comes first");
    };
    all.iter_mut().for_each(first);
    let prefill = started.elapsed().as_secs_f64();
    // Of several sequences the first decode while the last prompts are read: those tokens are not counted.
    let mut before = 0;
    let mut after = 0;
    for events in &mut all {
        while events.try_recv().is_ok() {
            before += 1;
        }
    }
    for mut events in all {
        while let Some(event) = events.blocking_recv() {
            after += usize::from(matches!(event, Event::Token(_)));
        }
    }
    assert!(before + after + 2 * batch >= batch * NEW, "every token was heard");
    let decode = started.elapsed().as_secs_f64() - prefill;
    ((batch * PROMPT) as f64 / prefill, after as f64 / decode)
}
