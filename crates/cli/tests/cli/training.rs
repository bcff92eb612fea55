//! A run from its first step to its last, with interruptions.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use crate::harness::*;

#[test]
fn a_run_leaves_records_a_page_and_whole_checkpoints() {
    if !has_plugin() {
        return;
    }
    let run = trained().join("run");
    assert_eq!(losses(&run).iter().map(|l| l.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(std::fs::read_to_string(run.join("report.html")).unwrap().contains("</html>"));
    assert!(run.join("config.toml").exists() && run.join("tensorboard").is_dir());
    for step in [2, 4] {
        let files = contents(&checkpoint(trained(), step));
        for name in ["config.json", "model.safetensors", "tokenizer.json", "optimizer.safetensors"] {
            assert!(files.contains_key(Path::new(name)), "step {step} lacks {name}");
        }
    }
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one_bit_by_bit() {
    if !has_plugin() {
        return;
    }
    let folder = copy_at_step_2();
    succeed(folder.path(), &["train", "--resume", "run"]);
    assert_eq!(losses(&folder.path().join("run")), losses(&trained().join("run")));
    let (resumed, whole) = (contents(&checkpoint(folder.path(), 4)), contents(&checkpoint(trained(), 4)));
    assert_eq!(resumed.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for (name, bytes) in &whole {
        assert!(resumed[name] == *bytes, "{} differs", name.display());
    }
}

#[test]
fn batches_ahead_and_checkpoints_behind_change_no_bit() {
    if !has_plugin() {
        return;
    }
    // The shared run makes the batches of one step ahead and waits for its checkpoints.
    let whole = contents(&checkpoint(trained(), 4));
    for (prefetch, behind) in [("0", "true"), ("3", "true"), ("0", "false")] {
        let folder = tempfile::tempdir().unwrap();
        inputs(folder.path());
        let (ahead, behind) = (format!("data.prefetch={prefetch}"), format!("run.checkpoint_async={behind}"));
        let tiny = ["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run", "run"];
        let how = ["--set", &ahead, "--set", &behind];
        succeed(folder.path(), &[&tiny[..], &how].concat());
        assert_eq!(losses(&folder.path().join("run")), losses(&trained().join("run")), "{how:?}");
        for step in [2, 4] {
            let (own, expected) =
                (contents(&checkpoint(folder.path(), step)), contents(&checkpoint(trained(), step)));
            assert!(own == expected, "the checkpoint of step {step} differs with {how:?}");
        }
        // Taken up from the middle.
        std::fs::remove_dir_all(checkpoint(folder.path(), 4)).unwrap();
        succeed(folder.path(), &["train", "--resume", "run"]);
        assert!(contents(&checkpoint(folder.path(), 4)) == whole, "resumed, {how:?}");
        let records = records(&folder.path().join("run"), "checkpoint");
        assert_eq!(records.iter().map(|r| r["step"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 4]);
        for record in records {
            let [pause, write] = ["pause_seconds", "write_seconds"].map(|k| record[k].as_f64().unwrap());
            assert!(pause > 0.0 && write > 0.0, "{record}");
        }
    }
}

#[test]
fn killed_while_it_writes_a_run_goes_on_from_the_checkpoint_before() {
    if !has_plugin() {
        return;
    }
    // A large vocabulary makes checkpoints that take a while.
    let large = ["--set", "model.vocab_size=262144", "--set", "run.checkpoint_async=true"];
    let tiny = ["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run", "run"];
    let start = |steps: &str, folder: &Path| {
        inputs(folder);
        collegium(folder, &[&tiny[..], &large, &["--set", &format!("train.steps={steps}")]].concat())
    };
    let whole = tempfile::tempdir().unwrap();
    assert!(start("3", whole.path()).output().unwrap().status.success());

    let folder = tempfile::tempdir().unwrap();
    let mut child = start("3", folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let checkpoints = folder.path().join("run/checkpoints");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(&checkpoints).into_iter().flatten();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    while !names().iter().any(|n| n.starts_with("step-00000003.tmp-")) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it wrote its last checkpoint");
        std::thread::sleep(std::time::Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = names();
    assert!(left.iter().any(|n| n.contains(".tmp-")) && !left.contains(&"step-00000003".into()), "{left:?}");
    assert!(contents(&checkpoint(folder.path(), 2)) == contents(&checkpoint(whole.path(), 2)));

    succeed(folder.path(), &["train", "--resume", "run"]);
    assert!(
        !names().iter().any(|n| n.contains(".tmp-")),
        "what the killed run left is cleared: {:?}",
        names()
    );
    assert!(contents(&checkpoint(folder.path(), 3)) == contents(&checkpoint(whole.path(), 3)));
    assert_eq!(losses(&folder.path().join("run")), losses(&whole.path().join("run")));
}

#[test]
fn a_checkpoint_that_fails_behind_a_run_ends_it() {
    if !has_plugin() {
        return;
    }
    let folder = copy_at_step_2();
    let before = contents(&checkpoint(folder.path(), 2));
    // So many steps that it ends by the error or not at all.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec '{}' train --resume run --set run.checkpoint_async=true --set train.steps=100000",
        env!("CARGO_BIN_EXE_collegium")
    );
    let mut shell = std::process::Command::new("sh");
    let done: Done = shell.args(["-c", &script]).current_dir(folder.path()).output().unwrap().into();
    assert_eq!(done.code, Some(2), "{}", done.err);
    assert!(done.err.contains("error: cannot write") && done.err.contains("step-00000004"), "{}", done.err);
    assert!(contents(&checkpoint(folder.path(), 2)) == before);
    assert!(losses(&folder.path().join("run")).len() < 50, "it is told soon");
}

#[test]
fn a_run_resumed_on_another_number_of_devices_stays_close() {
    if !has_plugin() {
        return;
    }
    let folder = copy_at_step_2();
    succeed(
        folder.path(),
        &["train", "--resume", "run", "--set", "parallel.devices=1", "--set", "run.watts=40"],
    );
    let metrics = std::fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    for line in metrics.lines().filter(|l| l.contains("\"step\":4,") && l.contains("\"kind\":\"step\"")) {
        let step: serde_json::Value = serde_json::from_str(line).unwrap();
        // A machine with a meter measures and estimates nothing.
        assert_ne!(step["joules"].is_null(), step["joules_estimated"].is_null(), "{step}");
        if let Some(joules) = step["joules_estimated"].as_f64() {
            assert!((joules / step["step_seconds"].as_f64().unwrap() - 40.0).abs() < 1e-6);
        }
    }
    for (a, b) in losses(&folder.path().join("run")).iter().zip(losses(&trained().join("run"))) {
        assert!((a.1 - b.1).abs() <= 1e-4 * b.1, "step {}: {} and {}", a.0, a.1, b.1);
    }
    let weights = |folder| numbers(&checkpoint(folder, 4).join("model.safetensors"));
    let (one, two) = (weights(folder.path()), weights(trained()));
    let norm = |v: &mut dyn Iterator<Item = f32>| v.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let distance = norm(&mut one.iter().zip(&two).map(|(a, b)| a - b)) / norm(&mut two.iter().copied());
    assert!(distance <= 1e-4, "the weights are {distance} apart");
}

#[test]
fn an_interrupted_run_saves_and_can_be_resumed() {
    if !has_plugin() {
        return;
    }
    for behind in ["run.checkpoint_async=false", "run.checkpoint_async=true"] {
        interrupt(behind);
    }
}

fn interrupt(behind: &str) {
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    let tiny = ["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run", "run"];
    let endless = ["--set", "train.steps=100000", "--set", behind];
    let mut child = collegium(folder.path(), &[tiny.as_slice(), &endless].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("step 1/") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended before its first step");
    }
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let (_, said) = rest.split_once("stopped after step ").expect(&rest);
    let (step, how) = said.split_once("; ").unwrap();
    assert_eq!(how.trim_end(), "go on with: collegium train --resume run");
    let step: u64 = step.parse().unwrap();
    assert!(checkpoint(folder.path(), step).join("model.safetensors").exists());

    let all = format!("train.steps={}", step + 1);
    succeed(folder.path(), &["train", "--resume", "run", "--set", &all]);
    assert_eq!(losses(&folder.path().join("run")).len() as u64, step + 1);
}

#[test]
fn a_disk_that_fills_up_while_saving_costs_only_that_save() {
    if !has_plugin() {
        return;
    }
    let folder = copy_at_step_2();
    let before = contents(&checkpoint(folder.path(), 2));
    // A limit on the size of files stands for a full disk: writing fails in the middle of a file.
    let script =
        format!("trap '' XFSZ; ulimit -f 64; exec '{}' train --resume run", env!("CARGO_BIN_EXE_collegium"));
    let mut shell = std::process::Command::new("sh");
    let done: Done = shell.args(["-c", &script]).current_dir(folder.path()).output().unwrap().into();
    assert_eq!(done.code, Some(2), "{}", done.err);
    for part in ["error: cannot write", "File too large", "nothing was left half written", "free space"] {
        assert!(done.err.contains(part), "no `{part}` in: {}", done.err);
    }
    let names = std::fs::read_dir(folder.path().join("run/checkpoints")).unwrap();
    assert_eq!(names.count(), 1, "something half written is left");
    assert!(contents(&checkpoint(folder.path(), 2)) == before);
}

#[test]
fn numbers_that_stop_being_finite_end_the_run_at_the_step_and_place() {
    if !has_plugin() {
        return;
    }
    // A learning rate without sense: the first update destroys the weights, the next step notices.
    let folder = copy_at_step_2();
    let before = contents(&checkpoint(folder.path(), 2));
    let done = run(folder.path(), &["train", "--resume", "run", "--set", "optimizer.learning_rate=1e30"]);
    assert_eq!(done.code, Some(2), "{}", done.err);
    for part in [
        "error: step 4: the numbers stopped being finite, first in ",
        "the checkpoint of step 2 is untouched",
        "collegium train --resume run",
    ] {
        assert!(done.err.contains(part), "no `{part}` in: {}", done.err);
    }
    assert!(contents(&checkpoint(folder.path(), 2)) == before);
    // What was being written when it happened is there by the time it is told.
    let set = ["optimizer.learning_rate=1e30", "run.checkpoint_every=1", "run.checkpoint_async=true"];
    let set = set.iter().flat_map(|s| ["--set", s]);
    let behind: Vec<&str> = ["train", "--resume", "run"].into_iter().chain(set).collect();
    let done = run(folder.path(), &behind);
    assert!(
        done.code == Some(2) && done.err.contains("the checkpoint of step 3 is untouched"),
        "{}",
        done.err
    );
    assert!(checkpoint(folder.path(), 3).join("optimizer.safetensors").exists());

    // Weights of layer 1 that hold such a number.
    let file = checkpoint(folder.path(), 2).join("model.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let range = tensor_range(&bytes, "model.layers.1.self_attn.o_proj.weight");
    bytes[range.start..range.start + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&file, bytes).unwrap();
    let weights = format!("model.checkpoint={}", file.parent().unwrap().display());
    let args =
        ["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run", "other", "--set", &weights];
    let done = run(folder.path(), &args);
    assert_eq!(done.code, Some(2), "{}", done.err);
    let message =
        "error: step 1: the numbers stopped being finite, first in layer 1; there is no checkpoint yet";
    assert!(done.err.contains(message), "{}", done.err);
}

#[test]
fn a_second_start_compiles_nothing_and_computes_the_same() {
    if !has_plugin() {
        return;
    }
    let folder = copy();
    let compiled = || contents(&program_cache()).len();
    let before = compiled();
    assert!(before > 10, "{before} programs kept");
    let args = ["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run"];
    succeed(folder.path(), &[&args[..], &["again"]].concat());
    let off = collegium(folder.path(), &[&args[..], &["off"]].concat())
        .env("COLLEGIUM_PROGRAM_CACHE", "off")
        .output()
        .unwrap();
    assert!(off.status.success());
    let model = |run: &str| {
        std::fs::read(folder.path().join(run).join("checkpoints/step-00000004/model.safetensors")).unwrap()
    };
    assert!(model("run") == model("again") && model("run") == model("off"));
    assert!(!folder.path().join("off/programs").exists() && !folder.path().join("programs").exists());
}

#[test]
fn every_step_records_what_a_rank_sent() {
    if !has_plugin() {
        return;
    }
    let text = std::fs::read_to_string(trained().join("run/metrics.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let steps: Vec<_> = records.filter(|r| r["kind"] == "step").collect();
    assert_eq!(steps.len(), 4);
    for step in &steps {
        let sent = |kind: &str| step["collective_bytes"][kind].as_u64().unwrap();
        assert!(sent("all_to_all") > 0 && sent("all_gather") > 0, "{step}");
        // Gradients of the dense weights go back onto the shards once a step: to each other rank its half, in f32.
        assert_eq!(sent("reduce_scatter"), steps[0]["collective_bytes"]["reduce_scatter"]);
    }
}

#[test]
fn runs_are_compared_at_equal_loss_and_the_study_is_read_back() {
    if !has_plugin() {
        return;
    }
    let folder = copy_at_step_2();
    succeed(folder.path(), &["train", "--resume", "run"]);
    for (name, steps) in [("short", "train.steps=2"), ("long", "train.steps=16")] {
        let dense = ["train", "--config", "tiny.toml", "--data", "text.jsonl", "--run", name];
        succeed(
            folder.path(),
            &[
                &dense[..],
                &["--set", "model.num_experts=0", "--set", steps, "--set", "run.checkpoint_every=0"],
            ]
            .concat(),
        );
    }
    let ask = ["compare", "--dense", "short", "long", "--moe", "run", "--json"];
    let text = succeed(folder.path(), &ask);
    std::fs::write(folder.path().join("study.json"), &text).unwrap();
    let study: serde_json::Value = serde_json::from_str(&text).unwrap();
    let gain = &study["gains"][0];
    assert_eq!(gain["cost"], "flops");
    assert!(gain["ratio"].as_f64().unwrap() > 0.0 && gain["interval"].is_null(), "{gain}");
    let flops = study["dense"][1]["flops"].as_f64().unwrap() / study["dense"][0]["flops"].as_f64().unwrap();
    assert!((flops - 8.0).abs() < 1e-9, "16 steps cost 8 times what 2 cost, not {flops}");
    let again = succeed(folder.path(), &["compare", "--study", "study.json", "--json", "--plot", "p.svg"]);
    assert_eq!(again, text);
    assert!(std::fs::read_to_string(folder.path().join("p.svg")).unwrap().contains("dense frontier"));
    let done = run(folder.path(), &["compare", "--dense", "run", "--moe", "run"]);
    assert!(
        done.code == Some(2) && done.err.contains("its model is sparse; give it under --moe"),
        "{}",
        done.err
    );
    let done =
        run(folder.path(), &["compare", "--dense", "short", "long", "--moe", "run", "--timing", "short"]);
    assert!(done.code == Some(2) && done.err.contains("none of the --timing runs"), "{}", done.err);
}
