//! The binary `collegium`. Whatever the user can mend ends with one message and exit code 2.

mod args;
mod commands;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Train(a) => commands::train::run(&a),
        Command::Eval(a) => commands::eval::run(&a),
        Command::Generate(a) => commands::generate::run(&a),
        Command::Verify(a) => commands::verify::run(&a),
        Command::Bench(a) => commands::bench::run(&a),
        Command::Report(a) => commands::report::run(&a),
        Command::Tokenize(a) => commands::tokenize::run(&a),
        Command::Doctor(a) => commands::doctor::run(&a),
        Command::Presets(a) => commands::presets::run(&a),
        Command::Completions(a) => commands::shell::completions(&a),
        Command::Man => commands::shell::man(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
