//! The training loop: data, steps, validation, checkpoints, records. Survives Ctrl-C by finishing the step and saving.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use collegium_balance::trace::Trace;
use collegium_checkpoint::CheckpointDir;
use collegium_data::Batch;
use collegium_report::{CheckpointRecord, EvalRecord, Progress, RunWriter, SolveRecord, StepRecord};
use collegium_runtime::energy::Meter;

use crate::adapt::DispatchReport;
use crate::config::RunConfig;
use crate::engine::{Engine, Hyper, LossWeights, State, StepLoss};
use crate::feed::Feed;
use crate::sampling::Sampler;
use crate::saver::Saver;
use crate::schedule::learning_rate;
use crate::snapshot::{self, RunState};
use crate::{TrainError, solve};

/// The static shapes that a run used, in its folder.
pub const BUCKETS_FILE: &str = "buckets.json";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All steps were done.
    Finished,
    /// A signal came; everything is saved.
    Interrupted,
}

/// A run in progress.
pub struct Trainer {
    config: RunConfig,
    dir: PathBuf,
    engine: Engine,
    feed: Feed,
    writer: RunWriter,
    progress: Progress,
    saver: Saver,
    stop: Arc<AtomicBool>,
    step: u64,
    tokens: u64,
    started: Instant,
    /// Of the machine, where it has one.
    meter: Option<Meter>,
}

impl Trainer {
    /// A new run in `dir`.
    ///
    /// # Errors
    /// A folder that holds a run already or cannot be written.
    pub fn create(
        config: RunConfig,
        dir: &Path,
        engine: Engine,
        feed: Feed,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, TrainError> {
        let writer = RunWriter::create(dir)?;
        collegium_checkpoint::write_file(&dir.join("config.toml"), config.to_toml().as_bytes())?;
        Self::open(config, dir, engine, feed, writer, stop, None)
    }

    /// The run in `dir`, from its newest checkpoint; `engine` has that checkpoint's weights already.
    ///
    /// # Errors
    /// A checkpoint of other data, or one that lacks a part.
    pub fn resume(
        config: RunConfig,
        dir: &Path,
        mut engine: Engine,
        mut feed: Feed,
        checkpoint: &Path,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, TrainError> {
        let state = snapshot::read_state(checkpoint)?;
        snapshot::restore(&mut engine, &state, checkpoint)?;
        feed.train.restore(&state.data)?;
        let writer = RunWriter::append(dir, state.step)?;
        collegium_checkpoint::write_file(&dir.join("config.toml"), config.to_toml().as_bytes())?;
        let mut trainer = Self::open(config, dir, engine, feed, writer, stop, Some(state.step))?;
        (trainer.step, trainer.tokens) = (state.step, state.tokens);
        trainer.progress = Progress::new(trainer.config.train.steps, state.step);
        Ok(trainer)
    }

    fn open(
        config: RunConfig,
        dir: &Path,
        engine: Engine,
        feed: Feed,
        writer: RunWriter,
        stop: Arc<AtomicBool>,
        saved: Option<u64>,
    ) -> Result<Self, TrainError> {
        let checkpoints = CheckpointDir::new(&dir.join("checkpoints"))?;
        checkpoints.prepare()?;
        let saver = Saver::new(checkpoints, config.run.keep, config.run.checkpoint_async, saved);
        let progress = Progress::new(config.train.steps, 0);
        let dir = dir.to_path_buf();
        let started = Instant::now();
        Ok(Self {
            config,
            dir,
            engine,
            feed,
            writer,
            progress,
            saver,
            stop,
            step: 0,
            tokens: 0,
            started,
            meter: Meter::open().ok(),
        })
    }

    /// Trains to the end, or until a signal comes; how it ended and after which step. The newest checkpoint and the folder's
    /// page are there afterwards.
    ///
    /// # Errors
    /// A loss that is not finite, data or a disk that fail, or what the device says; the last checkpoint is untouched.
    pub fn run(mut self) -> Result<(Ending, u64), TrainError> {
        let ending = self.run_steps();
        // What was saved and what led to an error is worth having too; that it cannot be had must not hide the error itself.
        let saved = self.finish_saving();
        let closed = self.close();
        self.progress.finish();
        let ending = ending?;
        saved?;
        closed?;
        Ok((ending, self.step))
    }

    fn run_steps(&mut self) -> Result<Ending, TrainError> {
        let (steps, run) = (self.config.train.steps, self.config.run.clone());
        while self.step < steps {
            self.train_step()?;
            let complete = self.saver.poll()?;
            self.write_saved(complete)?;
            if run.eval_every > 0 && self.step.is_multiple_of(run.eval_every) && self.step < steps {
                self.validate()?;
            }
            let stop = self.stop.load(Ordering::Relaxed);
            if stop || (run.checkpoint_every > 0 && self.step.is_multiple_of(run.checkpoint_every)) {
                self.save()?;
            }
            if stop && self.step < steps {
                return Ok(Ending::Interrupted);
            }
        }
        self.validate()?;
        self.save()?;
        self.solve()?;
        Ok(Ending::Finished)
    }

    fn close(&mut self) -> Result<(), TrainError> {
        self.writer.sync()?;
        let buckets = serde_json::to_string_pretty(&self.engine.buckets()).expect("plain data");
        collegium_checkpoint::write_file(&self.dir.join(BUCKETS_FILE), buckets.as_bytes())?;
        collegium_report::html::render(&self.dir)?;
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.writer.earlier_s() + self.started.elapsed().as_secs_f64()
    }

    fn train_step(&mut self) -> Result<(), TrainError> {
        let started = Instant::now();
        let joules_before = self.meter.as_mut().map(Meter::joules);
        // What validation sent is not this step's.
        self.engine.take_sent();
        let micro = self.config.num_micro_batches();
        let batches: Vec<Batch> =
            (0..micro).map(|_| self.feed.train.next_batch()).collect::<Result<_, _>>()?;
        let data_seconds = started.elapsed().as_secs_f64();
        let targets: usize = batches.iter().map(Batch::num_targets).sum();
        let router = &self.config.router;
        let weights = LossWeights {
            token: 1.0 / targets.max(1) as f64,
            aux: router.aux_loss / micro as f64,
            z: router.z_loss / micro as f64,
        };
        let every = self.config.run.record_routing;
        let recorded = every > 0 && (self.step + 1).is_multiple_of(every);
        if recorded {
            self.engine.start_recording();
        }
        let mut losses = Vec::with_capacity(micro);
        let mut forward_seconds = 0.0;
        for batch in &batches {
            let loss = match self.engine.micro_step(batch, weights) {
                Err(TrainError::Routing { .. }) => return Err(self.not_finite(batch)?),
                other => other?,
            };
            forward_seconds += loss.forward_seconds;
            if !loss.total.is_finite() {
                return Err(self.not_finite(batch)?);
            }
            losses.push(loss);
        }
        let norm = self.engine.gradient_norm()?;
        if !norm.is_finite() {
            return Err(self.gradient_not_finite()?);
        }
        let gradient_seconds = started.elapsed().as_secs_f64() - data_seconds;
        let o = &self.config.optimizer;
        let rate = learning_rate(o, self.step + 1, self.config.train.steps);
        let hyper = Hyper {
            learning_rate: rate,
            weight_decay: o.weight_decay,
            beta1: o.beta1,
            beta2: o.beta2,
            epsilon: o.epsilon,
            max_norm: o.max_norm,
            step: self.step + 1,
        };
        self.engine.update(&hyper, norm)?;
        self.steer_routers(&losses)?;
        self.engine.adapter_mut().end_step()?;
        self.engine.finish_update()?;
        self.step += 1;
        if recorded {
            self.write_routing()?;
        }
        let tokens: usize = batches.iter().map(|b| b.tokens.len()).sum();
        self.tokens += tokens as u64;
        let seconds = started.elapsed().as_secs_f64();
        let phases = BTreeMap::from([
            ("data".to_string(), data_seconds),
            ("forward".to_string(), forward_seconds),
            ("backward".to_string(), gradient_seconds - forward_seconds),
            ("optimizer".to_string(), seconds - data_seconds - gradient_seconds),
        ]);
        let joules = self.meter.as_mut().map(|m| m.joules() - joules_before.unwrap_or(0.0));
        let watts = Some(self.config.run.watts).filter(|w| *w > 0.0 && joules.is_none());
        let record = self.record(
            &losses,
            weights,
            StepRecord {
                grad_norm: norm,
                learning_rate: rate,
                step_seconds: seconds,
                tokens_per_second: tokens as f64 / seconds,
                joules,
                joules_estimated: watts.map(|w| w * seconds),
                phase_seconds: phases,
                collective_bytes: self.engine.take_sent().into_iter().map(|(k, b)| (k.into(), b)).collect(),
                ..StepRecord::default()
            },
        );
        self.writer.write(&record)?;
        self.progress.step(&record);
        Ok(())
    }

    /// The experts of every token of this step, as `collegium balance --trace` reads them.
    fn write_routing(&mut self) -> Result<(), TrainError> {
        let layers = self.engine.take_recording();
        if layers.is_empty() {
            return Ok(());
        }
        let folder = self.dir.join("routing");
        let cannot = |source| TrainError::Folder { path: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(cannot)?;
        let trace = Trace {
            name: String::new(),
            num_experts: self.engine.router_bias().iter().map(Vec::len).max().unwrap_or(0),
            ranks: Some(self.engine.backend().num_devices()),
            step: Some(self.step as usize),
            layers,
        };
        Ok(trace.write(&folder.join(format!("step-{:08}.safetensors", self.step)))?)
    }

    /// Loss-free balancing: an expert with fewer rows than the mean becomes a little likelier.
    fn steer_routers(&mut self, losses: &[StepLoss]) -> Result<(), TrainError> {
        let rate = self.config.router.bias_rate;
        if rate == 0.0 {
            return Ok(());
        }
        let mut bias = self.engine.router_bias().to_vec();
        for (layer, bias) in bias.iter_mut().enumerate() {
            let rows =
                |e: usize| losses.iter().map(|l| l.dispatch[layer].rows_per_expert[e]).sum::<u64>() as f64;
            let mean = (0..bias.len()).map(rows).sum::<f64>() / bias.len() as f64;
            for (expert, b) in bias.iter_mut().enumerate() {
                *b += (rate * (mean - rows(expert)).signum() * f64::from(u8::from(rows(expert) != mean)))
                    as f32;
            }
        }
        self.engine.set_router_bias(bias)
    }

    fn record(&self, losses: &[StepLoss], weights: LossWeights, measured: StepRecord) -> StepRecord {
        let dispatch = || losses.iter().flat_map(|l| &l.dispatch);
        let sparse = dispatch().next().is_some();
        let layers = losses.first().map_or(0, |l| l.dispatch.len());
        let by_layer = |of: fn(&DispatchReport) -> &Vec<u64>| -> Vec<Vec<u32>> {
            let layer = |layer: usize| {
                let sum = |i: usize| losses.iter().map(|l| of(&l.dispatch[layer])[i] as u32).sum();
                (0..of(&losses[0].dispatch[layer]).len()).map(sum).collect()
            };
            (0..layers).map(layer).collect()
        };
        let worst = |of: fn(&DispatchReport) -> f64| sparse.then(|| dispatch().map(of).fold(1.0, f64::max));
        let sum = |of: fn(&DispatchReport) -> u64| dispatch().map(of).sum::<u64>();
        let rows = by_layer(|d| &d.rows_per_expert);
        let (real, computed) = (sum(|d| d.rows), sum(|d| d.rows_computed));
        let recorded = self.config.run.routing_every;
        let due =
            recorded > 0 && (self.step % recorded == 1 % recorded || self.step == self.config.train.steps);
        StepRecord {
            step: self.step,
            time_s: self.seconds(),
            loss: losses.iter().map(|l| l.total).sum(),
            ce_loss: losses.iter().map(|l| l.ce).sum(),
            aux_loss: losses.iter().map(|l| l.aux * weights.aux).sum(),
            z_loss: losses.iter().map(|l| l.z * weights.z).sum(),
            tokens: self.tokens,
            expert_max_over_mean: sparse.then(|| rows.iter().map(|r| max_over_mean(r)).fold(1.0, f64::max)),
            rows_per_expert: (sparse && due).then_some(rows),
            rows_per_rank_at_home: (sparse && due).then(|| by_layer(|d| &d.rank_rows_at_home)),
            rows_per_rank: (sparse && due).then(|| by_layer(|d| &d.rank_rows)),
            home_max_over_mean: worst(|d| d.home_max_over_mean),
            rank_max_over_mean: worst(|d| d.rank_max_over_mean),
            pair_factor: worst(|d| d.pair_factor),
            clones: sum(|d| d.clones),
            rows_cloned: sum(|d| d.rows_cloned),
            rows_sent_near: sum(|d| d.rows_sent - d.rows_sent_far),
            rows_sent_far: sum(|d| d.rows_sent_far),
            dispatch_bytes_near: sum(|d| d.bytes_near),
            dispatch_bytes_far: sum(|d| d.bytes_far),
            reruns: losses.iter().filter_map(|l| l.dispatch.first()).map(|d| d.reruns).sum(),
            padding: sparse.then(|| computed as f64 / real.max(1) as f64),
            planner_us: dispatch().map(|d| d.planner_us).sum(),
            ..measured
        }
    }

    fn not_finite(&mut self, batch: &Batch) -> Result<TrainError, TrainError> {
        let place = self.engine.first_non_finite(batch)?;
        Ok(self.stopped_at(place))
    }

    /// The backward pass begins at the head, so the last parameter with such a gradient had it first.
    fn gradient_not_finite(&mut self) -> Result<TrainError, TrainError> {
        let mut place = "the sum of all gradients".to_string();
        self.engine.export(State::Gradient, &mut |name, _, values| {
            if values.iter().any(|v| !v.is_finite()) {
                place = format!("the gradient of {name}");
            }
            Ok(())
        })?;
        Ok(self.stopped_at(place))
    }

    fn stopped_at(&mut self, place: String) -> TrainError {
        // One that is being written is worth going on from once it is there.
        if let Err(error) = self.finish_saving() {
            self.progress.note(&format!("error: {error}"));
        }
        let remedy = match self.saver.saved() {
            Some(step) => format!(
                "the checkpoint of step {step} is untouched: go on from it with `collegium train --resume {}` and a lower \
                 optimizer.learning_rate (--set), or with train.dtype=float32",
                self.dir.display()
            ),
            None => "there is no checkpoint yet: start a new run with a lower optimizer.learning_rate, with \
                     train.dtype=float32, or from other weights than model.checkpoint's if there is one"
                .into(),
        };
        TrainError::NotFinite { step: self.step + 1, place, remedy }
    }

    fn validate(&mut self) -> Result<(), TrainError> {
        if self.feed.validation.is_empty() {
            return Ok(());
        }
        let targets: usize = self.feed.validation.iter().map(Batch::num_targets).sum();
        let mut sum = 0.0;
        for batch in &self.feed.validation {
            sum += self.engine.loss_sum(batch)?;
        }
        let loss = sum / targets.max(1) as f64;
        let record = EvalRecord {
            step: self.step,
            time_s: self.seconds(),
            loss,
            perplexity: loss.exp(),
            tokens: targets as u64,
        };
        self.writer.write(&record)?;
        self.progress.note(&format!(
            "step {}: validation loss {loss:.4}, perplexity {:.2}",
            self.step,
            loss.exp()
        ));
        Ok(())
    }

    fn save(&mut self) -> Result<(), TrainError> {
        if self.saver.has(self.step) {
            return Ok(());
        }
        let state = RunState {
            step: self.step,
            tokens: self.tokens,
            seed: self.config.train.seed,
            data: self.feed.train.state(),
            router_bias: self.engine.router_bias().to_vec(),
            homes: self.engine.adapter_mut().start_afresh(),
        };
        self.writer.sync()?;
        let time_s = self.seconds();
        let complete = self.saver.save(&self.engine, &self.feed.tokenizer, state, time_s)?;
        self.write_saved(complete)
    }

    /// Waits for a checkpoint that is still being written.
    fn finish_saving(&mut self) -> Result<(), TrainError> {
        let complete = self.saver.finish()?;
        self.write_saved(complete)
    }

    fn write_saved(
        &mut self,
        complete: impl IntoIterator<Item = CheckpointRecord>,
    ) -> Result<(), TrainError> {
        Ok(complete.into_iter().try_for_each(|record| self.writer.write(&record))?)
    }

    fn solve(&mut self) -> Result<(), TrainError> {
        if self.feed.problems.is_empty() {
            return Ok(());
        }
        let problems = self.feed.problems.clone();
        let tokenizer = self.feed.tokenizer.clone();
        let mut sampler = Sampler::greedy().among(tokenizer.vocab_size());
        let shares = solve::solve(&mut self.engine, &tokenizer, &problems, &mut sampler)?;
        for share in &shares {
            let record =
                SolveRecord::new(self.step, self.seconds(), &share.task, share.solved, share.problems);
            self.writer.write(&record)?;
        }
        self.progress.note(&solve::table(&shares));
        Ok(())
    }
}

fn max_over_mean(rows: &[u32]) -> f64 {
    let total: u64 = rows.iter().map(|&r| u64::from(r)).sum();
    let max = rows.iter().max().copied().unwrap_or(0);
    if total == 0 { 1.0 } else { f64::from(max) * rows.len() as f64 / total as f64 }
}
