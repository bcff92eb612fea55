//! A question and its answer: which layout, how long, how much memory, energy and money, and how sure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ClusterError;
use crate::device::Device;
use crate::goodput::Checkpoints;
use crate::instance::{Instance, Price};
use crate::layout::{Feed, Software};
use crate::model::PlanModel;
use crate::roofline::Precision;
use crate::search::{Candidate, Found, Space};
use crate::step::{MemoryFit, Pricer, Roofline, Timeline};
use crate::stragglers::Balanced;

/// What is asked of one cluster.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The model.
    pub model: &'a PlanModel,
    /// The devices.
    pub device: &'a Device,
    /// Their instances.
    pub instance: &'a Instance,
    /// How many.
    pub instances: usize,
    /// Tokens of a sequence.
    pub seq: usize,
    /// Sequences of a step.
    pub batch: usize,
    /// Tokens of the whole training.
    pub tokens: f64,
    /// What linear products are computed in.
    pub precision: Precision,
    /// Only what the trainer runs today.
    pub trainable_only: bool,
    /// Rows of the fullest rank over the mean; 1 under exact balance.
    pub imbalance: f64,
    /// What clones bring by expert degree, where routing was replayed.
    pub stragglers: BTreeMap<usize, Vec<Balanced>>,
    /// Whether attention is one kernel; as in the trainer on that platform where nothing is said.
    pub fused_attention: Option<bool>,
    /// How batches come to the devices.
    pub feed: Feed,
    /// Whether training goes on while a checkpoint is written.
    pub checkpoints_behind: bool,
    /// Which kind of price; the usual one where none is named.
    pub price: Option<String>,
}

/// A layout with everything that follows from it.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// The layout and the seconds of its step.
    pub candidate: Candidate,
    /// Tokens a second.
    pub tokens_per_second: f64,
    /// Model FLOPs over what the matrix engines could do in bfloat16, in percent.
    pub mfu: f64,
    /// Share of the time that makes progress: the rest goes to checkpoints, failures and work done again. None where a figure
    /// for it is unknown.
    pub goodput: Option<f64>,
    /// How often checkpoints are written, and what they cost.
    pub checkpoints: Option<Checkpoints>,
    /// Days for all tokens, with goodput.
    pub days: f64,
    /// Watts of the whole cluster at the wall; none where a power is unknown.
    pub watts: Option<f64>,
    /// Joules a token at the wall; none where a power is unknown.
    pub joules_per_token: Option<f64>,
    /// Dollars a million tokens; none without a price.
    pub usd_per_million_tokens: Option<f64>,
    /// Dollars for all tokens.
    pub usd: Option<f64>,
    /// Whether its memory is there for sure.
    pub fit: MemoryFit,
    /// The three largest parts of the step with their shares in percent.
    pub limits: Vec<(&'static str, f64)>,
    /// What of it the trainer cannot run yet.
    pub not_trainable: Vec<&'static str>,
}

/// The answer for one cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The cluster, `NAME:N`.
    pub cluster: String,
    /// What the trainer calls the platform of its devices.
    pub platform: String,
    /// Ranks: GPUs, or logical NeuronCores.
    pub ranks: usize,
    /// Sequences of a step.
    pub batch: usize,
    /// The best layouts, best first; empty where nothing fits.
    pub choices: Vec<Choice>,
    /// Eight of ten measurements of publications that the device's constants were not fitted to lie within this of their prediction, in
    /// percent.
    pub band: f64,
    /// The price that money is counted with.
    pub price: Option<Price>,
    /// Bytes of a rank's memory for tensors.
    pub memory_limit: f64,
    /// What the search did.
    pub search: Found,
    /// The step of the best layout, to be drawn.
    #[serde(skip)]
    pub timeline: Option<Timeline>,
    /// The programs of the best layout against what its device can do.
    pub roofline: Option<Roofline>,
    /// Why nothing fits, and what would.
    pub impossible: Option<String>,
    /// Figures that are unknown, and what is therefore missing.
    pub unknown: Vec<String>,
}

impl Request<'_> {
    fn software(&self) -> Software {
        let mut software = Software::trainer(&self.device.platform, self.precision);
        software.imbalance = self.imbalance;
        software.feed = self.feed;
        software.kernels.fused_attention = self.fused_attention.unwrap_or(software.kernels.fused_attention);
        software
    }

    fn ranks(&self) -> usize {
        self.instances * self.instance.devices * self.device.cores
    }

    fn space(&self) -> Space {
        Space {
            ranks: self.ranks(),
            batch: self.batch,
            trainable_only: self.trainable_only,
            powers_only: self.device.platform == "neuron",
            balance: self.stragglers.clone(),
        }
    }

    /// Searches and answers.
    ///
    /// # Errors
    /// A device without figures, or a request that contradicts itself.
    pub fn answer(&self) -> Result<Answer, ClusterError> {
        self.check()?;
        let pricer = Pricer::new(self.model, self.device, self.instance, self.seq)?;
        let found = self.space().search(&pricer, &self.software())?;
        let price = self.instance.price_of(self.price.as_deref()).cloned();
        let unknown = self.unknown(&pricer, price.is_none());
        let choices: Vec<Choice> =
            found.best.iter().map(|c| self.choice(&pricer, c, price.as_ref())).collect();
        let limit = pricer.rank().room();
        let impossible = choices.is_empty().then(|| self.why_not(&found, limit)).transpose()?;
        let best = found.best.first().map(|c| c.layout);
        let software = best.map(|l| self.space().software_of(&l, &self.software()));
        let drawn = best.zip(software);
        let timeline = drawn.map(|(l, s)| pricer.timeline(&l, &s)).transpose()?;
        let roofline = drawn.map(|(l, s)| pricer.roofline(&l, &s)).transpose()?;
        Ok(Answer {
            timeline,
            roofline,
            cluster: format!("{}:{}", self.instance.name, self.instances),
            platform: self.device.platform.clone(),
            ranks: self.ranks(),
            batch: self.batch,
            choices,
            band: 100.0 * self.device.calibration.spread_of(self.model.is_sparse()),
            price,
            memory_limit: limit,
            search: found,
            impossible,
            unknown,
        })
    }

    /// Layouts of the whole space, and the seconds to price them all on one thread once every layer's price is known.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn speed(&self) -> Result<(usize, f64), ClusterError> {
        self.check()?;
        let pricer = Pricer::new(self.model, self.device, self.instance, self.seq)?;
        self.space().speed(&pricer, &self.software())
    }

    fn check(&self) -> Result<(), ClusterError> {
        let problem = if self.instances == 0 {
            Some("a cluster of 0 instances trains nothing; give NAME:N with N at least 1".to_string())
        } else if self.seq == 0 || self.batch == 0 {
            Some("sequences and batches have at least 1 token; give --seq and --batch above 0".into())
        } else if !(self.tokens.is_finite() && self.tokens > 0.0) {
            Some(format!("{} tokens cannot be trained on; give a number above 0", self.tokens))
        } else if self.seq > self.model.config.max_position_embeddings.max(1 << 20) {
            Some(format!("--seq {} is longer than any model here was made for", self.seq))
        } else {
            None
        };
        problem.map_or(Ok(()), |p| Err(ClusterError::Request(p)))
    }

    /// Figures that are unknown, and what is therefore missing.
    fn unknown(&self, pricer: &Pricer<'_>, unpriced: bool) -> Vec<String> {
        let mut unknown = Vec::new();
        let host = &self.instance.host;
        if unpriced {
            unknown.push(format!("no price of {} is known, so there is no cost", self.instance.name));
        }
        if pricer.rank().own_peak(self.precision).is_none() {
            let (device, precision) = (&self.device.title, self.precision.name());
            unknown.push(format!("{device} has no engine for {precision}, so the next wider type is priced"));
        }
        if self.instance.watts(self.device, self.instances, 1.0).is_none() {
            let missing = [&self.device.power.idle, &self.device.power.max, &self.instance.host_power];
            let why = missing.iter().find(|f| f.value.is_none()).map_or("", |f| f.source.as_str());
            unknown.push(format!("power is unknown ({why}), so there is no energy"));
        }
        if self.instance.hours_between_failures.value.is_none() {
            unknown.push("failures are unknown, so days are without them".into());
        } else if self.checkpoints(pricer).is_none() {
            unknown.push("no copy of a checkpoint fits on the hosts, or the way there is unknown, so days are without checkpoints and failures".into());
        }
        if !self.trainable_only && pricer.room_on_host().is_none() {
            let why = [&host.link, &host.memory]
                .iter()
                .find(|f| f.value.is_none())
                .map_or("", |f| f.source.as_str());
            unknown.push(format!("the way to host memory is unknown ({why}), so no state is put there"));
        }
        if self.feed.text && host.tokenise.value.is_none() {
            let why = &host.tokenise.source;
            unknown.push(format!(
                "how fast the host makes tokens of text is unknown ({why}), so it counts nothing"
            ));
        }
        unknown
    }

    fn checkpoints(&self, pricer: &Pricer<'_>) -> Option<Checkpoints> {
        Checkpoints::of(pricer, self.instances, self.model.parameters(), self.checkpoints_behind)
    }

    /// By how much nothing fits, and the smallest number of instances that would do.
    fn why_not(&self, found: &Found, limit: f64) -> Result<String, ClusterError> {
        let Some(smallest) = &found.smallest else {
            let ranks = self.ranks();
            return Ok(format!(
                "no combination of degrees divides {ranks} ranks and a batch of {} sequences; make the batch a multiple of {ranks}",
                self.batch
            ));
        };
        let need = smallest.estimate.memory.total();
        let start = format!(
            "it does not fit: the layout that needs the least still holds {:.1} GB of {:.1} GB a rank, {:.1} GB too much",
            need / 1e9,
            limit / 1e9,
            (need - limit) / 1e9
        );
        let mut instances = self.instances * 2;
        while instances <= 4096 {
            let mut larger = self.clone();
            larger.instances = instances;
            larger.batch = self.batch.max(larger.ranks());
            larger.batch = larger.batch.next_multiple_of(larger.ranks());
            let pricer = Pricer::new(self.model, self.device, self.instance, self.seq)?;
            if !larger.space().search(&pricer, &larger.software())?.best.is_empty() {
                return Ok(format!(
                    "{start}; {}:{instances} is the smallest (in doublings) that holds it",
                    self.instance.name
                ));
            }
            instances *= 2;
        }
        Ok(format!("{start}; no cluster of up to 4,096 instances holds it"))
    }

    fn choice(&self, pricer: &Pricer<'_>, c: &Candidate, price: Option<&Price>) -> Choice {
        let step = c.estimate.step;
        let tokens = (self.batch * self.seq) as f64;
        let rate = tokens / step;
        let peak = pricer.rank().peak(Precision::Bfloat16.min(self.precision)) * self.ranks() as f64;
        let checkpoints = self.checkpoints(pricer);
        let goodput = checkpoints.map(|c| c.goodput);
        let seconds = self.tokens / rate / goodput.unwrap_or(1.0);
        let parts = c.estimate.parts;
        let busy = (parts.products + parts.attention + parts.vector) / step;
        // Engines that wait for links draw about half of what they draw at work: one site's nodes at 5,042 W against 6,848 W.
        let watts = self.instance.watts(self.device, self.instances, busy + 0.4 * (1.0 - busy));
        let per_hour = price.map(|p| p.usd_per_hour * self.instances as f64);
        let usd = per_hour.map(|h| h * seconds / 3600.0);
        let mut limits: Vec<(&'static str, f64)> =
            parts.named().iter().map(|p| (p.0, 100.0 * p.1 / step)).filter(|p| p.1 >= 0.5).collect();
        limits.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut not_trainable = self.model.not_trainable();
        not_trainable.extend(c.layout.not_trainable());
        Choice {
            candidate: *c,
            tokens_per_second: rate,
            mfu: 100.0 * self.model.flops_per_token(self.seq) * rate / peak,
            goodput,
            checkpoints,
            days: seconds / 86400.0,
            watts,
            joules_per_token: watts.map(|w| w / rate),
            usd_per_million_tokens: usd.map(|u| u / self.tokens * 1e6),
            usd,
            fit: MemoryFit::of(c.estimate.memory.total(), pricer.rank().room()),
            limits: limits.into_iter().take(3).collect(),
            not_trainable,
        }
    }
}
