//! What imbalance costs: the same steps with routing forced to be even, and with skewed routing under each policy, in turns.
//! Tax = seconds of a step with skewed routing / with even routing - 1.

use std::sync::Arc;
use std::time::Instant;

use collegium_core::{HostTensor, SplitMix64};
use collegium_hlo::Mesh;
use collegium_model::config::ModelConfig;
use collegium_runtime::{Backend, ProfiledBackend, ProgramTime};
use serde::Serialize;

use crate::adapt::{BalanceOptions, DispatchReport};
use crate::bench::{median, random_batch};
use crate::engine::{Engine, Hyper, LossWeights, Settings};
use crate::{RandomInit, TrainError};

/// The routing of the benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Skew {
    /// Popularity of the n-th expert is 1 / n^exponent.
    pub exponent: f64,
    /// Of the routing, not of the model.
    pub seed: u64,
}

/// One way to run the same steps.
#[derive(Clone, Debug, Serialize)]
pub struct TaxRow {
    /// `even routing`, or the name of the policy that ran the skewed one.
    pub name: String,
    /// Median seconds of a step.
    pub step_seconds: f64,
    /// Tokens a second, from the median step.
    pub tokens_per_second: f64,
    /// Median over the steps of seconds / seconds of the same turn with even routing - 1; 0 for the even routing itself.
    pub tax: f64,
    /// Fullest rank over the mean with experts at home, mean over layers and steps.
    pub home_max_over_mean: f64,
    /// The same as planned.
    pub rank_max_over_mean: f64,
    /// Clones of a layer over all ranks, mean.
    pub clones: f64,
    /// Rows computed over rows that exist, mean.
    pub padding: f64,
    /// Room of a pair of ranks over the mean rows of a pair, mean.
    pub pair_factor: f64,
    /// Host microseconds to plan a layer, median.
    pub planner_us: f64,
    /// Rows dropped.
    pub drops: u64,
    /// What each program took in all steps, the longest first; empty unless asked for.
    #[serde(skip)]
    pub programs: Vec<ProgramTime>,
}

struct Contender {
    name: String,
    even: bool,
    engine: Engine,
    profile: Option<Arc<ProfiledBackend>>,
    seconds: Vec<f64>,
    reports: Vec<DispatchReport>,
}

/// What is measured.
pub struct Trial<'a> {
    /// The devices.
    pub backend: &'a Arc<dyn Backend>,
    /// The model.
    pub config: &'a ModelConfig,
    /// Its mesh.
    pub mesh: &'a Mesh,
    /// How it is run, but for the policy.
    pub settings: Settings,
    /// The routing.
    pub skew: Skew,
    /// Steps of each policy, after three that are not counted.
    pub steps: usize,
    /// Whether programs are timed; they then run one after another, so the steps are slower.
    pub programs: bool,
}

impl Trial<'_> {
    fn contender(&self, name: &str, even: bool, balance: BalanceOptions) -> Result<Contender, TrainError> {
        let settings = Settings { balance, forced_routing: true, ..self.settings };
        let init = RandomInit::new(self.config, 0);
        let mesh = self.mesh.clone();
        let profile = self.programs.then(|| Arc::new(ProfiledBackend::new(self.backend.clone())));
        let backend = match &profile {
            Some(profile) => profile.clone(),
            None => self.backend.clone(),
        };
        let mut engine =
            Engine::new(backend, self.config.clone(), mesh, settings, &mut |n, s| init.value(n, s))?;
        engine.compile()?;
        Ok(Contender { name: name.into(), even, engine, profile, seconds: Vec::new(), reports: Vec::new() })
    }
}

/// Measures training steps of each policy in turns.
///
/// # Errors
/// What an engine says.
pub fn tax(
    trial: &Trial<'_>,
    policies: &[BalanceOptions],
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<TaxRow>, TrainError> {
    const WARM_UP: usize = 3;
    let Trial { backend, config, settings, skew, steps, .. } = *trial;
    let mut contenders = vec![trial.contender("even routing", true, BalanceOptions::default())?];
    for &policy in policies {
        contenders.push(trial.contender(policy.policy.name(), false, policy)?);
    }
    let mut popularity = Popularity::new(config, skew);
    for step in 0..WARM_UP + steps {
        popularity.drift();
        let devices = backend.num_devices();
        let tokens = settings.batch * settings.seq;
        let even = even_routing(config, tokens, devices);
        let skewed = popularity.routing(tokens, devices);
        for contender in &mut contenders {
            contender.engine.force_routing(if contender.even { &even } else { &skewed })?;
            let (seconds, reports) = contender.step(step, settings.seq, config.vocab_size)?;
            if step + 1 == WARM_UP {
                contender.programs();
            }
            if step >= WARM_UP {
                contender.seconds.push(seconds);
                contender.reports.extend(reports);
            }
        }
        progress(step);
    }
    let even = contenders[0].seconds.clone();
    let tokens = settings.batch * settings.seq * backend.num_devices();
    Ok(contenders.iter().map(|c| c.row(&even, tokens)).collect())
}

impl Contender {
    fn step(
        &mut self,
        step: usize,
        seq: usize,
        vocab: usize,
    ) -> Result<(f64, Vec<DispatchReport>), TrainError> {
        let rows = self.engine.global_batch();
        let batch = random_batch(rows, seq, vocab as u64, step as u64);
        let started = Instant::now();
        let weights = LossWeights { token: 1.0 / (rows * seq) as f64, aux: 0.01, z: 0.0 };
        let loss = self.engine.micro_step(&batch, weights)?;
        let norm = self.engine.gradient_norm()?;
        self.engine.update(&Hyper::benchmark(step as u64 + 1), norm)?;
        self.engine.finish_update()?;
        self.engine.adapter_mut().end_step()?;
        Ok((started.elapsed().as_secs_f64(), loss.dispatch))
    }

    /// What was timed since the last call of this.
    fn programs(&self) -> Vec<ProgramTime> {
        self.profile.as_ref().map_or_else(Vec::new, |p| p.take())
    }

    fn row(&self, even: &[f64], tokens: usize) -> TaxRow {
        let mean = |of: fn(&DispatchReport) -> f64| {
            self.reports.iter().map(of).sum::<f64>() / self.reports.len().max(1) as f64
        };
        let step_seconds = median(&mut self.seconds.clone());
        let mut taxes: Vec<f64> = self.seconds.iter().zip(even).map(|(own, even)| own / even - 1.0).collect();
        let mut planner: Vec<f64> = self.reports.iter().map(|r| r.planner_us).collect();
        TaxRow {
            name: self.name.clone(),
            step_seconds,
            tokens_per_second: tokens as f64 / step_seconds,
            tax: median(&mut taxes),
            home_max_over_mean: mean(|r| r.home_max_over_mean),
            rank_max_over_mean: mean(|r| r.rank_max_over_mean),
            clones: mean(|r| r.clones as f64),
            padding: mean(|r| r.rows_computed as f64 / r.rows.max(1) as f64),
            pair_factor: mean(|r| r.pair_factor),
            planner_us: median(&mut planner),
            drops: self.reports.iter().map(|r| r.rows - r.rank_rows.iter().sum::<u64>()).sum(),
            programs: self.programs(),
        }
    }
}

/// Token `t` goes to the next k experts in turn: every expert gets as many, give or take one.
fn even_routing(config: &ModelConfig, tokens: usize, devices: usize) -> Vec<Vec<HostTensor>> {
    let layer = |experts: usize, top_k: usize| {
        let choices: Vec<i32> = (0..tokens * top_k).map(|i| (i % experts) as i32).collect();
        vec![HostTensor::new(&[tokens, top_k], &choices); devices]
    };
    sparse(config).map(|(experts, top_k)| layer(experts, top_k)).collect()
}

fn sparse(config: &ModelConfig) -> impl Iterator<Item = (usize, usize)> + '_ {
    config.layers.iter().filter_map(|l| l.feed_forward.moe()).map(|m| (m.num_experts, m.top_k))
}

/// How popular the experts of each layer are; it changes slowly, as in training.
pub(crate) struct Popularity {
    random: SplitMix64,
    /// By MoE layer: choices a token, and ln of each expert's popularity.
    layers: Vec<(usize, Vec<f64>)>,
}

impl Popularity {
    pub(crate) fn new(config: &ModelConfig, skew: Skew) -> Self {
        let mut random = SplitMix64::new(skew.seed);
        let mut layer = |experts: usize| {
            let mut popularity: Vec<f64> = (1..=experts).map(|n| -skew.exponent * (n as f64).ln()).collect();
            for i in (1..experts).rev() {
                popularity.swap(i, (random.next() % (i as u64 + 1)) as usize);
            }
            popularity
        };
        let layers = sparse(config).map(|(experts, top_k)| (top_k, layer(experts))).collect();
        Self { random, layers }
    }

    /// Two experts of every layer change places.
    fn drift(&mut self) {
        for (_, popularity) in &mut self.layers {
            let [a, b] = [0, 1].map(|_| (self.random.next() % popularity.len() as u64) as usize);
            popularity.swap(a, b);
        }
    }

    /// Distinct experts for every token, drawn in proportion to their popularity (Gumbel top-k; Kool et al., 1903.06059).
    pub(crate) fn routing(&mut self, tokens: usize, devices: usize) -> Vec<Vec<HostTensor>> {
        let Self { random, layers } = self;
        let mut token = |top_k: usize, popularity: &[f64]| -> Vec<i32> {
            let mut uniform = || random.uniform().max(f64::MIN_POSITIVE);
            let mut keys: Vec<(f64, i32)> =
                popularity.iter().enumerate().map(|(e, p)| (p - (-uniform().ln()).ln(), e as i32)).collect();
            keys.sort_by(|a, b| b.0.total_cmp(&a.0));
            keys[..top_k].iter().map(|k| k.1).collect()
        };
        let mut rank = |top_k: usize, popularity: &[f64]| {
            let choices: Vec<i32> = (0..tokens).flat_map(|_| token(top_k, popularity)).collect();
            HostTensor::new(&[tokens, top_k], &choices)
        };
        layers.iter().map(|(k, popularity)| (0..devices).map(|_| rank(*k, popularity)).collect()).collect()
    }
}
