//! `collegium eval`.

use std::process::ExitCode;
use std::sync::Arc;

use collegium_data::corpus::CorpusConfig;
use collegium_data::{Batch, SequentialBatches, Sources, TokenFile};
use collegium_train::{Sampler, solve};
use serde_json::json;

use super::checkpoint::Model;
use super::{Outcome, print_json, show_tokenizing};
use crate::args::EvalArgs;

/// Runs the command.
pub fn run(args: &EvalArgs) -> Outcome {
    for (name, value, least) in
        [("--seq", args.seq, 2), ("--batch", args.batch, 1), ("--problems", args.problems, 1)]
    {
        if value < least {
            anyhow::bail!("{name} is {value}; it must be at least {least}");
        }
    }
    let model = Model::open(&args.checkpoint)?;
    if args.data.is_empty() { problems(args, &model) } else { perplexity(args, &model) }
}

fn perplexity(args: &EvalArgs, model: &Model) -> Outcome {
    let sources = Sources::find(&args.data, &args.field)?;
    let cache = tempfile::tempdir()?;
    let file =
        Arc::new(TokenFile::prepare(&sources, &model.tokenizer, cache.path(), &mut show_tokenizing())?);
    let mut engine = model.engine(&args.device, args.batch, args.seq)?;
    let (mut sum, mut count, mut tokens) = (0.0, 0, 0);
    for batch in SequentialBatches::new(file.all(), args.batch, args.seq)? {
        let batch: Batch = batch?;
        sum += engine.loss_sum(&batch)?;
        count += batch.num_targets();
        tokens += batch.tokens.len();
    }
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

fn problems(args: &EvalArgs, model: &Model) -> Outcome {
    let problems = CorpusConfig::default().fresh_problems(args.problems)?;
    let mut engine = model.engine(&args.device, args.device.devices, args.seq)?;
    let mut sampler = Sampler::greedy().among(model.tokenizer.vocab_size());
    let shares = solve::solve(&mut engine, &model.tokenizer, &problems, &mut sampler)?;
    if args.json {
        print_json(&json!({ "tasks": shares }))?;
    } else {
        println!("{}", solve::table(&shares));
    }
    Ok(ExitCode::SUCCESS)
}
