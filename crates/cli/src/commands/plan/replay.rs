//! `collegium plan replay`, and the imbalance that a plan takes from recorded routing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use collegium_balance::trace::{self, Recording, Trace};
use collegium_balance::{CostModel, Limits, Policy, Setting, Topology, policy};
use collegium_cluster::stragglers::{self, Balanced, Span, Stragglers};
use collegium_cluster::{ClusterError, Device, Figure, Instance, PlanModel, Precision, Rank, divisors};
use serde_json::json;

use crate::args::plan::{AskArgs, ReplayArgs};
use crate::commands::{Outcome, print_json};

/// Micro-batches that a plan replays at each expert degree.
const STEPS: usize = 50;

/// Runs the command.
pub fn run(args: &ReplayArgs) -> Outcome {
    let trace = routing(&args.trace, args.experts)?;
    let span = Span { steps: args.steps, layers: args.layers, tokens_per_rank: args.tokens_per_rank };
    let mut found = Vec::new();
    for name in &args.policy {
        let policy = policy::by_name(name)?;
        let started = std::time::Instant::now();
        let one = stragglers::replay(
            &trace,
            policy,
            &setting(args.ranks, 8, CostModel::machine(&args.machine)?, policy)?,
            span,
        )?;
        found.push((one, started.elapsed().as_secs_f64()));
    }
    if args.json {
        let object = |(s, seconds): &(Stragglers, f64)| json!({ "stragglers": s, "seconds": seconds });
        print_json(&found.iter().map(object).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{}: {} experts over {} ranks, {} layers, {} steps",
        trace.name, trace.num_experts, args.ranks, args.layers, args.steps
    );
    println!(
        "{:<12}{:>14}{:>18}{:>16}{:>10}",
        "policy", "fullest/mean", "80 % of steps", "clones a rank", "seconds"
    );
    for (s, seconds) in &found {
        let band = format!("{:.3} to {:.3}", s.band.0, s.band.1);
        println!("{:<12}{:>14.3}{band:>18}{:>16.2}{seconds:>10.2}", s.policy, s.mean, s.clones);
    }
    Ok(ExitCode::SUCCESS)
}

/// What clones bring by expert degree; empty without a trace.
pub fn stragglers(
    args: &AskArgs,
    model: &PlanModel,
    (device, instance): (&Device, &Instance),
    ranks: usize,
) -> anyhow::Result<BTreeMap<usize, Vec<Balanced>>> {
    let Some(path) = &args.trace else { return Ok(BTreeMap::new()) };
    let Some(moe) = model.moe() else {
        bail!("--trace {}: the model has no experts, so nothing is routed; leave it out", path.display());
    };
    let trace = routing(path, Some(moe.num_experts))?;
    if trace.num_experts != moe.num_experts {
        bail!(
            "--trace {} has {} experts and the model {}; give routing of a model with as many",
            path.display(),
            trace.num_experts,
            moe.num_experts
        );
    }
    let policy = policy::by_name(&args.policy)?;
    let rank = Rank::of(device)?;
    // Without links nothing crosses them, so any rate will do.
    let rate = |f: &Figure| f.value.unwrap_or(1e9);
    let cost = CostModel {
        flops: rank.peak(Precision::Bfloat16) * CostModel::REACHED,
        near_bytes: rate(&device.link.bandwidth) / device.cores as f64,
        far_bytes: rate(&instance.network.bandwidth) / device.cores as f64,
        hidden: model.config.hidden_size,
        intermediate: moe.intermediate,
    };
    let tokens = trace.layers.first().map_or(0, |l| l.num_tokens());
    let degrees: Vec<usize> =
        divisors(moe.num_experts).into_iter().filter(|d| *d <= ranks.min(tokens)).collect();
    let layers = model.config.layers.iter().filter(|l| l.feed_forward.moe().is_some()).count();
    let span = Span { steps: STEPS, layers: layers.min(trace.layers.len()), tokens_per_rank: args.seq };
    Ok(stragglers::by_degree(
        &trace,
        policy,
        &degrees,
        |r| setting(r, instance.domain * device.cores, cost, policy),
        span,
    )?)
}

fn routing(path: &Path, experts: Option<usize>) -> anyhow::Result<Trace> {
    match trace::read(path, experts)? {
        Recording::Routing(trace) => Ok(trace),
        Recording::RankLoads(_) => bail!(
            "{} has rows of ranks only, which fit no other number of ranks; give the experts of every token (.safetensors)",
            path.display()
        ),
    }
}

/// What a policy may use: as many nodes as the ranks fill, clones as they help.
fn setting(
    ranks: usize,
    domain: usize,
    cost: CostModel,
    policy: &dyn Policy,
) -> Result<Setting, ClusterError> {
    let wrong = |e: collegium_balance::BalanceError| ClusterError::Request(e.to_string());
    let nodes = if ranks.is_multiple_of(domain) { (ranks / domain).max(1) } else { 1 };
    let topology = Topology::new(ranks, nodes).map_err(wrong)?;
    // As the trainer: a policy that clones has no use for spare slots.
    let limits = Limits { spare_slots: usize::from(!policy.plans_micro_batches()), ..Limits::default() };
    Ok(Setting { topology, cost, limits })
}
