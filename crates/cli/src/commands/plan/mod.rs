//! `collegium plan`.

mod ask;
mod calibrate;
mod devices;
mod html;
mod layout_file;
mod replay;
mod validate;

use std::path::PathBuf;

use anyhow::bail;

use collegium_cluster::Catalog;

use super::Outcome;
use crate::args::plan::{PlanArgs, PlanCommand};

/// Runs the command.
pub fn run(args: &PlanArgs) -> Outcome {
    match &args.what {
        Some(PlanCommand::Validate(a)) => validate::run(a),
        Some(PlanCommand::Calibrate(a)) => calibrate::run(a),
        Some(PlanCommand::Replay(a)) => replay::run(a),
        Some(PlanCommand::Devices(a)) => devices::run(a),
        None => ask::run(&args.ask),
    }
}

/// The name and the number of a cluster `NAME:N`, one where there is none.
pub fn named(cluster: &str) -> anyhow::Result<(&str, usize)> {
    let (name, count) = cluster.rsplit_once(':').unwrap_or((cluster, "1"));
    match count.parse() {
        Ok(n) if (1..=1 << 20).contains(&n) => Ok((name, n)),
        _ => bail!("--cluster {cluster}: `{count}` is no number of instances; give NAME:N with N at least 1"),
    }
}

/// The descriptions in the binary and the user's own.
pub fn catalog(files: &[PathBuf]) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::default();
    files.iter().try_for_each(|f| catalog.add_file(f))?;
    Ok(catalog)
}
