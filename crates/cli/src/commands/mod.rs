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

use collegium_balance::{Policy, policy};
use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_model::programs::PAGE;
use collegium_serve::{Balance, Budget, MOST_DEVICES, Types};

use crate::args::EngineArgs;

/// What every command gives.
pub type Outcome = anyhow::Result<ExitCode>;

/// Tells something on the way; that nobody reads it any more must not end a run.
fn tell(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The element type that `--dtype` names.
fn dtype(name: &str) -> anyhow::Result<DType> {
    match name {
        "float32" => Ok(DType::F32),
        "bfloat16" => Ok(DType::Bf16),
        _ => anyhow::bail!("--dtype is `{name}`; use float32 or bfloat16"),
    }
}

/// Element types of a model that is served.
fn serving_types(args: &EngineArgs) -> anyhow::Result<Types> {
    let weights = match args.dtype.as_str() {
        "int8" => DType::I8,
        "float32" | "bfloat16" => dtype(&args.dtype)?,
        other => anyhow::bail!("--dtype is `{other}`; use float32, bfloat16 or int8"),
    };
    let plain = if weights == DType::F32 { "float32" } else { "bfloat16" };
    match args.cache_dtype.as_deref() {
        None => Ok(weights.into()),
        Some("int8") => Ok(Types { weights, int8_cache: true }),
        Some(given) if given == plain => Ok(weights.into()),
        Some(given) => {
            anyhow::bail!("--cache-dtype is `{given}`; beside --dtype {} use int8 or {plain}", args.dtype)
        }
    }
}

/// How much of what sequences write stays in the cache of a model that is served.
fn serving_budget(args: &EngineArgs, config: &ModelConfig) -> anyhow::Result<Option<Budget>> {
    let Some(tokens) = args.cache_budget else { return Ok(None) };
    let required = format!("--cache-budget is {tokens}; give a multiple of {PAGE} from {} on", 2 * PAGE);
    let budget = Budget::new(tokens).map_err(|_| anyhow::Error::msg(required))?;
    budget.check(config, args.devices)?;
    Ok(Some(budget))
}

/// How a model that is served is balanced over its devices.
fn serving_balance(args: &EngineArgs) -> anyhow::Result<Balance> {
    if !(1..=MOST_DEVICES).contains(&args.devices) {
        anyhow::bail!("--devices is {}; give a number from 1 to {MOST_DEVICES}", args.devices);
    }
    // Homes stay while a model is served, so policies of the slow tier alone would do nothing.
    let serves = |policy: &&dyn Policy| policy.plans_micro_batches() || policy.name() == "static";
    let known: Vec<_> = policy::POLICIES.iter().copied().filter(serves).collect();
    match known.iter().find(|policy| policy.name() == args.balance) {
        Some(&policy) => Ok(Balance { policy, ..Balance::default() }),
        None => {
            let names: Vec<_> = known.iter().map(|policy| policy.name()).collect();
            anyhow::bail!("--balance is `{}`; use {}", args.balance, names.join(", "))
        }
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
