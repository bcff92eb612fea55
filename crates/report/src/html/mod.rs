//! The report page: one HTML file that needs nothing but itself, so it can be mailed, archived or opened offline.
//!
//! Everything that is seen is HTML and SVG written here; the small script only adds tooltips, so the page reads the
//! same where scripts are off.

pub(crate) mod axis;
mod bars;
mod downsample;
mod heat;
mod lines;

use crate::{
    atomic,
    error::{IoContext, ReportError},
    log::RunLog,
    record::StepRecord,
    summary::{Fact, Summary},
};
use lines::LinePlot;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const CONFIG_FILE: &str = "config.toml";
const REPORT_FILE: &str = "report.html";
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("hover.js");

/// Writes `report.html` into a run folder from what the folder holds, and returns its path.
pub fn render(run_dir: &Path) -> Result<PathBuf, ReportError> {
    let log = RunLog::read(run_dir)?;
    let config = read_config(&run_dir.join(CONFIG_FILE))?;
    let folder = fs::canonicalize(run_dir).at(run_dir, "find the folder")?;
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let path = run_dir.join(REPORT_FILE);
    atomic::write(&path, page(&name, config.as_deref(), &log).as_bytes())?;
    Ok(path)
}

fn read_config(path: &Path) -> Result<Option<String>, ReportError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).at(path, "read the file"),
    }
}

fn page(name: &str, config: Option<&str>, log: &RunLog) -> String {
    let summary = Summary::of(log);
    let name = escape(name);
    [
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">".to_owned(),
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">".to_owned(),
        format!("<title>{name} · training report</title><style>{STYLE}</style></head><body><main>"),
        format!(
            "<header><p class=\"kicker\">Training report</p><h1>{name}</h1>{}</header>",
            configuration(config)
        ),
        format!(
            "<section class=\"tiles\">{}</section>",
            summary.facts().iter().map(tile).collect::<String>()
        ),
        section("Learning", &format!("<div class=\"plots\">{}</div>", curves(log))),
        section(
            "Rows per expert, by layer and step",
            &heat::heat_maps(&log.steps, "expert", |s| s.rows_per_expert.as_ref()),
        ),
        ranks(log),
        section("Where bytes and seconds go", &cost(&summary)),
        "<footer>Made from metrics.jsonl, which holds every number shown.</footer></main>".to_owned(),
        format!("<div id=\"tip\" hidden></div><script>{SCRIPT}</script></body></html>\n"),
    ]
    .join("\n")
}

fn section(title: &str, content: &str) -> String {
    format!("<section><h2>{title}</h2>{content}</section>")
}

fn configuration(config: Option<&str>) -> String {
    match config {
        Some(text) => {
            format!("<details><summary>Configuration</summary><pre>{}</pre></details>", escape(text))
        }
        None => format!(
            "<p class=\"empty\">The run folder holds no {CONFIG_FILE}, so the configuration is not shown.</p>"
        ),
    }
}

fn tile(fact: &Fact) -> String {
    // "13.0k tokens/s" has a unit to set small, "2m 33s" has not.
    let unit_at =
        fact.value.find(' ').filter(|&at| !fact.value[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let (value, unit) = fact.value.split_at(unit_at.unwrap_or(fact.value.len()));
    format!(
        "<div class=\"card tile\"><span>{}</span><b>{} <small>{}</small></b><span>{}</span></div>",
        escape(&fact.label),
        escape(value),
        escape(unit.trim_start()),
        escape(&fact.note)
    )
}

fn curves(log: &RunLog) -> String {
    let of = |value: fn(&StepRecord) -> f64| {
        log.steps.iter().map(|s| (s.step as f64, value(s))).collect::<Vec<_>>()
    };
    let validation = log.evals.iter().map(|e| (e.step as f64, e.loss)).collect();
    let padding = log.steps.iter().filter_map(|s| Some((s.step as f64, s.padding?))).collect();
    let ratio = log.steps.iter().filter_map(|s| Some((s.step as f64, s.expert_max_over_mean?))).collect();
    [
        LinePlot::new("Loss", "cross-entropy, nats per token")
            .noisy("train", of(|s| s.ce_loss))
            .dotted("validation", validation),
        LinePlot::new("Learning rate", "").starting_at_zero().line("learning rate", of(|s| s.learning_rate)),
        LinePlot::new("Throughput", "tokens/s")
            .starting_at_zero()
            .noisy("tokens/s", of(|s| s.tokens_per_second)),
        LinePlot::new("Gradient norm", "before clipping").noisy("gradient norm", of(|s| s.grad_norm)),
        LinePlot::new("Expert load", "busiest over mean, 1 is balance").noisy("max/mean", ratio),
        LinePlot::new("Padding", "expert rows computed over real rows").noisy("padding", padding),
    ]
    .map(LinePlot::html)
    .concat()
}

/// What balancing did: rows of the ranks before and after. Nothing where experts are not spread.
fn ranks(log: &RunLog) -> String {
    let spread = |s: &StepRecord| s.rows_per_rank.as_ref().is_some_and(|r| r.iter().any(|l| l.len() > 1));
    if !log.steps.iter().any(spread) {
        return String::new();
    }
    let of = |value: fn(&StepRecord) -> Option<f64>| {
        log.steps.iter().filter_map(|s| Some((s.step as f64, value(s)?))).collect::<Vec<_>>()
    };
    let lines = [
        LinePlot::new("Rank load", "fullest rank over mean, 1 is balance")
            .line("experts at home", of(|s| s.home_max_over_mean))
            .line("as planned", of(|s| s.rank_max_over_mean)),
        LinePlot::new("Clones", "of all layers and ranks, a step")
            .starting_at_zero()
            .line("clones", of(|s| s.rank_max_over_mean.map(|_| s.clones as f64))),
        LinePlot::new("Rows sent", "to other ranks, a step")
            .starting_at_zero()
            .line("inside the node", of(|s| s.rank_max_over_mean.map(|_| s.rows_sent_near as f64)))
            .line("to other nodes", of(|s| s.rank_max_over_mean.map(|_| s.rows_sent_far as f64))),
        LinePlot::new("Bytes to experts and back", "of one rank, a step")
            .starting_at_zero()
            .line("inside the node", of(|s| s.rank_max_over_mean.map(|_| s.dispatch_bytes_near as f64)))
            .line("to other nodes", of(|s| s.rank_max_over_mean.map(|_| s.dispatch_bytes_far as f64))),
        LinePlot::new("Planner", "host microseconds of all layers, a step")
            .starting_at_zero()
            .noisy("planner", of(|s| s.rank_max_over_mean.map(|_| s.planner_us))),
    ];
    let maps = |title: &str, rows| section(title, &heat::heat_maps(&log.steps, "rank", rows));
    [
        section("Balance", &format!("<div class=\"plots\">{}</div>", lines.map(LinePlot::html).concat())),
        maps("Rows per rank with experts at home", |s| s.rows_per_rank_at_home.as_ref()),
        maps("Rows per rank as planned", |s| s.rows_per_rank.as_ref()),
    ]
    .concat()
}

fn cost(summary: &Summary) -> String {
    format!(
        "<div class=\"plots\">{}{}</div>",
        bars::collective_bars(&summary.collective_bytes_per_step),
        bars::phase_bar(&summary.phase_seconds)
    )
}

/// Text made safe between tags and inside double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EvalRecord, RunWriter, SolveRecord};
    use std::collections::BTreeMap;

    const SECTIONS: [&str; 11] = [
        "Configuration",
        "<b>Loss</b>",
        "<b>Learning rate</b>",
        "<b>Throughput</b>",
        "<b>Gradient norm</b>",
        "<b>Expert load</b>",
        "<b>Padding</b>",
        "Rows per expert, by layer and step",
        "<b>Bytes by collective</b>",
        "<b>Time by phase</b>",
        "class=\"card tile\"",
    ];

    fn step(step: u64) -> StepRecord {
        StepRecord {
            step,
            time_s: step as f64,
            loss: 5.0 / step as f64,
            ce_loss: 5.0 / step as f64,
            grad_norm: 1.0,
            learning_rate: 3e-4,
            tokens: 4096 * step,
            tokens_per_second: 2000.0,
            step_seconds: 2.0,
            phase_seconds: BTreeMap::from([("forward".to_owned(), 0.5), ("backward".to_owned(), 1.0)]),
            expert_max_over_mean: Some(1.5),
            rows_per_expert: Some(vec![vec![1, 2, 3, 4]; 2]),
            padding: Some(1.1),
            home_max_over_mean: Some(1.6),
            rank_max_over_mean: Some(1.0),
            rows_per_rank_at_home: Some(vec![vec![3, 7]; 2]),
            rows_per_rank: Some(vec![vec![5, 5]; 2]),
            collective_bytes: BTreeMap::from([("all_to_all".to_owned(), 1 << 20)]),
            ..StepRecord::default()
        }
    }

    fn run(steps: Vec<StepRecord>) -> RunLog {
        RunLog {
            evals: vec![EvalRecord { step: 1, time_s: 1.0, loss: 4.0, perplexity: 54.6, tokens: 100 }],
            solves: vec![SolveRecord::new(1, 1.0, "countdown", 1, 2)],
            steps,
            checkpoints: Vec::new(),
        }
    }

    #[test]
    fn a_run_folder_becomes_one_page_that_needs_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = RunWriter::create(dir.path()).unwrap();
        for n in 1..=200 {
            writer.write(&step(n)).unwrap();
        }
        drop(writer);
        fs::write(dir.path().join(CONFIG_FILE), "[model]\nlayers = 2\n").unwrap();
        let html = fs::read_to_string(render(dir.path()).unwrap()).unwrap();
        for section in SECTIONS {
            assert!(html.contains(section), "{section} is missing");
        }
        for balance in ["<b>Rank load</b>", "Rows per rank with experts at home", "Rows per rank as planned"]
        {
            assert!(html.contains(balance), "{balance} is missing");
        }
        for outside in ["http", "src=", "href=", "url(", "@import"] {
            assert!(!html.contains(outside), "{outside} refers outside the page");
        }
        assert!(html.contains("layers = 2"));
        let left_over = fs::read_dir(dir.path())
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("partial"));
        assert_eq!(left_over.count(), 0);
    }

    #[test]
    fn foreign_text_is_shown_not_run() {
        let log =
            RunLog { solves: vec![SolveRecord::new(1, 0.0, "<script>evil()", 1, 2)], ..run(vec![step(1)]) };
        let html = page("<script>name", Some("x = \"<script>alert(1)</script>\""), &log);
        assert_eq!(html.matches("<script>").count(), 1, "only our own");
        assert!(html.contains("x = &quot;&lt;script&gt;alert(1)&lt;/script&gt;&quot;"));
    }

    #[test]
    fn every_section_stands_whatever_is_missing() {
        let dense =
            StepRecord { expert_max_over_mean: None, rows_per_expert: None, padding: None, ..step(1) };
        let bare = StepRecord { step: 1, ..StepRecord::default() };
        let broken = StepRecord { loss: f64::NAN, ce_loss: f64::NAN, grad_norm: f64::INFINITY, ..step(2) };
        for log in [
            run(vec![step(1)]),
            run(vec![dense]),
            run(vec![bare]),
            run(vec![step(1), broken.clone()]),
            run(vec![broken]),
            RunLog::default(),
        ] {
            let html = page("run", Some(""), &log);
            for section in SECTIONS {
                assert!(html.contains(section), "{section} is missing");
            }
            assert!(!html.contains("%\">NaN") && !html.contains("LNaN") && !html.contains("MNaN"));
        }
    }

    #[test]
    fn a_long_run_stays_a_small_page() {
        let log = run((1..=100_000).map(|n| StepRecord { rows_per_expert: None, ..step(n) }).collect());
        let html = page("run", None, &log);
        assert!(html.len() < 600_000, "{}", html.len());
    }
}
