//! What cannot be run: each is refused with one message that names the thing, the value and the remedy, with exit code 2,
//! and leaves nothing behind.

use std::path::{Path, PathBuf};

use crate::harness::*;

/// Arguments, and what the message must say.
type Case<'a> = (&'a [&'a str], &'a [&'a str]);

/// What is in a folder, but for token files, which are a cache made again when the text looks changed.
fn lasting(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = contents(folder);
    found.retain(|path, _| !path.iter().any(|part| part == "tokens"));
    found
}

/// Every case in `folder`, which must be as before afterwards.
pub fn refused(folder: &Path, cases: &[Case<'_>]) {
    let before = lasting(folder);
    for (args, parts) in cases {
        let done = run(folder, args);
        let said = format!("collegium {}\n{}", args.join(" "), done.err);
        assert_eq!(done.code, Some(2), "{said}");
        assert_eq!(done.err.matches("error: ").count(), 1, "one message: {said}");
        let cause = "(os error 2)";
        assert!(done.err.matches(cause).count() <= 1, "the cause is told twice: {said}");
        for part in *parts {
            assert!(done.err.contains(part), "no `{part}` in the message of {said}");
        }
        assert!(lasting(folder) == before, "something was left behind by {said}");
    }
    assert!(!folder.join("new").exists() && !folder.join("runs").exists(), "a run folder is left");
}

#[test]
fn settings() {
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("typo.toml", "[train]\nstpes = 3\n");
    write("section.toml", "[optimiser]\nlearning_rate = 1.0\n");
    write("torn.toml", "[train\nsteps");
    let set = |setting: &'static str| vec!["train", "--run", "new", "--set", setting];
    let cases: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (set("optimizer.learning_rate=nan"), vec!["optimizer.learning_rate is NaN", "finite number above 0"]),
        (set("optimizer.learning_rate=inf"), vec!["optimizer.learning_rate is inf", "finite number above 0"]),
        (set("train.step=7"), vec!["unknown key `train.step`", "did you mean `train.steps`?"]),
        (set("zzzzzzzzzzzz.y=7"), vec!["unknown key `zzzzzzzzzzzz.y`", "collegium presets"]),
        (set("train.steps"), vec!["--set train.steps", "section.key=value"]),
        (set("train.steps=many"), vec!["train.steps=many", "expected u64"]),
        (set("model.num_heads=3"), vec!["model.num_heads is 3", "multiple of model.num_kv_heads (2)"]),
        (set("model.head_dim=7"), vec!["model.head_dim is 7", "even"]),
        (set("model.num_layers=0"), vec!["model.num_layers is 0", "at least 1"]),
        (set("model.top_k=9"), vec!["model.top_k is 9", "from 1 to model.num_experts (8)"]),
        (set("model.hidden_size=99999999999"), vec!["[model]", "hidden_size is 99999999999"]),
        (set("train.batch=1"), vec!["train.batch is 1", "the 2 devices", "parallel.devices"]),
        (set("parallel.devices=3"), vec!["train.batch is", "multiple of the 3 devices"]),
        (set("parallel.platform=tpu"), vec!["platform `tpu` is unknown", "cpu, cuda, neuron"]),
        (set("model.vocab_size=100"), vec!["257 tokens", "vocab_size is 100", "at least 257"]),
        (vec!["train", "--preset", "huge"], vec!["unknown preset `huge`", "tiny"]),
        (vec!["train", "--config", "none.toml"], vec!["none.toml", "No such file", "--config"]),
        (vec!["train", "--config", "typo.toml"], vec!["typo.toml", "`train.stpes`", "`train.steps`"]),
        (
            vec!["train", "--config", "section.toml"],
            vec!["`optimiser.learning_rate`", "`optimizer.learning_rate`"],
        ),
        (vec!["train", "--config", "torn.toml"], vec!["torn.toml", "line 1"]),
        (vec!["train", "--tokenizer", "text.jsonl"], vec!["text.jsonl", "not a usable tokenizer.json"]),
        (
            vec!["train", "--run", "text.jsonl/new"],
            vec!["text.jsonl/new", "cannot write", "choose another folder"],
        ),
        (vec!["train", "--resume", "nothing"], vec!["nothing is not a run", "config.toml"]),
        (vec!["report", "nothing"], vec!["nothing", "metrics.jsonl"]),
        (vec!["generate", "nothing", "--prompt", "x"], vec!["nothing", "config.json", "checkpoints/"]),
        (vec!["tokenize", "text.jsonl", "--train-bpe", "10", "--out", "new"], vec!["at least 257", "got 10"]),
    ];
    for (args, parts) in &cases {
        refused(folder.path(), &[(args, parts)]);
    }
}

#[test]
fn plugins() {
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    std::fs::write(folder.path().join("torn.so"), "not a library").unwrap();
    for (plugin, parts) in [
        ("none.so", ["none.so", "COLLEGIUM_CPU_PLUGIN", "no such file", "correct the path"]),
        ("torn.so", ["torn.so", "not a shared library", "remove", "pip install"]),
    ] {
        let mut command = collegium(folder.path(), &["train", "--run", "new"]);
        let done: Done = command.env("COLLEGIUM_CPU_PLUGIN", plugin).output().unwrap().into();
        assert_eq!(done.code, Some(2), "{}", done.err);
        parts.iter().for_each(|part| assert!(done.err.contains(part), "no `{part}` in {}", done.err));
        assert!(!folder.path().join("new").exists());
    }
}

#[test]
fn data() {
    if !has_plugin() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    std::fs::write(folder.path().join("empty.txt"), "").unwrap();
    std::fs::write(folder.path().join("latin.txt"), b"caf\xe9").unwrap();
    std::fs::write(folder.path().join("rows.jsonl"), "{\"body\": \"x\"}\n").unwrap();
    let train = |file| vec!["train", "--config", "tiny.toml", "--run", "new", "--data", file];
    let cases: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (train("none.txt"), vec!["none.txt", "No such file", "check the path"]),
        (train("empty.txt"), vec!["no text in", "empty.txt", "at least one document"]),
        (train("latin.txt"), vec!["latin.txt, line 1", "invalid UTF-8 at byte 3", "iconv"]),
        (train("rows.jsonl"), vec!["rows.jsonl, line 1", "no string field `text`", "--field"]),
    ];
    for (args, parts) in &cases {
        refused(folder.path(), &[(args, parts)]);
    }
}

#[test]
fn models_and_checkpoints() {
    if !has_plugin() {
        return;
    }
    let folder = copy();
    let folder = folder.path();
    let good = checkpoint(folder, 4);
    // A checkpoint spoilt in one way; the name of its folder.
    let spoil = |name: &'static str, file: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let copy = folder.join(name);
        copy_tree(&good, &copy);
        let path = copy.join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(path, bytes).unwrap();
        name
    };
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: &mut Vec<u8>| {
            let text = String::from_utf8_lossy(bytes).replace(from, to);
            *bytes = text.into_bytes();
        }
    };
    let family = spoil("family", "config.json", &replace("\"qwen3_moe\"", "\"gpt9\""));
    let heads =
        spoil("heads", "config.json", &replace("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 3"));
    let width = spoil("width", "config.json", &replace("\"hidden_size\": 16", "\"hidden_size\": 32"));
    let small = spoil("small", "config.json", &replace("\"vocab_size\": 320", "\"vocab_size\": 64"));
    let json = spoil("json", "config.json", &|bytes| bytes.truncate(20));
    let short = spoil("short", "model.safetensors", &|bytes| bytes.truncate(bytes.len() - 10));
    let shorter = spoil("shorter", "model.safetensors", &|bytes| bytes.truncate(40));
    let hostile = spoil("hostile", "model.safetensors", &|bytes| bytes[..8].fill(0xff));
    // Names of equal length keep the header's length true.
    let missing = spoil("missing", "model.safetensors", &|bytes| {
        let (name, other) = (b"model.norm.weight", b"model.gnom.weight");
        let at = bytes.windows(name.len()).position(|w| w == name).unwrap();
        bytes[at..at + name.len()].copy_from_slice(other);
    });
    let bare = spoil("bare", "tokenizer.json", &|_| ());
    std::fs::remove_file(folder.join("bare/tokenizer.json")).unwrap();

    let generate = |checkpoint| vec!["generate", checkpoint, "--prompt", "x"];
    let shape = ["tensor `model.embed_tokens.weight` must have shape [320, 32], got [320, 16]"];
    let cases: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (generate(family), vec!["family/config.json", "model_type \"gpt9\" is unknown", "qwen3_moe"]),
        (generate(heads), vec!["heads/config.json", "num_attention_heads 2", "num_key_value_heads 3"]),
        (generate(width), shape.to_vec()),
        (generate(small), vec!["257 tokens", "vocab_size is 64", "at least 257"]),
        (generate(json), vec!["json/config.json", "no model configuration"]),
        (generate(short), vec!["model.safetensors", "truncated"]),
        (generate(shorter), vec!["model.safetensors", "truncated"]),
        (generate(hostile), vec!["model.safetensors", "the header claims 18446744073709551615 bytes"]),
        (generate(missing), vec!["no tensor `model.norm.weight`", "did you mean `model.gnom.weight`"]),
        (generate(bare), vec!["bare has no tokenizer.json"]),
        (vec!["generate", "run", "--prompt", ""], vec!["the prompt is empty"]),
        (vec!["generate", "run", "--prompt", "x", "--top-p", "0"], vec!["--top-p 0", "above 0"]),
        (vec!["generate", "run", "--prompt", "x", "-n", "0"], vec!["-n is 0", "from 1"]),
        (vec!["generate", "run", "--prompt", "x", "--devices", "0"], vec!["--devices is 0", "from 1 to 64"]),
        (
            vec!["generate", "run", "--prompt", "x", "--devices", "9"],
            vec!["experts a layer, fewer than the 9 devices", "or fewer"],
        ),
        (
            vec!["generate", "run", "--prompt", "x", "--devices", "2", "--balance", "eplb"],
            vec!["--balance is `eplb`", "static", "exact"],
        ),
        (vec!["eval", "run", "--data", "text.jsonl", "--seq", "1"], vec!["--seq is 1", "at least 2"]),
        (
            vec!["eval", "run", "--data", "text.jsonl", "--devices", "2", "--batch", "3"],
            vec!["--batch 3", "--devices 2"],
        ),
        (vec!["verify", "run/checkpoints/step-00000004"], vec!["reference.safetensors"]),
        (
            vec!["train", "--run", "new", "--data", "text.jsonl", "--set", "model.checkpoint=missing"],
            vec!["no tensor `model.norm.weight`"],
        ),
        (
            vec!["train", "--run", "run", "--data", "text.jsonl"],
            vec!["run/metrics.jsonl", "already holds metrics", "another folder"],
        ),
        (vec!["train", "--resume", "run"], vec!["run has done 4 of 4 steps", "--set train.steps=8"]),
        (
            vec!["train", "--resume", "run", "--set", "train.steps=9", "--set", "model.hidden_size=32"],
            vec!["run holds another model", "hidden_size is 16 there and 32 here", "start a new run"],
        ),
        (
            vec!["train", "--resume", "run", "--set", "train.steps=9", "--set", "train.seq=8"],
            vec!["belongs to other data or settings", "resume with the data"],
        ),
        (
            vec!["train", "--resume", "run", "--set", "train.steps=9", "--set", "run.dir=elsewhere"],
            vec!["--set run.dir cannot go with --resume", "move the folder"],
        ),
        (
            vec!["train", "--resume", "run", "--set", "train.steps=9", "--set", "train.seed=5"],
            vec!["--set train.seed cannot go with --resume", "start a new run"],
        ),
    ];
    for (args, parts) in &cases {
        refused(folder, &[(args, parts)]);
    }
}
