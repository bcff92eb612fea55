//! `collegium plan`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `plan`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PlanArgs {
    /// Something other than a plan.
    #[command(subcommand)]
    pub what: Option<PlanCommand>,
}

/// What `plan` does besides planning.
#[derive(Subcommand)]
pub enum PlanCommand {
    /// Predict published measurements and print the errors
    Validate(ValidateArgs),
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
    /// Print curves fitted to the collectives, as a device file has them
    #[arg(long, requires = "collectives")]
    pub fit: bool,
    /// A description of a device or a cluster of your own (repeat)
    #[arg(long, value_name = "FILE")]
    pub cluster_file: Vec<PathBuf>,
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
