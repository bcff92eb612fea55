//! What guesses are worth on texts that repeat what is before them: edits of source files, and records written as JSON.
//!
//!     cargo bench -p collegium-serve --bench drafts [-- --json] [--only edit|json]
//!
//! Random weights copy nothing, and what they say instead repeats itself. So the answers are given: a mask leaves one token at every place, that of a
//! real text, and the engine picks it. Steps, guesses, their verification and their share that is right are those of a model that writes this text.
//! Edits are the newest four commits of this repository, when this was written, that changed a Rust file of 100 to 260 lines by at most a fifth;
//! the prompt is the file before. Words, with a space before them or not, and signs are tokens. Log-probabilities are compared bit by bit.

mod shape;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use collegium_core::{DType, SplitMix64};
use collegium_serve::request::{MaskSource, TokenMask};
use collegium_serve::{Balance, Event, Handle, Limits, Request, Stop};
use collegium_train::setup;
use serde_json::json;

const CONTEXT: usize = 8192;

/// Files before and after a change.
const EDITS: [[&str; 2]; 4] = [
    [include_str!("texts/edit-1-before.txt"), include_str!("texts/edit-1-after.txt")],
    [include_str!("texts/edit-2-before.txt"), include_str!("texts/edit-2-after.txt")],
    [include_str!("texts/edit-3-before.txt"), include_str!("texts/edit-3-after.txt")],
    [include_str!("texts/edit-4-before.txt"), include_str!("texts/edit-4-after.txt")],
];

/// A prompt and its answer.
type Pair = [Vec<u32>; 2];

fn main() {
    let options: Vec<String> = std::env::args().collect();
    let as_json = options.iter().any(|o| o == "--json");
    let only = options.iter().position(|o| o == "--only").and_then(|at| options.get(at + 1));
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let config = shape::model();
    let engine = |drafts, past| {
        let limits = Limits { drafts, past, ..Limits::new(1, CONTEXT) };
        shape::engine(&backend, &config, DType::Bf16, limits, Balance::default()).0
    };
    let Limits { drafts, past, .. } = Limits::new(1, CONTEXT);
    let engines =
        [("none", engine(0, 0)), ("own text", engine(drafts, 0)), ("past answers", engine(drafts, past))];
    if !as_json {
        println!(
            "{:>5} {:>13} {:>7} {:>9} {:>12} {:>13}",
            "task", "guesses", "tok/s", "times", "guesses right", "tokens a step"
        );
    }
    let mut words = Words::default();
    let edits = EDITS.map(|pair| pair.map(|text| words.tokens(text)));
    let records = [1, 2, 3, 4].map(|seed| records(seed).map(|text| words.tokens(&text)));
    for (task, pairs) in [("edit", edits), ("json", records)] {
        if only.is_some_and(|name| name != task) {
            continue;
        }
        let mut plain: Option<Found> = None;
        for (name, engine) in &engines {
            let found = answers(engine, &pairs);
            let times = plain.as_ref().map_or(1.0, |plain| found.rate / plain.rate);
            assert!(
                plain.as_ref().is_none_or(|plain| plain.bits == found.bits),
                "the same log-probabilities"
            );
            let Found { rate, right, per_step, .. } = found;
            if as_json {
                let line = json!({"task": task, "guesses": name, "tokens_per_second": rate, "times": times,
                    "guesses_right": right, "tokens_per_step": per_step});
                println!("{line}");
            } else {
                let right = format!("{:.0} %", 100.0 * right);
                println!("{task:>5} {name:>13} {rate:>7.0} {times:>9.2} {right:>13} {per_step:>13.2}");
            }
            plain.get_or_insert(found);
        }
    }
}

/// What the answers took.
struct Found {
    /// Tokens a second behind the first.
    rate: f64,
    /// Share of the guesses that were right.
    right: f64,
    per_step: f64,
    /// Of all log-probabilities.
    bits: Vec<u32>,
}

/// All answers, one after the other.
fn answers(engine: &Handle, pairs: &[Pair]) -> Found {
    // The first answer warms up; it has its own tokens.
    let warm: Vec<u32> = (0..400).map(|i| 7000 + i % 100).collect();
    answer(engine, &[warm.clone(), warm]);
    let before = engine.stats();
    let (mut seconds, mut bits) = (0.0, Vec::new());
    for pair in pairs {
        let (took, own) = answer(engine, pair);
        seconds += took;
        bits.extend(own);
    }
    let stats = engine.stats();
    let [tokens, steps, guessed, right] = [
        stats.generated - before.generated,
        stats.steps - before.steps,
        stats.drafted - before.drafted,
        stats.accepted - before.accepted,
    ]
    .map(|count| count as f64);
    Found {
        rate: bits.len() as f64 / seconds,
        right: right / guessed.max(1.0),
        per_step: tokens / steps,
        bits,
    }
}

/// Seconds from the first token of an answer to its last, and the bits of all log-probabilities between.
fn answer(engine: &Handle, [prompt, text]: &Pair) -> (f64, Vec<u32>) {
    let request = Request {
        stop: Stop { ignore_eos: true, ..Stop::default() },
        logprobs: Some(0),
        mask: Some(Arc::new(Given(text.clone().into()))),
        ..Request::greedy(prompt.clone(), text.len())
    };
    let mut events = engine.submit(request).expect("it fits");
    let (mut began, mut ended, mut bits, mut said) = (None, Instant::now(), Vec::new(), Vec::new());
    while let Some(event) = events.blocking_recv() {
        match event {
            Event::Token(token) => {
                ended = Instant::now();
                if began.is_some() {
                    bits.push(token.scored.logprob.expect("it was asked for").to_bits());
                }
                began.get_or_insert(ended);
                said.push(token.scored.id);
            }
            Event::Finished { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(said == *text, "the given text was said");
    (ended.duration_since(began.expect("a text has a token")).as_secs_f64(), bits)
}

/// Leaves one token at every place.
struct Given(Arc<[u32]>);

impl MaskSource for Given {
    fn start(&self) -> Box<dyn TokenMask> {
        Box::new(Rest { text: self.0.clone(), at: 0 })
    }
}

/// What is still to be said.
struct Rest {
    text: Arc<[u32]>,
    at: usize,
}

impl TokenMask for Rest {
    fn apply(&mut self, logits: &mut [f32]) {
        let kept = logits[self.text[self.at] as usize];
        logits.fill(f32::NEG_INFINITY);
        logits[self.text[self.at] as usize] = kept;
    }

    fn advance(&mut self, _: u32) {
        self.at += 1;
    }

    fn is_finished(&self) -> bool {
        self.at == self.text.len()
    }
}

/// Numbers of words, in the order they are met.
#[derive(Default)]
struct Words(HashMap<String, u32>);

impl Words {
    /// A word with the space before it, a break of line with the indentation behind it, or a sign is a token.
    fn tokens(&mut self, text: &str) -> Vec<u32> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (mut tokens, mut rest) = (Vec::new(), text);
        while let Some(first) = rest.chars().next() {
            let run = |from: usize, is: &dyn Fn(char) -> bool| {
                from + rest[from..].find(|c| !is(c)).unwrap_or(rest.len() - from)
            };
            let len = match first {
                '\n' => run(1, &|c| c == ' '),
                ' ' if rest[1..].starts_with(is_word) => run(1, &is_word),
                first if is_word(first) => run(0, &is_word),
                other => other.len_utf8(),
            };
            let (word, behind) = rest.split_at(len);
            let next = self.0.len() as u32;
            tokens.push(*self.0.entry(word.into()).or_insert(next));
            rest = behind;
        }
        tokens
    }
}

/// A table of orders, and the same as JSON.
fn records(seed: u64) -> [String; 2] {
    let mut random = SplitMix64::new(seed);
    let mut pick = |of: &[&str]| of[random.next() as usize % of.len()].to_string();
    let names =
        ["Ada", "Ben", "Chen", "Dora", "Emil", "Fatma", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena"];
    let cities = ["Bergen", "Porto", "Graz", "Turin", "Lyon", "Ghent", "Riga", "Split", "Cork", "Malmo"];
    let goods =
        ["lamp", "chair", "desk", "shelf", "rug", "clock", "mirror", "stool", "bench", "vase", "frame"];
    let states = ["paid", "sent", "open", "returned"];
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let (mut table, mut lines) = (String::from("name,city,item,amount,price,state"), Vec::new());
    for _ in 0..40 {
        let [name, city, item, state] = [&names[..], &cities, &goods, &states].map(&mut pick);
        let [a, b, c, d] = [(); 4].map(|()| pick(&digits));
        let (amount, price) = (format!("1{a}"), format!("{b}{c}.{d}0"));
        table += &format!("\n{name},{city},{item},{amount},{price},{state}");
        lines.push(format!(
            "  {{\"name\": \"{name}\", \"city\": \"{city}\", \"item\": \"{item}\", \"amount\": {amount}, \"price\": {price}, \"state\": \"{state}\"}}"
        ));
    }
    [table + "\nThe same as JSON:\n", format!("[\n{}\n]\n", lines.join(",\n"))]
}
