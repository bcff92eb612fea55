//! `collegium bench`.

use std::process::ExitCode;
use std::sync::Arc;

use collegium_runtime::{Backend, ProfiledBackend};
use collegium_train::config::RunConfig;
use collegium_train::engine::Settings;
use collegium_train::{bench, setup};

use super::{Outcome, checkpoint, print_json};
use crate::args::{BenchArgs, BenchCommand, BenchShape, BenchTrainArgs};

/// Runs the command.
pub fn run(args: &BenchArgs) -> Outcome {
    match &args.what {
        BenchCommand::Train(args) => train(args),
    }
}

fn train(args: &BenchTrainArgs) -> Outcome {
    let preset = match args.shape {
        BenchShape::S => "bench-s",
        BenchShape::M => "bench-m",
    };
    let settings = [
        format!("train.dtype={}", args.dtype),
        format!("train.residuals={}", args.residuals),
        format!("parallel.devices={}", args.device.devices),
    ];
    if args.steps == 0 {
        anyhow::bail!("--steps 0 measures nothing; give at least 1");
    }
    let config = RunConfig::assemble(Some(preset), None, &settings)?;
    let (model, _) = setup::model_config(&config, 0)?;
    let mut backend: Arc<dyn Backend> = checkpoint::backend(&args.device)?;
    let profile = args.programs.then(|| Arc::new(ProfiledBackend::new(backend.clone())));
    if let Some(profile) = &profile {
        backend = profile.clone();
    }
    let settings = Settings {
        dtype: config.dtype().expect("checked"),
        residuals: config.residuals().expect("checked"),
        batch: config.micro_batch(),
        seq: config.train.seq,
    };
    let mesh = setup::mesh(args.device.devices, args.device.devices);
    let found = bench::train_steps(backend, model, mesh, settings, args.steps, &mut |step, rate| {
        eprintln!("step {step}/{}: {rate:.0} tokens/s", args.steps);
        // The first step warms caches.
        if let Some(profile) = profile.as_ref().filter(|_| step == 0) {
            profile.take();
        }
    })?;
    if let Some(profile) = &profile {
        print_programs(profile, args.steps);
    }
    if args.json {
        print_json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "tokens/s          {:>10.0}   (best {:.0})",
        found.tokens_per_second, found.best_tokens_per_second
    );
    println!(
        "model GFLOP/s     {:>10.1}   ({:.0} % of the plugin's f32 matrix product, {:.1})",
        found.model_gflops,
        100.0 * found.share_of_gemm,
        found.gemm_gflops
    );
    println!(
        "step              {:>10.3} s = forward {:.3} + backward {:.3} + optimizer {:.3}",
        found.step_seconds, found.forward_seconds, found.backward_seconds, found.optimizer_seconds
    );
    println!("compile           {:>10.1} s", found.compile_seconds);
    println!("peak memory       {:>10.2} GB", found.peak_bytes as f64 / 1e9);
    Ok(ExitCode::SUCCESS)
}

/// What each program took in one step, on standard error: the object of `--json` stays alone on the other.
fn print_programs(profile: &ProfiledBackend, steps: usize) {
    let times: Vec<_> = profile.take().into_iter().filter(|t| t.name != "gemm").collect();
    let whole: f64 = times.iter().map(|t| t.seconds).sum();
    eprintln!("program                  calls   ms a step  share  GFLOP/s");
    for t in times {
        eprintln!(
            "{:<24} {:>5}  {:>10.1}  {:>4.0} %  {:>7.1}",
            t.name,
            t.calls / steps as u64,
            1e3 * t.seconds / steps as f64,
            100.0 * t.seconds / whole,
            t.flops / t.seconds / 1e9
        );
    }
}
