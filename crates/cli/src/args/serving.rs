//! Arguments of the commands that run the engine.

use std::path::PathBuf;

use clap::Args;
use collegium_serve::{Limits, MOST_GUESSES};

/// The engine that answers.
#[derive(Args, Clone)]
pub struct EngineArgs {
    /// cpu, cuda or neuron
    #[arg(long, default_value = "cpu")]
    pub platform: String,
    /// Number of devices, all of which share the experts and have sequences of their own; on the CPU, virtual ones
    #[arg(long, default_value_t = 1)]
    pub devices: usize,
    /// How rows of experts are balanced over devices: static, exact, two-tier (clones where they pay), lpt or auto
    #[arg(long, value_name = "POLICY", default_value = "two-tier")]
    pub balance: String,
    /// Weights: float32, bfloat16, or int8 with a scale for every 32; all else is bfloat16 then
    #[arg(long, default_value = "float32")]
    pub dtype: String,
    /// The cache: int8 with a scale for each row of a head [default: as --dtype, for int8 weights bfloat16]
    #[arg(long, value_name = "DTYPE")]
    pub cache_dtype: Option<String>,
    /// Most tokens of its own that a sequence keeps in the cache however long it thinks, beside its prompt: those that are worth least are dropped, so answers may change; a multiple of 16
    /// [default: all]
    #[arg(long, value_name = "TOKENS")]
    pub cache_budget: Option<usize>,
}

/// The cache of the engine.
#[derive(Args, Clone)]
pub struct CacheArgs {
    /// Most tokens of a prompt and its answer [default: the model's, at most 4096]
    #[arg(long)]
    pub context: Option<usize>,
    /// The cache has room for so many sequences of that length, shared evenly between devices
    #[arg(long, default_value_t = 16)]
    pub sequences: usize,
    /// Most tokens guessed ahead for a sequence, where that pays; 0 for none. No text changes by it
    #[arg(long, default_value_t = MOST_GUESSES)]
    pub drafts: usize,
    /// Guesses come from a sequence's own text and from so many tokens of ended answers, 40 bytes each; 0 for its own alone
    #[arg(long, value_name = "TOKENS", default_value_t = Limits::PAST)]
    pub past: usize,
    /// Beside sequences that decode, prompts take so many percent of the time of each of their steps; more answers prompts sooner
    #[arg(long, value_name = "PERCENT", default_value_t = Limits::STALL)]
    pub stall: usize,
}

/// `serve`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium serve runs/001\n  collegium serve Qwen3-30B-A3B/ --dtype bfloat16 --port 8000\n  collegium serve Qwen3-30B-A3B/ --sizes    what it would take\n\nThen open http://127.0.0.1:8000/ or point any OpenAI client at http://127.0.0.1:8000/v1."
)]
pub struct ServeArgs {
    /// A checkpoint, or a run (its newest checkpoint)
    pub checkpoint: PathBuf,
    /// Address to listen on; 0.0.0.0 for all of this machine's
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// The model's name to clients [default: the folder's]
    #[arg(long)]
    pub name: Option<String>,
    /// A file of API keys, one on each line; COLLEGIUM_API_KEY may hold one too [default: open to all]
    #[arg(long, value_name = "FILE")]
    pub api_keys: Option<PathBuf>,
    /// Most seconds of an answer
    #[arg(long, default_value_t = 600)]
    pub timeout: u64,
    /// Most bytes of a request
    #[arg(long, default_value_t = 4 << 20)]
    pub max_body: usize,
    /// Print what weights and cache take in memory on one device by element type, and end; a folder with a config.json is enough
    #[arg(long)]
    pub sizes: bool,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// `chat`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium chat runs/001\n  collegium chat --url http://127.0.0.1:8000\n\nCtrl-C stops an answer; /new begins a new chat; Ctrl-D ends. A server's key is read from COLLEGIUM_API_KEY."
)]
pub struct ChatArgs {
    /// A checkpoint, or a run (its newest checkpoint)
    pub checkpoint: Option<PathBuf>,
    /// A server to talk to, instead of a checkpoint
    #[arg(long, conflicts_with = "checkpoint")]
    pub url: Option<String>,
    /// What the model is told first
    #[arg(long)]
    pub system: Option<String>,
    /// Most new tokens of an answer [default: all there is room for]
    #[arg(long)]
    pub max_tokens: Option<usize>,
    /// 0 takes the likeliest token always [default: the checkpoint's, else 1]
    #[arg(long)]
    pub temperature: Option<f64>,
    /// How long the model may think: none, low, medium or high
    #[arg(long)]
    pub reasoning_effort: Option<String>,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// `generate`.
#[derive(Args)]
pub struct GenerateArgs {
    /// A checkpoint, or a run (its newest checkpoint)
    pub checkpoint: PathBuf,
    /// Text to continue
    #[arg(long)]
    pub prompt: String,
    /// Most new tokens
    #[arg(long, default_value_t = 128)]
    pub max_tokens: usize,
    /// 0 takes the likeliest token always
    #[arg(long, default_value_t = 0.0)]
    pub temperature: f64,
    /// Sample among the likeliest tokens that together have this probability
    #[arg(long, default_value_t = 1.0)]
    pub top_p: f64,
    /// Sample among so many of the likeliest tokens; 0 for all
    #[arg(long, default_value_t = 0)]
    pub top_k: usize,
    /// Seed of the sampling
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Samples; several are printed one after another
    #[arg(short, long, default_value_t = 1)]
    pub n: usize,
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bench serve`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium bench serve\n  collegium bench serve --checkpoint runs/001 --concurrency 16 --shared 0.9\n  collegium bench serve --url http://127.0.0.1:8000 --requests 200\n  collegium bench serve --requests 10000 --mixed --distinct 100 --cancel 0.05    a soak\n  collegium bench serve --beside 2048 --new 1024 --context 4096    what a stream feels of a long prompt"
)]
pub struct BenchServeArgs {
    /// A checkpoint to serve [default: shape D with random weights: 12 layers of width 768, 32 experts, 4 for each token]
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,
    /// A server that runs already, instead
    #[arg(long, conflicts_with = "checkpoint")]
    pub url: Option<String>,
    /// Requests in all
    #[arg(long, default_value_t = 32)]
    pub requests: usize,
    /// Of those, how many at once
    #[arg(long, default_value_t = 8)]
    pub concurrency: usize,
    /// Tokens of a prompt
    #[arg(long, default_value_t = 128)]
    pub prompt: usize,
    /// Share of the prompt that all requests have in common
    #[arg(long, default_value_t = 0.0)]
    pub shared: f64,
    /// New tokens of an answer
    #[arg(long, default_value_t = 128)]
    pub new: usize,
    /// Samples of a request, all of one prompt
    #[arg(long, default_value_t = 1)]
    pub samples: usize,
    /// Lengths of prompts and answers are drawn from 1 to these
    #[arg(long)]
    pub mixed: bool,
    /// Prompts come again after so many, and equal prompts must get equal answers; 0 for never
    #[arg(long, default_value_t = 0)]
    pub distinct: usize,
    /// Share of the requests whose client goes away in the middle
    #[arg(long, default_value_t = 0.0)]
    pub cancel: f64,
    /// Instead of a load: one stream of up to --new tokens, without guesses, and a prompt of so many that comes in beside it
    #[arg(long, value_name = "TOKENS", conflicts_with_all = ["mixed", "distinct", "cancel", "shared", "samples", "requests"])]
    pub beside: Option<usize>,
    /// Tokens of prompts are below this; a server that runs already does not say how many it knows
    #[arg(long, default_value_t = 256)]
    pub vocab: u32,
    /// Target of the time to the first token, in milliseconds
    #[arg(long, default_value_t = 2000.0)]
    pub first_ms: f64,
    /// Target of the mean time between tokens, in milliseconds
    #[arg(long, default_value_t = 100.0)]
    pub between_ms: f64,
    /// Seed of the prompts
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
