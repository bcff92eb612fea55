//! `collegium bench serve`.

use std::process::ExitCode;
use std::time::Duration;

use collegium_api::load::beside::{self, Beside};
use collegium_api::load::{Found, Load, Percentiles, run as put_load};
use collegium_train::bench::resident_bytes;

use super::{Outcome, print_json, service, tell};
use crate::args::{BenchServeArgs, CacheArgs};

/// Runs the command.
pub fn run(args: &BenchServeArgs) -> Outcome {
    check(args)?;
    let mut vocab = args.vocab;
    let is_local = args.url.is_none();
    // Tokens that were guessed come together: there would be no gap to compare with.
    let drafts = if args.beside.is_some() { 0 } else { args.cache.drafts };
    let cache = CacheArgs { drafts, ..args.cache.clone() };
    let (runtime, client) = service::client(args.url.as_deref(), || match &args.checkpoint {
        Some(path) => service::serve_checkpoint(path, None, &args.engine, &cache),
        None => {
            vocab = vocab.max(8192);
            service::serve_random("bench-d", &args.engine, &cache)
        }
    })?;
    let ms = |ms: f64| Duration::from_secs_f64(ms / 1e3);
    let load = Load {
        requests: args.requests,
        concurrency: args.concurrency,
        prompt: args.prompt,
        shared: args.shared,
        distinct: args.distinct,
        mixed: args.mixed,
        cancel: args.cancel,
        new: args.new,
        samples: args.samples,
        vocab,
        first: ms(args.first_ms),
        between: ms(args.between_ms),
        seed: args.seed,
    };
    // Programs compile and caches warm before the clock runs.
    tell("warming up");
    let warm = Load {
        requests: args.concurrency,
        // A stream beside a prompt has lengths of its own.
        prompt: if args.beside.is_some() { 1 } else { args.prompt },
        new: args.new.min(4),
        seed: args.seed ^ 0x5eed,
        shared: 0.0,
        cancel: 0.0,
        ..load.clone()
    };
    runtime.block_on(put_load(&client, &warm, |_| ()))?;
    if let Some(prompt) = args.beside {
        let found = runtime.block_on(beside::run(&client, (prompt, args.new), vocab, args.seed))?;
        runtime.shutdown_background();
        return show_beside(args, prompt, &found);
    }
    let resident = is_local.then(resident_bytes);
    let (requests, tenth) = (args.requests, args.requests.div_ceil(10));
    let found = runtime.block_on(put_load(&client, &load, move |done| {
        if done % tenth == 0 || done == requests {
            tell(format!("{done} of {requests}"));
        }
    }))?;
    if args.json {
        print_json(&found)?;
    } else {
        table(args, &found);
        if let Some(before) = resident {
            let (before, after) = (before as f64 / 1e6, resident_bytes() as f64 / 1e6);
            let line = format!("{after:.0}   ({before:.0} before, {:+.1} %)", 100.0 * (after / before - 1.0));
            println!("{:<26}{line}", "resident MB");
        }
    }
    // An engine in the middle of a step must not hold the process up.
    runtime.shutdown_background();
    Ok(if found.failed + found.mixed_up == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show_beside(args: &BenchServeArgs, prompt: usize, found: &Beside) -> Outcome {
    if args.json {
        print_json(found)?;
    } else {
        let line = |name: &str, value: String| println!("{name:<30}{value}");
        let ratio = found.longest_gap_ms / found.median_gap_ms;
        line("median gap alone, ms", format!("{:.1}", found.median_gap_ms));
        line(
            "longest gap beside, ms",
            format!("{:.1}   ({ratio:.1} times the median)", found.longest_gap_ms),
        );
        line("tokens meanwhile", found.tokens.to_string());
        line("longest gap of as many alone", format!("{:.1}", found.longest_alone_ms));
        line("longest stall of the machine", format!("{:.1}", found.longest_stall_ms));
        line(&format!("prompt of {prompt}, ms"), format!("{:.0}", found.prompt_ms));
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &BenchServeArgs) -> anyhow::Result<()> {
    for (name, given) in [
        ("--requests", args.requests),
        ("--concurrency", args.concurrency),
        ("--prompt", args.prompt),
        ("--new", args.new),
        ("--samples", args.samples),
        ("--vocab", args.vocab as usize),
        ("--beside", args.beside.unwrap_or(1)),
    ] {
        if given == 0 {
            anyhow::bail!("{name} is 0; give at least 1");
        }
    }
    for (name, given) in [("--shared", args.shared), ("--cancel", args.cancel)] {
        if !(0.0..=1.0).contains(&given) {
            anyhow::bail!("{name} {given} is no share; give a number from 0 to 1");
        }
    }
    for (name, given) in [("--first-ms", args.first_ms), ("--between-ms", args.between_ms)] {
        if !(given > 0.0 && given <= 1e9) {
            anyhow::bail!("{name} {given} is no time; give milliseconds above 0");
        }
    }
    Ok(())
}

fn table(args: &BenchServeArgs, found: &Found) {
    let line = |name: &str, value: String| println!("{name:<26}{value}");
    line(
        "requests answered",
        format!("{} of {}", found.answered, found.answered + found.failed + found.cancelled),
    );
    if let Some(why) = &found.failure {
        line("the first failure", why.clone());
    }
    if args.cancel > 0.0 {
        line("cancelled", found.cancelled.to_string());
    }
    if args.distinct > 0 {
        line("differing answers", found.mixed_up.to_string());
    }
    line("seconds", format!("{:.2}", found.seconds));
    line("new tokens/s", format!("{:.1}", found.tokens_per_second));
    let cached = 100.0 * found.cached_share;
    line(
        "prompt tokens/s",
        format!("{:.1}   ({cached:.0} % of them in the cache)", found.prompt_tokens_per_second),
    );
    let times = |p: Percentiles| format!("{:.0} / {:.0} / {:.0}", p.p50, p.p90, p.p99);
    line("ms to first token", format!("{}   (p50 / p90 / p99)", times(found.first_ms)));
    line("ms between tokens", times(found.between_ms));
    line("longest gap, ms", format!("{:.0}", found.longest_gap_ms));
    let target = format!("first within {} ms, others within {} ms", args.first_ms, args.between_ms);
    line("good requests/s", format!("{:.2}   ({target})", found.goodput));
}
