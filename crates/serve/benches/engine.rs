//! Tokens per second of the engine on a sparse model with random weights (vocabulary 8192, width 768, 12 layers, 12 heads, 32 experts
//! of 320, 4 of them for each token), beside what reading its weights at this machine's rate would allow. The rate is measured in the same run.
//!
//!     cargo bench -p collegium-serve --bench engine [-- --json] [--only f32|bf16|i8] [--batch N]

mod shape;

use std::time::Instant;

use collegium_core::DType;
use collegium_serve::bytes::weight_bytes_of_step;
use collegium_serve::{Event, Handle, Limits, MOST_ROWS, Request, Stop, memory_read_rate};
use collegium_train::setup;
use serde_json::json;

const PROMPT: usize = 128;
const NEW: usize = 128;
const CONTEXT: usize = 320;

fn main() {
    let as_json = std::env::args().any(|a| a == "--json");
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let rate = memory_read_rate();
    let config = shape::model();
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
        // No guesses: random weights soon repeat themselves, which says nothing of other texts.
        let limits = Limits { drafts: 0, ..Limits::new(MOST_ROWS, CONTEXT) };
        let (engine, compiled) = shape::engine(&backend, &config, dtype, limits);
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
