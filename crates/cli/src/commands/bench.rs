//! `collegium bench`.

use std::process::ExitCode;
use std::sync::Arc;

use collegium_runtime::{Backend, ProfiledBackend};
use collegium_train::config::RunConfig;
use collegium_train::{bench, layer, setup, tax};

use super::{Outcome, bench_serve, checkpoint, print_json};
use crate::args::{
    BenchArgs, BenchCommand, BenchLayerArgs, BenchShape, BenchTaxArgs, BenchTrainArgs, DeviceArgs,
};

/// Runs the command.
pub fn run(args: &BenchArgs) -> Outcome {
    match &args.what {
        BenchCommand::Train(args) => train(args),
        BenchCommand::Tax(args) => tax(args),
        BenchCommand::Layer(args) => one_layer(args),
        BenchCommand::Serve(args) => bench_serve::run(args),
    }
}

fn train(args: &BenchTrainArgs) -> Outcome {
    let preset = preset(args.shape);
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
    let mut backend: Arc<dyn Backend> = checkpoint::backend_with(&args.device, Some(programs.path().into()))?;
    let profile = args.programs.then(|| Arc::new(ProfiledBackend::new(backend.clone())));
    if let Some(profile) = &profile {
        backend = profile.clone();
    }
    let settings = config.settings();
    let mesh = setup::mesh(args.device.devices, args.device.devices, 1);
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
    println!(
        "compile           {:>10.1} s   ({:.2} from the cache)",
        found.compile_seconds, found.cached_compile_seconds
    );
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

fn preset(shape: BenchShape) -> &'static str {
    match shape {
        BenchShape::S => "bench-s",
        BenchShape::M => "bench-m",
    }
}

fn check_zipf(zipf: f64) -> anyhow::Result<()> {
    if !(0.0..=10.0).contains(&zipf) {
        anyhow::bail!("--zipf {zipf} is no skew; give a number from 0 (none) to 10");
    }
    Ok(())
}

fn one_layer(args: &BenchLayerArgs) -> Outcome {
    const SEQ: usize = 256;
    check_zipf(args.zipf)?;
    if args.turns == 0 {
        anyhow::bail!("--turns 0 measures nothing; give at least 1");
    }
    if args.tokens == 0 || !args.tokens.is_multiple_of(SEQ) {
        anyhow::bail!("--tokens {} is no multiple of {SEQ}; give one, for example 8192", args.tokens);
    }
    let settings = [
        "model.num_layers=1".to_string(),
        format!("model.hidden_size={}", args.hidden),
        format!("model.num_experts={}", args.experts),
        format!("model.top_k={}", args.top_k),
        format!("model.intermediate={}", args.intermediate),
        format!("train.batch={}", args.tokens / SEQ),
        format!("train.seq={SEQ}"),
        format!("train.dtype={}", args.dtype),
        format!("train.residuals={}", args.residuals),
    ];
    let config = RunConfig::assemble(Some(preset(BenchShape::S)), None, &settings)?;
    let (model, _) = setup::model_config(&config, 0)?;
    let backend = checkpoint::backend(&DeviceArgs { platform: args.platform.clone(), devices: 1 })?;
    let exponents = [0.0, args.zipf];
    let found = layer::layer(&*backend, &model, config.settings(), &exponents, args.turns, &mut |turn| {
        eprintln!("turn {turn}/{}", args.turns);
    })?;
    if args.json {
        print_json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{:<10}{:>11}{:>10}{:>10}{:>11}{:>10}{:>9}",
        "routing", "max/mean", "seconds", "forward", "backward", "GFLOP/s", "of GEMM"
    );
    for row in &found.routings {
        println!(
            "{:<10}{:>11.2}{:>10.3}{:>10.3}{:>11.3}{:>10.1}{:>7.0} %",
            if row.exponent == 0.0 { "uniform".into() } else { format!("Zipf {:.1}", row.exponent) },
            row.max_over_mean,
            row.seconds,
            row.forward_seconds,
            row.backward_seconds,
            row.gflops,
            100.0 * row.share_of_gemm
        );
    }
    println!(
        "f32 matrix product {:.1} GFLOP/s, peak memory {:.2} GB",
        found.gemm_gflops,
        found.peak_bytes as f64 / 1e9
    );
    Ok(ExitCode::SUCCESS)
}

fn tax(args: &BenchTaxArgs) -> Outcome {
    if args.steps == 0 {
        anyhow::bail!("--steps 0 measures nothing; give at least 1");
    }
    check_zipf(args.zipf)?;
    let mut settings = args.settings.clone();
    settings.push(format!("parallel.devices={}", args.devices));
    let config = |policy: &str| {
        let mut settings = settings.clone();
        settings.push(format!("parallel.balance={policy}"));
        RunConfig::assemble(Some(preset(args.shape)), None, &settings)
    };
    let policies = args.policy.iter().map(|p| Ok(config(p)?.settings().balance));
    let policies = policies.collect::<anyhow::Result<Vec<_>>>()?;
    let config = config("static")?;
    let (model, _) = setup::model_config(&config, 0)?;
    let device = DeviceArgs { platform: args.platform.clone(), devices: args.devices };
    let backend = checkpoint::backend(&device)?;
    let mesh = setup::mesh(args.devices, args.devices, 1);
    let skew = tax::Skew { exponent: args.zipf, seed: 0 };
    let trial = tax::Trial {
        backend: &backend,
        config: &model,
        mesh: &mesh,
        settings: config.settings(),
        skew,
        steps: args.steps,
        programs: args.programs,
    };
    let rows = tax::tax(&trial, &policies, &mut |step| {
        eprintln!("step {step} of every policy done");
    })?;
    if args.programs {
        print_tax_programs(&rows, args.steps);
    }
    if args.json {
        print_json(&serde_json::json!({ "devices": args.devices, "zipf": args.zipf, "rows": rows }))?;
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{:<14}{:>10}{:>8}{:>11}{:>11}{:>9}{:>9}{:>8}{:>10}{:>7}",
        "routing", "tokens/s", "tax", "max/mean", "planned", "clones", "padding", "pairs", "plan us", "drops"
    );
    for row in &rows {
        println!(
            "{:<14}{:>10.0}{:>7.1}%{:>11.2}{:>11.3}{:>9.1}{:>9.3}{:>8.2}{:>10.0}{:>7}",
            row.name,
            row.tokens_per_second,
            100.0 * row.tax,
            row.home_max_over_mean,
            row.rank_max_over_mean,
            row.clones,
            row.padding,
            row.pair_factor,
            row.planner_us,
            row.drops
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Milliseconds of each program in a step under each policy, on standard error, by what they differ most in from even routing.
fn print_tax_programs(rows: &[tax::TaxRow], steps: usize) {
    let took = |row: &tax::TaxRow, name: &str| {
        let found = row.programs.iter().find(|t| t.name == name);
        found.map_or(0.0, |t| 1e3 * t.seconds / steps as f64)
    };
    let mut names: Vec<&str> = rows.iter().flat_map(|r| r.programs.iter().map(|t| t.name.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let extra = |name: &str| rows.iter().map(|r| took(r, name) - took(&rows[0], name)).fold(0.0, f64::max);
    names.sort_by(|a, b| extra(b).total_cmp(&extra(a)));
    eprint!("{:<24}", "ms a step");
    rows.iter().for_each(|row| eprint!("{:>14}", row.name));
    eprintln!();
    for name in names {
        eprint!("{name:<24}");
        rows.iter().for_each(|row| eprint!("{:>14.1}", took(row, name)));
        eprintln!();
    }
}
