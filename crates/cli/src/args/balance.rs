//! Arguments of `balance`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `balance`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  collegium balance --trace law.safetensors\n  collegium balance --trace law.safetensors --ranks 8 --policy exact,two-tier --plan-on previous-half\n  collegium balance --trace law.safetensors intent.safetensors --plan-on other-domain --plot balance.html\n  collegium balance --policy exact,static                planner times only\n\nA trace is a .safetensors file with one integer tensor [tokens, k] a layer (layer_00, ...): the experts of every token, as \n`collegium train --record-routing` writes it. A .csv file with the columns rank, layer, iter, token_num has the rows of every rank."
)]
pub struct BalanceArgs {
    /// Recorded routing; without, planner times are measured
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub trace: Vec<PathBuf>,
    /// Numbers of ranks; rank loads (.csv) are replayed on the ranks they were recorded on
    #[arg(long, value_delimiter = ',', default_value = "8,16,32,64")]
    pub ranks: Vec<usize>,
    /// static, waterfill, eplb, relayout, lpt, exact, two-tier, auto; or all
    #[arg(long, value_delimiter = ',', default_value = "all")]
    pub policy: Vec<String>,
    /// What the slow tier has seen of the load
    #[arg(long, value_enum, default_value_t = PlanOnArg::SameStep)]
    pub plan_on: PlanOnArg,
    /// Nodes that the ranks are on
    #[arg(long, default_value_t = 1)]
    pub nodes: usize,
    /// Tokens change ranks at random before they are routed
    #[arg(long)]
    pub shuffle: bool,
    /// Tokens of each rank in a micro-batch [default: the whole trace is one micro-batch]
    #[arg(long, value_name = "N")]
    pub tokens_per_rank: Option<usize>,
    /// Experts of a layer, for traces that do not say it
    #[arg(long, value_name = "N")]
    pub experts: Option<usize>,
    /// Machine of the cost model: trn2, trn2-ultra, h100, cpu
    #[arg(long, default_value = "trn2")]
    pub machine: String,
    /// Hidden size, for the cost model
    #[arg(long, default_value_t = 2048)]
    pub hidden: usize,
    /// Intermediate size of an expert, for the cost model
    #[arg(long, default_value_t = 1408)]
    pub intermediate: usize,
    /// Most clones of a rank [default: what the policy needs]
    #[arg(long, value_name = "N")]
    pub max_clones: Option<usize>,
    /// Home slots of a rank for copies, beyond those that hold every expert once
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub spare_slots: usize,
    /// Load above the mean that `two-tier` lets be, as a share of the mean [default: from the cost model]
    #[arg(long, value_name = "SHARE")]
    pub tolerance: Option<f64>,
    /// Memory of a rank for the slots of one layer, in MB; refuses slots and clones that do not fit
    #[arg(long, value_name = "MB")]
    pub slot_memory: Option<f64>,
    /// Rows of a block, for padding
    #[arg(long, default_value_t = 128)]
    pub block: usize,
    /// Write a plot of max/mean by layer: .svg or .html
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Print one JSON object, with a table for each layer
    #[arg(long)]
    pub json: bool,
}

/// What the slow tier has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanOnArg {
    /// The micro-batch itself: the best that a slow tier can do
    SameStep,
    /// The first half of the tokens; the second is planned
    PreviousHalf,
    /// The next trace given
    OtherDomain,
}
