//! What a budget for the cache costs a model that reasons, and what it gives where many think for long in little memory.
//!
//! Fresh additions and subtractions of many digits, for a checkpoint that was trained on them, which solves them greedily, 16 beside each other:
//!
//!     cargo bench -p collegium-serve --bench budget -- runs/002/checkpoints/step-00001200 [--digits 9] [--problems 256]
//!
//! Shape D in bfloat16 with random weights: 8 streams of 128 tokens and some new ones, in a cache that has room for all of them or for 2:
//!
//!     cargo bench -p collegium-serve --bench budget -- --new 1024 [--only BUDGET]

mod problems;
mod shape;

use collegium_core::DType;
use collegium_data::corpus::{CorpusConfig, Kind};
use collegium_serve::{Balance, Budget, Event, Handle, Limits, Request, Stop};
use collegium_train::setup;
use std::time::Instant;

const STREAMS: usize = 8;
const PROMPT: usize = 128;

fn main() {
    let options: Vec<String> = std::env::args().collect();
    match problems::number(&options, "--new", 0) {
        0 => reason(&options),
        new => think_long(new, problems::number(&options, "--only", usize::MAX)),
    }
}

fn budget(tokens: usize) -> Option<Budget> {
    (tokens > 0).then(|| Budget::new(tokens).expect("whole pages"))
}

fn name(tokens: usize) -> String {
    if tokens == 0 { "none".into() } else { tokens.to_string() }
}

/// The same problems with each budget.
fn reason(options: &[String]) {
    let Some(model) = problems::Model::of_arguments(options) else { return };
    let digits = problems::number(options, "--digits", 9) as u32;
    let count = problems::number(options, "--problems", 256);
    let kinds = vec![Kind::Addition, Kind::Subtraction];
    let corpus = CorpusConfig { kinds, max_digits: digits, ..CorpusConfig::default() };
    let mut all = corpus.fresh_problems(count * digits as usize * 2).expect("a corpus has problems");
    // Of those with most digits, whose solutions are longest.
    all.retain(|problem| problem.level == digits);
    all.truncate(count);
    let longest = all.iter().map(|p| p.solution.len()).max().unwrap_or(0);
    println!("{} problems of {digits} digits, solutions of up to {longest} tokens", all.len());
    println!(
        "{:>8} {:>16} {:>10} {:>12} {:>12} {:>12}",
        "budget", "solved", "tokens/s", "peak pages", "in KB", "compactions"
    );
    for tokens in [0, 80, 64, 48, 32] {
        let answers = model.solve(DType::F32.into(), budget(tokens), &all);
        let stats = answers.stats;
        println!(
            "{:>8} {:>16} {:>10.0} {:>12} {:>12.0} {:>12}",
            name(tokens),
            format!("{} ({:.1} %)", answers.solved, 100.0 * answers.solved as f64 / all.len() as f64),
            stats.generated as f64 / answers.seconds,
            stats.pages_peak,
            (stats.pages_peak * stats.page_bytes) as f64 / 1e3,
            stats.compactions
        );
    }
}

/// The same streams with each budget, or `only` with one, in much memory and in little.
fn think_long(new: usize, only: usize) {
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    println!(
        "{:>10} {:>8} {:>10} {:>12} {:>10} {:>12} {:>12}",
        "cache for", "budget", "tokens/s", "peak pages", "in MB", "preemptions", "compactions"
    );
    let all = [(STREAMS, 0), (STREAMS, 512), (2, 0), (2, 512), (2, 128)];
    for (sequences, tokens) in all.into_iter().filter(|(_, tokens)| only == usize::MAX || *tokens == only) {
        let limits = Limits { drafts: 0, ..Limits::new(sequences, PROMPT + new) };
        let runner = shape::runner(&backend, &shape::model(), DType::Bf16, limits, Balance::default());
        let mut runner = runner.with_budget(budget(tokens)).expect("a model without windows");
        runner.compile_ahead().expect("programs of the engine compile");
        let engine = Handle::start(runner, None, limits).expect("limits that can be");
        let request = |stream: usize| Request {
            stop: Stop { ignore_eos: true, ..Stop::default() },
            ..Request::greedy((0..PROMPT).map(|i| ((i * 31 + stream * 977) % 8000) as u32).collect(), new)
        };
        let started = Instant::now();
        let all: Vec<_> = (0..STREAMS).map(|at| engine.submit(request(at)).expect("it fits")).collect();
        for mut events in all {
            while let Some(event) = events.blocking_recv() {
                assert!(matches!(event, Event::Token(_) | Event::Finished { .. }), "{event:?}");
            }
        }
        let (seconds, stats) = (started.elapsed().as_secs_f64(), engine.stats());
        println!(
            "{sequences:>10} {:>8} {:>10.0} {:>12} {:>10.1} {:>12} {:>12}",
            name(tokens),
            (STREAMS * new) as f64 / seconds,
            stats.pages_peak,
            (stats.pages_peak * stats.page_bytes) as f64 / 1e6,
            stats.preemptions,
            stats.compactions
        );
    }
}
