//! `collegium serve`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use collegium_api::{App, Keys, Options};
use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_model::programs::PAGE;
use collegium_serve::{Types, bytes};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, checkpoint, service, tell};
use crate::args::ServeArgs;

/// Runs the command: until Ctrl-C or SIGTERM.
pub fn run(args: &ServeArgs) -> Outcome {
    if args.timeout == 0 || args.max_body == 0 {
        anyhow::bail!("--timeout and --max-body must be at least 1");
    }
    if args.sizes {
        return sizes(args);
    }
    let keys = keys(args)?;
    // The port first: whether it is free shows at once, and loading takes a while.
    let (host, port) = (args.host.as_str(), args.port);
    let listener = std::net::TcpListener::bind((host, port)).with_context(|| {
        format!("cannot listen on {host}:{port}; choose another --host or --port (0 for any)")
    })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    // Before the weights are there: it takes half a gigabyte for a moment.
    let machine = service::machine(&args.engine.platform);
    let served =
        service::serve_checkpoint(&args.checkpoint, args.name.as_deref(), &args.engine, &args.cache)?;
    let limits = served.engine.limits();
    let is_open = keys.is_empty();
    if is_open && !address.ip().is_loopback() {
        tell("warning: everyone who reaches this machine may use this server; set --api-keys");
    }
    if !served.template.is_given() {
        tell("note: the checkpoint has no chat template, so in a chat every question is a text of its own");
    }
    println!("model       {}", served.name);
    println!("context     {} tokens", limits.context);
    let devices = args.engine.devices;
    let each = if devices > 1 { format!(" on each of {devices} devices") } else { String::new() };
    println!("cache       {} pages of 16 tokens{each}", limits.cache_pages - 1);
    if let Some(budget) = args.engine.cache_budget {
        println!("budget      a sequence keeps its prompt and {budget} tokens of what it writes");
    }
    println!("chat page   http://{address}/");
    println!("API         http://{address}/v1{}", if is_open { "" } else { " (with a key)" });
    let options = Options {
        keys,
        body_bytes: args.max_body,
        timeout: Duration::from_secs(args.timeout),
        ..Options::default()
    };
    let app = App::new(served, options, machine);
    let runtime = service::runtime()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            tell("shutting down: answers that have begun may end; Ctrl-C again ends at once");
            tokio::spawn(async {
                tokio::signal::ctrl_c().await.ok();
                std::process::exit(130);
            });
        };
        collegium_api::serve(listener, app, shutdown).await
    })?;
    // What still runs belongs to clients that had their time.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Prints what weights and cache take.
fn sizes(args: &ServeArgs) -> Outcome {
    let folder = checkpoint::folder(&args.checkpoint)?;
    let (config, _) = ModelConfig::from_file(&folder)?;
    let limits = service::limits(&config, &args.cache, 1)?;
    let sequences = (limits.cache_pages - 1) / limits.context.div_ceil(PAGE);
    let cache = format!("{sequences} x {} tokens", limits.context);
    println!(
        "{:<9} {:>12} {:>16} {cache:>22} {:>16} {cache:>22}",
        "dtype", "weights", "cache, a token", "in int8, a token"
    );
    for (name, weights) in [("float32", DType::F32), ("bfloat16", DType::Bf16), ("int8", DType::I8)] {
        let [own, int8] = [false, true].map(|int8_cache| {
            let token = bytes::cache_bytes_per_token(&config, Types { weights, int8_cache });
            let all = large((limits.cache_pages * PAGE * token) as f64);
            format!("{:>13.1} KB {all:>22}", token as f64 / 1e3)
        });
        println!("{name:<9} {:>12} {own} {int8}", large(bytes::weight_bytes(&config, weights)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Bytes of what may be as small as a model for a laptop.
fn large(bytes: f64) -> String {
    if bytes < 1e9 { format!("{:.1} MB", bytes / 1e6) } else { format!("{:.2} GB", bytes / 1e9) }
}

/// The keys of the file and of the environment.
fn keys(args: &ServeArgs) -> anyhow::Result<Keys> {
    let mut text = std::env::var("COLLEGIUM_API_KEY").unwrap_or_default();
    if let Some(path) = &args.api_keys {
        let file = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the API keys in {}", path.display()))?;
        text = format!("{text}\n{file}");
        if Keys::new(file.lines()).is_empty() {
            anyhow::bail!("{} has no key; put one on a line", path.display());
        }
    }
    Ok(Keys::new(text.lines()))
}
