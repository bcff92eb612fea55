//! `collegium presets`.

use std::process::ExitCode;

use collegium_train::config::{PRESETS, RunConfig};
use serde_json::json;

use super::{Outcome, print_json};
use crate::args::PresetsArgs;

/// Runs the command.
pub fn run(args: &PresetsArgs) -> Outcome {
    match &args.name {
        Some(name) => {
            let config = RunConfig::assemble(Some(name), None, &[])?;
            if args.json {
                print_json(&config)?;
            } else {
                print!("{}", config.to_toml());
            }
        }
        None if args.json => {
            let list: Vec<_> = PRESETS.iter().map(|p| json!({ "name": p.name, "about": p.about })).collect();
            print_json(&json!({ "presets": list }))?;
        }
        None => PRESETS.iter().for_each(|p| println!("{:<12}{}", p.name, p.about)),
    }
    Ok(ExitCode::SUCCESS)
}
