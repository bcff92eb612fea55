//! `collegium plan`: the question, and the answer as a table.

use std::process::ExitCode;

use anyhow::{Context, bail};
use collegium_cluster::{
    Answer, Catalog, Checkpoints, Choice, Feed, MemoryFit, PlanModel, Precision, Request,
};
use collegium_train::config::MOST_PREFETCHED;
use serde::Serialize;

use super::{catalog, html, layout_file, named, replay};
use crate::args::plan::AskArgs;
use crate::commands::{Outcome, print_json};

/// Everything that is printed.
#[derive(Serialize)]
pub struct Plan {
    /// The model's file.
    pub model: String,
    /// Its parameters.
    pub parameters: f64,
    /// FLOPs of one token, forward and backward.
    pub flops_per_token: f64,
    /// Tokens of the training.
    pub tokens: f64,
    /// Tokens of a sequence.
    pub seq: usize,
    /// What the trainer is told to compute in.
    pub dtype: &'static str,
    /// One answer a cluster, best first.
    pub answers: Vec<Answer>,
    /// Balancing policy of the replay, where routing was recorded.
    pub policy: Option<String>,
    /// Steps whose batches are made ahead.
    pub prefetch: usize,
    /// Whether training goes on while a checkpoint is written.
    pub checkpoint_async: bool,
    /// Seconds the planning took.
    pub seconds: f64,
}

/// Runs the command.
pub fn run(args: &AskArgs) -> Outcome {
    let started = std::time::Instant::now();
    let catalog = catalog(&args.describe)?;
    let path = args.model.as_ref().context("--model is missing")?;
    let model = PlanModel::from_file(path)?;
    let tokens = amount(&args.tokens)?;
    check(args)?;
    let mut answers = Vec::new();
    for cluster in &args.cluster {
        for (name, instances) in sizes(cluster, args.sizes)? {
            let request = request(args, &catalog, &model, tokens, (&name, instances))?;
            if args.speed {
                speed(&request, args.json)?;
            } else {
                answers.push(answer(args, &request)?);
            }
        }
    }
    if args.speed {
        return Ok(ExitCode::SUCCESS);
    }
    order(&mut answers, &args.objective)?;
    let plan = Plan {
        model: path.display().to_string(),
        parameters: model.parameters(),
        flops_per_token: model.flops_per_token(args.seq),
        tokens,
        seq: args.seq,
        dtype: if args.precision == "float32" { "float32" } else { "bfloat16" },
        answers,
        policy: args.trace.as_ref().map(|_| args.policy.clone()),
        prefetch: args.prefetch,
        checkpoint_async: writes_behind(args),
        seconds: started.elapsed().as_secs_f64(),
    };
    if let Some(file) = &args.out {
        layout_file::write(file, path, &plan)?;
    }
    if let Some(file) = &args.html {
        html::write(file, &plan)?;
    }
    if args.json {
        print_json(&plan)?;
    } else {
        print(&plan);
    }
    let possible = plan.answers.iter().any(|a| !a.choices.is_empty());
    Ok(if possible { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// `1T`, `300B`, `2.5e9`.
fn amount(text: &str) -> anyhow::Result<f64> {
    let (digits, unit) = match text.trim().char_indices().last() {
        Some((at, c)) if c.is_ascii_alphabetic() => (&text.trim()[..at], c.to_ascii_uppercase()),
        _ => (text.trim(), ' '),
    };
    let scale = match unit {
        ' ' => 1.0,
        'K' => 1e3,
        'M' => 1e6,
        'B' | 'G' => 1e9,
        'T' => 1e12,
        _ => bail!("--tokens {text}: the unit `{unit}` is none of K, M, B, T"),
    };
    match digits.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(n * scale),
        _ => bail!("--tokens {text} is no number above 0; give for example 300B or 1T"),
    }
}

fn writes_behind(args: &AskArgs) -> bool {
    args.checkpoints == "async"
}

fn check(args: &AskArgs) -> anyhow::Result<()> {
    for (name, limit) in [("--max-cost", args.max_cost), ("--deadline", args.deadline)] {
        if limit.is_some_and(|v| !(v > 0.0 && v.is_finite())) {
            bail!("{name} {} leaves nothing to plan; give a number above 0", limit.unwrap_or(0.0));
        }
    }
    if !(args.imbalance >= 1.0 && args.imbalance.is_finite()) {
        bail!(
            "--imbalance {} is no ratio of largest over mean; give 1 (exact balance) or more",
            args.imbalance
        );
    }
    if let Some(how) = args.attention.as_deref().filter(|a| !["fused", "written"].contains(a)) {
        bail!("--attention {how} is unknown; give fused or written");
    }
    if !["sync", "async"].contains(&args.checkpoints.as_str()) {
        bail!("--checkpoints {} is unknown; give sync or async", args.checkpoints);
    }
    if args.prefetch > MOST_PREFETCHED {
        bail!(
            "--prefetch {} is more than the trainer makes ahead; give 0 to {MOST_PREFETCHED}",
            args.prefetch
        );
    }
    let kinds = ["on_demand", "capacity_block", "reserved", "spot"];
    match &args.price {
        Some(kind) if !kinds.contains(&kind.as_str()) => {
            bail!("--price {kind} is unknown; give one of {}", kinds.join(", "))
        }
        _ => Ok(()),
    }
}

/// A cluster `NAME:N`, and with `halves` the smaller ones.
fn sizes(cluster: &str, halves: bool) -> anyhow::Result<Vec<(String, usize)>> {
    let (name, count) = named(cluster)?;
    let all = std::iter::successors(Some(count), |n| (halves && n % 2 == 0).then_some(n / 2));
    Ok(all.map(|n| (name.to_string(), n)).collect())
}

/// The question about one cluster.
fn request<'a>(
    args: &AskArgs,
    catalog: &'a Catalog,
    model: &'a PlanModel,
    tokens: f64,
    (name, instances): (&str, usize),
) -> anyhow::Result<Request<'a>> {
    let instance = catalog.instance(name)?;
    let device = catalog.device(&instance.device)?;
    let precision = Precision::ALL.iter().find(|p| p.0 == args.precision).map(|p| p.1);
    let Some(precision) = precision else {
        bail!("--precision {} is unknown; give one of float32, bfloat16, float8, float4", args.precision)
    };
    let ranks = instances * instance.devices * device.cores;
    let usual = (4_194_304 / args.seq.max(1)).max(1);
    let batch = args.batch.unwrap_or_else(|| usual.max(ranks).next_multiple_of(ranks));
    Ok(Request {
        model,
        device,
        instance,
        instances,
        seq: args.seq,
        batch,
        tokens,
        precision,
        trainable_only: args.trainable,
        imbalance: args.imbalance,
        stragglers: replay::stragglers(args, model, (device, instance), ranks)?,
        fused_attention: args.attention.as_deref().map(|a| a == "fused"),
        feed: Feed { text: args.text, ahead: args.prefetch > 0 },
        checkpoints_behind: writes_behind(args),
        price: args.price.clone(),
    })
}

fn answer(args: &AskArgs, request: &Request<'_>) -> anyhow::Result<Answer> {
    let mut answer = request.answer()?;
    let all = answer.choices.len();
    let too_long = |c: &Choice| args.deadline.is_some_and(|d| c.days > d);
    let too_dear = |c: &Choice| args.max_cost.is_some_and(|m| c.usd.is_none_or(|u| u > m));
    if let Some(best) = answer.choices.first().filter(|c| too_long(c) || too_dear(c)) {
        let cost = best.usd.map_or("unknown".into(), |u| format!("{u:.0} $"));
        answer.impossible =
            Some(format!("the fastest of {all} layouts takes {:.1} days and costs {cost}", best.days));
    }
    answer.choices.retain(|c| !too_long(c) && !too_dear(c));
    Ok(answer)
}

fn speed(request: &Request<'_>, as_json: bool) -> anyhow::Result<()> {
    let (layouts, seconds) = request.speed()?;
    let rate = layouts as f64 / seconds;
    if as_json {
        return print_json(&serde_json::json!({
            "layouts": layouts, "seconds": seconds, "layouts_per_second_on_one_thread": rate
        }));
    }
    println!("{layouts} layouts in {seconds:.3} s on one thread: {rate:.0} a second");
    Ok(())
}

fn order(answers: &mut [Answer], objective: &str) -> anyhow::Result<()> {
    let value = |a: &Answer| {
        let first = a.choices.first();
        match objective {
            "time" => first.map(|c| c.days),
            "cost" => first.and_then(|c| c.usd),
            _ => first.and_then(|c| c.joules_per_token),
        }
        .unwrap_or(f64::INFINITY)
    };
    if !["time", "cost", "energy"].contains(&objective) {
        bail!("--objective {objective} is unknown; give time, cost or energy");
    }
    answers.sort_by(|a, b| value(a).total_cmp(&value(b)));
    Ok(())
}

/// A layout in one line: only what is not 1.
pub fn layout_line(c: &Choice) -> String {
    let l = &c.candidate.layout;
    let mut parts = vec![format!("data {}", l.data)];
    let degrees = [
        ("tensor", l.tensor),
        ("context", l.context),
        ("pipeline", l.pipeline),
        ("virtual", l.virtual_stages),
        ("expert", l.expert),
        ("expert-tensor", l.expert_tensor),
    ];
    parts.extend(degrees.iter().filter(|d| d.1 > 1).map(|d| format!("{} {}", d.0, d.1)));
    if l.has_separate_meshes() {
        parts.push(format!("experts on a mesh of {} x {} x {}", l.expert_tensor, l.expert, l.expert_data()));
    }
    parts.extend((l.clones > 0).then(|| format!("clones {}", l.clones)));
    if l.schedule.splits_backward() {
        parts.push(l.schedule.name().into());
    }
    parts.push(format!("micro-batch {} x {}", l.micro_batch, l.micro_batches));
    parts.push(l.recompute.name().into());
    parts.extend(l.offload.then(|| "state on the host".to_string()));
    format!("{}, {:?} sharded", parts.join(", "), l.sharding).to_lowercase()
}

/// What checkpoints are and cost, in one line.
pub fn checkpoint_line(c: &Checkpoints) -> String {
    let way = if c.asynchronous {
        format!("written in {} meanwhile", seconds(c.write))
    } else {
        "waited for".into()
    };
    format!(
        "{:.1} GB every {}, {} each, {way}; a failure every {} costs {} and the work since the last",
        c.bytes / 1e9,
        seconds(c.every),
        seconds(c.pause),
        seconds(c.between_failures),
        seconds(c.restart)
    )
}

/// Seconds, minutes, hours or days, as they read best.
fn seconds(s: f64) -> String {
    match s {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

fn print(plan: &Plan) {
    println!(
        "{}: {:.2} B parameters, {:.2} GFLOP a token, {:.3e} tokens in sequences of {}",
        plan.model,
        plan.parameters / 1e9,
        plan.flops_per_token / 1e9,
        plan.tokens,
        plan.seq
    );
    plan.answers.iter().for_each(print_answer);
    let (priced, pruned): (u64, u64) =
        plan.answers.iter().fold((0, 0), |s, a| (s.0 + a.search.priced, s.1 + a.search.bounded));
    println!("\n{priced} layouts priced, {pruned} cut by the bound, in {:.1} s", plan.seconds);
    for answer in plan.answers.iter().filter(|a| a.search.gap > 0.0) {
        println!(
            "{}: a layout that was not simulated could be faster by up to {:.1} %",
            answer.cluster,
            100.0 * answer.search.gap
        );
    }
}

fn print_answer(answer: &Answer) {
    println!("\n{} ({} ranks), {} sequences a step", answer.cluster, answer.ranks, answer.batch);
    if let Some(why) = &answer.impossible {
        println!("  no plan: {why}");
    }
    if let Some(best) = answer.choices.first() {
        print_best(answer, best);
    }
    for (i, c) in answer.choices.iter().enumerate().skip(1).take(3) {
        println!(
            "  {:<16}{:.2} s, {}",
            if i == 1 { "next best" } else { "" },
            c.candidate.estimate.step,
            layout_line(c)
        );
    }
    answer.unknown.iter().for_each(|u| println!("  note            {u}"));
}

fn print_best(answer: &Answer, c: &Choice) {
    let e = &c.candidate.estimate;
    let m = &e.memory;
    let gb = |b: f64| format!("{:.1}", b / 1e9);
    println!("  layout          {}", layout_line(c));
    println!("  step            {:.3} s, +- {:.0} %", e.step, answer.band);
    println!("  speed           {:.0} tokens/s, {:.1} % MFU", c.tokens_per_second, c.mfu);
    let tight = if c.fit == MemoryFit::Fits { "" } else { " (may not fit)" };
    println!(
        "  memory a rank   {} of {} GB{tight}: weights {}, gradients {}, optimizer {}, activations {}, transient {}",
        gb(m.total()),
        gb(answer.memory_limit),
        gb(m.weights),
        gb(m.gradients),
        gb(m.optimizer),
        gb(m.activations),
        gb(m.transient)
    );
    if m.host > 0.0 {
        println!(
            "  on the host     {} GB of masters and moments a rank, there and back every step",
            gb(m.host)
        );
    }
    if c.fit != MemoryFit::Fits {
        println!(
            "                  with an allocator's usual holes, or an error of a prediction of memory, it would not fit"
        );
    }
    let limits: Vec<String> = c.limits.iter().map(|l| format!("{} {:.0} %", l.0, l.1)).collect();
    println!("  time goes to    {}", limits.join(", "));
    let (low, high) = (c.days * (1.0 - answer.band / 100.0), c.days * (1.0 + answer.band / 100.0));
    let goodput = c.goodput.map_or(String::new(), |g| format!(", goodput {:.1} %", 100.0 * g));
    println!("  whole training  {:.1} days ({low:.1} to {high:.1}){goodput}", c.days);
    if let Some(checkpoints) = &c.checkpoints {
        println!("  checkpoints     {}", checkpoint_line(checkpoints));
    }
    if let (Some(usd), Some(per), Some(price)) = (c.usd, c.usd_per_million_tokens, &answer.price) {
        println!(
            "  cost            {usd:.0} $, {per:.3} $ a million tokens ({} $/h, {}, {})",
            price.usd_per_hour,
            price.kind.replace('_', " "),
            price.date
        );
    }
    if let Some(j) = c.joules_per_token {
        println!("  energy          {:.3} J a token, {:.2} MJ a million tokens, estimated", j, j);
    }
    if !c.not_trainable.is_empty() {
        println!("  not yet in      `collegium train`: {}", c.not_trainable.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_clusters() {
        assert_eq!(amount("1T").unwrap(), 1e12);
        assert_eq!(amount("2.5e9").unwrap(), 2.5e9);
        assert!(amount("-3B").unwrap_err().to_string().contains("no number above 0"));
        assert!(amount("3Q").unwrap_err().to_string().contains("none of K, M, B, T"));
        assert_eq!(sizes("p5.48xlarge:4", true).unwrap().len(), 3);
        assert!(sizes("p5.48xlarge:0", false).is_err());
    }
}
