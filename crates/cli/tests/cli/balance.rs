//! `collegium balance` on small traces.

use std::path::Path;

use crate::bad_input::refused;
use crate::harness::*;

/// A safetensors file of u8 tensors [tokens, k], one a layer.
fn trace(path: &Path, layers: &[Vec<u8>], k: usize, num_experts: usize) {
    let mut data = Vec::new();
    let mut header = serde_json::json!({ "__metadata__": { "num_experts": num_experts.to_string() } });
    for (i, ids) in layers.iter().enumerate() {
        let range = [data.len(), data.len() + ids.len()];
        header[format!("layer_{i:02}")] =
            serde_json::json!({ "dtype": "U8", "shape": [ids.len() / k, k], "data_offsets": range });
        data.extend_from_slice(ids);
    }
    let header = header.to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&data);
    std::fs::write(path, file).unwrap();
}

/// Choices of 8 experts, most of them the first few.
fn skewed(tokens: usize, shift: usize) -> Vec<u8> {
    (0..2 * tokens).map(|i| (((i * i + shift) % 31) * ((i * 7 + shift) % 13) / 48) as u8).collect()
}

fn inputs(folder: &Path) {
    trace(&folder.join("a.safetensors"), &[skewed(400, 0), skewed(400, 5)], 2, 8);
    trace(&folder.join("b.safetensors"), &[skewed(300, 9), skewed(300, 2)], 2, 8);
    trace(&folder.join("range.safetensors"), &[vec![0, 9]], 2, 8);
    std::fs::write(folder.join("loads.csv"), "rank,layer,iter,token_num\n0,0,0,90\n1,0,0,10\n2,0,0,40\n")
        .unwrap();
    std::fs::write(folder.join("ragged.csv"), "rank,layer,iter,token_num\n0,0,0,90\n1,0,0\n").unwrap();
}

#[test]
fn policies_are_replayed_and_plotted() {
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    let files = ["balance", "--trace", "a.safetensors", "b.safetensors", "loads.csv"];
    let found =
        json(folder.path(), &[&files[..], &["--ranks", "4,8", "--json", "--plot", "plot.html"]].concat());
    let outcomes = found["traces"][0]["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), 2 * 8);
    let exact = outcomes.iter().find(|o| o["policy"] == "exact" && o["ranks"] == 4).unwrap();
    assert!(exact["all"]["spread_rows"].as_u64().unwrap() <= 1, "{exact}");
    assert!(exact["all"]["before"]["mean"].as_f64().unwrap() > 1.2, "{exact}");
    assert_eq!(exact["layers"].as_array().unwrap().len(), 2);
    // Rank loads say nothing about experts: no pairs, and 90, 10, 40 become 47, 46, 47.
    let loads = found["traces"][2]["outcomes"].as_array().unwrap();
    let exact = loads.iter().find(|o| o["policy"] == "exact").unwrap();
    assert!(exact["all"]["pair_factor"].is_null() && exact["ranks"] == 3, "{exact}");
    assert_eq!(exact["all"]["spread_rows"], 1);
    assert!(std::fs::read_to_string(folder.path().join("plot.html")).unwrap().contains("<svg"));
    let text = succeed(folder.path(), &[&files[..], &["--plan-on", "other-domain", "--ranks", "4"]].concat());
    assert!(text.contains("homes planned on b") && text.contains("pair-capacity factor"), "{text}");
    let halves = [
        "balance",
        "--trace",
        "a.safetensors",
        "--ranks",
        "4",
        "--plan-on",
        "previous-half",
        "--policy",
        "two-tier",
    ];
    let text = succeed(folder.path(), &[&halves[..], &["--shuffle", "--tokens-per-rank", "50"]].concat());
    assert!(text.contains("1 micro-batch a layer, homes planned on the first half"), "{text}");
}

#[test]
fn planner_times_need_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let found = json(folder.path(), &["balance", "--policy", "exact", "--json"]);
    let times = found["planner"].as_array().unwrap();
    assert_eq!((times.len(), &times[1]["ranks"], &times[1]["experts"]), (4, &64.into(), &256.into()));
    assert!(times.iter().all(|t| t["plan_us"].as_f64().unwrap() > 0.0));
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    inputs(folder.path());
    let on = |file: &'static str, rest: &[&'static str]| [&["balance", "--trace", file], rest].concat();
    let cases: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (
            on("range.safetensors", &[]),
            vec!["range.safetensors", "token 0: expert 9 is out of range", "0 to 7"],
        ),
        (on("ragged.csv", &[]), vec!["ragged.csv", "line 3 has 3 columns, the head has 4"]),
        (on("none.csv", &[]), vec!["none.csv"]),
        (on("a.safetensors", &["--policy", "best"]), vec!["no balancing policy `best`", "two-tier"]),
        (on("a.safetensors", &["--machine", "tpu"]), vec!["no machine `tpu`", "trn2"]),
        (on("a.safetensors", &["--ranks", "0"]), vec!["--ranks must be at least 1"]),
        (on("a.safetensors", &["--ranks", "500"]), vec!["400 tokens to plan for 500 ranks"]),
        (
            on("a.safetensors", &["--ranks", "4", "--nodes", "3"]),
            vec!["4 ranks do not divide over 3 nodes", "1, 2, 4"],
        ),
        (
            on("a.safetensors", &["--plan-on", "other-domain"]),
            vec!["needs a second trace with 8 experts in 2 layers"],
        ),
        (
            on("a.safetensors", &["--tolerance=-1"]),
            vec!["--tolerance must be a share of the mean from 0 up, got -1"],
        ),
        (
            on("a.safetensors", &["--ranks", "4", "--max-clones", "2", "--slot-memory", "60"]),
            vec!["5 slots of 17.3 MB need 86.5 MB, 26.5 MB more than there is; 3 slots fit"],
        ),
        (on("a.safetensors", &["--ranks", "4", "--plot", "plot.png"]), vec!["plot.png", ".svg or .html"]),
    ];
    let cases: Vec<(&[&str], &[&str])> = cases.iter().map(|(a, p)| (&a[..], &p[..])).collect();
    refused(folder.path(), &cases);
}
