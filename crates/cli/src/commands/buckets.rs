//! `collegium buckets`.

use std::process::ExitCode;

use anyhow::Context;
use collegium_train::BUCKETS_FILE;
use collegium_train::engine::BucketUse;

use super::{Outcome, print_json};
use crate::args::BucketsArgs;

/// Runs the command.
pub fn run(args: &BucketsArgs) -> Outcome {
    let path = args.run.join(BUCKETS_FILE);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}; give the folder of a run that has ended or was stopped", path.display())
    })?;
    let buckets: Vec<BucketUse> =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    if args.json {
        print_json(&serde_json::json!({ "buckets": buckets }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let hits: u64 = buckets.iter().map(|b| b.hits).sum();
    println!(
        "{:>8}{:>7}{:>11}{:>8}{:>12}{:>10}{:>10}{:>8}",
        "experts", "slots", "rows/pair", "blocks", "block rows", "memory MB", "hits", "share"
    );
    for b in &buckets {
        println!(
            "{:>8}{:>7}{:>11}{:>8}{:>12}{:>10.1}{:>10}{:>7.1}%",
            b.experts,
            b.slots,
            b.rows_per_pair,
            b.blocks,
            b.block_rows,
            b.bytes as f64 / 1e6,
            b.hits,
            100.0 * b.hits as f64 / hits.max(1) as f64
        );
    }
    Ok(ExitCode::SUCCESS)
}
