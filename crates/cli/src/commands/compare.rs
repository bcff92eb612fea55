//! `collegium compare`: sparse against dense training at equal loss.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use collegium_cluster::PlanModel;
use collegium_report::RunLog;
use collegium_report::compare::{Cost, Frontier, Gain, Point, Study, gains};
use collegium_report::panels::{Scatter, write_scatters};
use collegium_train::config::RunConfig;
use serde_json::json;

use super::{Outcome, checkpoint, plan, print_json};
use crate::args::CompareArgs;

/// Model FLOPs above which published sparse models were trained.
const LARGE: f64 = 1e21;

/// Points of the line that is drawn for the frontier.
const LINE: usize = 40;

/// Runs the command.
pub fn run(args: &CompareArgs) -> Outcome {
    let Study { mut dense, moe: mut sparse } = match &args.study {
        Some(file) => read_study(file)?,
        None => {
            let timing = args.timing.iter().map(|run| timing(run)).collect::<anyhow::Result<Vec<_>>>()?;
            Study { dense: points(&args.dense, false, &timing)?, moe: points(&args.moe, true, &timing)? }
        }
    };
    if let Some(cluster) = &args.cluster {
        let watts = watts(cluster, &args.describe)?;
        dense.iter_mut().chain(&mut sparse).for_each(|p| estimate(p, watts));
    }
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
        plot(path, &dense, &sparse, &found)?;
    }
    if args.json {
        print_json(
            &json!({ "dense": dense, "moe": sparse, "gains": found, "notes": notes(&dense, &sparse, &found) }),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<40}{:>12}{:>12}{:>22}{:>10}", "run", "FLOPs", "seconds", "joules", "loss");
    for p in dense.iter().chain(&sparse) {
        println!("{:<40}{:>12.3e}{:>12.1}{:>22}{:>10.4}", p.run, p.flops, p.seconds, joules(p), p.loss);
    }
    println!("\nwhat dense runs would need for the loss of the sparse ones, over what these took");
    for gain in &found {
        let interval = gain.interval.map_or("one seed a size: no interval".into(), |(low, high)| {
            format!("90 % interval over seeds {low:.2} to {high:.2}")
        });
        println!("  {:<44}{:<18}{:>6.2}  {interval}", gain.size, gain.cost.name(), gain.ratio);
    }
    notes(&dense, &sparse, &found).iter().for_each(|n| println!("note: {n}"));
    Ok(ExitCode::SUCCESS)
}

/// What an earlier `compare --json` printed.
fn read_study(file: &Path) -> anyhow::Result<Study> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!("{} is no study; give a file that `collegium compare --json` printed", file.display())
    })
}

/// Joules of a run and how they are known.
fn joules(p: &Point) -> String {
    match (p.joules, p.joules_estimated) {
        (Some(j), _) => format!("{j:.0} measured"),
        (None, Some(j)) => format!("{j:.0} estimated"),
        (None, None) => "unknown".into(),
    }
}

/// Watts at the wall of a cluster at work, as a plan counts them.
fn watts(cluster: &str, describe: &[PathBuf]) -> anyhow::Result<f64> {
    let catalog = plan::catalog(describe)?;
    let (name, instances) = plan::named(cluster)?;
    let instance = catalog.instance(name)?;
    let device = catalog.device(&instance.device)?;
    instance.watts(device, instances, 1.0).with_context(|| {
        format!("--cluster {cluster}: its power is unknown; give a --describe file with [power], host_power and pue")
    })
}

/// Gives a run that no meter counted the energy of `watts` for as long as it took, unless it has an estimate of its own.
fn estimate(point: &mut Point, watts: f64) {
    if point.joules.is_none() && point.joules_estimated.is_none() {
        point.joules_estimated = Some(watts * point.seconds);
    }
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
        notes.push(format!("{sizes} dense sizes make one line; three or more show where it bends"));
    }
    let counted = |cost| found.iter().any(|g| g.cost == cost);
    if counted(Cost::EstimatedEnergy) {
        notes.push("energy is estimated from the power of a description: no meter counted it".into());
    } else if !counted(Cost::Energy) {
        let known = |p: &Point| p.joules.or(p.joules_estimated).is_some();
        notes.push(if dense.iter().chain(sparse).all(known) {
            "no energy: measured and estimated joules are not mixed, or the dense runs make no frontier in them".into()
        } else {
            "no energy: the runs were not all measured by a meter; --cluster estimates it from a known power".into()
        });
    }
    notes
}

/// Seconds of a step of one shape, from a run on a machine that did nothing else.
struct Timing {
    model: PlanModel,
    batch: [usize; 2],
    step_seconds: f64,
}

/// A run's model without its file name, and the shape of its batches.
fn shape(run: &Path) -> anyhow::Result<(PlanModel, [usize; 2], RunLog)> {
    let log = RunLog::read(run)?;
    let model = PlanModel::from_file(&checkpoint::folder(run)?.join("config.json"))?;
    let config = RunConfig::assemble(None, Some(&run.join("config.toml")), &[])?;
    Ok((PlanModel { name: String::new(), ..model }, [config.train.batch, config.train.seq], log))
}

fn median_step(log: &RunLog) -> Option<f64> {
    let mut seconds: Vec<f64> = log.steps.iter().map(|s| s.step_seconds).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

fn timing(run: &Path) -> anyhow::Result<Timing> {
    let read = || -> anyhow::Result<Timing> {
        let (model, batch, log) = shape(run)?;
        let step_seconds = median_step(&log).context("no step is recorded")?;
        Ok(Timing { model, batch, step_seconds })
    };
    read().with_context(|| format!("cannot take the time of {}", run.display()))
}

fn points(runs: &[PathBuf], sparse: bool, timing: &[Timing]) -> anyhow::Result<Vec<Point>> {
    runs.iter()
        .map(|run| point(run, sparse, timing).with_context(|| format!("cannot compare {}", run.display())))
        .collect()
}

fn point(run: &Path, sparse: bool, timing: &[Timing]) -> anyhow::Result<Point> {
    let (model, batch, log) = shape(run)?;
    if model.is_sparse() != sparse {
        let (is, option) = if sparse { ("dense", "--dense") } else { ("sparse", "--moe") };
        bail!("its model is {is}; give it under {option}");
    }
    let (Some(last), Some(median)) = (log.steps.last(), median_step(&log)) else {
        bail!("no step is recorded")
    };
    let Some(eval) = log.evals.last() else {
        bail!(
            "no validation loss is recorded; let the run end, or set run.eval_every above 0, so that losses are of the same text"
        )
    };
    let step_seconds = match timing.iter().find(|t| t.model == model && t.batch == batch) {
        Some(quiet) => quiet.step_seconds,
        None if timing.is_empty() => median,
        None => bail!("none of the --timing runs has its model and batch; give one, or leave --timing out"),
    };
    let tokens = |step: u64| log.steps.iter().find(|s| s.step == step).map_or(0, |s| s.tokens);
    Ok(Point {
        run: run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned(),
        size: format!("{:.3} M parameters, {:.2e} tokens", model.parameters() / 1e6, last.tokens as f64),
        loss: eval.loss,
        flops: model.flops_per_token(batch[1]) * last.tokens as f64,
        seconds: step_seconds * last.step as f64,
        joules: log.steps.iter().map(|s| s.joules).sum(),
        joules_estimated: log.steps.iter().map(|s| s.joules_estimated).sum(),
        curve: log.evals.iter().map(|e| (tokens(e.step), e.loss)).collect(),
    })
}

/// Loss against every cost that was counted, with the frontier that the gains are held against.
fn plot(path: &Path, dense: &[Point], sparse: &[Point], found: &[Gain]) -> anyhow::Result<()> {
    let one = |cost: Cost| -> Option<Scatter> {
        found.iter().find(|g| g.cost == cost)?;
        let frontier = Frontier::of(dense, cost)?;
        let place = |runs: &[Point]| {
            runs.iter().filter_map(|p| Some((cost.of(p)?, p.loss))).collect::<Vec<(f64, f64)>>()
        };
        let points = vec![("dense".to_string(), place(dense)), ("sparse".to_string(), place(sparse))];
        let costs: Vec<f64> = points.iter().flat_map(|s| s.1.iter().map(|p| p.0)).collect();
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let most = costs.iter().copied().fold(0.0, f64::max);
        let at = |i: usize| least * (most / least).powf(i as f64 / LINE as f64);
        let line = (0..=LINE).map(|i| (at(i), frontier.loss(at(i)))).collect();
        let title = format!("Validation loss by training {}", cost.name());
        let x = match cost {
            Cost::Flops => "FLOPs",
            Cost::Time => "seconds",
            Cost::Energy | Cost::EstimatedEnergy => "joules",
        };
        Some(Scatter { title, x: x.into(), points, lines: vec![("dense frontier".into(), line)] })
    };
    let plots: Vec<Scatter> = Cost::ALL.iter().filter_map(|c| one(c.1)).collect();
    write_scatters(path, "Sparse against dense", &plots)?;
    Ok(())
}
