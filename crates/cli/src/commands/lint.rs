//! `collegium lint`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use collegium_hlo::lint::{Finding, Severity, Target, lint};
use collegium_train::config::{PRESETS, RunConfig};
use collegium_train::engine::{CatalogueEntry, catalogue};
use collegium_train::{feed, setup};
use serde_json::{Value, json};

use super::{Outcome, print_json};
use crate::args::LintArgs;

/// Programs of one model, each with what the rules found.
struct Judged {
    model: String,
    about: String,
    programs: Vec<(CatalogueEntry, Vec<Finding>)>,
}

/// Runs the command; exit code 1 where a program breaks a rule in earnest.
pub fn run(args: &LintArgs) -> Outcome {
    let target = target(&args.target)?;
    let all: Vec<String> = PRESETS.iter().map(|p| p.name.to_string()).collect();
    let models = if args.models.is_empty() { &all } else { &args.models };
    let judged = models
        .iter()
        .map(|m| judge(m, &args.settings, target).with_context(|| format!("cannot lint {m}")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let errors = judged.iter().map(|j| j.count(Severity::Error)).sum::<usize>();
    if args.json {
        let models: Vec<Value> = judged.iter().map(Judged::object).collect();
        print_json(&json!({ "target": args.target, "passed": errors == 0, "models": models }))?;
    } else {
        judged.iter().for_each(|j| j.print(&args.target));
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn target(name: &str) -> anyhow::Result<Target> {
    match Target::ALL.iter().find(|t| t.0 == name) {
        Some(found) => Ok(found.1),
        None => {
            let known: Vec<_> = Target::ALL.iter().map(|t| t.0).collect();
            anyhow::bail!("target `{name}` is unknown; known are {}", known.join(", "))
        }
    }
}

/// A preset's name, a run, or a `config.json` (or the folder that holds it).
fn configuration(model: &str, settings: &[String]) -> anyhow::Result<RunConfig> {
    let path = Path::new(model);
    if path.join("config.toml").is_file() {
        return Ok(RunConfig::assemble(None, Some(&path.join("config.toml")), settings)?);
    }
    if path.exists() {
        let file = if path.is_dir() { path.join("config.json") } else { path.to_path_buf() };
        let file = format!("model.config={}", serde_json::Value::from(file.to_string_lossy()));
        return Ok(RunConfig::assemble(None, None, &[&[file], settings].concat())?);
    }
    if PRESETS.iter().all(|p| p.name != model) {
        let known: Vec<_> = PRESETS.iter().map(|p| p.name).collect();
        anyhow::bail!("no such file, and no such preset; presets are {}", known.join(", "));
    }
    Ok(RunConfig::assemble(Some(model), None, settings)?)
}

fn judge(model: &str, settings: &[String], target: Target) -> anyhow::Result<Judged> {
    let config = configuration(model, settings)?;
    let vocab = match config.model.config.is_some() || config.model.checkpoint.is_some() {
        true => 0,
        false => feed::tokenizer(&config)?.vocab_size(),
    };
    let (described, warnings) = setup::model_config(&config, vocab)?;
    warnings.iter().for_each(|w| eprintln!("warning: {w}"));
    let (devices, expert) = (config.parallel.devices, config.expert_ranks());
    let entries =
        catalogue(&described, &setup::mesh(devices, expert, config.parallel.nodes), config.settings())?;
    let programs = entries
        .into_iter()
        .map(|entry| {
            let found = lint(&entry.program, target);
            (entry, found)
        })
        .collect();
    let about = format!(
        "{}, {} x {expert} (data x expert), {} x {} tokens a rank, {}",
        described.family,
        devices / expert,
        config.micro_batch(),
        config.train.seq,
        config.train.dtype
    );
    Ok(Judged { model: model.into(), about, programs })
}

impl Judged {
    fn count(&self, severity: Severity) -> usize {
        self.programs.iter().flat_map(|p| &p.1).filter(|f| f.severity == severity).count()
    }

    /// One row for every program and rule; programs without findings are counted.
    fn print(&self, target: &str) {
        let clean = self.programs.iter().filter(|p| p.1.is_empty()).count();
        println!(
            "{} on {target}: {}\n{} programs, {clean} without findings, {} errors, {} warnings",
            self.model,
            self.about,
            self.programs.len(),
            self.count(Severity::Error),
            self.count(Severity::Warning)
        );
        if clean < self.programs.len() {
            println!("  {:<22}{:<28}{:<10}{:<20}{:>6}  first", "program", "part", "", "rule", "times");
        }
        for (entry, found) in &self.programs {
            for first in firsts(found) {
                let times = found.iter().filter(|f| f.rule == first.rule).count();
                let severity = if first.severity == Severity::Error { "error" } else { "warning" };
                println!(
                    "  {:<22}{:<28}{severity:<10}{:<20}{times:>6}  {}",
                    entry.program.name, entry.part, first.rule, first.message
                );
            }
        }
        println!();
    }

    fn object(&self) -> Value {
        let finding = |f: &Finding| {
            json!({
                "rule": f.rule,
                "severity": if f.severity == Severity::Error { "error" } else { "warning" },
                "node": f.node.map(|n| n.index()),
                "message": f.message,
            })
        };
        let program = |(entry, found): &(CatalogueEntry, Vec<Finding>)| {
            json!({
                "program": entry.program.name,
                "part": entry.part,
                "nodes": entry.program.nodes.len(),
                "findings": found.iter().map(finding).collect::<Vec<_>>(),
            })
        };
        json!({
            "model": self.model,
            "about": self.about,
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "programs": self.programs.iter().map(program).collect::<Vec<_>>(),
        })
    }
}

/// The first finding of every rule.
fn firsts(found: &[Finding]) -> Vec<&Finding> {
    let mut list: Vec<&Finding> = Vec::new();
    for finding in found {
        if list.iter().all(|known| known.rule != finding.rule) {
            list.push(finding);
        }
    }
    list
}
