//! `collegium plan`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `plan`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(
    after_help = "Examples:\n  collegium plan --model Qwen3-30B-A3B/config.json --cluster trn2.48xlarge:1 --cluster p5en.48xlarge:1 --tokens 1T\n  collegium plan --model config.json --cluster p5.48xlarge:16 --tokens 300B --deadline 30 --html plan.html --out plan.toml\n  collegium plan devices\n  collegium plan validate --rows validation.csv --collectives collectives.csv"
)]
pub struct PlanArgs {
    /// Something other than a plan.
    #[command(subcommand)]
    pub what: Option<PlanCommand>,
    /// The question.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// The question.
#[derive(Args)]
pub struct AskArgs {
    /// A Hugging Face config.json, or a folder with one
    #[arg(long, value_name = "PATH", required = true)]
    pub model: Option<PathBuf>,
    /// Instance type and how many, for example trn2.48xlarge:16 (repeat to compare)
    #[arg(long, value_name = "NAME:N", required = true)]
    pub cluster: Vec<String>,
    /// Tokens of the whole training: a number, or with K, M, B or T
    #[arg(long, default_value = "1T", allow_hyphen_values = true)]
    pub tokens: String,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 4096)]
    pub seq: usize,
    /// Sequences of a step, over all ranks [default: as many as make 4 M tokens, rounded to fit the ranks]
    #[arg(long)]
    pub batch: Option<usize>,
    /// What matrix products are computed in: float32, bfloat16, float8
    #[arg(long, default_value = "bfloat16")]
    pub precision: String,
    /// Only layouts that `collegium train` runs today (data and expert parallelism)
    #[arg(long)]
    pub trainable: bool,
    /// Rows of the fullest rank over the mean; 1 is exact balance
    #[arg(long, default_value_t = 1.0)]
    pub imbalance: f64,
    /// Recorded routing: the fullest rank under --policy, replayed at every expert degree, in place of --imbalance
    #[arg(long, value_name = "FILE", conflicts_with = "imbalance")]
    pub trace: Option<PathBuf>,
    /// Balancing policy of the replay
    #[arg(long, default_value = "exact", requires = "trace")]
    pub policy: String,
    /// Attention as one kernel (fused) or as its program is written [default: as the trainer runs it there today]
    #[arg(long, value_name = "fused|written")]
    pub attention: Option<String>,
    /// Text becomes tokens while training [default: token files are made before it, as `collegium train` does]
    #[arg(long)]
    pub text: bool,
    /// Steps whose batches are made while the devices work (data.prefetch); with 0 they wait for theirs
    #[arg(long, value_name = "STEPS", default_value_t = 1)]
    pub prefetch: usize,
    /// Training waits for a checkpoint (sync) or goes on while it is written (async: run.checkpoint_async)
    #[arg(long, value_name = "sync|async", default_value = "sync")]
    pub checkpoints: String,
    /// Kind of price: on_demand, capacity_block, reserved, spot [default: the first of capacity_block, on_demand that is known]
    #[arg(long)]
    pub price: Option<String>,
    /// Order the clusters by time, cost or energy
    #[arg(long, default_value = "time")]
    pub objective: String,
    /// Refuse plans that cost more dollars
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub max_cost: Option<f64>,
    /// Refuse plans that take more days
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    pub deadline: Option<f64>,
    /// Also plan a half, a quarter, .. of each cluster, for the front of time against cost
    #[arg(long)]
    pub sizes: bool,
    /// Only measure how many layouts are priced a second on one thread
    #[arg(long, conflicts_with_all = ["out", "html"])]
    pub speed: bool,
    /// Write the first plan as a configuration for `collegium train`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write a self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// A description of a device or a cluster of your own (repeat)
    #[arg(long = "describe", value_name = "FILE")]
    pub describe: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `plan` does besides planning.
#[derive(Subcommand)]
pub enum PlanCommand {
    /// Predict published measurements and print the errors
    Validate(ValidateArgs),
    /// Fit the constants of every device type to the measurements that its description names
    Calibrate(CalibrateArgs),
    /// Replay recorded routing under balancing policies: how long ranks wait for the fullest one
    Replay(ReplayArgs),
    /// List devices and clusters, or show one with the source of every figure
    Devices(DevicesArgs),
}

/// `plan validate`.
#[derive(Args)]
pub struct ValidateArgs {
    /// A table of training measurements (validation.csv)
    #[arg(long, value_name = "FILE")]
    pub rows: Option<PathBuf>,
    /// A table of collectives (collectives.csv)
    #[arg(long, value_name = "FILE")]
    pub collectives: Option<PathBuf>,
    /// Draw predictions over measurements of every row, by device: .svg or .html
    #[arg(long, value_name = "FILE", requires = "rows")]
    pub plot: Option<PathBuf>,
    /// Print curves fitted to the collectives, as a device file has them
    #[arg(long, requires = "collectives")]
    pub fit: bool,
    /// A description of a device or a cluster of your own (repeat)
    #[arg(long = "describe", value_name = "FILE")]
    pub describe: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `plan calibrate`.
#[derive(Args)]
pub struct CalibrateArgs {
    /// A table of training measurements (validation.csv)
    #[arg(long, value_name = "FILE")]
    pub rows: PathBuf,
    /// Write the constants into DEVICE.toml of this folder (crates/cluster/data/devices)
    #[arg(long, value_name = "FOLDER")]
    pub write: Option<PathBuf>,
    /// A description of a device or a cluster of your own (repeat)
    #[arg(long = "describe", value_name = "FILE")]
    pub describe: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `plan replay`.
#[derive(Args)]
pub struct ReplayArgs {
    /// Recorded routing (.safetensors)
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// static, waterfill, eplb, relayout, lpt, exact, two-tier, auto
    #[arg(long, value_delimiter = ',', default_value = "static,exact")]
    pub policy: Vec<String>,
    /// Ranks that the experts are spread over
    #[arg(long, default_value_t = 64)]
    pub ranks: usize,
    /// Layers of the model; recorded ones serve again where it has more
    #[arg(long, default_value_t = 58)]
    pub layers: usize,
    /// Micro-batches
    #[arg(long, default_value_t = 1000)]
    pub steps: usize,
    /// Most tokens of a rank in a micro-batch
    #[arg(long, default_value_t = 4096)]
    pub tokens_per_rank: usize,
    /// Machine of the balancer's cost model: trn2, trn2-ultra, h100, cpu
    #[arg(long, default_value = "h100")]
    pub machine: String,
    /// Experts of a layer, for traces that do not say it
    #[arg(long, value_name = "N")]
    pub experts: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `plan devices`.
#[derive(Args)]
pub struct DevicesArgs {
    /// Show this one
    pub name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
