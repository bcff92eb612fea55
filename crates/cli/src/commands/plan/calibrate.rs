//! `collegium plan calibrate`: the constants of device types from published measurements.

use std::process::ExitCode;

use anyhow::{Context, bail};
use collegium_checkpoint::write_file;
use collegium_cluster::validate::{self, Fit};
use collegium_cluster::{Errors, table};

use super::catalog;
use crate::args::plan::CalibrateArgs;
use crate::commands::{Outcome, print_json};

/// Runs the command.
pub fn run(args: &CalibrateArgs) -> Outcome {
    let catalog = catalog(&args.describe)?;
    let rows = table::read(&args.rows, &["id", "model", "device", "metric_name", "metric_value"])?;
    let fits = validate::calibrate(&catalog, &rows)?;
    if fits.is_empty() {
        bail!(
            "{} has no measurement that a device names under calibration.fitted_to; `collegium plan devices NAME` shows them",
            args.rows.display()
        );
    }
    if let Some(folder) = &args.write {
        // All texts are made before the first is written.
        let texts: Vec<_> = fits
            .iter()
            .map(|fit| {
                let file = folder.join(format!("{}.toml", fit.device));
                let old = std::fs::read_to_string(&file).with_context(|| {
                    format!("cannot read {}; give the folder of device files", file.display())
                })?;
                let new = validate::rewrite(&old, fit);
                Ok((file, (new != old).then_some(new)))
            })
            .collect::<anyhow::Result<_>>()?;
        for (file, text) in texts {
            if let Some(text) = text {
                write_file(&file, text.as_bytes())?;
            }
        }
    }
    if args.json {
        print_json(&fits)?;
    } else {
        fits.iter().for_each(print);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(fit: &Fit) {
    println!("{}", fit.device);
    fit.constants.iter().for_each(|(name, value)| {
        let note = if fit.changed.contains(name) { "  differs from the description in use" } else { "" };
        println!("  {name:<28}{value}{note}");
    });
    let line = |e: &Errors| format!("{} rows, median {:.1} %, p90 {:.1} %", e.rows, e.median, e.p90);
    if fit.fitted.rows == 0 {
        println!("  not measured: as another device");
    } else {
        println!("  fitted to                   {}", line(&fit.fitted));
        println!("  left out, then predicted    {}", line(&fit.left_out));
    }
}
