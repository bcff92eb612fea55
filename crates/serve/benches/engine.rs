//! Tokens per second of the engine on a sparse model with random weights (vocabulary 8192, width 768, 12 layers, 12 heads, 32 experts
//! of 320, 4 of them for each token), beside what reading its weights at this machine's rate would allow. The rate is measured in the same run.
//!
//!     cargo bench -p collegium-serve --bench engine [-- --json] [--only f32|bf16|i8] [--batch N] [--rounds N] [--small]
//!
//! With `--small` the weights are few ([`shape::small`]): the decode rate's inverse is what a step costs beside them.
//! Of several rounds the fastest prompts and the fastest decoding count: where others work on the machine, they slow some of them.

mod shape;

use collegium_core::DType;
use collegium_serve::bytes::weight_bytes_of_step;
use collegium_serve::{Balance, Limits, MOST_ROWS, memory_read_rate};
use collegium_train::setup;
use serde_json::json;

const CONTEXT: usize = 320;

fn main() {
    let as_json = std::env::args().any(|a| a == "--json");
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let rate = memory_read_rate();
    let config = if std::env::args().any(|a| a == "--small") { shape::small() } else { shape::model() };
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
    let rounds = option("--rounds").and_then(|n| n.parse().ok()).unwrap_or(1);
    let batches = option("--batch").and_then(|n| n.parse().ok()).map_or(vec![1, 8], |n: usize| vec![n]);
    for dtype in [DType::F32, DType::Bf16, DType::I8] {
        if only.is_some_and(|name| !format!("{dtype:?}").eq_ignore_ascii_case(name)) {
            continue;
        }
        // No guesses: random weights soon repeat themselves, which says nothing of other texts.
        let limits = Limits { drafts: 0, ..Limits::new(MOST_ROWS, CONTEXT) };
        let (engine, compiled) = shape::engine(&backend, &config, dtype, limits, Balance::default());
        if !as_json {
            println!("{dtype:?}: programs compiled in {compiled:.1} s");
        }
        for &batch in &batches {
            // The first round warms up.
            shape::round(&engine, batch, 0);
            let found = (1..=rounds).map(|seed| shape::round(&engine, batch, seed));
            let (prefill, decode) =
                found.fold((0f64, 0f64), |most, own| (most.0.max(own.0), most.1.max(own.1)));
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
