//! `collegium plan`.

mod ask;
mod calibrate;
mod devices;
mod html;
mod layout_file;
mod replay;
mod validate;

use std::path::PathBuf;

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

/// The descriptions in the binary and the user's own.
fn catalog(files: &[PathBuf]) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::default();
    files.iter().try_for_each(|f| catalog.add_file(f))?;
    Ok(catalog)
}
