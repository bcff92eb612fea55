//! `collegium chat`.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use collegium_api::client::{Client, ClientError};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Outcome, service, tell};
use crate::args::ChatArgs;

/// Runs the command: until the input ends.
pub fn run(args: &ChatArgs) -> Outcome {
    if let Some(t) = args.temperature
        && !(t.is_finite() && t >= 0.0)
    {
        anyhow::bail!("--temperature {t} must be 0 or more");
    }
    let (runtime, client) = service::client(args.url.as_deref(), || {
        let path = args.checkpoint.as_deref();
        let path = path.context("chat needs a checkpoint, or --url with the address of a server")?;
        service::serve_checkpoint(path, None, &args.engine, &args.cache)
    })?;
    let model = runtime.block_on(client.model())?;
    let is_terminal = std::io::stdin().is_terminal();
    if is_terminal {
        tell(format!("{model}. Ctrl-C stops an answer, /new begins a new chat, Ctrl-D ends."));
    }
    let mut messages = begin(args);
    let mut input = lines();
    loop {
        if is_terminal {
            print!("> ");
            std::io::stdout().flush().ok();
        }
        let line = runtime.block_on(async {
            tokio::select! {
                line = input.recv() => line,
                _ = tokio::signal::ctrl_c() => None,
            }
        });
        let Some(line) = line.transpose()? else { break };
        match line.trim() {
            "" => continue,
            "/new" => messages = begin(args),
            "/exit" | "/quit" => break,
            text => {
                messages.push(json!({"role": "user", "content": text}));
                let answer = runtime.block_on(answer(&client, args, &messages))?;
                messages.push(json!({"role": "assistant", "content": answer}));
            }
        }
    }
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Lines of the input, read by a thread of their own, so that Ctrl-C need not wait for one.
fn lines() -> UnboundedReceiver<std::io::Result<String>> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn begin(args: &ChatArgs) -> Vec<Value> {
    args.system.iter().map(|text| json!({"role": "system", "content": text})).collect()
}

/// Shows the answer as it comes, thoughts dimmed, and returns it without them.
async fn answer(client: &Client, args: &ChatArgs, messages: &[Value]) -> Result<String, ClientError> {
    let mut body = json!({"messages": messages});
    let optional = [
        ("max_completion_tokens", args.max_tokens.map(Value::from)),
        ("temperature", args.temperature.map(Value::from)),
        ("reasoning_effort", args.reasoning_effort.clone().map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let mut lines = client.stream("/v1/chat/completions", body).await?;
    let mut shown = Shown::default();
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            _ = tokio::signal::ctrl_c() => {
                shown.end(" [stopped]");
                return Ok(shown.content);
            }
        };
        let Some(line) = line else { break };
        let delta = &line["choices"][0]["delta"];
        shown.thought(delta["reasoning_content"].as_str().unwrap_or_default());
        shown.content(delta["content"].as_str().unwrap_or_default());
    }
    shown.end("");
    Ok(shown.content)
}

/// What the terminal shows of an answer: thoughts dimmed, on lines of their own.
#[derive(Default)]
struct Shown {
    content: String,
    is_thinking: bool,
}

impl Shown {
    fn thought(&mut self, text: &str) {
        if !text.is_empty() && !self.is_thinking {
            self.is_thinking = true;
            colour("\x1b[2m");
        }
        show(text);
    }

    fn content(&mut self, text: &str) {
        if !text.is_empty() && std::mem::take(&mut self.is_thinking) {
            colour("\x1b[0m");
            show("\n");
        }
        self.content += text;
        show(text);
    }

    fn end(&mut self, note: &str) {
        if std::mem::take(&mut self.is_thinking) {
            colour("\x1b[0m");
        }
        println!("{note}");
    }
}

fn show(text: &str) {
    print!("{text}");
    std::io::stdout().flush().ok();
}

fn colour(code: &str) {
    if std::io::stdout().is_terminal() {
        show(code);
    }
}
