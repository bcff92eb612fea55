//! Shape D, the sparse model of the benchmarks, with random weights: vocabulary 8192, width 768, 12 layers, 12 heads, 32 experts of 320, 4 of them for each
//! token.

use std::sync::Arc;
use std::time::Instant;

use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use collegium_serve::{Balance, Event, Handle, Limits, Request, Runner, Stop};
use collegium_train::RandomInit;
use serde_json::json;

/// The model.
pub fn model() -> ModelConfig {
    of_sizes(8192, 768, 64, 320)
}

/// A model of as many layers, heads and experts with so few weights that a step of it takes what steps cost beside weights.
#[allow(dead_code, reason = "one of the benchmarks asks for it")]
pub fn small() -> ModelConfig {
    of_sizes(512, 64, 16, 32)
}

fn of_sizes(vocab: usize, hidden: usize, head_dim: usize, inside: usize) -> ModelConfig {
    let config = json!({
        "model_type": "qwen3_moe", "vocab_size": vocab, "hidden_size": hidden, "num_hidden_layers": 12,
        "num_attention_heads": 12, "num_key_value_heads": 4, "head_dim": head_dim, "num_experts": 32,
        "num_experts_per_tok": 4, "moe_intermediate_size": inside, "intermediate_size": inside, "norm_topk_prob": true,
        "hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
        "tie_word_embeddings": false, "initializer_range": 0.02,
    });
    ModelConfig::from_json(&config, "the benchmark").expect("a model of a known family").0
}

/// An engine whose programs are compiled, and the seconds that took.
#[allow(dead_code, reason = "one of the benchmarks has a say in the runner")]
pub fn engine(
    backend: &Arc<dyn Backend>,
    config: &ModelConfig,
    dtype: DType,
    limits: Limits,
    balance: Balance,
) -> (Handle, f64) {
    let mut runner = runner(backend, config, dtype, limits, balance);
    let compiled = runner.compile_ahead().expect("programs of the engine compile");
    (Handle::start(runner, None, limits).expect("limits that can be"), compiled)
}

/// The model on its device.
pub fn runner(
    backend: &Arc<dyn Backend>,
    config: &ModelConfig,
    dtype: DType,
    limits: Limits,
    balance: Balance,
) -> Runner {
    let init = RandomInit::new(config, 1);
    let value = &mut |name: &str, sizes: &[usize]| init.value(name, sizes);
    let room = (limits.cache_pages, limits.context);
    let runner = Runner::with_balance(backend.clone(), config.clone(), dtype, balance, room, value);
    runner.expect("it fits")
}

const PROMPT: usize = 128;
const NEW: usize = 128;

/// Prompts of `batch` requests and their continuations: tokens per second of the prompts (to the last first token) and of what follows.
#[allow(dead_code, reason = "one of the benchmarks measures otherwise")]
pub fn round(engine: &Handle, batch: usize, seed: u32) -> (f64, f64) {
    let started = Instant::now();
    let request = |row: u32| Request {
        stop: Stop { ignore_eos: true, ..Stop::default() },
        // No prompt of an earlier round is in the cache.
        ..Request::greedy(
            (0..PROMPT as u32).map(|i| (i * 31 + row * 977 + seed * 5003 + batch as u32) % 509).collect(),
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
