//! What Prometheus reads at `/metrics`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use collegium_serve::Stats;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of waiting times in seconds.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];
/// Upper bounds of the time between two tokens in seconds.
const BETWEEN: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1.0, 5.0];

/// Which endpoint replied how.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Reply {
    /// Its path.
    pub path: String,
    /// Of the reply.
    pub status: u16,
}

/// Counts and times.
pub struct Metrics {
    registry: Registry,
    first: Histogram,
    between: Histogram,
    whole: Histogram,
    cancelled: Counter,
    /// Replies by endpoint and status.
    pub replies: Family<Reply, Counter>,
    gauges: Vec<EngineGauge>,
}

/// What the machine says of itself.
#[derive(Default)]
pub struct Machine {
    /// Joules used so far, where it has a meter.
    pub joules: Option<Box<dyn Fn() -> f64 + Send + Sync>>,
    /// Bytes per second that it reads from memory, where that is known.
    pub read_rate: Option<f64>,
}

impl Metrics {
    /// All at zero.
    pub fn new(machine: Machine) -> Arc<Self> {
        let mut registry = Registry::with_prefix("collegium");
        let [first, between, whole] =
            [&SECONDS[..], &BETWEEN[..], &SECONDS[..]].map(|bounds| Histogram::new(bounds.iter().copied()));
        registry.register(
            "time_to_first_token_seconds",
            "From the request to its first token",
            first.clone(),
        );
        registry.register(
            "time_per_output_token_seconds",
            "Mean time between tokens of a request",
            between.clone(),
        );
        registry.register("request_seconds", "From the request to its end", whole.clone());
        let cancelled = Counter::default();
        registry.register("requests_cancelled", "Requests whose client went away", cancelled.clone());
        let replies = Family::<Reply, Counter>::default();
        registry.register("http_replies", "Replies by endpoint and status", replies.clone());
        let gauges = engine_gauges(&mut registry, machine);
        Arc::new(Self { registry, first, between, whole, cancelled, replies, gauges })
    }

    /// Starts the times of a request.
    pub fn timer(self: &Arc<Self>) -> Timer {
        Timer { metrics: self.clone(), began: Instant::now(), first: None, tokens: 0, is_over: false }
    }

    /// As Prometheus reads it.
    pub fn text(&self, stats: &Stats) -> String {
        for (gauge, value) in &self.gauges {
            gauge.set(value(stats));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

/// Reads one number of the engine.
type Read = Box<dyn Fn(&Stats) -> f64 + Send + Sync>;
type EngineGauge = (Gauge<f64, AtomicU64>, Read);

/// Those of every machine, and those of one that says more of itself.
fn engine_gauges(registry: &mut Registry, machine: Machine) -> Vec<EngineGauge> {
    type Of = fn(&Stats) -> f64;
    let all: [(&str, &str, Of); 22] = [
        ("samples_running", "Samples that run", |s| s.running as f64),
        ("samples_waiting", "Samples that wait", |s| s.waiting as f64),
        ("devices", "Devices that share the experts", |s| s.ranks as f64),
        ("expert_rows", "Tokens times their experts, over several devices", |s| s.balanced.rows as f64),
        ("expert_rows_fullest", "The same if all devices had as many as the fullest", |s| {
            s.balanced.fullest as f64
        }),
        ("experts_lent", "Experts that were sent to other devices", |s| s.balanced.lent as f64),
        ("cache_pages", "Pages of the cache", |s| s.pages as f64),
        ("cache_pages_in_use", "Pages that sequences use", |s| s.pages_in_use as f64),
        ("cache_pages_kept", "Pages kept for prompts that may come again", |s| s.pages_cached as f64),
        ("cache_pages_peak", "The most pages that sequences used at once", |s| s.pages_peak as f64),
        ("cache_compactions", "How often a sequence's cache was brought back to its budget", |s| {
            s.compactions as f64
        }),
        ("cache_page_bytes", "Bytes of a page in all layers", |s| s.page_bytes as f64),
        ("engine_steps", "Steps so far", |s| s.steps as f64),
        ("tokens_computed", "Tokens that were computed", |s| s.tokens as f64),
        ("tokens_padding", "Tokens of steps that were computed for nothing", |s| s.padding as f64),
        ("preemptions", "How often a sequence was sent back", |s| s.preemptions as f64),
        ("tokens_generated", "Tokens that were given out", |s| s.generated as f64),
        ("tokens_guessed", "Tokens that were guessed ahead", |s| s.drafted as f64),
        ("guesses_right", "Of those, how many were right", |s| s.accepted as f64),
        ("padding_share", "Of all tokens of steps, those that were computed for nothing", |s| {
            share(s.padding as f64, (s.tokens + s.padding) as f64)
        }),
        ("decode_seconds", "Time of the steps of sequences that decode", |s| s.decode_ns as f64 / 1e9),
        ("decode_bytes", "Bytes of weights and cache that those steps read", |s| s.decode_bytes as f64),
    ];
    let mut gauges: Vec<EngineGauge> = Vec::new();
    let mut add = |name: &str, help: &str, value: Read| {
        let gauge = Gauge::default();
        registry.register(name, help, gauge.clone());
        gauges.push((gauge, value));
    };
    all.into_iter().for_each(|(name, help, value)| add(name, help, Box::new(value)));
    if let Some(rate) = machine.read_rate {
        let help = "Bytes a second that a plain loop reads from memory";
        add("memory_read_rate", help, Box::new(move |_| rate));
        let help = "Of that rate, what decoding used; kernels that look ahead reach more than 1";
        let value = move |s: &Stats| share(s.decode_bytes as f64, s.decode_ns as f64 / 1e9 * rate);
        add("memory_read_share", help, Box::new(value));
    }
    if let Some(joules) = machine.joules {
        let help = "Joules that the machine used since the start";
        add("energy_joules", help, Box::new(move |_| joules()));
    }
    gauges
}

/// 0 of nothing.
fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 { part / all } else { 0.0 }
}

/// The times of one request; one that is dropped before its end was cancelled.
pub struct Timer {
    metrics: Arc<Metrics>,
    began: Instant,
    first: Option<Instant>,
    tokens: u64,
    is_over: bool,
}

impl Timer {
    /// Hears of a token.
    pub fn token(&mut self) {
        self.tokens += 1;
        if self.first.is_none() {
            self.first = Some(Instant::now());
            self.metrics.first.observe(self.began.elapsed().as_secs_f64());
        }
    }

    /// Hears of the end.
    pub fn finish(&mut self) {
        self.is_over = true;
        self.metrics.whole.observe(self.began.elapsed().as_secs_f64());
        if let (Some(first), true) = (self.first, self.tokens > 1) {
            self.metrics.between.observe(first.elapsed().as_secs_f64() / (self.tokens - 1) as f64);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if !self.is_over {
            self.metrics.cancelled.inc();
        }
    }
}
