//! `collegium generate`.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use collegium_api::Defaults;
use collegium_serve::{Event, Limits, Request, Sampling, Stop};
use serde_json::json;

use super::checkpoint::Model;
use super::{Outcome, print_json, service};
use crate::args::GenerateArgs;

/// One continuation.
#[derive(Default)]
struct Sample {
    text: String,
    tokens: Vec<u32>,
}

/// Runs the command: the text of a single sample appears as it is made.
pub fn run(args: &GenerateArgs) -> Outcome {
    check(args)?;
    let model = Model::open(&args.checkpoint)?;
    let tokenizer = Arc::new(model.tokenizer.clone());
    let prompt = tokenizer.encode(&args.prompt)?;
    // One request, so the cache has room for just this.
    let limits = Limits::new(args.n, prompt.len() + args.max_tokens);
    let limits = Limits { samples: args.n, ..limits };
    let engine = service::engine_of(&model, &tokenizer, &args.engine, (limits, service::Ahead::None))?;
    let request = Request {
        n: args.n,
        sampling: Sampling {
            temperature: args.temperature,
            top_p: args.top_p,
            top_k: args.top_k,
            seed: args.seed,
            ..Sampling::default()
        },
        stop: Stop { tokens: Defaults::from_folder(&model.folder).ends, ..Stop::default() },
        ..Request::greedy(prompt, args.max_tokens)
    };
    let show = !args.json && args.n == 1;
    if show {
        print!("{}", args.prompt);
    }
    let started = Instant::now();
    let mut events = engine.submit(request)?;
    let mut samples: Vec<Sample> = (0..args.n).map(|_| Sample::default()).collect();
    let mut left = args.n;
    while left > 0 {
        let (sample, text) = match events.blocking_recv() {
            Some(Event::Token(token)) => {
                samples[token.sample].tokens.push(token.scored.id);
                (token.sample, token.text)
            }
            // Nobody asked for the prompt's log-probabilities.
            Some(Event::Prompt(_)) => continue,
            Some(Event::Finished { sample, text, .. }) => {
                left -= 1;
                (sample, text)
            }
            Some(Event::Failed(why)) => anyhow::bail!("{why}"),
            None => anyhow::bail!("the engine ended before the text did"),
        };
        samples[sample].text += &text;
        if show {
            print!("{text}");
            std::io::stdout().flush().ok();
        }
    }
    tell_samples(args, &samples, started.elapsed().as_secs_f64())?;
    Ok(ExitCode::SUCCESS)
}

fn check(args: &GenerateArgs) -> anyhow::Result<()> {
    if !(args.temperature.is_finite() && args.temperature >= 0.0) {
        anyhow::bail!("--temperature {} must be 0 or more", args.temperature);
    }
    if !(args.top_p > 0.0 && args.top_p <= 1.0) {
        anyhow::bail!("--top-p {} must be above 0 and at most 1", args.top_p);
    }
    for (name, given) in [("-n", args.n), ("--max-tokens", args.max_tokens)] {
        if !(1..=1 << 20).contains(&given) {
            anyhow::bail!("{name} is {given}; give a number from 1 to {}", 1 << 20);
        }
    }
    if args.prompt.is_empty() {
        anyhow::bail!("the prompt is empty; give --prompt some text");
    }
    Ok(())
}

fn tell_samples(args: &GenerateArgs, samples: &[Sample], seconds: f64) -> anyhow::Result<()> {
    if args.json {
        let all: Vec<_> = samples.iter().map(|s| json!({"text": s.text, "tokens": s.tokens})).collect();
        return print_json(&json!({
            "prompt": args.prompt, "text": samples[0].text, "tokens": samples[0].tokens, "samples": all, "seconds": seconds
        }));
    }
    if args.n == 1 {
        println!();
        return Ok(());
    }
    for (number, sample) in samples.iter().enumerate() {
        println!("--- {}\n{}{}", number + 1, args.prompt, sample.text);
    }
    Ok(())
}
