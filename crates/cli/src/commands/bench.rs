//! `collegium bench`.

use std::process::ExitCode;

use collegium_train::config::RunConfig;
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
    // An empty cache of its own: cold compilation is part of what is measured, and so is the second start.
    let programs = tempfile::tempdir()?;
    let backend = checkpoint::backend_with(&args.device, Some(programs.path().into()))?;
    let settings = config.settings();
    let mesh = setup::mesh(args.device.devices, args.device.devices);
    let found = bench::train_steps(backend, model, mesh, settings, args.steps, &mut |step, rate| {
        eprintln!("step {step}/{}: {rate:.0} tokens/s", args.steps);
    })?;
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
    println!(
        "compile           {:>10.1} s   ({:.2} from the cache)",
        found.compile_seconds, found.cached_compile_seconds
    );
    println!("peak memory       {:>10.2} GB", found.peak_bytes as f64 / 1e9);
    Ok(ExitCode::SUCCESS)
}
