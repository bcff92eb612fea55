//! Engines on fixtures, and what they say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use collegium_checkpoint::SafetensorsReader;
use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_runtime::{Backend, EvalBackend};
use collegium_serve::{
    Balance, Budget, Event, Finish, Handle, Limits, Request, Runner, Scored, Stats, Stop, Types, Usage,
};
use collegium_train::setup;
use tokio::sync::mpsc::UnboundedReceiver;

/// The exact reference: nothing to compile, so every shape of a step is cheap.
pub fn backend() -> Arc<dyn Backend> {
    Arc::new(EvalBackend::new(1))
}

/// The reference and, where there is a plugin, the CPU with its kernels and packed weights.
pub fn backends() -> Vec<Arc<dyn Backend>> {
    [Some(backend()), cpu()].into_iter().flatten().collect()
}

pub fn cpu() -> Option<Arc<dyn Backend>> {
    cpus(1)
}

/// Virtual devices of the CPU.
pub fn cpus(devices: usize) -> Option<Arc<dyn Backend>> {
    let found = setup::open_backend("cpu", devices);
    found.inspect_err(|error| eprintln!("skipped: {error}")).ok()
}

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

pub fn handle(backend: &Arc<dyn Backend>, name: &str, limits: Limits) -> Handle {
    handle_of(backend, name, limits, DType::F32)
}

pub fn handle_of(backend: &Arc<dyn Backend>, name: &str, limits: Limits, types: impl Into<Types>) -> Handle {
    handle_by(backend, name, limits, types, Balance::default())
}

pub fn handle_by(
    backend: &Arc<dyn Backend>,
    name: &str,
    limits: Limits,
    types: impl Into<Types>,
    balance: Balance,
) -> Handle {
    let runner = runner(backend, name, &limits, types, balance);
    Handle::start(runner, None, limits).unwrap()
}

/// With a budget of so many tokens for what sequences write.
pub fn handle_within(
    backend: &Arc<dyn Backend>,
    name: &str,
    limits: Limits,
    types: impl Into<Types>,
    budget: usize,
) -> Handle {
    let runner = runner(backend, name, &limits, types, Balance::default());
    let runner = runner.with_budget(Some(Budget::new(budget).unwrap())).unwrap();
    Handle::start(runner, None, limits).unwrap()
}

fn runner(
    backend: &Arc<dyn Backend>,
    name: &str,
    limits: &Limits,
    types: impl Into<Types>,
    balance: Balance,
) -> Runner {
    let config = ModelConfig::from_file(&folder(name)).unwrap().0;
    let reader = SafetensorsReader::open(&folder(name)).unwrap();
    let room = (limits.cache_pages, limits.context);
    let value = &mut |name: &str, sizes: &[usize]| Ok(reader.read_f32(name, sizes)?);
    Runner::with_balance(backend.clone(), config, types, balance, room, value).unwrap()
}

pub fn prompt(seed: u32, len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| (i * i * 7 + i * 3 + seed * 11) % 61 + 1).collect()
}

pub fn greedy(prompt: &[u32], max_tokens: usize) -> Request {
    Request {
        stop: Stop { ignore_eos: true, ..Stop::default() },
        logprobs: Some(1),
        ..Request::greedy(prompt.to_vec(), max_tokens)
    }
}

pub struct Heard {
    pub ids: Vec<Vec<u32>>,
    pub logprobs: Vec<Vec<f32>>,
    pub usage: Usage,
    pub prompt: Vec<Scored>,
}

/// Everything a request says, by sample.
pub fn heard(mut events: UnboundedReceiver<Event>, n: usize) -> Heard {
    let mut heard =
        Heard { ids: vec![vec![]; n], logprobs: vec![vec![]; n], usage: Usage::default(), prompt: vec![] };
    let mut ended = 0;
    while let Some(event) = events.blocking_recv() {
        match event {
            Event::Token(t) => {
                heard.ids[t.sample].push(t.scored.id);
                heard.logprobs[t.sample].extend(t.scored.logprob);
            }
            Event::Finished { usage, reason, .. } => {
                assert_eq!(reason, Finish::Length);
                heard.usage = usage;
                ended += 1;
            }
            Event::Prompt(scores) => heard.prompt = scores,
            Event::Failed(why) => panic!("{why}"),
        }
    }
    assert_eq!(ended, n, "every sample ends once");
    heard
}

/// The numbers once so many tokens were given out.
pub fn settled(engine: &Handle, generated: u64) -> Stats {
    once(engine, |stats| stats.generated == generated)
}

/// The numbers once they are so: a caller hears of the last step before they do.
pub fn once(engine: &Handle, holds: impl Fn(&Stats) -> bool) -> Stats {
    for _ in 0..100 {
        let stats = engine.stats();
        if holds(&stats) {
            return stats;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{:?}", engine.stats())
}
