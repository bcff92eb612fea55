//! Standard load generators against the service, as docs/serving.md says they are called. Their packages take seven
//! gigabytes (guidellm brings PyTorch), so they are installed and run only where `COLLEGIUM_LOAD_GENERATORS=1` asks for it.

mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use collegium_data::Tokenizer;
use serde_json::Value;

/// Requests of a run.
const REQUESTS: u64 = 4;

/// The program `name` of `package`, in an environment of its own; `None` with a message where it is not wanted or cannot be had.
fn installed(package: &str, name: &str) -> Option<PathBuf> {
    if std::env::var_os("COLLEGIUM_LOAD_GENERATORS").is_none() {
        eprintln!("skipped: {package} is large; COLLEGIUM_LOAD_GENERATORS=1 installs and runs it");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package.replace("==", "-"));
    let program = folder.join("bin").join(name);
    if program.exists() {
        return Some(program);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
    let made = made.and_then(|_| {
        let pip = ["install", "--quiet", "--disable-pip-version-check", package];
        Command::new(folder.join("bin/pip")).args(pip).output()
    });
    match made {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => {
            eprintln!("skipped: {package} is not installed: {}", text(&output));
            None
        }
        Err(error) => {
            eprintln!("skipped: python3 makes no environment: {error}");
            None
        }
    }
}

fn text(output: &Output) -> String {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    lossy(&output.stdout) + &lossy(&output.stderr)
}

/// Runs a generator with the address of a small model and the folder of its tokenizer; the folder holds what it leaves.
async fn run(program: PathBuf, arguments: impl Fn(&str, &str) -> Vec<String>) -> tempfile::TempDir {
    let server = harness::start("").await;
    let folder = tempfile::tempdir().unwrap();
    Tokenizer::bytes().save(folder.path()).unwrap();
    let arguments = arguments(&server.url(""), folder.path().to_str().unwrap());
    let inside = folder.path().to_path_buf();
    let run = move || Command::new(program).args(arguments).current_dir(inside).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    server.until(|s| s.running == 0 && s.waiting == 0).await;
    folder
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn guidellm_runs_unchanged() {
    let found = tokio::task::spawn_blocking(|| installed("guidellm==0.8.1", "guidellm"));
    let Some(program) = found.await.unwrap() else { return };
    let folder = run(program, |url, tokenizer| {
        let all = [
            "run",
            "--backend",
            &format!("kind=openai_http,target={url}"),
            "--profile",
            "kind=concurrent,streams=2",
            "--constraint",
            &format!("kind=max_requests,count={REQUESTS}"),
            "--tokenizer",
            &format!("kind=hf_auto,model={tokenizer}"),
            "--data",
            "kind=synthetic_text,prompt_tokens=32,output_tokens=8",
        ];
        all.map(String::from).into()
    });
    let folder = folder.await;
    let report = read(&folder.path().join("benchmarks.json"));
    let totals = &report["benchmarks"][0]["metrics"]["request_totals"];
    assert_eq!((&totals["successful"], &totals["errored"]), (&REQUESTS.into(), &0.into()), "{totals}");
}

#[tokio::test]
async fn aiperf_runs_unchanged() {
    let found = tokio::task::spawn_blocking(|| installed("aiperf==0.13.0", "aiperf"));
    let Some(program) = found.await.unwrap() else { return };
    let folder = run(program, |url, tokenizer| {
        let all = [
            "profile",
            "--model",
            "tiny",
            "--url",
            url,
            "--tokenizer",
            tokenizer,
            "--endpoint-type",
            "chat",
            "--streaming",
            "--concurrency",
            "2",
            "--request-count",
            &REQUESTS.to_string(),
            "--isl",
            "32",
            "--osl",
            "8",
            "--extra-inputs",
            "ignore_eos:true",
            "--use-server-token-count",
            "--ui",
            "none",
            "--artifact-dir",
            "found",
        ];
        all.map(String::from).into()
    });
    let folder = folder.await;
    let report = read(&folder.path().join("found/profile_export_aiperf.json"));
    assert_eq!(
        (&report["request_count"]["avg"], &report["output_sequence_length"]["avg"]),
        (&4.0.into(), &8.0.into())
    );
    assert!(report["error_summary"].as_array().is_some_and(Vec::is_empty), "{}", report["error_summary"]);
}
