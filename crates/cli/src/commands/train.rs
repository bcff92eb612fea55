//! `collegium train`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use collegium_checkpoint::CheckpointDir;
use collegium_model::config::ModelConfig;
use collegium_train::config::RunConfig;
use collegium_train::feed::Feed;
use collegium_train::{Ending, TrainError, Trainer, feed, setup, snapshot};

use super::run_folder::{NewFolder, next_free};
use super::{Outcome, show_tokenizing, tell};
use crate::args::TrainArgs;

/// Runs the command.
pub fn run(args: &TrainArgs) -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal ends the process at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    let (trainer, dir) = match &args.resume {
        Some(run) => (resume(args, run, stop)?, run.clone()),
        None => create(args, stop)?,
    };
    let (ending, step) = trainer.run()?;
    let summary = collegium_report::summary(&dir)?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&summary)?,
        false => format!(
            "{summary}\npage        {}\ncheckpoint  {}",
            dir.join("report.html").display(),
            newest(&dir)?.display()
        ),
    };
    // Everything is saved: an output that is closed is no failure.
    let _ = writeln!(std::io::stdout(), "{text}");
    if ending == Ending::Interrupted {
        tell(format!("stopped after step {step}; go on with: collegium train --resume {}", dir.display()));
        return Ok(ExitCode::from(130));
    }
    Ok(ExitCode::SUCCESS)
}

fn newest(dir: &Path) -> anyhow::Result<PathBuf> {
    let latest = CheckpointDir::new(&dir.join("checkpoints"))?.latest()?;
    latest.map(|c| c.path).ok_or_else(|| TrainError::NoCheckpoint { run: dir.into() }.into())
}

/// The configuration with the command line's own options in it.
fn configuration(args: &TrainArgs) -> anyhow::Result<RunConfig> {
    let mut settings = args.settings.clone();
    let text = |p: &Path| serde_json::Value::from(p.to_string_lossy()).to_string();
    if !args.data.is_empty() {
        let list: Vec<String> = args.data.iter().map(|p| text(p)).collect();
        settings.push(format!("data.paths=[{}]", list.join(",")));
    }
    settings.extend(args.field.iter().map(|f| format!("data.field={}", serde_json::Value::from(f.as_str()))));
    settings.extend(args.tokenizer.iter().map(|t| format!("data.tokenizer={}", text(t))));
    settings.extend(args.run.iter().map(|r| format!("run.dir={}", text(r))));
    settings.extend(args.precompile.then(|| "parallel.precompile=true".to_string()));
    settings.extend(args.record_routing.map(|steps| format!("run.record_routing={steps}")));
    Ok(RunConfig::assemble(args.preset.as_deref(), args.config.as_deref(), &settings)?)
}

fn create(args: &TrainArgs, stop: Arc<AtomicBool>) -> anyhow::Result<(Trainer, PathBuf)> {
    let mut config = configuration(args)?;
    let tokenizer = feed::tokenizer(&config)?;
    let (model, warnings) = setup::model_config(&config, tokenizer.vocab_size())?;
    warnings.iter().for_each(|w| tell(format!("warning: {w}")));
    let dir = match &config.run.dir {
        Some(dir) => dir.clone(),
        None => next_free(Path::new("runs"))?,
    };
    config.run.dir = Some(dir.clone());
    let folder = NewFolder::claim(dir.clone())?;
    // The devices and the weights come before the data, which may take minutes to tokenize.
    let backend = setup::open_backend(&config.parallel.platform, config.parallel.devices)?;
    let mut engine = setup::engine(&config, &model, backend, config.model.checkpoint.as_deref())?;
    let feed = open_feed(&config, folder.path())?;
    describe(&config, &model, &dir);
    compile(&mut engine)?;
    let trainer = Trainer::create(config, &dir, engine, feed, stop)?;
    folder.keep();
    Ok((trainer, dir))
}

fn resume(args: &TrainArgs, run: &Path, stop: Arc<AtomicBool>) -> anyhow::Result<Trainer> {
    let saved = run.join("config.toml");
    if !saved.exists() {
        anyhow::bail!(
            "{} is not a run (no config.toml); give the folder that `collegium train` printed, not a checkpoint in it",
            run.display()
        );
    }
    let read = |settings: &[String]| {
        RunConfig::assemble(None, Some(&saved), settings)
            .with_context(|| format!("cannot resume {}", run.display()))
    };
    let mut config = read(&args.settings)?;
    check_unchanged(&read(&[])?, &config)?;
    config.run.dir = Some(run.into());
    let checkpoint = newest(run)?;
    let (done, steps) = (snapshot::read_state(&checkpoint)?.step, config.train.steps);
    if done >= steps {
        return Err(TrainError::AllStepsDone { run: run.into(), done, steps }.into());
    }
    let tokenizer = feed::tokenizer(&config)?;
    let (model, _) = ModelConfig::from_file(&checkpoint.join("config.json"))?;
    let (described, _) = setup::model_config(&config, tokenizer.vocab_size())?;
    if let Some(difference) = difference(&model, &described) {
        return Err(TrainError::OtherModel { run: run.into(), difference }.into());
    }
    let backend = setup::open_backend(&config.parallel.platform, config.parallel.devices)?;
    let mut engine = setup::engine(&config, &model, backend, Some(&checkpoint))?;
    let feed = open_feed(&config, run)?;
    describe(&config, &model, run);
    compile(&mut engine)?;
    Ok(Trainer::resume(config, run, engine, feed, &checkpoint, stop)?)
}

/// Refuses to change what a run cannot change: where it is, and what its weights and data began with.
fn check_unchanged(saved: &RunConfig, config: &RunConfig) -> anyhow::Result<()> {
    let fixed = [
        (
            "run.dir",
            saved.run.dir == config.run.dir,
            "a run stays in its folder; move the folder and give its new path to --resume",
        ),
        (
            "train.seed",
            saved.train.seed == config.train.seed,
            "it fixed the weights and the order of the data; start a new run",
        ),
        (
            "model.checkpoint",
            saved.model.checkpoint == config.model.checkpoint,
            "the run goes on with its own weights; start a new run",
        ),
    ];
    match fixed.iter().find(|f| !f.1) {
        Some((key, _, why)) => anyhow::bail!("--set {key} cannot go with --resume: {why}"),
        None => Ok(()),
    }
}

/// The first key in which two models differ.
fn difference(saved: &ModelConfig, described: &ModelConfig) -> Option<String> {
    let (saved, described) = (saved.to_hf_json(), described.to_hf_json());
    let ends = ["eos_token_id", "bos_token_id"];
    let keys = saved.as_object()?.keys().filter(|k| !ends.contains(&k.as_str()));
    keys.into_iter()
        .find(|k| saved.get(k.as_str()) != described.get(k.as_str()))
        .map(|k| format!("{k} is {} there and {} here", saved[k.as_str()], described[k.as_str()]))
}

fn open_feed(config: &RunConfig, dir: &Path) -> anyhow::Result<Feed> {
    let cache = config.data.cache.clone().unwrap_or_else(|| dir.join("tokens"));
    Ok(Feed::open(config, &cache, &mut show_tokenizing())?)
}

fn compile(engine: &mut collegium_train::engine::Engine) -> anyhow::Result<()> {
    let seconds = engine.compile()?;
    tell(format!("compiled in {seconds:.1} s"));
    Ok(())
}

fn describe(config: &RunConfig, model: &ModelConfig, dir: &Path) {
    let million = |n: u64| n as f64 / 1e6;
    let (devices, expert) = (config.parallel.devices, config.expert_ranks());
    tell(format!(
        "{}: {:.2} M parameters, {:.2} M active; {devices} {} device{} = {} x {expert} (data x expert); {} steps of {} tokens; run {}",
        model.family,
        million(model.num_parameters()),
        million(model.num_active_parameters()),
        config.parallel.platform,
        if devices == 1 { "" } else { "s" },
        devices / expert,
        config.train.steps,
        config.train.batch * config.train.seq,
        dir.display(),
    ));
}
