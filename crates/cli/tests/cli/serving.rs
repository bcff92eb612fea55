//! `serve`, `chat` and `bench serve`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use super::harness::{collegium, has_plugin, json, run, succeed, trained};

#[test]
fn a_server_says_what_generate_says_and_ends_by_a_signal() {
    if !has_plugin() {
        return;
    }
    let text = succeed(trained(), &["generate", "run", "--prompt", "a is", "--max-tokens", "4"]);
    let arguments = ["serve", "run", "--port", "0", "--context", "64", "--sequences", "2"];
    let mut server = collegium(trained(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url =
        lines.find_map(|l| l.strip_prefix("API         ")?.strip_suffix("/v1").map(String::from)).unwrap();
    let arguments = ["chat", "--url", &url, "--max-tokens", "4", "--temperature", "0"];
    let mut chat =
        collegium(trained(), &arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    chat.stdin.take().unwrap().write_all(b"a is\n\n/new\n").unwrap();
    let said = chat.wait_with_output().unwrap();
    assert!(said.status.success());
    assert_eq!(format!("a is{}", String::from_utf8(said.stdout).unwrap()), text);
    rustix::process::kill_process(rustix::process::Pid::from_child(&server), rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn two_devices_say_what_one_says() {
    if !has_plugin() {
        return;
    }
    let said = |devices| {
        let arguments = ["generate", "run", "--prompt", "a is", "--max-tokens", "8", "-n", "3"];
        let more = ["--temperature", "1", "--devices", devices, "--balance", "exact"];
        succeed(trained(), &[&arguments[..], &more[..]].concat())
    };
    assert_eq!(said("2"), said("1"));
}

#[test]
fn bench_serve_counts_what_it_asked_for() {
    if !has_plugin() {
        return;
    }
    let arguments =
        ["bench", "serve", "--checkpoint", "run", "--context", "64", "--requests", "6", "--concurrency", "2"];
    let more = ["--prompt", "20", "--new", "3", "--shared", "1", "--distinct", "1", "--json"];
    let found = json(trained(), &[&arguments[..], &more[..]].concat());
    assert_eq!((&found["answered"], &found["failed"], &found["mixed_up"]), (&6.into(), &0.into(), &0.into()));
    assert!(found["cached_share"].as_f64().unwrap() > 0.4, "{found:#}");
}

#[test]
fn bench_serve_times_a_stream_beside_a_prompt() {
    if !has_plugin() {
        return;
    }
    let arguments = ["bench", "serve", "--checkpoint", "run", "--context", "128", "--new", "96", "--json"];
    let found = json(trained(), &[&arguments[..], &["--beside", "40"]].concat());
    assert!(found["longest_gap_ms"].as_f64().unwrap() > 0.0, "{found:#}");
    assert!(found["prompt_ms"].as_f64().unwrap() > 0.0, "{found:#}");
}

#[test]
fn sizes_are_told_without_a_device() {
    // A description is enough.
    let folder = tempfile::tempdir().unwrap();
    let config = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/llama/config.json");
    std::fs::copy(config, folder.path().join("config.json")).unwrap();
    let told = succeed(folder.path(), &["serve", ".", "--sizes", "--sequences", "2", "--context", "64"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].ends_with("2 x 64 tokens"), "{told}");
    // 2 x 2 layers x 2 heads x 16 numbers, of 4 bytes and of 2; and in int8 with 4 bytes of scale.
    for (line, dtype, token) in [(1, "float32", "0.5 KB"), (2, "bfloat16", "0.3 KB"), (3, "int8", "0.3 KB")] {
        assert!(lines[line].starts_with(dtype) && lines[line].contains(token), "{told}");
        assert!(lines[line].contains("0.2 KB"), "{told}");
    }
}

#[test]
fn what_cannot_be_served_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let empty = tempfile::NamedTempFile::new().unwrap();
    let keys = empty.path().to_str().unwrap();
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["serve", "run", "--port", &port], "choose another --host or --port"),
        (vec!["serve", "nothing", "--port", "0"], "nothing is neither a checkpoint"),
        (vec!["serve", "run", "--port", "0", "--api-keys", keys], "has no key"),
        (
            vec!["serve", "run", "--port", "0", "--api-keys", "none.txt"],
            "cannot read the API keys in none.txt",
        ),
        (vec!["serve", "run", "--port", "0", "--timeout", "0"], "at least 1"),
        (vec!["serve", "run", "--port", "0", "--sequences", "0"], "--sequences 0"),
        (
            vec!["bench", "serve", "--dtype", "bfloat16", "--cache-dtype", "float32"],
            "--cache-dtype is `float32`; beside --dtype bfloat16 use int8 or bfloat16",
        ),
        (
            vec!["serve", "run", "--port", "0", "--cache-budget", "40"],
            "--cache-budget is 40; give a multiple of 16 from 32 on",
        ),
        (
            vec!["serve", "run", "--port", "0", "--cache-budget", "64", "--devices", "2"],
            "a cache budget works on one device, not on 2; use --devices 1",
        ),
        (vec!["serve", "run", "--port", "0", "--context", "1"], "--context 1 has no room"),
        (vec!["serve", "run", "--port", "0", "--dtype", "half"], "--dtype is `half`"),
        (vec!["chat"], "--url"),
        (vec!["chat", "--url", "http://127.0.0.1:1"], "is the server up?"),
        (vec!["bench", "serve", "--shared", "2"], "--shared 2"),
        (vec!["bench", "serve", "--beside", "0"], "--beside is 0"),
        (vec!["bench", "serve", "--requests", "0"], "--requests is 0"),
        (vec!["bench", "serve", "--first-ms", "0"], "--first-ms 0"),
    ];
    let folder = if has_plugin() { trained() } else { std::path::Path::new(".") };
    for (arguments, words) in cases {
        if !has_plugin() && arguments.contains(&"run") {
            continue;
        }
        let done = run(folder, &arguments);
        assert!(done.code == Some(2) && done.err.contains(words), "{arguments:?}: {}", done.err);
    }
}
