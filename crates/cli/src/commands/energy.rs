//! `collegium energy`.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use collegium_runtime::energy::Meter;
use serde_json::json;

use super::{Outcome, print_json};
use crate::args::EnergyArgs;

/// Seconds between two looks at the meters, so that no counter wraps unseen.
const LOOK: Duration = Duration::from_millis(500);

/// Runs the command; ends as the measured command ends.
pub fn run(args: &EnergyArgs) -> Outcome {
    if !(args.seconds.is_finite() && args.seconds > 0.0) {
        bail!("--seconds {} is no time to measure; give a number above 0", args.seconds);
    }
    let mut meter = Meter::open()?;
    let started = Instant::now();
    let mut code = ExitCode::SUCCESS;
    if let Some((program, arguments)) = args.command.split_first() {
        let mut child =
            Command::new(program).args(arguments).spawn().with_context(|| format!("cannot run {program}"))?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            meter.joules();
            std::thread::sleep(LOOK);
        };
        if !status.success() {
            code = ExitCode::from(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1));
        }
    } else {
        let whole = Duration::from_secs_f64(args.seconds);
        while let Some(left) = whole.checked_sub(started.elapsed()).filter(|l| !l.is_zero()) {
            std::thread::sleep(left.min(LOOK));
            meter.joules();
        }
    }
    let (joules, seconds) = (meter.joules(), started.elapsed().as_secs_f64());
    if args.json {
        print_json(&json!({
            "measured": true, "source": meter.sources(), "seconds": seconds, "joules": joules, "watts": joules / seconds,
        }))?;
    } else {
        println!(
            "{joules:.1} J in {seconds:.1} s, {:.1} W, measured by {}",
            joules / seconds,
            meter.sources()
        );
    }
    Ok(code)
}
