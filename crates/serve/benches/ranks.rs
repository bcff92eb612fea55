//! Tokens per second of shape D on several virtual devices beside one, all on the same cores, and how even the rows of experts were.
//!
//!     cargo bench -p collegium-serve --bench ranks [-- --json] [--only f32|bf16|i8] [--ranks 2,4] [--batch 8] [--rounds 3]

mod shape;

use collegium_balance::policy;
use collegium_core::DType;
use collegium_serve::{Balance, Balanced, Handle, Limits, MOST_ROWS};
use collegium_train::setup;
use serde_json::json;

const CONTEXT: usize = 320;

fn main() {
    let options: Vec<String> = std::env::args().collect();
    let option = |name| options.iter().position(|o| o == name).and_then(|at| options.get(at + 1));
    let as_json = options.iter().any(|a| a == "--json");
    let only = option("--only").map_or("bf16", String::as_str);
    let dtypes = [DType::F32, DType::Bf16, DType::I8];
    let dtype =
        dtypes.into_iter().find(|d| format!("{d:?}").eq_ignore_ascii_case(only)).expect("f32, bf16 or i8");
    let number = |name, usual: usize| option(name).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (batch, rounds) = (number("--batch", 8), number("--rounds", 3));
    let ranks = option("--ranks").map_or("2,4", String::as_str);
    let ranks: Vec<usize> = ranks.split(',').filter_map(|n| n.parse().ok()).collect();
    let ways = ranks.iter().flat_map(|&n| ["static", "two-tier", "exact"].map(|policy| (n, policy)));
    let ways: Vec<(usize, &str)> = std::iter::once((1, "static")).chain(ways).collect();
    if !as_json {
        println!("{dtype:?}, batch {batch}, the best of {rounds}; ratios to one rank on the same cores");
        println!(
            "{:>5} {:>9} {:>14} {:>6} {:>13} {:>6} {:>23} {:>6}",
            "ranks",
            "policy",
            "prefill tok/s",
            "ratio",
            "decode tok/s",
            "ratio",
            "rank max/mean from home",
            "lent"
        );
    }
    let mut one = None;
    for (ranks, policy) in ways {
        // One engine at a time: kernels have one number of threads.
        let Some(engine) = engine(dtype, (ranks, policy)) else { return };
        // The first round warms up.
        let all = (0..=rounds).map(|round| shape::round(&engine, batch, round as u32)).skip(1);
        let (prefill, decode) = all.fold((0f64, 0f64), |best, now| (best.0.max(now.0), best.1.max(now.1)));
        let one = *one.get_or_insert((prefill, decode));
        let [fast, slow] = [prefill / one.0, decode / one.1];
        let Balanced { rows, fullest, fullest_at_home, lent } = engine.stats().balanced;
        let over_mean = |fullest: u64| if rows == 0 { 1.0 } else { fullest as f64 / rows as f64 };
        let (found, home) = (over_mean(fullest), over_mean(fullest_at_home));
        if as_json {
            let line = json!({"dtype": format!("{dtype:?}"), "batch": batch, "ranks": ranks, "policy": policy,
                "prefill_tokens_per_second": prefill, "prefill_ratio": fast, "decode_tokens_per_second": decode,
                "decode_ratio": slow, "rank_max_over_mean": found, "at_home_max_over_mean": home, "lent": lent});
            println!("{line}");
        } else {
            let even = format!("{home:.2} -> {found:.2}");
            println!(
                "{ranks:>5} {policy:>9} {prefill:>14.0} {fast:>6.2} {decode:>13.1} {slow:>6.2} {even:>23} {lent:>6}"
            );
        }
    }
}

/// An engine of shape D on so many virtual devices.
fn engine(dtype: DType, (ranks, policy): (usize, &str)) -> Option<Handle> {
    let backend =
        setup::open_backend("cpu", ranks).inspect_err(|error| eprintln!("skipped: {error}")).ok()?;
    let balance = Balance { policy: policy::by_name(policy).expect("a policy"), ..Balance::default() };
    // No guesses: random weights soon repeat themselves, which says nothing of other texts.
    let limits = Limits { drafts: 0, ..Limits::new(MOST_ROWS, CONTEXT) };
    Some(shape::engine(&backend, &shape::model(), dtype, limits, balance).0)
}
