//! `collegium completions` and `collegium man`.

use std::process::ExitCode;

use clap::CommandFactory;

use super::Outcome;
use crate::args::{Arguments, CompletionsArgs};

/// Prints completions.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    clap_complete::generate(args.shell, &mut Arguments::command(), "collegium", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page.
pub fn man() -> Outcome {
    clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}
