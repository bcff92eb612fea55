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
    let start = |template| harness::start_with(template, |o| o.keys = collegium_api::Keys::new(["secret"]));
    let server = start("").await;
    // One that lets the model call tools as Hermes and Qwen do.
    let calls = "{% if tools %}{{ tools | tojson }}<tool_call>{% endif %}{% for m in messages %}{{ m.content }}{{ m.tool_calls | tojson if m.tool_calls }}{% endfor %}";
    let calling = start(calls).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openai_client.py");
    let addresses = [server.url(""), calling.url("")];
    let done = tokio::task::spawn_blocking(move || {
        Command::new("python3").arg(script).args(addresses).env("PYTHONPATH", folder).output().unwrap()
    });
    let output = done.await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
