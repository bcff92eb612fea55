//! The emitted text, and what each target says of it, do not move unnoticed. After a wanted change:
//! `COLLEGIUM_BLESS=1 cargo test -p collegium-testkit --test golden`, then read the diff.

use std::collections::BTreeMap;
use std::path::PathBuf;

use collegium_hlo::Dialect;
use collegium_hlo::lint::{Severity, Target, lint};
use collegium_testkit::table;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Compares files with what they should hold, or writes them.
fn check(files: &BTreeMap<String, String>) {
    if std::env::var_os("COLLEGIUM_BLESS").is_some() {
        std::fs::create_dir_all(folder()).expect("the source tree is writable");
        files
            .iter()
            .for_each(|(name, text)| std::fs::write(folder().join(name), text).expect("it is writable"));
        return;
    }
    let read = |name: &String| std::fs::read_to_string(folder().join(name)).unwrap_or_default();
    let moved: Vec<&str> =
        files.iter().filter(|(name, text)| read(name) != **text).map(|f| f.0.as_str()).collect();
    assert!(moved.is_empty(), "these golden files differ; see this test's first lines: {}", moved.join(", "));
}

#[test]
fn emitted_text() {
    let mut files = BTreeMap::new();
    for case in table() {
        let program = case.program().expect("every case builds");
        files.insert(format!("{}.mlir", case.name), program.to_stablehlo());
        let cpu = program.to_stablehlo_for(Dialect { cpu_kernels: true });
        if cpu != program.to_stablehlo() {
            files.insert(format!("{}.cpu.mlir", case.name), cpu);
        }
    }
    check(&files);
    let stale = std::fs::read_dir(folder())
        .expect("it is there")
        .filter_map(|f| f.ok()?.file_name().into_string().ok());
    let stale: Vec<String> = stale.filter(|f| f.ends_with(".mlir") && !files.contains_key(f)).collect();
    assert!(stale.is_empty(), "no case has these golden files, remove them: {}", stale.join(", "));
}

#[test]
fn support_per_target() {
    let mut text = String::from(
        "Cases that a target refuses (error) or takes with a warning; all others are supported.\n",
    );
    for case in table() {
        let program = case.program().expect("every case builds");
        for (name, target) in Target::ALL {
            let mut rules: Vec<String> = lint(&program, target)
                .iter()
                .map(|f| {
                    format!(
                        "{} ({})",
                        f.rule,
                        if f.severity == Severity::Error { "error" } else { "warning" }
                    )
                })
                .collect();
            rules.dedup();
            if !rules.is_empty() {
                text.push_str(&format!("{} on {name}: {}\n", case.name, rules.join(", ")));
            }
        }
    }
    check(&BTreeMap::from([("support.txt".to_string(), text)]));
}
