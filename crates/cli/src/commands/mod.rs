//! One file a command.

pub mod balance;
pub mod bench;
pub mod buckets;
pub mod chat;
pub mod compare;
pub mod doctor;
pub mod energy;
pub mod eval;
pub mod generate;
pub mod lint;
pub mod plan;
pub mod presets;
pub mod report;
pub mod serve;
pub mod shell;
pub mod tokenize;
pub mod train;
pub mod verify;

mod bench_serve;
mod checkpoint;
mod measure;
mod run_folder;
mod service;

use std::io::Write;
use std::process::ExitCode;

/// What every command gives.
pub type Outcome = anyhow::Result<ExitCode>;

/// Tells something on the way; that nobody reads it any more must not end a run.
fn tell(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The element type that `--dtype` names.
fn dtype(name: &str) -> anyhow::Result<collegium_core::DType> {
    match name {
        "float32" => Ok(collegium_core::DType::F32),
        "bfloat16" => Ok(collegium_core::DType::Bf16),
        _ => anyhow::bail!("--dtype is `{name}`; use float32 or bfloat16"),
    }
}

/// The element type of the weights that `--dtype` names, of an engine that serves.
fn serving_dtype(name: &str) -> anyhow::Result<collegium_core::DType> {
    match name {
        "int8" => Ok(collegium_core::DType::I8),
        "float32" | "bfloat16" => dtype(name),
        _ => anyhow::bail!("--dtype is `{name}`; use float32, bfloat16 or int8"),
    }
}

/// Prints one JSON object.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A line of progress at most every two seconds while text is tokenized.
fn show_tokenizing() -> impl FnMut(collegium_data::Progress) {
    let mut shown = std::time::Instant::now();
    move |p| {
        if shown.elapsed().as_secs() >= 2 {
            let share = 100.0 * p.bytes_done as f64 / p.bytes_total.max(1) as f64;
            tell(format!("tokenizing: {share:.0} %, {} documents, {} tokens", p.documents, p.tokens));
            shown = std::time::Instant::now();
        }
    }
}
