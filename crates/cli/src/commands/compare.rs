//! `collegium compare`: sparse against dense training at equal loss.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use collegium_cluster::PlanModel;
use collegium_report::RunLog;
use collegium_report::compare::{Cost, Gain, Point, gains};
use collegium_report::panels::{Panel, write_panels};
use collegium_train::config::RunConfig;
use serde_json::json;

use super::{Outcome, checkpoint, print_json};
use crate::args::CompareArgs;

/// Model FLOPs above which published sparse models were trained.
const LARGE: f64 = 1e21;

/// Runs the command.
pub fn run(args: &CompareArgs) -> Outcome {
    let dense = points(&args.dense, false)?;
    let sparse = points(&args.moe, true)?;
    let found = gains(&dense, &sparse);
    if found.is_empty() {
        bail!(
            "the dense runs make no frontier: they need at least two sizes, the larger with the lower loss; got {}",
            dense
                .iter()
                .map(|p| format!("{} ({:.2e} FLOPs, loss {:.3})", p.run, p.flops, p.loss))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    if let Some(path) = &args.plot {
        plot(path, &dense, &sparse)?;
    }
    if args.json {
        print_json(
            &json!({ "dense": dense, "moe": sparse, "gains": found, "notes": notes(&dense, &sparse, &found) }),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<40}{:>12}{:>12}{:>10}", "run", "FLOPs", "seconds", "loss");
    for p in dense.iter().chain(&sparse) {
        println!("{:<40}{:>12.3e}{:>12.1}{:>10.4}", p.run, p.flops, p.seconds, p.loss);
    }
    println!("\nwhat dense runs would need for the loss of the sparse ones, over what these took");
    for gain in &found {
        let name = Cost::ALL.iter().find(|c| c.1 == gain.cost).map_or("", |c| c.0);
        let interval = gain.interval.map_or("one seed a size: no interval".into(), |(low, high)| {
            format!("90 % interval over seeds {low:.2} to {high:.2}")
        });
        println!("  {:<44}{name:<8}{:>6.2}  {interval}", gain.size, gain.ratio);
    }
    notes(&dense, &sparse, &found).iter().for_each(|n| println!("note: {n}"));
    Ok(ExitCode::SUCCESS)
}

/// What such a study cannot show.
fn notes(dense: &[Point], sparse: &[Point], found: &[Gain]) -> Vec<String> {
    let mut notes = Vec::new();
    let most = dense.iter().chain(sparse).map(|p| p.flops).fold(0.0, f64::max);
    if most < LARGE {
        notes.push(format!(
            "the largest run took {most:.1e} FLOPs; published sparse models took {LARGE:.0e} and more, and gains at small scale need not hold there"
        ));
    }
    if found.iter().any(|g| g.extrapolated) {
        notes.push("a sparse loss lies outside of the dense losses: the frontier was extended to it, which is a guess".into());
    }
    let sizes = dense.iter().map(|p| p.size.as_str()).collect::<std::collections::BTreeSet<_>>().len();
    if sizes < 3 {
        notes.push(format!(
            "{sizes} dense sizes make a line without a check; three or more show whether it bends"
        ));
    }
    if !found.iter().any(|g| g.cost == Cost::Energy) {
        notes.push("no energy: the runs were not all measured by a meter".into());
    }
    notes
}

fn points(runs: &[PathBuf], sparse: bool) -> anyhow::Result<Vec<Point>> {
    runs.iter()
        .map(|run| point(run, sparse).with_context(|| format!("cannot compare {}", run.display())))
        .collect()
}

fn point(run: &Path, sparse: bool) -> anyhow::Result<Point> {
    let log = RunLog::read(run)?;
    let model = PlanModel::from_file(&checkpoint::folder(run)?.join("config.json"))?;
    if model.is_sparse() != sparse {
        let (is, option) = if sparse { ("dense", "--dense") } else { ("sparse", "--moe") };
        bail!("its model is {is}; give it under {option}");
    }
    let config = RunConfig::assemble(None, Some(&run.join("config.toml")), &[])?;
    let Some(last) = log.steps.last() else { bail!("no step is recorded") };
    let Some(eval) = log.evals.last() else {
        bail!(
            "no validation loss is recorded; let the run end, or set run.eval_every above 0, so that losses are of the same text"
        )
    };
    let flops = model.flops_per_token(config.train.seq) * last.tokens as f64;
    let joules: Option<f64> = log.steps.iter().map(|s| s.joules).sum();
    let size = format!("{:.3} M parameters, {:.2e} tokens", model.parameters() / 1e6, last.tokens as f64);
    let seconds = log.steps.iter().map(|s| s.step_seconds).sum();
    Ok(Point { run: run.display().to_string(), size, loss: eval.loss, flops, seconds, joules })
}

/// Losses of the dense and of the sparse runs, fewest FLOPs first.
fn plot(path: &Path, dense: &[Point], sparse: &[Point]) -> anyhow::Result<()> {
    let series = |points: &[Point]| {
        let mut sorted: Vec<&Point> = points.iter().collect();
        sorted.sort_by(|a, b| a.flops.total_cmp(&b.flops));
        sorted.iter().map(|p| p.loss).collect::<Vec<f64>>()
    };
    let title = "Loss by runs, fewest FLOPs first".to_string();
    let panel =
        Panel { title, series: vec![("dense".into(), series(dense)), ("sparse".into(), series(sparse))] };
    write_panels(path, "Sparse against dense", &[panel])?;
    Ok(())
}
