//! `collegium plan`.

mod ask;
mod calibrate;
mod devices;
mod html;
mod layout_file;
mod replay;
mod validate;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
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

/// Writes a file that is there whole or not at all.
fn write_whole(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

/// The descriptions in the binary and the user's own.
fn catalog(files: &[PathBuf]) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::default();
    files.iter().try_for_each(|f| catalog.add_file(f))?;
    Ok(catalog)
}
