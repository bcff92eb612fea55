//! Fresh problems of the built-in corpus, solved greedily by an engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use collegium_checkpoint::SafetensorsReader;
use collegium_data::Tokenizer;
use collegium_data::corpus::Problem;
use collegium_model::config::ModelConfig;
use collegium_runtime::Backend;
use collegium_serve::{Budget, Event, Handle, Limits, Request, Runner, Stats, Types};
use collegium_train::setup;

/// What an engine made of problems.
pub struct Answers {
    pub solved: usize,
    #[allow(dead_code, reason = "one of the benchmarks does not time")]
    pub seconds: f64,
    pub stats: Stats,
}

/// A checkpoint and the device that it is served on.
pub struct Model {
    backend: Arc<dyn Backend>,
    folder: String,
    tokenizer: Arc<Tokenizer>,
}

impl Model {
    /// The checkpoint that the first argument names; nothing, with a word why, where there is none or no device.
    pub fn of_arguments(options: &[String]) -> Option<Self> {
        let Some(folder) = options.get(1).filter(|o| !o.starts_with("--")) else {
            eprintln!("skipped: name a checkpoint that was trained on the built-in corpus");
            return None;
        };
        let backend = setup::open_backend("cpu", 1).map_err(|error| eprintln!("skipped: {error}")).ok()?;
        let file = Path::new(folder).join("tokenizer.json");
        let tokenizer = Arc::new(Tokenizer::from_file(&file, None).expect("a tokenizer"));
        Some(Self { backend, folder: folder.clone(), tokenizer })
    }

    /// Lets it solve problems, 16 beside each other.
    pub fn solve(&self, types: Types, budget: Option<Budget>, problems: &[Problem]) -> Answers {
        let longest = problems.iter().map(|p| p.solution.len()).max().unwrap_or(0) + 2;
        let limits = Limits::new(16, longest + problems.iter().map(|p| p.prompt.len()).max().unwrap_or(1));
        let engine = self.engine(types, budget, limits);
        let (mut solved, started) = (0, Instant::now());
        // As many at once as may wait.
        for some in problems.chunks(limits.waiting) {
            let ask = |problem: &Problem| {
                let prompt = self.tokenizer.encode(&problem.prompt).expect("text");
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
        Answers { solved, seconds: started.elapsed().as_secs_f64(), stats: engine.stats() }
    }

    fn engine(&self, types: Types, budget: Option<Budget>, limits: Limits) -> Handle {
        let folder = Path::new(&self.folder);
        let config = ModelConfig::from_file(folder).expect("a configuration").0;
        let reader = SafetensorsReader::open(folder).expect("weights");
        let value = &mut |name: &str, sizes: &[usize]| Ok(reader.read_f32(name, sizes)?);
        let room = (limits.cache_pages, limits.context);
        let runner = Runner::new(self.backend.clone(), config, types, room, value).expect("it fits");
        let mut runner = runner.with_budget(budget).expect("a model without windows");
        runner.compile_ahead().expect("programs of the engine compile");
        Handle::start(runner, Some(self.tokenizer.clone()), limits).expect("limits that can be")
    }
}

/// The number behind an option, or what it is without.
pub fn number(options: &[String], name: &str, without: usize) -> usize {
    let given = options.iter().position(|o| o == name).and_then(|at| options.get(at + 1));
    given.and_then(|number| number.parse().ok()).unwrap_or(without)
}
