//! `collegium balance`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use collegium_balance::policy::{self, POLICIES};
use collegium_balance::replay::{self, Bar, Options, Outcome, PlanOn, PlannerTime, Scene, Spread};
use collegium_balance::trace::{self, RankLoads, Recording, Trace};
use collegium_balance::{CostModel, Limits, Policy, check_slot_memory};
use collegium_report::panels::{Panel, write_panels};
use serde::Serialize;
use serde_json::json;

use super::{Outcome as CommandOutcome, print_json};
use crate::args::{BalanceArgs, PlanOnArg};

/// Sizes that planner times are measured at: ranks and experts.
const PLANNER_SIZES: &[(usize, usize)] = &[(8, 64), (64, 256), (256, 256), (1024, 1024)];

/// What policies make of one trace.
#[derive(Serialize)]
struct Replayed {
    trace: String,
    /// What is known of it.
    about: String,
    outcomes: Vec<Outcome>,
}

/// Runs the command.
pub fn run(args: &BalanceArgs) -> CommandOutcome {
    let policies = policies(&args.policy)?;
    let cost = CostModel {
        hidden: args.hidden,
        intermediate: args.intermediate,
        ..CostModel::machine(&args.machine)?
    };
    check(args)?;
    if args.trace.is_empty() {
        return planner_times(args, &policies, cost);
    }
    let read = |path| trace::read(path, args.experts);
    let recordings = args.trace.iter().map(|p| read(p)).collect::<Result<Vec<_>, _>>()?;
    let mut all = Vec::new();
    for (i, recording) in recordings.iter().enumerate() {
        match recording {
            Recording::Routing(trace) => {
                all.push(routing(args, trace, next_routing(&recordings, i), &policies, cost)?);
            }
            Recording::RankLoads(systems) => {
                for loads in systems {
                    all.push(rank_loads(args, loads, &policies, cost)?);
                }
            }
        }
    }
    let bars = replay::bars(&recordings, cost)?;
    if let Some(path) = &args.plot {
        write_panels(path, "Fullest rank over the mean, by layer", &panels(&all))?;
    }
    if args.json {
        print_json(&json!({ "options": options_json(args), "traces": all, "bars": bars }))?;
    } else {
        let mut text: String = all.iter().map(table).collect();
        text += LEGEND;
        text += &bar_table(&bars);
        if let Some(path) = &args.plot {
            text += &format!("\nplot  {}\n", path.display());
        }
        print!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}

fn policies(names: &[String]) -> anyhow::Result<Vec<&'static dyn Policy>> {
    if names.iter().any(|n| n == "all") {
        return Ok(POLICIES.to_vec());
    }
    Ok(names.iter().map(|n| policy::by_name(n)).collect::<Result<_, _>>()?)
}

/// What the numbers of the command line must be, before anything is read.
fn check(args: &BalanceArgs) -> anyhow::Result<()> {
    let positive = [
        ("--ranks", args.ranks.iter().copied().min().unwrap_or(0)),
        ("--nodes", args.nodes),
        ("--tokens-per-rank", args.tokens_per_rank.unwrap_or(1)),
        ("--experts", args.experts.unwrap_or(1)),
        ("--block", args.block),
        ("--hidden", args.hidden),
        ("--intermediate", args.intermediate),
    ];
    if let Some((name, _)) = positive.into_iter().find(|(_, n)| *n == 0) {
        bail!("{name} must be at least 1, got 0");
    }
    match args.tolerance {
        Some(share) if !(share.is_finite() && share >= 0.0) => {
            bail!("--tolerance must be a share of the mean from 0 up, got {share}; 0 balances exactly")
        }
        _ => Ok(()),
    }
}

fn options(args: &BalanceArgs, ranks: usize, cost: CostModel) -> Options {
    Options {
        ranks,
        nodes: args.nodes,
        plan_on: match args.plan_on {
            PlanOnArg::SameStep => PlanOn::SameStep,
            PlanOnArg::PreviousHalf => PlanOn::PreviousHalf,
            PlanOnArg::OtherDomain => PlanOn::OtherDomain,
        },
        shuffle: args.shuffle,
        tokens_per_rank: args.tokens_per_rank,
        block: args.block,
        cost,
        limits: Limits {
            max_clones: args.max_clones.unwrap_or(usize::MAX),
            spare_slots: args.spare_slots,
            tolerance: args.tolerance,
        },
    }
}

/// Options with as many clones as the memory of a rank has room for, if the user said how much that is.
fn fitting_options(
    args: &BalanceArgs,
    ranks: usize,
    experts: usize,
    cost: CostModel,
) -> anyhow::Result<Options> {
    let mut options = options(args, ranks, cost);
    if let Some(megabytes) = args.slot_memory {
        let homes = experts.div_ceil(ranks) + args.spare_slots;
        let free = (megabytes * 1e6) as u64;
        let fits = check_slot_memory(homes + args.max_clones.unwrap_or(0), cost.slot_bytes(), free)
            .with_context(|| format!("{ranks} ranks with {experts} experts"))?;
        options.limits.max_clones = options.limits.max_clones.min(fits - homes);
    }
    Ok(options)
}

/// The trace after this one in the list, from the start again after the last.
fn next_routing(recordings: &[Recording], at: usize) -> Option<&Trace> {
    let after = recordings[at + 1..].iter().chain(&recordings[..at]);
    after.filter_map(|r| if let Recording::Routing(t) = r { Some(t) } else { None }).next()
}

fn routing(
    args: &BalanceArgs,
    trace: &Trace,
    other: Option<&Trace>,
    policies: &[&dyn Policy],
    cost: CostModel,
) -> anyhow::Result<Replayed> {
    let mut outcomes = Vec::new();
    let mut batches = 0;
    for &ranks in &args.ranks {
        let options = fitting_options(args, ranks, trace.num_experts, cost)?;
        let scene = Scene::of_routing(trace, other, &options).with_context(|| trace.name.clone())?;
        batches = scene.num_batches();
        for policy in policies {
            outcomes.push(replay::replay(&scene, *policy, &options)?);
        }
    }
    let first = &trace.layers[0];
    let planned_tokens =
        first.num_tokens().div_ceil(if args.plan_on == PlanOnArg::PreviousHalf { 2 } else { 1 });
    let most_ranks = args.ranks.iter().max().copied().unwrap_or(0);
    let repeats = args.tokens_per_rank.is_some_and(|n| n * most_ranks > planned_tokens);
    let planned = match args.plan_on {
        PlanOnArg::SameStep => "itself".to_owned(),
        PlanOnArg::PreviousHalf => "the first half of its tokens, the second is planned".to_owned(),
        PlanOnArg::OtherDomain => other.map_or_else(String::new, |o| o.name.clone()),
    };
    let about = format!(
        "{} layers, {} tokens, {} experts, top-{}; {batches} micro-batch{} a layer, homes planned on {planned}{}{}",
        trace.layers.len(),
        first.num_tokens(),
        trace.num_experts,
        first.top_k,
        if batches == 1 { "" } else { "es" },
        if args.shuffle { ", tokens shuffled" } else { "" },
        if repeats { "; the trace is too short for a micro-batch and used again from its start" } else { "" },
    );
    Ok(Replayed { trace: trace.name.clone(), about, outcomes })
}

fn rank_loads(
    args: &BalanceArgs,
    loads: &RankLoads,
    policies: &[&dyn Policy],
    cost: CostModel,
) -> anyhow::Result<Replayed> {
    let options = fitting_options(args, loads.num_ranks, loads.num_ranks, cost)?;
    let scene = Scene::of_rank_loads(loads, &options)?;
    let fast = policies.iter().filter(|p| p.plans_micro_batches() || p.name() == "static");
    let outcomes = fast.map(|p| replay::replay(&scene, *p, &options)).collect::<Result<Vec<_>, _>>()?;
    let about = format!(
        "rank loads, {} layers and iterations on {} ranks; which experts they are for was not recorded: homes stay, one clone \
         stands for one pair of ranks (at least one expert), no pairs, no padding",
        loads.iterations.len(),
        loads.num_ranks
    );
    Ok(Replayed { trace: loads.name.clone(), about, outcomes })
}

/// The table of one trace.
fn table(replayed: &Replayed) -> String {
    let head = format!(
        "{:>5} {:<10}{:>14}{:>14}{:>8}{:>14}{:>8}{:>11}{:>8}{:>13}{:>9}{:>8}{:>9}{:>10}",
        "ranks",
        "policy",
        "before",
        "homes",
        "must %",
        "after",
        "+-rows",
        "clones",
        "moved %",
        "pair",
        "padding",
        "tax %",
        "plan us",
        "homes us"
    );
    let mut text = format!("{}\n  {}\n{head}\n", replayed.trace, replayed.about);
    let mut ranks = 0;
    for outcome in &replayed.outcomes {
        let shown = if outcome.ranks == ranks { String::new() } else { outcome.ranks.to_string() };
        ranks = outcome.ranks;
        text += &line(&shown, outcome);
    }
    text + "\n"
}

fn line(ranks: &str, outcome: &Outcome) -> String {
    let f = &outcome.all;
    format!(
        "{ranks:>5} {:<10}{:>14}{:>14}{:>8.1}{:>14}{:>8}{:>11}{:>8.1}{:>13}{:>9}{:>8.1}{:>9.1}{:>10.1}\n",
        outcome.policy,
        spread(f.before, 3),
        spread(f.homes, 3),
        100.0 * f.must_move.mean,
        spread(f.after, 3),
        f.spread_rows,
        format!("{:.2} / {}", f.mean_clones, f.max_clones),
        100.0 * f.rows_moved.mean,
        f.pair_factor.map_or("-".into(), |p| spread(p, 2)),
        f.padding.map_or("-".into(), |p| format!("{:.3}", p.mean)),
        100.0 * f.tax.mean,
        f.planner_us,
        f.relayout_us,
    )
}

fn spread(s: Spread, digits: usize) -> String {
    format!("{:.digits$} / {:.digits$}", s.mean, s.worst)
}

const LEGEND: &str = "\
before, homes, after  rows of the fullest rank over the mean (mean over layers / worst): contiguous homes; the slow tier's
                      homes with rows levelled over copies; under the plan
must, moved           rows that the fast tier must move for exact balance; rows that go to clones, of all rows
+-rows                rows between the fullest and the emptiest rank, at worst
clones                of a rank, mean / most
pair                  rows of the fullest pair of source and rank over the mean pair
padding               rows in used blocks over rows
tax                   predicted time of the layer over that of perfectly balanced routing, less one
plan us, homes us     median time of the fast tier (split over sources included) and of the slow tier, for one layer
";

fn bar_table(bars: &[Bar]) -> String {
    let mut text = format!("\n{:<72}{:>10}{:>10}\n", "bar", "at most", "measured");
    for bar in bars {
        let missed = if bar.met { "" } else { "  MISSED" };
        text += &format!("{:<72}{:>10}{:>10.3}{missed}\n", bar.what, bar.limit, bar.measured);
    }
    text
}

/// One panel for each trace and number of ranks: contiguous homes, and every policy's plan.
fn panels(all: &[Replayed]) -> Vec<Panel> {
    let mut panels = Vec::new();
    for replayed in all {
        for group in replayed.outcomes.chunk_by(|a, b| a.ranks == b.ranks) {
            let values = |f: &dyn Fn(&replay::Figures) -> f64, o: &Outcome| {
                o.layers.iter().map(|l| f(&l.figures)).collect()
            };
            let mut series = vec![("no plan".to_owned(), values(&|f| f.before.mean, &group[0]))];
            series.extend(group.iter().map(|o| (o.policy.to_owned(), values(&|f| f.after.mean, o))));
            panels.push(Panel { title: format!("{}, {} ranks", replayed.trace, group[0].ranks), series });
        }
    }
    panels
}

fn options_json(args: &BalanceArgs) -> serde_json::Value {
    json!({
        "plan_on": format!("{:?}", args.plan_on), "nodes": args.nodes, "shuffle": args.shuffle,
        "tokens_per_rank": args.tokens_per_rank, "block": args.block, "machine": args.machine,
        "spare_slots": args.spare_slots, "max_clones": args.max_clones, "tolerance": args.tolerance,
    })
}

/// Without a trace: how long planning takes, beside `static`, which only splits rows.
fn planner_times(args: &BalanceArgs, policies: &[&dyn Policy], cost: CostModel) -> CommandOutcome {
    let times: Vec<PlannerTime> = PLANNER_SIZES
        .iter()
        .map(|&size| replay::planner_times(policies, size, cost))
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    if args.json {
        print_json(&json!({ "planner": times }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text =
        String::from("Zipf-skewed loads, 8,192 rows a rank, one layer, one core, quickest of 15\n");
    println!(
        "{:>6}{:>9} {:<10}{:>12}{:>12}{:>9}",
        "ranks", "experts", "policy", "plan us", "x static", "clones"
    );
    for t in &times {
        text += &format!(
            "{:>6}{:>9} {:<10}{:>12.1}{:>12.2}{:>9}\n",
            t.ranks, t.experts, t.policy, t.plan_us, t.over_static, t.max_clones
        );
    }
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}
