//! What narrower weights and caches cost a model that reasons: fresh problems of the built-in corpus that it solves, greedily, with all of its texts
//! written beside each other; and how many of the guesses at its tokens were right.
//!
//!     cargo bench -p collegium-serve --bench reasoning -- runs/001/checkpoints/step-00000400 [--problems 512]

use std::path::Path;
use std::sync::Arc;

use collegium_checkpoint::SafetensorsReader;
use collegium_core::DType;
use collegium_data::Tokenizer;
use collegium_data::corpus::{CorpusConfig, Problem};
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use collegium_serve::{Event, Handle, Limits, Request, Runner, Types};
use collegium_train::setup;

fn main() {
    let options: Vec<String> = std::env::args().collect();
    let Some(folder) = options.get(1).filter(|o| !o.starts_with("--")) else {
        return eprintln!("skipped: name a checkpoint that was trained on the built-in corpus");
    };
    let count =
        options.iter().position(|o| o == "--problems").and_then(|at| options.get(at + 1)?.parse().ok());
    let problems =
        CorpusConfig::default().fresh_problems(count.unwrap_or(512)).expect("a corpus has problems");
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    println!("{:>8} {:>8} {:>16} {:>14}", "weights", "cache", "solved", "guesses right");
    for weights in [DType::F32, DType::Bf16, DType::I8] {
        for int8_cache in [false, true] {
            let (solved, right) =
                solve(&backend, Path::new(folder), Types { weights, int8_cache }, &problems);
            let cache = if int8_cache { "int8" } else { "as they" };
            let share = 100.0 * solved as f64 / problems.len() as f64;
            let solved = format!("{solved} ({share:.1} %)");
            println!("{:>8} {cache:>8} {solved:>16} {right:>13.0}%", format!("{weights:?}"));
        }
    }
}

/// How many of the problems are solved, and the percentage of guesses that were right.
fn solve(backend: &Arc<dyn Backend>, folder: &Path, types: Types, problems: &[Problem]) -> (usize, f64) {
    let config = ModelConfig::from_file(folder).expect("a configuration").0;
    let tokenizer =
        Arc::new(Tokenizer::from_file(&folder.join("tokenizer.json"), None).expect("a tokenizer"));
    let reader = SafetensorsReader::open(folder).expect("weights");
    let value = &mut |name: &str, sizes: &[usize]| Ok(reader.read_f32(name, sizes)?);
    let longest = problems.iter().map(|p| p.solution.len()).max().unwrap_or(0) + 2;
    let limits = Limits::new(16, longest + problems.iter().map(|p| p.prompt.len()).max().unwrap_or(1));
    let room = (limits.cache_pages, limits.context);
    let runner = Runner::new(backend.clone(), config, types, room, value).expect("it fits");
    let engine = Handle::start(runner, Some(tokenizer.clone()), limits).expect("limits that can be");
    let mut solved = 0;
    // As many at once as may wait.
    for some in problems.chunks(limits.waiting) {
        let ask = |problem: &Problem| {
            let prompt = tokenizer.encode(&problem.prompt).expect("text");
            engine.submit(Request::greedy(prompt, longest)).expect("it fits")
        };
        let all: Vec<_> = some.iter().map(ask).collect();
        for (problem, mut events) in some.iter().zip(all) {
            let mut text = String::new();
            while let Some(event) = events.blocking_recv() {
                match event {
                    Event::Token(token) => text += &token.text,
                    Event::Finished { text: rest, .. } => text += &rest,
                    other => panic!("{other:?}"),
                }
            }
            solved += usize::from(problem.grade(&text));
        }
    }
    let stats = engine.stats();
    (solved, 100.0 * stats.accepted as f64 / (stats.drafted as f64).max(1.0))
}
