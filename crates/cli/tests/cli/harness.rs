//! Runs the binary and keeps the run that the tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The smallest mixture that still has two layers, two ranks and experts on both.
pub const CONFIG: &str = "
[model]
hidden_size = 16
num_layers = 2
num_heads = 2
num_kv_heads = 1
head_dim = 8
num_experts = 4
intermediate = 16
[train]
steps = 4
batch = 4
seq = 16
[optimizer]
warmup_steps = 1
[data]
validation = 0.2
[run]
checkpoint_every = 2
eval_every = 0
eval_batches = 1
";

/// Where the binary keeps compiled programs: not among the user's.
pub fn program_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs")
}

/// The binary, in `folder`.
pub fn collegium(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collegium"));
    command.env("COLLEGIUM_PROGRAM_CACHE", program_cache());
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

/// What came of a command.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Runs the binary to its end.
pub fn run(folder: &Path, args: &[&str]) -> Done {
    collegium(folder, args).output().unwrap().into()
}

/// Runs the binary to its end, which must be success; its standard output.
pub fn succeed(folder: &Path, args: &[&str]) -> String {
    let done = run(folder, args);
    assert_eq!(done.code, Some(0), "collegium {}\n{}{}", args.join(" "), done.out, done.err);
    done.out
}

/// As [`succeed`], with the standard output parsed.
pub fn json(folder: &Path, args: &[&str]) -> serde_json::Value {
    let text = succeed(folder, args);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in the output of {args:?}:\n{text}"))
}

/// Whether there is a CPU plugin; says so if a test has to be skipped.
pub fn has_plugin() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| {
        let report = json(Path::new("."), &["doctor", "--json"]);
        let platforms = report["platforms"].as_array().unwrap();
        platforms.iter().any(|p| p["platform"] == "cpu" && p["problem"].is_null())
    });
    if !found {
        eprintln!("skipped: no CPU plugin here (`collegium doctor --fetch` gets one)");
    }
    found
}

/// A folder with `tiny.toml`, `text.jsonl` and `run`, four steps over two devices with checkpoints after two and four.
/// Read only: who wants to change it takes a [`copy`].
pub fn trained() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trained");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        inputs(&folder);
        succeed(&folder, &["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run", "run"]);
        folder
    })
}

/// `tiny.toml` and `text.jsonl`.
pub fn inputs(folder: &Path) {
    std::fs::write(folder.join("tiny.toml"), CONFIG).unwrap();
    // Documents that differ, so that batches do.
    let text: Vec<String> = ('a'..='z')
        .map(|c| format!("{{\"text\": \"{c} is a letter, {c}{c}{c} is a word of {c}.\"}}\n"))
        .collect();
    std::fs::write(folder.join("text.jsonl"), text.concat()).unwrap();
}

/// A copy of the trained folder to change.
pub fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(trained(), folder.path());
    folder
}

/// A copy whose newest checkpoint is the one of step 2.
pub fn copy_at_step_2() -> tempfile::TempDir {
    let folder = copy();
    std::fs::remove_dir_all(checkpoint(folder.path(), 4)).unwrap();
    folder
}

pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A checkpoint of the run in `folder`.
pub fn checkpoint(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("run/checkpoints/step-{step:08}"))
}

/// Everything below a folder, by relative path.
pub fn contents(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            found.extend(contents(&path).into_iter().map(|(inner, bytes)| (name.join(inner), bytes)));
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
    found
}

/// Where a tensor lies in a .safetensors file.
pub fn tensor_range(file: &[u8], name: &str) -> std::ops::Range<usize> {
    let header_bytes = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + header_bytes]).unwrap();
    let offset = |i: usize| 8 + header_bytes + header[name]["data_offsets"][i].as_u64().unwrap() as usize;
    offset(0)..offset(1)
}

/// The numbers of a .safetensors file in f32, in the order of the file.
pub fn numbers(file: &Path) -> Vec<f32> {
    let bytes = std::fs::read(file).unwrap();
    let header_bytes = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header_bytes..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// Records of a kind, as a run wrote them.
pub fn records(run: &Path, kind: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    records.filter(|r| r["kind"] == kind).collect()
}

/// The loss of every step, as recorded.
pub fn losses(run: &Path) -> Vec<(u64, f64)> {
    let steps = records(run, "step");
    steps.iter().map(|r| (r["step"].as_u64().unwrap(), r["loss"].as_f64().unwrap())).collect()
}
