//! `collegium generate`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use collegium_train::Sampler;
use serde_json::json;

use super::checkpoint::Model;
use super::{Outcome, print_json};
use crate::args::GenerateArgs;

/// Runs the command: the text appears as it is made.
pub fn run(args: &GenerateArgs) -> Outcome {
    if !(args.temperature.is_finite() && args.temperature >= 0.0) {
        anyhow::bail!("--temperature {} must be 0 or more", args.temperature);
    }
    if !(args.top_p > 0.0 && args.top_p <= 1.0) {
        anyhow::bail!("--top-p {} must be above 0 and at most 1", args.top_p);
    }
    let model = Model::open(&args.checkpoint)?;
    let tokenizer = &model.tokenizer;
    let prompt = tokenizer.encode(&args.prompt)?;
    let mut engine = model.engine(&args.device, args.device.devices, 16)?;
    let mut sampler = Sampler::new(args.temperature, args.top_p, args.seed).among(tokenizer.vocab_size());
    let mut decoder = tokenizer.stream_decoder();
    let mut failed = None;
    if !args.json {
        print!("{}", args.prompt);
    }
    let started = Instant::now();
    let stop = Some(tokenizer.end_of_document());
    let new = engine.generate(
        std::slice::from_ref(&prompt),
        args.max_tokens,
        stop,
        &mut sampler,
        &mut |_, token| match decoder.push(token) {
            Ok(text) if !args.json => {
                print!("{text}");
                std::io::stdout().flush().ok();
            }
            Ok(_) => {}
            Err(error) => failed = Some(error),
        },
    )?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if args.json {
        let text = tokenizer.decode(&new[0])?;
        let seconds = started.elapsed().as_secs_f64();
        print_json(&json!({ "prompt": args.prompt, "text": text, "tokens": new[0], "seconds": seconds }))?;
    } else {
        println!("{}", decoder.finish()?);
    }
    Ok(ExitCode::SUCCESS)
}
