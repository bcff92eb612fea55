//! A load on a service: so many requests, so many of them at once, and how long each waited.

pub mod beside;
mod stall;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use collegium_core::SplitMix64;
use serde::Serialize;
use serde_json::json;

use crate::client::{Client, ClientError};

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Load {
    /// Requests in all.
    pub requests: usize,
    /// Of those, how many at once.
    pub concurrency: usize,
    /// Tokens of a prompt.
    pub prompt: usize,
    /// Prompts come again after so many; 0 for never. Equal prompts must get equal answers.
    pub distinct: usize,
    /// Whether lengths of prompts and answers are drawn from 1 to theirs.
    pub mixed: bool,
    /// Share of the requests whose client goes away in the middle.
    pub cancel: f64,
    /// Share of a prompt that all have in common, from 0 to 1.
    pub shared: f64,
    /// New tokens of an answer.
    pub new: usize,
    /// Samples of a request, all of one prompt.
    pub samples: usize,
    /// Tokens of prompts are below this.
    pub vocab: u32,
    /// A request is good when its first token comes within this,
    pub first: Duration,
    /// and its others in this each on average.
    pub between: Duration,
    /// Fixes the prompts.
    pub seed: u64,
}

/// Milliseconds of a share of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of them.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Requests that were answered.
    pub answered: usize,
    /// Requests that were not, with the first reason.
    pub failed: usize,
    /// Why the first of them failed.
    pub failure: Option<String>,
    /// Requests whose client went away.
    pub cancelled: usize,
    /// Answers that differ from an earlier one to the same prompt.
    pub mixed_up: usize,
    /// From the first request to the end of the last.
    pub seconds: f64,
    /// New tokens a second, all requests together.
    pub tokens_per_second: f64,
    /// Tokens of prompts a second, those in the cache included.
    pub prompt_tokens_per_second: f64,
    /// Share of the prompts' tokens that were in the cache.
    pub cached_share: f64,
    /// Time to the first token, in milliseconds.
    pub first_ms: Percentiles,
    /// Mean time between tokens of a request, in milliseconds.
    pub between_ms: Percentiles,
    /// The longest time between two tokens of any request, in milliseconds.
    pub longest_gap_ms: f64,
    /// Requests a second that met both targets.
    pub goodput: f64,
}

/// One request: its prompt, the length of its answer, and when its client goes away.
struct Ask {
    prompt: Vec<u32>,
    new: usize,
    /// After so many tokens.
    leaves: Option<usize>,
    /// Requests of one kind are equal.
    kind: usize,
}

/// One answer.
struct Timing {
    kind: usize,
    text: String,
    was_cancelled: bool,
    first: Duration,
    between: Duration,
    longest: Duration,
    tokens: usize,
    prompt: usize,
    cached: usize,
}

/// Puts the load on the service; `progress` hears how many are done.
///
/// # Errors
/// None of the requests was answered: why the first was not.
pub async fn run(
    client: &Client,
    load: &Load,
    progress: impl Fn(usize) + Send + Sync + 'static,
) -> Result<Found, ClientError> {
    let (load, progress) = (Arc::new(load.clone()), Arc::new(progress));
    let (next, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let workers: Vec<_> = (0..load.concurrency.min(load.requests))
        .map(|_| {
            let (client, load, progress) = (client.clone(), load.clone(), progress.clone());
            let (next, done) = (next.clone(), done.clone());
            tokio::spawn(async move {
                let mut all = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= load.requests {
                        return all;
                    }
                    all.push(one(&client, &load, index).await);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.expect("a client does not panic"));
    }
    summary(&load, all, began.elapsed().as_secs_f64())
}

/// A request. Its prompt has a part that all have, and a part of its own.
fn ask(load: &Load, index: usize) -> Ask {
    let kind = if load.distinct == 0 { index } else { index % load.distinct };
    let mut shared = SplitMix64::new(load.seed);
    let mut own = SplitMix64::new(SplitMix64::new(load.seed ^ 1).next() ^ kind as u64);
    let mut length = |most: usize| if load.mixed { 1 + (own.next() % most as u64) as usize } else { most };
    let (len, new) = (length(load.prompt), length(load.new));
    let common = (len as f64 * load.shared).round() as usize;
    let token = |random: &mut SplitMix64| 1 + (random.next() % u64::from(load.vocab.max(2) - 1)) as u32;
    let prompt = (0..len).map(|at| token(if at < common { &mut shared } else { &mut own })).collect();
    // Which of the equal requests are cancelled differs.
    let mut fate = SplitMix64::new(SplitMix64::new(load.seed ^ 2).next() ^ index as u64);
    let leaves = (fate.uniform() < load.cancel).then(|| (fate.next() % new as u64) as usize);
    Ask { prompt, new, leaves, kind }
}

async fn one(client: &Client, load: &Load, index: usize) -> Result<Timing, ClientError> {
    let ask = ask(load, index);
    let body = json!({"prompt": ask.prompt, "max_tokens": ask.new, "n": load.samples, "temperature": 0, "ignore_eos": true,
        "logprobs": 0, "stream_options": {"include_usage": true}});
    let began = Instant::now();
    let mut lines = client.stream("/v1/completions", body).await?;
    let (mut first, mut last, mut longest) = (None, vec![None; load.samples], Duration::ZERO);
    let (mut usage, mut text, mut seen) = (json!({}), String::new(), 0);
    let mut was_cancelled = false;
    while !was_cancelled && let Some(line) = lines.next().await? {
        let choice = &line["choices"][0];
        let sample = choice["index"].as_u64().unwrap_or(0) as usize;
        if sample == 0 {
            text += choice["text"].as_str().unwrap_or_default();
        }
        // A piece comes for every token, as log-probabilities are asked for, even where its bytes are no text yet.
        if choice["logprobs"].is_object() {
            let now = Instant::now();
            first.get_or_insert(now - began);
            if let Some(before) = last.get_mut(sample).and_then(|l| l.replace(now)) {
                longest = longest.max(now - before);
            }
            seen += 1;
        }
        if line["usage"].is_object() {
            usage = line["usage"].clone();
        }
        was_cancelled = ask.leaves.is_some_and(|after| seen > after);
    }
    let count = |path: &str| usage.pointer(path).and_then(|c| c.as_u64()).unwrap_or(0) as usize;
    let tokens = count("/completion_tokens");
    let first = first.unwrap_or_else(|| began.elapsed());
    let end = last.into_iter().flatten().max().unwrap_or(began);
    let rest = (end - began).saturating_sub(first);
    Ok(Timing {
        kind: ask.kind,
        text,
        was_cancelled,
        first,
        between: rest / (tokens / load.samples).saturating_sub(1).max(1) as u32,
        longest,
        tokens,
        prompt: count("/prompt_tokens"),
        cached: count("/prompt_tokens_details/cached_tokens"),
    })
}

fn summary(load: &Load, all: Vec<Result<Timing, ClientError>>, seconds: f64) -> Result<Found, ClientError> {
    let (mut timings, mut failures) = (Vec::new(), Vec::new());
    for outcome in all {
        match outcome {
            Ok(timing) => timings.push(timing),
            Err(error) => failures.push(error),
        }
    }
    if timings.is_empty() && !failures.is_empty() {
        return Err(failures.remove(0));
    }
    let (cancelled, timings): (Vec<_>, Vec<_>) = timings.into_iter().partition(|t| t.was_cancelled);
    let sum = |of: fn(&Timing) -> usize| timings.iter().map(of).sum::<usize>() as f64;
    let good = timings.iter().filter(|t| t.first <= load.first && t.between <= load.between).count();
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    Ok(Found {
        answered: timings.len(),
        failed: failures.len(),
        failure: failures.first().map(ToString::to_string),
        cancelled: cancelled.len(),
        mixed_up: mixed_up(&timings),
        seconds,
        tokens_per_second: sum(|t| t.tokens) / seconds,
        prompt_tokens_per_second: sum(|t| t.prompt) / seconds,
        cached_share: sum(|t| t.cached) / sum(|t| t.prompt).max(1.0),
        first_ms: percentiles(timings.iter().map(|t| ms(t.first)).collect()),
        between_ms: percentiles(timings.iter().map(|t| ms(t.between)).collect()),
        longest_gap_ms: timings.iter().map(|t| ms(t.longest)).fold(0.0, f64::max),
        goodput: good as f64 / seconds,
    })
}

/// Answers that differ from another one to the same prompt.
fn mixed_up(timings: &[Timing]) -> usize {
    let mut texts: HashMap<usize, &str> = HashMap::new();
    timings.iter().filter(|t| *texts.entry(t.kind).or_insert(&t.text) != t.text).count()
}

fn percentiles(mut all: Vec<f64>) -> Percentiles {
    all.sort_by(f64::total_cmp);
    // The smallest value that at least this share does not exceed.
    let at = |share: f64| {
        let rank = (share * all.len() as f64).ceil() as usize;
        all.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    };
    Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_met() {
        let found = percentiles((1..=100).rev().map(f64::from).collect());
        assert_eq!(found, Percentiles { p50: 50.0, p90: 90.0, p99: 99.0 });
        assert_eq!(percentiles(vec![]), Percentiles::default());
    }

    #[test]
    fn prompts_share_what_they_should() {
        let second = Duration::from_secs(1);
        let load = Load {
            requests: 2,
            concurrency: 1,
            prompt: 40,
            shared: 0.25,
            distinct: 2,
            mixed: false,
            cancel: 0.0,
            new: 1,
            samples: 1,
            vocab: 100,
            first: second,
            between: second,
            seed: 1,
        };
        let [a, b] = [0, 1].map(|i| ask(&load, i).prompt);
        assert!(a[..10] == b[..10] && a[10..] != b[10..] && a.len() == 40 && a.iter().all(|&t| t < 100));
        assert_eq!(ask(&load, 3).prompt, b);
        let load = Load { mixed: true, cancel: 0.5, new: 9, ..load };
        let asks: Vec<Ask> = (0..400).map(|i| ask(&load, i)).collect();
        assert!(asks.iter().all(|a| (1..=40).contains(&a.prompt.len()) && (1..=9).contains(&a.new)));
        let leaving = asks.iter().filter(|a| a.leaves.is_some_and(|l| l < a.new)).count();
        assert!((120..280).contains(&leaving), "{leaving}");
    }
}
