//! A stream that goes on while a long prompt comes in: what it feels of it.

use std::time::{Duration, Instant};

use collegium_core::SplitMix64;
use serde::Serialize;
use serde_json::json;

use super::stall;
use crate::client::{Client, ClientError, Lines};

/// Tokens of the stream before the prompt is sent, of which the median gap is taken.
const ALONE: usize = 32;

/// What the stream felt.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Beside {
    /// Half of the times between its tokens before the prompt came were shorter, in milliseconds.
    pub median_gap_ms: f64,
    /// The longest from when the prompt was sent to its first token, in milliseconds.
    pub longest_gap_ms: f64,
    /// The longest of as many tokens behind that, or as many as the stream still had, when it was alone again: what of the longest gap is the machine's.
    pub longest_alone_ms: f64,
    /// The longest time for which this machine then let one of its busy cores wait, within as long as the prompt took, in milliseconds.
    pub longest_stall_ms: f64,
    /// From when the prompt was sent to its first token, in milliseconds.
    pub prompt_ms: f64,
    /// Tokens of the stream in that time.
    pub tokens: usize,
}

/// Sends a prompt of `prompt` tokens below `vocab` while a stream goes on, which may have up to `most` tokens.
///
/// # Errors
/// What the service says, or a stream that ended before the prompt was read.
pub async fn run(
    client: &Client,
    (prompt, most): (usize, usize),
    vocab: u32,
    seed: u64,
) -> Result<Beside, ClientError> {
    let mut stream = started(client, (ALONE, most), vocab, seed).await?;
    let mut times = Vec::new();
    while times.len() <= ALONE {
        times.push(token(&mut stream).await?);
    }
    let sent = Instant::now();
    let other = tokio::spawn({
        let client = client.clone();
        async move {
            let mut lines = started(&client, (prompt, 1), vocab, seed ^ 1).await?;
            token(&mut lines).await
        }
    });
    while !other.is_finished() {
        times.push(token(&mut stream).await?);
    }
    let first = other.await.expect("a client does not panic")?;
    let mut again = Vec::new();
    while again.len() + ALONE < times.len() {
        match token(&mut stream).await {
            Ok(time) => again.push(time),
            Err(ClientError::Ended) => break,
            Err(error) => return Err(error),
        }
    }
    drop(stream);
    let stall = tokio::task::spawn_blocking(move || stall::longest(first - sent));
    let stall = stall.await.expect("a clock does not panic");
    let gaps = |times: &[Instant]| times.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<Duration>>();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let longest = |gaps: &[Duration]| ms(gaps.iter().max().copied().unwrap_or_default());
    let all = gaps(&times);
    let (alone, beside) = all.split_at(ALONE);
    let mut alone = alone.to_vec();
    alone.sort_unstable();
    Ok(Beside {
        median_gap_ms: ms(alone[ALONE / 2]),
        longest_gap_ms: longest(beside),
        longest_alone_ms: longest(&gaps(&again)),
        longest_stall_ms: ms(stall),
        prompt_ms: ms(first - sent),
        tokens: beside.len(),
    })
}

/// A stream of up to `new` tokens behind a prompt.
async fn started(
    client: &Client,
    (prompt, new): (usize, usize),
    vocab: u32,
    seed: u64,
) -> Result<Lines, ClientError> {
    let mut random = SplitMix64::new(seed);
    let prompt: Vec<u64> = (0..prompt).map(|_| 1 + random.next() % u64::from(vocab.max(2) - 1)).collect();
    let body =
        json!({"prompt": prompt, "max_tokens": new, "temperature": 0, "ignore_eos": true, "logprobs": 0});
    client.stream("/v1/completions", body).await
}

/// When the next token came.
async fn token(lines: &mut Lines) -> Result<Instant, ClientError> {
    loop {
        match lines.next().await? {
            // A piece comes for every token, as log-probabilities are asked for.
            Some(line) if line["choices"][0]["logprobs"].is_object() => return Ok(Instant::now()),
            Some(_) => {}
            None => return Err(ClientError::Ended),
        }
    }
}
