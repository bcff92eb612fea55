//! OpenAI's own Python client, installed here, against the service.

mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is installed.
const PACKAGE: &str = "openai==3.57.0";

/// Where the client is; `None` with a message where it cannot be had.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE.replace("==", "-"));
    if folder.join("openai").is_dir() {
        return Some(folder);
    }
    let partial = folder.with_extension("partial");
    let done = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--timeout",
            "20",
            "--target",
        ])
        .args([partial.as_os_str(), PACKAGE.as_ref()])
        .output();
    match done {
        Ok(output) if output.status.success() => {
            std::fs::rename(&partial, &folder).ok()?;
            Some(folder)
        }
        Ok(output) => {
            eprintln!("skipped: {PACKAGE} is not installed: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("skipped: python3 does not run: {error}");
            None
        }
    }
}

#[tokio::test]
async fn the_official_client_works_unchanged() {
    let Some(folder) = tokio::task::spawn_blocking(installed).await.unwrap() else { return };
    let server = harness::start_with("", |o| o.keys = collegium_api::Keys::new(["secret"])).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openai_client.py");
    let address = server.url("");
    let done = tokio::task::spawn_blocking(move || {
        Command::new("python3").arg(script).arg(address).env("PYTHONPATH", folder).output().unwrap()
    });
    let output = done.await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
