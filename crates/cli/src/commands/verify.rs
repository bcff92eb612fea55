//! `collegium verify`.

use std::process::ExitCode;

use anyhow::Context;
use collegium_train::verify;
use serde_json::json;

use super::{Outcome, checkpoint, print_json};
use crate::args::VerifyArgs;

/// Runs the command; exit code 1 where a case is beyond the limits.
pub fn run(args: &VerifyArgs) -> Outcome {
    let dtype = super::dtype(&args.dtype)?;
    let backend = checkpoint::backend(&args.device)?;
    let mut results = Vec::new();
    if !args.json {
        println!(
            "{:<28}{:>14}{:>14}{:>14}{:>14}  worst gradient",
            "case", "logits (abs)", "ce loss", "loss", "gradients"
        );
    }
    for case in &args.cases {
        let found = verify::verify(case, backend.clone(), dtype)
            .with_context(|| format!("cannot verify {}", case.display()))?;
        if !args.json {
            let name =
                case.file_name().map_or_else(|| found.case.clone(), |n| n.to_string_lossy().into_owned());
            println!(
                "{name:<28}{:>14.2e}{:>14.2e}{:>14.2e}{:>14.2e}  {}{}",
                found.max_logit_error,
                found.ce_loss_error,
                found.loss_error,
                found.max_gradient_error,
                found.worst_gradient,
                if found.passed { "" } else { "  FAILED" }
            );
        }
        results.push(found);
    }
    let passed = results.iter().all(|r| r.passed);
    if args.json {
        let limits = verify::Limits::of(dtype);
        print_json(&json!({ "passed": passed, "dtype": args.dtype, "limits": limits, "cases": results }))?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
