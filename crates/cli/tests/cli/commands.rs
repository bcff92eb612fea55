//! The other commands, on the trained run, and that what they print for programs can be parsed.

use std::path::{Path, PathBuf};

use crate::harness::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

#[test]
fn verify_passes_a_reference_and_fails_a_changed_one() {
    if !has_plugin() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    copy_tree(&fixture("qwen3_moe"), &good);
    copy_tree(&good, &bad);
    let file = bad.join("reference.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let range = tensor_range(&bytes, "logits");
    bytes[range.start..range.start + 4].copy_from_slice(&1e3f32.to_le_bytes());
    std::fs::write(&file, bytes).unwrap();

    let done = run(folder.path(), &["verify", "good", "bad", "--json"]);
    assert_eq!(done.code, Some(1), "{}", done.err);
    let report: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(report["passed"], false);
    let passed = |i: usize| report["cases"][i]["passed"].as_bool().unwrap();
    assert_eq!((passed(0), passed(1)), (true, false), "{report:#}");
    assert!(report["cases"][0]["max_gradient_error"].as_f64().unwrap() < 1e-3);
    assert!(report["cases"][1]["max_logit_error"].as_f64().unwrap() > 100.0);
}

#[test]
fn verify_in_bfloat16_has_its_own_limits() {
    if !has_plugin() {
        return;
    }
    let (dense, sparse) = (fixture("qwen3"), fixture("qwen3_moe_mixed"));
    let args = ["verify", dense.to_str().unwrap(), sparse.to_str().unwrap(), "--dtype", "bfloat16", "--json"];
    let report = json(Path::new("."), &args);
    assert_eq!((&report["dtype"], &report["passed"]), (&"bfloat16".into(), &true.into()), "{report:#}");
    for case in report["cases"].as_array().unwrap() {
        // Computed in bfloat16 it cannot be as near as float32 is.
        assert!(case["max_logit_error"].as_f64().unwrap() > 1e-4, "{case:#}");
    }
    let wrong = run(Path::new("."), &["verify", "x", "--dtype", "half"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("use float32 or bfloat16"), "{}", wrong.err);
}

#[test]
fn an_output_that_nobody_reads_ends_quietly() {
    for args in [&["presets"][..], &["man"], &["lint", "tiny", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done: Done = collegium(Path::new("."), args)
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap()
            .into();
        assert_eq!((done.code, done.err.as_str()), (None, ""), "{args:?} ends by the signal");
    }
}

#[test]
fn generate_continues_the_same_way_as_text_and_as_json() {
    if !has_plugin() {
        return;
    }
    let args = ["generate", "run", "--prompt", "a is", "--max-tokens", "4"];
    let text = succeed(trained(), &args);
    let found = json(trained(), &[&args[..], &["--json"]].concat());
    assert_eq!(text, format!("a is{}\n", found["text"].as_str().unwrap()));
    let tokens = found["tokens"].as_array().unwrap();
    assert!(tokens.len() <= 4 && tokens.iter().all(|t| t.as_u64().unwrap() < 257), "{tokens:?}");
}

#[test]
fn eval_measures_text() {
    if !has_plugin() {
        return;
    }
    let args = ["eval", "run", "--data", "text.jsonl", "--seq", "16", "--batch", "4", "--json"];
    let found = json(trained(), &args);
    let (loss, perplexity) = (found["loss"].as_f64().unwrap(), found["perplexity"].as_f64().unwrap());
    assert!(loss > 3.0 && loss < 6.0, "{loss}");
    assert!((perplexity - loss.exp()).abs() < 1e-6 * perplexity);
    assert!(found["predictions"].as_u64().unwrap() > 100);
}

#[test]
fn report_writes_the_page_again() {
    if !has_plugin() {
        return;
    }
    let folder = copy();
    let page = folder.path().join("run/report.html");
    std::fs::remove_file(&page).unwrap();
    let summary = json(folder.path(), &["report", "run", "--json"]);
    assert!(summary.is_object() && page.exists(), "{summary:#}");
}

#[test]
fn tokenize_counts_and_trains_a_tokenizer_that_it_can_use() {
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    let bytes = json(folder.path(), &["tokenize", "text.jsonl", "--out", "a", "--json"]);
    assert_eq!(bytes["documents"], 26);
    let trained =
        json(folder.path(), &["tokenize", "text.jsonl", "--train-bpe", "300", "--out", "bpe", "--json"]);
    assert_eq!(trained["vocab_size"], 300);
    let args = ["tokenize", "text.jsonl", "--tokenizer", "bpe/tokenizer.json", "--out", "b", "--json"];
    let fewer = json(folder.path(), &args);
    assert!(fewer["tokens"].as_u64() < bytes["tokens"].as_u64(), "{fewer} {bytes}");
    assert_eq!(json(folder.path(), &args)["reused"], true);
}

#[test]
fn presets_doctor_completions_and_the_manual_print() {
    let here = Path::new(".");
    let presets = json(here, &["presets", "--json"]);
    let names: Vec<&str> =
        presets["presets"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"tiny") && names.contains(&"reasoning"), "{names:?}");
    assert_eq!(json(here, &["presets", "tiny", "--json"])["train"]["steps"], 30);
    assert!(succeed(here, &["presets", "tiny"]).contains("[optimizer]"));
    let platforms = json(here, &["doctor", "--json"]);
    let names: Vec<&str> =
        platforms["platforms"].as_array().unwrap().iter().map(|p| p["platform"].as_str().unwrap()).collect();
    assert_eq!(names, ["cpu", "cuda", "neuron"]);
    assert!(succeed(here, &["completions", "bash"]).contains("collegium"));
    assert!(succeed(here, &["man"]).starts_with(".ie"));
}

#[test]
fn lint_judges_presets_and_files_and_fails_what_breaks_a_rule() {
    let here = Path::new(".");
    let fixture = fixture("olmoe");
    let good = json(here, &["lint", "tiny", fixture.to_str().unwrap(), "--json"]);
    assert_eq!((&good["passed"], &good["target"]), (&true.into(), &"neuron".into()));
    for model in good["models"].as_array().unwrap() {
        let programs = model["programs"].as_array().unwrap();
        for name in ["embed.forward", "block.backward", "experts.forward", "adamw", "generation_block"] {
            assert!(programs.iter().any(|p| p["program"] == name), "{name} in {programs:?}");
        }
    }
    let args = ["lint", "tiny", "--target", "trn1", "--set", "parallel.devices=4"];
    let bad = run(here, &args);
    assert_eq!(bad.code, Some(1));
    assert!(bad.out.contains("error     group-size"), "{}", bad.out);
    let unknown = run(here, &["lint", "tinny"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("no such preset; presets are tiny, reasoning"), "{}", unknown.err);
}
