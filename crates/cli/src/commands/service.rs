//! What commands that run the serving engine share.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use collegium_api::client::Client;
use collegium_api::{App, Defaults, Machine, Options, Served, Template};
use collegium_checkpoint::SafetensorsReader;
use collegium_data::Tokenizer;
use collegium_model::config::ModelConfig;
use collegium_runtime::energy::Meter;
use collegium_runtime::platform;
use collegium_serve::{Handle, Limits, Runner, memory_read_rate};
use collegium_train::engine::Values;
use collegium_train::setup;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::checkpoint::Model;
use super::{serving_balance, serving_budget, serving_types, tell};
use crate::args::{CacheArgs, EngineArgs};

/// Longest sequence where neither the model nor the user says less.
const CONTEXT: usize = 4096;

/// What the cache is to have room for.
pub fn limits(config: &ModelConfig, cache: &CacheArgs, devices: usize) -> anyhow::Result<Limits> {
    let context = cache.context.unwrap_or(config.max_position_embeddings.min(CONTEXT));
    if cache.sequences == 0 {
        anyhow::bail!("--sequences 0 leaves no room for any request; give at least 1");
    }
    // The engine's own message would name its field.
    if context < 2 {
        anyhow::bail!("--context {context} has no room for a prompt and an answer; give at least 2");
    }
    let &CacheArgs { drafts, past, stall, sequences, .. } = cache;
    let limits = Limits { drafts, past, stall, ..Limits::new(sequences.div_ceil(devices.max(1)), context) };
    limits.check()?;
    Ok(limits)
}

/// Which programs are compiled before the first request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// None: each when it is first needed.
    None,
    /// All, so that no request waits for one.
    All,
}

/// The engine of a model, whose parameters `value` gives.
pub fn engine(
    config: &ModelConfig,
    tokenizer: &Arc<Tokenizer>,
    args: &EngineArgs,
    (limits, ahead): (Limits, Ahead),
    value: &mut Values<'_>,
) -> anyhow::Result<Handle> {
    let (types, balance) = (serving_types(args)?, serving_balance(args)?);
    let budget = serving_budget(args, config)?;
    let backend = setup::open_backend_with(&args.platform, args.devices, platform::program_folder())?;
    let room = (limits.cache_pages, limits.context);
    let runner = Runner::with_balance(backend, config.clone(), types, balance, room, value)?;
    let mut runner = runner.with_budget(budget)?;
    if ahead == Ahead::All {
        tell("compiling programs; later starts find them kept");
        let seconds = runner.compile_ahead()?;
        tell(format!("compiled in {seconds:.1} s"));
    }
    Ok(Handle::start(runner, Some(tokenizer.clone()), limits)?)
}

/// The engine of a checkpoint.
pub fn engine_of(
    model: &Model,
    tokenizer: &Arc<Tokenizer>,
    args: &EngineArgs,
    how: (Limits, Ahead),
) -> anyhow::Result<Handle> {
    let reader = SafetensorsReader::open(&model.folder)?;
    let value = &mut |name: &str, sizes: &[usize]| Ok(reader.read_f32(name, sizes)?);
    engine(&model.config, tokenizer, args, how, value)
        .with_context(|| format!("cannot load {}", model.folder.display()))
}

/// The checkpoint at `path`, ready to answer.
pub fn serve_checkpoint(
    path: &Path,
    name: Option<&str>,
    args: &EngineArgs,
    cache: &CacheArgs,
) -> anyhow::Result<Served> {
    let model = Model::open(path)?;
    let template = Template::from_folder(&model.folder).map_err(anyhow::Error::msg)?;
    let defaults = Defaults::from_folder(&model.folder);
    let tokenizer = Arc::new(model.tokenizer.clone());
    let engine =
        engine_of(&model, &tokenizer, args, (limits(&model.config, cache, args.devices)?, Ahead::All))?;
    let folder = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let own = folder.file_name().map_or_else(|| "model".into(), |n| n.to_string_lossy().into_owned());
    Ok(Served::new(name.map_or(own, Into::into), engine, tokenizer, template, defaults))
}

/// A model with random weights.
pub fn serve_random(preset: &str, args: &EngineArgs, cache: &CacheArgs) -> anyhow::Result<Served> {
    let config = collegium_train::config::RunConfig::assemble(Some(preset), None, &[])?;
    let (config, _) = setup::model_config(&config, 0)?;
    let init = collegium_train::RandomInit::new(&config, 1);
    let tokenizer = Arc::new(Tokenizer::bytes());
    let value = &mut |name: &str, sizes: &[usize]| init.value(name, sizes);
    let engine =
        engine(&config, &tokenizer, args, (limits(&config, cache, args.devices)?, Ahead::All), value)?;
    Ok(Served::new(preset.into(), engine, tokenizer, Template::default(), Defaults::default()))
}

/// What this machine says of itself: joules where it has a meter, and on a CPU how fast it reads its memory, which is measured here.
pub fn machine(platform: &str) -> Machine {
    let joules = Meter::open().ok().map(Mutex::new).map(|meter| {
        let read = move || meter.lock().unwrap_or_else(PoisonError::into_inner).joules();
        Box::new(read) as Box<dyn Fn() -> f64 + Send + Sync>
    });
    Machine { joules, read_rate: (platform == "cpu").then(memory_read_rate) }
}

/// Threads that wait for sockets. Made only once the model is open: some plugins read variables that cannot be set beside other threads.
pub fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// A client of the server at `url`, or of one that is started here for `served` and ends with this process.
pub fn client(
    url: Option<&str>,
    served: impl FnOnce() -> anyhow::Result<Served>,
) -> anyhow::Result<(Runtime, Client)> {
    if let Some(url) = url {
        let key = std::env::var("COLLEGIUM_API_KEY").ok().filter(|k| !k.is_empty());
        return Ok((runtime()?, Client::new(url, key)));
    }
    // What runs for nobody else has no reason to end an answer.
    let options = Options { timeout: Duration::from_secs(1 << 30), ..Options::default() };
    let app = App::new(served()?, options, Machine::default());
    let runtime = runtime()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    runtime.spawn(collegium_api::serve(listener, app, std::future::pending()));
    Ok((runtime, Client::new(&url, None)))
}
