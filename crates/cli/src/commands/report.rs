//! `collegium report`.

use std::process::ExitCode;

use super::{Outcome, print_json};
use crate::args::ReportArgs;

/// Runs the command.
pub fn run(args: &ReportArgs) -> Outcome {
    let page = collegium_report::html::render(&args.run)?;
    let summary = collegium_report::summary(&args.run)?;
    if args.json {
        print_json(&summary)?;
    } else {
        println!("{summary}\npage        {}", page.display());
    }
    Ok(ExitCode::SUCCESS)
}
