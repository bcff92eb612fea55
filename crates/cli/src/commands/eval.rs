//! `collegium eval`.

use std::process::ExitCode;
use std::sync::Arc;

use collegium_data::corpus::CorpusConfig;
use collegium_data::{Batch, SequentialBatches, Sources, TokenFile};
use collegium_train::{Sampler, solve};
use serde_json::json;

use super::{Outcome, checkpoint, print_json};
use crate::args::EvalArgs;

/// Runs the command.
pub fn run(args: &EvalArgs) -> Outcome {
    let folder = checkpoint::folder(&args.checkpoint)?;
    if args.data.is_empty() { problems(args, &folder) } else { perplexity(args, &folder) }
}

fn perplexity(args: &EvalArgs, folder: &std::path::Path) -> Outcome {
    let tokenizer = checkpoint::tokenizer(folder)?;
    let sources = Sources::find(&args.data, &args.field)?;
    let cache = std::env::temp_dir().join(format!("collegium-eval-{}", std::process::id()));
    let file = Arc::new(TokenFile::prepare(&sources, &tokenizer, &cache, &mut |_| {})?);
    let mut engine = checkpoint::engine(folder, &args.device, args.batch, args.seq)?;
    let (mut sum, mut count, mut tokens) = (0.0, 0, 0);
    for batch in SequentialBatches::new(file.all(), args.batch, args.seq)? {
        let batch: Batch = batch?;
        sum += engine.loss_sum(&batch)?;
        count += batch.num_targets();
        tokens += batch.tokens.len();
    }
    std::fs::remove_dir_all(&cache).ok();
    let loss = sum / count.max(1) as f64;
    if args.json {
        print_json(
            &json!({ "loss": loss, "perplexity": loss.exp(), "predictions": count, "tokens": tokens }),
        )?;
    } else {
        println!("loss {loss:.4}  perplexity {:.3}  over {count} predictions", loss.exp());
    }
    Ok(ExitCode::SUCCESS)
}

fn problems(args: &EvalArgs, folder: &std::path::Path) -> Outcome {
    let tokenizer = checkpoint::tokenizer(folder)?;
    let problems = CorpusConfig::default().fresh_problems(args.problems)?;
    let mut engine = checkpoint::engine(folder, &args.device, args.device.devices, args.seq)?;
    let shares = solve::solve(&mut engine, &tokenizer, &problems, &mut Sampler::greedy())?;
    if args.json {
        print_json(&json!({ "tasks": shares }))?;
    } else {
        println!("{}", solve::table(&shares));
    }
    Ok(ExitCode::SUCCESS)
}
