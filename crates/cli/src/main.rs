//! The binary `collegium`. Whatever the user can mend ends with one message and exit code 2.

mod args;
mod commands;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, BenchCommand, Command};

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    if !has_more_to_do(&command) {
        // Nobody reads any more (`| head`): end quietly.
        sigpipe::reset();
    }
    let outcome = match command {
        Command::Train(a) => commands::train::run(&a),
        Command::Eval(a) => commands::eval::run(&a),
        Command::Serve(a) => commands::serve::run(&a),
        Command::Chat(a) => commands::chat::run(&a),
        Command::Generate(a) => commands::generate::run(&a),
        Command::Verify(a) => commands::verify::run(&a),
        Command::Lint(a) => commands::lint::run(&a),
        Command::Plan(a) => commands::plan::run(&a),
        Command::Bench(a) => commands::bench::run(&a),
        Command::Balance(a) => commands::balance::run(&a),
        Command::Buckets(a) => commands::buckets::run(&a),
        Command::Report(a) => commands::report::run(&a),
        Command::Tokenize(a) => commands::tokenize::run(&a),
        Command::Compare(a) => commands::compare::run(&a),
        Command::Energy(a) => commands::energy::run(&a),
        Command::Doctor(a) => commands::doctor::run(&a),
        Command::Presets(a) => commands::presets::run(&a),
        Command::Completions(a) => commands::shell::completions(&a),
        Command::Man => commands::shell::man(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", message(&error));
            ExitCode::from(2)
        }
    }
}

/// Whether a pipe that is closed must not end the command: a run has its result on the disk, and a server has other clients.
fn has_more_to_do(command: &Command) -> bool {
    match command {
        Command::Train(_) | Command::Serve(_) | Command::Chat(_) => true,
        Command::Bench(bench) => matches!(bench.what, BenchCommand::Serve(_)),
        _ => false,
    }
}

/// The error and its causes, but for those that the one above them quotes already.
fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text += &format!(": {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn a_cause_is_told_once() {
        let error =
            anyhow!("disk full").context("cannot write x: disk full; free space").context("cannot save");
        assert_eq!(super::message(&error), "cannot save: cannot write x: disk full; free space");
    }
}
