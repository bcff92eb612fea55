#![doc = include_str!("../README.md")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask TASK
  test [ARGS]   fetch the CPU plugin where it is missing, then run every test (ARGS go to cargo test)
  ci            run what CI runs
  bless         write the golden files of testkit again";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (task, rest) = (arguments.next().unwrap_or_default(), arguments.collect::<Vec<_>>());
    let done = match (task.as_str(), rest.is_empty()) {
        ("test", _) => test(&rest),
        ("ci", true) => run(&mut Command::new(root().join(".ci/run"))),
        ("bless", true) => {
            let golden = ["test", "--package", "collegium-testkit", "--test", "golden"];
            run(cargo(&golden).env("COLLEGIUM_BLESS", "1"))
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Without a plugin the tests that need one skip themselves and say so, hence offline machines can still test the rest.
fn test(rest: &[String]) -> bool {
    if !run(&mut cargo(&["run", "--quiet", "--package", "collegium-cli", "--", "doctor", "--fetch"])) {
        eprintln!("xtask: no CPU plugin; tests that need it are skipped");
    }
    run(cargo(&["test", "--workspace", "--no-fail-fast"]).args(rest))
}

/// The cargo that started this program, in the root of the workspace.
fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Whether the command could be started and succeeded.
fn run(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: {}: {error}", command.get_program().display());
            false
        }
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies in crates/xtask").to_path_buf()
}
