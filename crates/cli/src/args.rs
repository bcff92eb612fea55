//! The command line.

mod balance;
pub mod plan;
mod serving;

pub use balance::{BalanceArgs, PlanOnArg};
pub use serving::{BenchServeArgs, CacheArgs, ChatArgs, EngineArgs, GenerateArgs, ServeArgs};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Trains and serves sparse (Mixture-of-Experts) language models.
#[derive(Parser)]
#[command(name = "collegium", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Start here:\n  collegium train                       learn to add on two virtual devices, in minutes\n  collegium train --data my-texts/      the same on your own text\n  collegium doctor                      what this machine has and lacks"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Train a model: on the built-in problems, or on your text with --data
    Train(TrainArgs),
    /// Perplexity of a checkpoint on text, or the share of fresh built-in problems it solves
    Eval(EvalArgs),
    /// Serve a checkpoint over an OpenAI-compatible API
    Serve(ServeArgs),
    /// Talk to a checkpoint or a server in the terminal
    Chat(ChatArgs),
    /// Continue a prompt
    Generate(GenerateArgs),
    /// Compare models with reference logits, losses and gradients
    Verify(VerifyArgs),
    /// Judge every program of a model by the rules of a device, without the device
    Lint(LintArgs),
    /// Predict time, memory, energy and money of training a model on a cluster
    Plan(Box<plan::PlanArgs>),
    /// Measure speed
    Bench(BenchArgs),
    /// Replay recorded routing under balancing policies, and time the planner
    Balance(BalanceArgs),
    /// List the static shapes that a run's expert programs were compiled for, and how often each served
    Buckets(BucketsArgs),
    /// Write the HTML page of a run again
    Report(ReportArgs),
    /// Count tokens, or train a byte-pair tokenizer
    Tokenize(TokenizeArgs),
    /// Compare sparse with dense training at equal loss, from finished runs
    Compare(CompareArgs),
    /// Measure the joules that a command, or some seconds, take on this machine
    Energy(EnergyArgs),
    /// List plugins, devices and versions, and what is missing with the command that mends it
    Doctor(DoctorArgs),
    /// List the presets, or show one
    Presets(PresetsArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// `compare`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  collegium compare --dense runs/d1 runs/d2 runs/d3 --moe runs/m1 runs/m2 --plot compare.html\n\nRuns of one model and number of tokens differ by seed; two seeds of every size give an interval.\nA study that ships with the sources: collegium compare --study studies/dense-vs-moe/study.json"
)]
pub struct CompareArgs {
    /// Finished dense runs, of at least two sizes
    #[arg(long, value_name = "RUN", num_args = 1.., required_unless_present = "study")]
    pub dense: Vec<PathBuf>,
    /// Finished sparse runs
    #[arg(long, value_name = "RUN", num_args = 1.., required_unless_present = "study")]
    pub moe: Vec<PathBuf>,
    /// Runs of the same shapes on a machine that did nothing else: seconds of a step are taken from them
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub timing: Vec<PathBuf>,
    /// A study that an earlier `compare --json` printed, in place of runs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dense", "moe", "timing"])]
    pub study: Option<PathBuf>,
    /// What the runs ran on, for example laptop: its power at work estimates the energy of runs that no meter counted
    #[arg(long, value_name = "NAME:N")]
    pub cluster: Option<String>,
    /// A description of a device or a cluster of your own (repeat)
    #[arg(long = "describe", value_name = "FILE", requires = "cluster")]
    pub describe: Vec<PathBuf>,
    /// Write a plot of the losses against FLOPs, time and energy: .svg or .html
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `energy`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium energy --seconds 10\n  collegium energy -- collegium train --preset small"
)]
pub struct EnergyArgs {
    /// Measure for so many seconds
    #[arg(long, default_value_t = 5.0, conflicts_with = "command")]
    pub seconds: f64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// A command to run and measure
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// `train`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium train\n  collegium train --preset small --data shakespeare.txt --set train.steps=300\n  collegium train --data corpus/ --tokenizer tokenizer.json --set parallel.devices=4\n  collegium train --resume runs/001\n\nEvery key of the configuration file can be set with --set; `collegium presets NAME` shows them all."
)]
pub struct TrainArgs {
    /// Files or folders of .txt, .jsonl, .parquet; without, the built-in problems
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Field of the text in .jsonl and .parquet [default: text]
    #[arg(long)]
    pub field: Option<String>,
    /// A tokenizer.json [default: bytes]
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// A named configuration to start from
    #[arg(long)]
    pub preset: Option<String>,
    /// A TOML file over the preset
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One key over all, for example train.steps=100 (repeat)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Folder of the run [default: the next free number in runs/]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Compile the expert programs that several ranks will probably need before the first step
    #[arg(long)]
    pub precompile: bool,
    /// Record the experts of every token in routing/, each so many steps [1 if no number is given]
    #[arg(long, value_name = "STEPS", num_args = 0..=1, default_missing_value = "1")]
    pub record_routing: Option<u64>,
    /// Go on with a run from its newest checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["run", "preset", "config", "data", "field", "tokenizer"])]
    pub resume: Option<PathBuf>,
    /// Print the outcome as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Where a command runs.
#[derive(Args)]
pub struct DeviceArgs {
    /// cpu, cuda or neuron
    #[arg(long, default_value = "cpu")]
    pub platform: String,
    /// Number of devices; on the CPU, virtual ones
    #[arg(long, default_value_t = 1)]
    pub devices: usize,
}

/// `eval`.
#[derive(Args)]
pub struct EvalArgs {
    /// A checkpoint, or a run (its newest checkpoint)
    pub checkpoint: PathBuf,
    /// Text to measure perplexity on; without, fresh built-in problems are solved
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Field of the text in .jsonl and .parquet
    #[arg(long, default_value = "text")]
    pub field: String,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 256)]
    pub seq: usize,
    /// Sequences at once
    #[arg(long, default_value_t = 8)]
    pub batch: usize,
    /// Problems to solve
    #[arg(long, default_value_t = 256)]
    pub problems: usize,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// Folders with config.json, a checkpoint and reference.safetensors
    #[arg(required = true)]
    pub cases: Vec<PathBuf>,
    /// float32 or bfloat16, which has wider limits
    #[arg(long, default_value = "float32")]
    pub dtype: String,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `lint`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium lint\n  collegium lint small --target trn1 --set parallel.devices=8\n  collegium lint path/to/config.json --set train.seq=4096 --set train.dtype=bfloat16\n\nExit code 1 where there is an error."
)]
pub struct LintArgs {
    /// Presets, runs, or config.json files (or their folders) [default: every preset]
    #[arg(value_name = "MODEL")]
    pub models: Vec<String>,
    /// neuron (trn2), trn1, trn3, cuda or cpu
    #[arg(long, default_value = "neuron")]
    pub target: String,
    /// One key of the configuration, for example parallel.devices=16 (repeat)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bench`.
#[derive(Args)]
pub struct BenchArgs {
    /// What to measure.
    #[command(subcommand)]
    pub what: BenchCommand,
}

/// The benchmarks.
#[derive(Subcommand)]
pub enum BenchCommand {
    /// Whole training steps, AdamW included, beside the plugin's own matrix product
    Train(BenchTrainArgs),
    /// What imbalance costs: skewed routing under each policy against routing forced to be even, in turns
    Tax(BenchTaxArgs),
    /// The experts of one MoE layer, forward and backward, with even and with skewed routing in turns
    Layer(BenchLayerArgs),
    /// A server under load: time to the first token, time between tokens, goodput
    Serve(BenchServeArgs),
}

/// `bench tax`.
#[derive(Args)]
pub struct BenchTaxArgs {
    /// S: 20 M parameters, batch 16 x 256; M: 230 M, batch 8 x 512
    #[arg(long, value_enum, default_value_t = BenchShape::S)]
    pub shape: BenchShape,
    /// Policies to run the skewed routing under
    #[arg(long, value_delimiter = ',', default_value = "static,exact,two-tier")]
    pub policy: Vec<String>,
    /// Popularity of the n-th expert is 1 / n to this power
    #[arg(long, default_value_t = 1.0)]
    pub zipf: f64,
    /// Steps to measure
    #[arg(long, default_value_t = 10)]
    pub steps: usize,
    /// cpu, cuda or neuron
    #[arg(long, default_value = "cpu")]
    pub platform: String,
    /// Number of devices, all of which share the experts; on the CPU, virtual ones
    #[arg(long, default_value_t = 8)]
    pub devices: usize,
    /// One key of the configuration over all, for example parallel.shuffle=true (repeat)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Also print what each program took under each policy; programs then run one after another, so the steps are slower
    #[arg(long)]
    pub programs: bool,
}

/// `bench layer`.
#[derive(Args)]
pub struct BenchLayerArgs {
    /// Tokens, a multiple of 256
    #[arg(long, default_value_t = 8192)]
    pub tokens: usize,
    /// Width of the residual stream
    #[arg(long, default_value_t = 1024)]
    pub hidden: usize,
    /// Number of experts
    #[arg(long, default_value_t = 64)]
    pub experts: usize,
    /// Experts of a token
    #[arg(long, default_value_t = 8)]
    pub top_k: usize,
    /// Inner width of an expert
    #[arg(long, default_value_t = 512)]
    pub intermediate: usize,
    /// Popularity of the n-th expert is 1 / n to this power, beside routing in which all are as popular
    #[arg(long, default_value_t = 1.0)]
    pub zipf: f64,
    /// Turns to measure
    #[arg(long, default_value_t = 3)]
    pub turns: usize,
    /// float32 or bfloat16
    #[arg(long, default_value = "float32")]
    pub dtype: String,
    /// save-everything, save-dots or recompute
    #[arg(long, default_value = "save-everything")]
    pub residuals: String,
    /// cpu, cuda or neuron
    #[arg(long, default_value = "cpu")]
    pub platform: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `bench train`.
#[derive(Args)]
pub struct BenchTrainArgs {
    /// S: 20 M parameters, batch 16 x 256; M: 230 M, batch 8 x 512
    #[arg(long, value_enum, default_value_t = BenchShape::S)]
    pub shape: BenchShape,
    /// Steps to measure
    #[arg(long, default_value_t = 10)]
    pub steps: usize,
    /// float32 or bfloat16
    #[arg(long, default_value = "float32")]
    pub dtype: String,
    /// save-everything, save-dots or recompute
    #[arg(long, default_value = "save-everything")]
    pub residuals: String,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Also print what each program took; programs then run one after another, so the step is slower
    #[arg(long)]
    pub programs: bool,
}

/// Shapes of the speed benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchShape {
    /// Small.
    #[value(name = "S", alias = "s")]
    S,
    /// Medium.
    #[value(name = "M", alias = "m")]
    M,
}

/// `buckets`.
#[derive(Args)]
pub struct BucketsArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `report`.
#[derive(Args)]
pub struct ReportArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tokenize`.
#[derive(Args)]
pub struct TokenizeArgs {
    /// Files or folders of .txt, .jsonl, .parquet
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Field of the text in .jsonl and .parquet
    #[arg(long, default_value = "text")]
    pub field: String,
    /// A tokenizer.json [default: bytes]
    #[arg(long, value_name = "FILE")]
    pub tokenizer: Option<PathBuf>,
    /// Train a byte-pair tokenizer of this many tokens instead
    #[arg(long, value_name = "N", requires = "out")]
    pub train_bpe: Option<usize>,
    /// Folder for the token file, or for the new tokenizer
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `doctor`.
#[derive(Args)]
pub struct DoctorArgs {
    /// Fetch the CPU plugin if it is missing
    #[arg(long)]
    pub fetch: bool,
    /// Measure this machine's CPU and write its description, for `collegium plan --describe FILE --cluster laptop`
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `presets`.
#[derive(Args)]
pub struct PresetsArgs {
    /// Show this preset's whole configuration
    pub name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Which shell
    pub shell: clap_complete::Shell,
}
