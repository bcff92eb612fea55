//! Sequences that may keep only so much of what they write.

use collegium_core::DType;
use collegium_serve::{Event, Handle, Limits, MOST_GUESSES, Request, Sampling, Stats, Types};

use crate::harness::{Heard, backend, backends, cpu, greedy, handle, handle_within, heard, once, prompt};

/// Tokens that stay, and the pages of one behind its prompt: a third is written before the two are chosen again.
const BUDGET: usize = 32;
const REGION: usize = 3;

/// How often a test tries what depends on the time that steps take.
const ROUNDS: usize = 20;

/// How often a sequence is compacted: when the third page behind those of its prompt is full, and then at every further one. Its last token is not computed.
fn compactions(prompt: usize, new: usize) -> u64 {
    let behind = prompt + new - 1 - prompt.div_ceil(16) * 16;
    (behind / 16).saturating_sub(REGION - 1) as u64
}

fn limits() -> Limits {
    Limits::new(4, 256)
}

fn told(engine: &Handle, prompt: &[u32], new: usize) -> Heard {
    heard(engine.submit(greedy(prompt, new)).unwrap(), 1)
}

fn bits(heard: &Heard) -> Vec<u32> {
    heard.logprobs.concat().iter().map(|l| l.to_bits()).collect()
}

#[test]
fn a_budget_that_is_never_full_changes_nothing() {
    for (backend, name) in backends().iter().flat_map(|b| ["llama", "qwen3_moe_mixed"].map(|name| (b, name)))
    {
        let free = handle(backend, name, limits());
        let within = handle_within(backend, name, limits(), DType::F32, 128);
        for len in [1, 16, 37] {
            let prompt = prompt(len as u32, len);
            let [free, own] = [&free, &within].map(|engine| told(engine, &prompt, 100));
            assert_eq!(own.ids, free.ids, "{name}");
            assert!(!backend.has_cpu_kernels() || bits(&own) == bits(&free), "{name}");
            // An answer whose cache has all of it is found by who goes on with it.
            let chat = [&prompt[..], &own.ids[0], &[7, 8, 9]].concat();
            let found = told(&within, &chat, 1).usage.cached_tokens;
            assert_eq!(found, (prompt.len() + 99) / 16 * 16, "{name}");
        }
        assert_eq!(within.stats().compactions, 0);
    }
}

#[test]
fn however_long_it_thinks_its_pages_stay_as_many_and_none_is_lost() {
    let int8 = |weights| Types { weights, int8_cache: true };
    for backend in backends() {
        let types =
            [DType::F32.into(), DType::Bf16.into(), DType::I8.into(), int8(DType::F32), int8(DType::Bf16)];
        for types in types {
            let engine = handle_within(&backend, "llama", limits(), types, BUDGET);
            let mut most = 0;
            for (seed, len, new) in [(3, 20, 220), (4, 32, 200)] {
                let mut events = engine.submit(greedy(&prompt(seed, len), new)).unwrap();
                let mut count = 0;
                while let Some(event) = events.blocking_recv() {
                    count += usize::from(matches!(event, Event::Token(_)));
                    most = most.max(engine.stats().pages_in_use);
                }
                assert_eq!(count, new);
            }
            let stats = once(&engine, |stats| stats.pages_in_use == 0);
            // The prompt's two pages and the region's.
            assert!(most <= 2 + REGION && stats.pages_peak == 2 + REGION, "{most}, {stats:?}");
            assert_eq!(stats.compactions, compactions(20, 220) + compactions(32, 200), "{types:?}");
            // The prompts' full pages are all that stays for others.
            assert_eq!(stats.pages_cached, 1 + 2, "{types:?}");
        }
    }
}

#[test]
fn what_was_dropped_is_not_known_to_who_comes_after() {
    for backend in backends() {
        let engine = handle_within(&backend, "llama", limits(), DType::F32, BUDGET);
        let first = told(&engine, &prompt(5, 40), 120);
        assert!(engine.stats().compactions > 0);
        let chat = [&prompt(5, 40)[..], &first.ids[0]].concat();
        let after = told(&engine, &chat, 20);
        assert_eq!(after.usage.cached_tokens, 32, "the prompt's full pages");
        let fresh = told(&handle(&backend, "llama", limits()), &chat, 20);
        assert_eq!(after.ids, fresh.ids, "a prompt stays whole");
    }
}

/// On the CPU a token has the same bits in any company, and those of a sequence within a budget are its own too.
#[test]
fn nobody_beside_a_sequence_that_drops_tokens_feels_it() {
    let Some(backend) = cpu() else { return };
    for (name, types) in
        [("llama", DType::F32.into()), ("qwen3_moe_mixed", Types { weights: DType::Bf16, int8_cache: true })]
    {
        let within = || handle_within(&backend, name, limits(), types, BUDGET);
        let long: Vec<Heard> = (0..2).map(|seed| told(&within(), &prompt(seed, 20), 150)).collect();
        let free = crate::harness::handle_of(&backend, name, limits(), types);
        let short = [told(&free, &prompt(8, 30), 25), told(&free, &prompt(9, 90), 12)];
        let engine = within();
        let all = [(prompt(0, 20), 150), (prompt(8, 30), 25), (prompt(1, 20), 150), (prompt(9, 90), 12)]
            .map(|(prompt, new)| engine.submit(greedy(&prompt, new)).unwrap())
            .map(|events| std::thread::spawn(|| heard(events, 1)))
            .map(|heard| heard.join().unwrap());
        for (found, right) in all.iter().zip([&long[0], &short[0], &long[1], &short[1]]) {
            assert_eq!(found.ids, right.ids, "{name}");
            assert_eq!(bits(found), bits(right), "{name}");
        }
        // And it does forget: nothing differs before the first time, something after.
        let whole = told(&free, &prompt(0, 20), 150);
        let first = 32 + REGION * 16 - 20;
        let (own, whole) = (bits(&long[0]), bits(&whole));
        assert_eq!(own[..first], whole[..first], "{name}");
        assert_ne!(own[first..], whole[first..], "{name}");
    }
}

/// A sequence that is sent back is computed from its tokens, and drops the same of them at the same places.
#[test]
fn sent_back_for_want_of_pages_it_drops_the_same_again() {
    for backend in backends() {
        let roomy = handle_within(&backend, "llama", limits(), DType::F32, BUDGET);
        let right: Vec<Heard> = (0..4).map(|seed| told(&roomy, &prompt(seed, 20), 140)).collect();
        let tight = Limits { cache_pages: 18, ..limits() };
        let round = || {
            let engine = handle_within(&backend, "llama", tight, DType::F32, BUDGET);
            let all: Vec<_> =
                (0..4).map(|seed| engine.submit(greedy(&prompt(seed, 20), 140)).unwrap()).collect();
            for (events, right) in all.into_iter().zip(&right) {
                let found = heard(events, 1);
                assert_eq!(found.ids, right.ids);
                assert!(!backend.has_cpu_kernels() || bits(&found) == bits(right));
            }
            once(&engine, |stats| stats.pages_in_use == 0)
        };
        // Who is sent back, and when, depends on how much is guessed, which the time that steps take decides: what is told must be right in any case, and in some round
        // a sequence is sent back that had dropped tokens.
        let was_done_again =
            |stats: &Stats| stats.preemptions > 0 && stats.compactions > 4 * compactions(20, 140);
        assert!((0..ROUNDS).any(|_| was_done_again(&round())), "none was sent back that had dropped tokens");
    }
}

#[test]
fn guesses_and_samples_change_nothing_within_a_budget() {
    let Some(backend) = cpu() else { return };
    let prompt: Vec<u32> = prompt(5, 11).into_iter().cycle().take(40).collect();
    let told = |drafts| {
        let engine = handle_within(&backend, "llama", Limits { drafts, ..limits() }, DType::F32, BUDGET);
        let sampling = Sampling { temperature: 0.7, seed: 3, ..Sampling::default() };
        let all = [Sampling::default(), sampling]
            .map(|sampling| Request { sampling, n: 2, ..greedy(&prompt, 120) })
            .map(|request| heard(engine.submit(request).unwrap(), 2));
        (all, once(&engine, |stats| stats.pages_in_use == 0))
    };
    let ((plain, before), (guessed, after)) = (told(0), told(MOST_GUESSES));
    for (plain, guessed) in plain.iter().zip(&guessed) {
        assert_eq!(plain.ids, guessed.ids);
        assert_eq!(bits(plain), bits(guessed));
    }
    assert!(before.drafted == 0 && after.accepted > 0, "{after:?}");
    assert_eq!((before.compactions, after.compactions), (4 * compactions(40, 120), 4 * compactions(40, 120)));
}

#[test]
fn a_caller_that_leaves_in_the_middle_frees_all_pages() {
    let backend = backend();
    let engine = handle_within(&backend, "llama", limits(), DType::F32, BUDGET);
    let mut gone = engine.submit(greedy(&prompt(1, 20), 230)).unwrap();
    while engine.stats().compactions < 2 {
        assert!(matches!(gone.blocking_recv(), Some(Event::Token(_))));
    }
    drop(gone);
    let stats = once(&engine, |stats| stats.pages_in_use == 0 && stats.running == 0);
    assert_eq!(stats.pages_cached, 1, "{stats:?}");
}
