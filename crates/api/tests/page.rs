//! The chat page in headless Chromium: a script uses it as a person would and sends here what it has seen.

mod harness;

use std::process::{Command, Stdio};
use std::time::Duration;

use axum::response::Html;
use axum::routing::{get, post};
use collegium_api::router;

/// Uses the page and sends what it has seen.
const VISITOR: &str = r#"<script type="module">
const sleep = ms => new Promise(done => setTimeout(done, ms));
const until = async is => { for (let i = 0; i < 400 && !is(); i++) await sleep(20); };
const say = text => { $("text").value = text; $("form").requestSubmit(); };
// What the model says is set, so that it thinks, answers and ends.
let extra = { thinking_budget: 5, logit_bias: { 98: 100 }, max_tokens: 40 };
const plain = window.fetch;
window.fetch = (url, how) => {
  if (url === "v1/chat/completions") how.body = JSON.stringify({ ...JSON.parse(how.body), ...extra });
  return plain(url, how);
};
const seen = {};
await until(() => $("model").textContent !== "…");
seen.model = $("model").textContent;
$("temperature").value = 0;
say("Hello");
seen.canStop = !$("stop").disabled && $("send").disabled;
await until(() => !$("send").disabled);
seen.user = document.querySelector(".user").textContent;
seen.thought = document.querySelector("details span").textContent;
seen.thoughtIsFolded = !document.querySelector("details").open;
seen.answer = document.querySelector(".assistant div").textContent;
seen.note = document.querySelector(".assistant small").textContent;
extra.max_tokens = 900;
say("Again");
await until(() => document.querySelectorAll(".assistant details").length === 2);
$("stop").click();
await until(() => !$("send").disabled);
seen.stopped = [...document.querySelectorAll("small")].at(-1).textContent;
$("new").click();
seen.left = $("log").children.length;
await sleep(20);
$("temperature").value = -3;
say("Wrong");
await until(() => document.querySelector(".error"));
seen.error = document.querySelector(".error").textContent;
seen.kept = $("text").value;
await fetch("seen", { method: "POST", body: JSON.stringify(seen) });
</script></body>"#;

/// The first browser there is.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    names.into_iter().find(|n| Command::new(n).arg("--version").output().is_ok_and(|o| o.status.success()))
}

#[tokio::test]
async fn the_page_works_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium");
        return;
    };
    let (app, _engine) = harness::app("{{ messages[-1].content }}<think>", |_| ());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = include_str!("../src/page.html").replace("</body>", VISITOR);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let hear = move |seen: String| async move { drop(sender.send(seen)) };
    let visited = router(app).route("/visited", get(|| async { Html(page) })).route("/seen", post(hear));
    tokio::spawn(async { axum::serve(listener, visited).await });
    let profile = tempfile::tempdir().unwrap();
    let mut child = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{address}/visited"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(60), receiver.recv()).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let seen = seen.expect("the page was not used to the end within a minute").unwrap();
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["model"], "tiny");
    assert_eq!((seen["canStop"].as_bool(), seen["user"].as_str()), (Some(true), Some("Hello")));
    assert_eq!(
        (seen["thought"].as_str(), seen["answer"].as_str()),
        (Some("bbbbb"), Some(&"b".repeat(27)[..]))
    );
    assert_eq!(seen["thoughtIsFolded"], true);
    assert!(seen["note"].as_str().unwrap().contains("tokens/s"), "{seen}");
    assert!(seen["stopped"].as_str().unwrap().ends_with("stopped"), "{seen}");
    assert_eq!(seen["left"], 0);
    assert!(seen["error"].as_str().unwrap().contains("temperature"), "{seen}");
    assert_eq!(seen["kept"], "Wrong");
}
