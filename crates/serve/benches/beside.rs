//! What a stream feels of a prompt of 2,048 tokens that comes in beside it, at the engine, without HTTP: times between its tokens in milliseconds, shape D in
//! bfloat16.
//!
//!     cargo bench -p collegium-serve --bench beside [-- --prompt N] [--rounds N]

mod shape;

use std::time::{Duration, Instant};

use collegium_core::DType;
use collegium_serve::{Balance, Event, Handle, Limits, Request, Stop};
use collegium_train::setup;

/// Tokens of the stream before the prompt comes.
const ALONE: usize = 64;

fn main() {
    let backend = match setup::open_backend("cpu", 1) {
        Ok(backend) => backend,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let options: Vec<String> = std::env::args().collect();
    let option = |name, usual| {
        let at = options.iter().position(|o| o == name);
        at.and_then(|at| options.get(at + 1)?.parse().ok()).unwrap_or(usual)
    };
    let limits = Limits { drafts: 0, ..Limits::new(2, 4096) };
    let (engine, _) = shape::engine(&backend, &shape::model(), DType::Bf16, limits, Balance::default());
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "alone", "beside", "p99", "longest", "to alone", "prompt"
    );
    for round in 0..option("--rounds", 3) {
        let (mut alone, mut beside, prompt) = round_of(&engine, option("--prompt", 2048), round as u32);
        alone.sort_unstable();
        beside.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let at = |times: &[Duration], share: f64| ms(times[((times.len() - 1) as f64 * share) as usize]);
        let (median, longest) = (at(&alone, 0.5), at(&beside, 1.0));
        println!(
            "{median:>8.1} {:>8.1} {:>8.1} {longest:>8.1} {:>8.1} {:>8.0}",
            at(&beside, 0.5),
            at(&beside, 0.99),
            longest / median,
            ms(prompt)
        );
    }
}

/// Gaps of a stream alone and beside a prompt, and how long that took.
fn round_of(engine: &Handle, prompt: usize, seed: u32) -> (Vec<Duration>, Vec<Duration>, Duration) {
    let request = |len: usize, seed: u32, new| Request {
        stop: Stop { ignore_eos: true, ..Stop::default() },
        ..Request::greedy((0..len as u32).map(|i| (i * 31 + seed * 5003) % 8000).collect(), new)
    };
    let submit = |request| engine.submit(request).expect("it fits");
    let mut stream = submit(request(32, 2 * seed, 2000));
    let mut times = Vec::new();
    let mut token = |times: &mut Vec<Instant>| {
        assert!(matches!(stream.blocking_recv(), Some(Event::Token(_))), "the stream goes on");
        times.push(Instant::now());
    };
    (0..=ALONE).for_each(|_| token(&mut times));
    let sent = Instant::now();
    let mut other = submit(request(prompt, 2 * seed + 1, 1));
    while other.try_recv().is_err() {
        token(&mut times);
    }
    let took = sent.elapsed();
    let gaps: Vec<Duration> = times.windows(2).map(|two| two[1] - two[0]).collect();
    let (alone, beside) = gaps.split_at(ALONE);
    (alone.to_vec(), beside.to_vec(), took)
}
