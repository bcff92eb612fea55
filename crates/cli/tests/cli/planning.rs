//! `collegium plan`: no device is needed.

use std::path::Path;

use collegium_train::config::RunConfig;

use crate::harness::*;

const MODEL: &str = r#"{"model_type":"qwen3_moe","vocab_size":4096,"hidden_size":512,"num_hidden_layers":4,"num_attention_heads":8,
    "num_key_value_heads":4,"head_dim":64,"intermediate_size":1024,"num_experts":16,"num_experts_per_tok":2,
    "moe_intermediate_size":256,"norm_topk_prob":true}"#;

const HUGE: &str = r#"{"model_type":"llama","vocab_size":128256,"hidden_size":16384,"num_hidden_layers":126,"num_attention_heads":128,
    "num_key_value_heads":8,"head_dim":128,"intermediate_size":53248}"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), MODEL).unwrap();
    std::fs::write(folder.path().join("huge.json"), HUGE).unwrap();
    folder
}

fn read_by_the_trainer(file: &Path) -> RunConfig {
    RunConfig::assemble(None, Some(file), &[]).unwrap()
}

fn json(folder: &Path, args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeed(folder, args)).unwrap()
}

#[test]
fn a_plan_is_printed_written_and_drawn() {
    let folder = folder();
    let ask = [
        "plan",
        "--model",
        "config.json",
        "--cluster",
        "p5.48xlarge:1",
        "--cluster",
        "trn2.48xlarge:1",
        "--tokens",
        "10B",
    ];
    let rest = ["--seq", "512", "--trainable", "--json", "--out", "plan.toml", "--html", "plan.html"];
    let plan = json(folder.path(), &[&ask[..], &rest[..]].concat());
    let best = &plan["answers"][0]["choices"][0];
    assert_eq!(
        best["not_trainable"].as_array().unwrap().len(),
        0,
        "--trainable plans what the trainer runs: {best:#}"
    );
    assert!(best["tokens_per_second"].as_f64().unwrap() > 0.0 && best["usd"].as_f64().unwrap() > 0.0);
    let written = std::fs::read_to_string(folder.path().join("plan.toml")).unwrap();
    assert!(written.contains("[parallel]") && written.contains("dtype = \"bfloat16\""), "{written}");
    let config = read_by_the_trainer(&folder.path().join("plan.toml"));
    assert_eq!((config.data.prefetch, config.run.checkpoint_async), (1, false));
    let page = std::fs::read_to_string(folder.path().join("plan.html")).unwrap();
    assert!(
        page.contains("p5.48xlarge:1") && page.ends_with("</html>") && !page.contains("http"),
        "self-contained"
    );
    for drawing in ["stage by stage", "on the lanes of a rank", "under the roof", "Time against cost"] {
        assert!(page.contains(drawing), "no drawing `{drawing}`");
    }
    let step = plan["answers"][0]["choices"][0]["candidate"]["estimate"]["step"].as_f64().unwrap();
    let parts = plan["answers"][0]["choices"][0]["candidate"]["estimate"]["parts"].as_object().unwrap();
    let sum: f64 = parts.values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - step).abs() < 1e-9 * step, "the parts of a simulated step add up to it: {sum} {step}");
}

#[test]
fn what_is_unknown_is_said_and_not_invented() {
    let own = folder();
    let done = succeed(
        own.path(),
        &[
            "plan",
            "--model",
            "config.json",
            "--cluster",
            "p4d.24xlarge:1",
            "--seq",
            "512",
            "--precision",
            "float8",
        ],
    );
    assert!(done.contains("has no engine for float8, so the next wider type is priced"), "{done}");
    let folder = folder();
    let plan = json(
        folder.path(),
        &["plan", "--model", "config.json", "--cluster", "trn2u.48xlarge:4", "--seq", "512", "--json"],
    );
    let answer = &plan["answers"][0];
    assert!(answer["choices"][0]["joules_per_token"].is_null() && answer["choices"][0]["usd"].is_null());
    let notes = answer["unknown"].to_string();
    assert!(notes.contains("no price") && notes.contains("AWS publishes no power figure"), "{notes}");
}

#[test]
fn a_request_that_cannot_be_met_says_by_how_much_and_what_would_do() {
    let folder = folder();
    let done =
        run(folder.path(), &["plan", "--model", "huge.json", "--cluster", "p5.48xlarge:1", "--seq", "2048"]);
    assert_eq!(done.code, Some(2), "{}", done.err);
    assert!(done.out.contains("it does not fit") && done.out.contains("GB too much"), "{}", done.out);
    assert!(done.out.contains("is the smallest (in doublings) that holds it"), "{}", done.out);
}

#[test]
fn what_has_no_room_on_devices_goes_to_the_host_and_checkpoints_are_written_meanwhile() {
    let folder = folder();
    let large = MODEL.replace("\"hidden_size\":512", "\"hidden_size\":8192").replace("4096,", "128256,");
    let large = large.replace("\"moe_intermediate_size\":256", "\"moe_intermediate_size\":24576");
    std::fs::write(folder.path().join("large.json"), large).unwrap();
    let ask = ["plan", "--model", "large.json", "--cluster", "dgx-h100:1", "--seq", "512", "--batch", "8"];
    let rest =
        ["--checkpoints", "async", "--text", "--prefetch", "0", "--tokens", "1B", "--html", "plan.html"];
    let out = ["--out", "plan.toml", "--json"];
    let plan = json(folder.path(), &[&ask[..], &rest[..], &out[..]].concat());
    let best = &plan["answers"][0]["choices"][0];
    assert_eq!(best["candidate"]["layout"]["offload"], true, "{best:#}");
    let memory = &best["candidate"]["estimate"]["memory"];
    let parameters = plan["parameters"].as_f64().unwrap();
    let host = memory["host"].as_f64().unwrap();
    assert!(host >= 12.0 * parameters / 8.0 * 0.99, "twelve bytes a parameter over eight ranks: {host}");
    assert!(best["not_trainable"].to_string().contains("optimizer state in host memory"));
    assert!(best["candidate"]["estimate"]["parts"]["loading"].as_f64().unwrap() > 0.0);
    let checkpoints = &best["checkpoints"];
    assert_eq!(checkpoints["bytes"].as_f64().unwrap(), 12.0 * parameters);
    assert!(checkpoints["pause"].as_f64().unwrap() < checkpoints["write"].as_f64().unwrap());
    let config = read_by_the_trainer(&folder.path().join("plan.toml"));
    assert_eq!((config.data.prefetch, config.run.checkpoint_async), (0, true));
    let every =
        checkpoints["every"].as_f64().unwrap() / best["candidate"]["estimate"]["step"].as_f64().unwrap();
    assert_eq!(config.run.checkpoint_every, every.round() as u64);
    let page = std::fs::read_to_string(folder.path().join("plan.html")).unwrap();
    assert!(page.contains("In host memory") && page.contains("Checkpoints:"));
}

#[test]
fn bad_questions() {
    let folder = folder();
    let with = |more: &[&str]| {
        let base = ["plan", "--model", "config.json"];
        run(folder.path(), &[&base[..], more].concat())
    };
    let cases: [(&[&str], &str); 9] = [
        (&["--cluster", "trn2.48xlrge:1"], "did you mean trn2.48xlarge"),
        (&["--cluster", "p5.48xlarge:0"], "is no number of instances"),
        (&["--cluster", "p5.48xlarge:1", "--tokens", "-1T"], "no number above 0"),
        (&["--cluster", "p5.48xlarge:1", "--max-cost", "-5"], "leaves nothing to plan"),
        (&["--cluster", "p5.48xlarge:1", "--imbalance", "0.5"], "no ratio of largest over mean"),
        (&["--cluster", "p5.48xlarge:1", "--precision", "int3"], "give one of float32"),
        (&["--cluster", "p5.48xlarge:1", "--attention", "magic"], "give fused or written"),
        (&["--cluster", "p5.48xlarge:1", "--checkpoints", "never"], "give sync or async"),
        (&["--cluster", "p5.48xlarge:1", "--prefetch", "65"], "give 0 to 64"),
    ];
    for (args, part) in cases {
        let done = with(args);
        assert_eq!(done.code, Some(2), "{args:?} {}", done.err);
        assert!(done.err.contains(part), "no `{part}` in {}", done.err);
    }
}

#[test]
fn rows_that_lack_fields_are_listed_and_counted() {
    let folder = folder();
    let head = "id,model,layers,hidden,ffn,heads,kv_heads,experts,topk,seq_len,vocab,device,devices,tp,pp,micro_batch,global_batch,precision,metric_name,metric_value\n";
    let rows = "a-1,LLAMA3_8B,,,,,,,,8192,,H100,8,1,1,1,128,BF16,step_time_s,11.0\na-2,LLAMA3_8B,,,,,,,,8192,,H100,8,,1,1,128,BF16,step_time_s,11.0\na-3,odd,,,,,,,,8192,,H100,8,1,1,1,128,BF16,step_time_s,11.0\na-4,LLAMA3_70B,,,,,,,,8192,,H100,8,1,1,1,128,BF16,oom,1\na-5,LLAMA3_70B,,,,,,,,8192,,H100,8,,1,1,128,BF16,oom,1\n";
    std::fs::write(folder.path().join("rows.csv"), format!("{head}{rows}")).unwrap();
    let ask = ["plan", "validate", "--rows", "rows.csv", "--json", "--plot", "rows.svg"];
    let report = json(folder.path(), &ask);
    assert_eq!(report["step"]["rows"], 1);
    assert_eq!(report["skipped"]["no tp"], 2);
    assert_eq!(report["skipped_rows"].as_array().unwrap().len(), 3);
    // 70 billion parameters on one rank cannot be; how the other lay is unknown.
    assert_eq!(
        report["ran_out"],
        serde_json::json!({"fits": 0, "may_not_fit": 0, "does_not_fit": 1, "left_out": 1})
    );
    let ran: u64 = report["ran"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(ran, 1);
    let drawn = std::fs::read_to_string(folder.path().join("rows.svg")).unwrap();
    assert_eq!(
        drawn.matches("<circle").count(),
        2,
        "one dense row, in the drawings of ratios and of seconds"
    );
    let found = report["rows"][0]["predicted"].as_f64().unwrap();
    assert!(found > 5.0 && found < 25.0, "an 8B step on 8 H100 takes about 11 s, not {found}");
    // What hides dispatch costs the host: recipes of B200 with virtual stages do so from 25.11 on, and none without.
    let head = "id,model,experts,seq_len,device,devices,tp,pp,vpp,ep,micro_batch,global_batch,precision,metric_name,metric_value\n";
    let row = |release, pieces| {
        format!(
            "mbridge-{release}-1,Qwen3_30B_a3B,128,4096,B200,16,1,2,{pieces},8,1,1024,FP8,step_time_s,30.0\n"
        )
    };
    let rows = [row("25.09", 4), row("25.11", 4), row("25.09", 1), row("25.11", 1)].concat();
    std::fs::write(folder.path().join("rows.csv"), format!("{head}{rows}")).unwrap();
    let report = json(folder.path(), &["plan", "validate", "--rows", "rows.csv", "--json"]);
    let found = |i: usize| report["rows"][i]["predicted"].as_f64().unwrap();
    assert!(found(1) > 1.2 * found(0), "{} {}", found(1), found(0));
    assert_eq!(found(3), found(2));
    std::fs::write(folder.path().join("bad.csv"), "id,model\n1,2,3\n").unwrap();
    let done = run(folder.path(), &["plan", "validate", "--rows", "bad.csv"]);
    assert!(done.code == Some(2) && done.err.contains("there is no column `device`"), "{}", done.err);
}

#[test]
fn a_study_that_no_meter_counted_gets_the_power_of_a_description() {
    let folder = folder();
    let point = |run: &str, seconds: f64, loss: f64, joules: &str| {
        format!(
            r#"{{"run":"{run}","size":"{run}","loss":{loss},"flops":{seconds}e9,"seconds":{seconds},"joules":{joules},"joules_estimated":null}}"#
        )
    };
    let study = |joules: &str| {
        let dense = [point("a", 10.0, 3.0, joules), point("b", 40.0, 2.0, "null")].join(",");
        format!(r#"{{"dense":[{dense}],"moe":[{}]}}"#, point("m", 10.0, 2.0, "null"))
    };
    let ask = ["compare", "--study", "study.json", "--cluster", "laptop", "--json"];
    std::fs::write(folder.path().join("study.json"), study("null")).unwrap();
    let found = json(folder.path(), &ask);
    // Two threads of a server at 1.67 W each.
    assert_eq!(found["moe"][0]["joules_estimated"].as_f64(), Some(33.0));
    assert!(found["moe"][0]["joules"].is_null());
    let gain = |cost: &str, found: &serde_json::Value| {
        let all = found["gains"].as_array().unwrap();
        all.iter().find(|g| g["cost"] == cost).map(|g| g["ratio"].as_f64().unwrap())
    };
    let ratio = gain("estimated_energy", &found).unwrap();
    assert!((ratio - 4.0).abs() < 1e-9 && gain("energy", &found).is_none(), "{ratio}");
    // A measured run keeps what was measured, and is not mixed with the others.
    std::fs::write(folder.path().join("study.json"), study("20.0")).unwrap();
    let found = json(folder.path(), &ask);
    assert!(found["dense"][0]["joules_estimated"].is_null());
    assert!(gain("estimated_energy", &found).is_none() && gain("energy", &found).is_none());
    assert!(found["notes"].to_string().contains("are not mixed"), "{}", found["notes"]);
    let done = run(folder.path(), &["compare", "--study", "study.json", "--cluster", "trn2.48xlarge:1"]);
    assert!(done.code == Some(2) && done.err.contains("its power is unknown"), "{}", done.err);
}
