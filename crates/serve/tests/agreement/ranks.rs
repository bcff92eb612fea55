//! On several devices: the same as on one.

use std::sync::Arc;

use collegium_balance::policy;
use collegium_checkpoint::SafetensorsReader;
use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_runtime::{Backend, EvalBackend};
use collegium_serve::{Balance, Event, Handle, Limits, Request, Runner, Sampling, Types};

use crate::harness::{
    Heard, backend, cpu, cpus, folder, greedy, handle, handle_by, handle_of, heard, once, prompt, settled,
};

/// The reference and, where there is a plugin, the CPU, with so many devices.
fn backends(ranks: usize) -> Vec<Arc<dyn Backend>> {
    let exact: Arc<dyn Backend> = Arc::new(EvalBackend::new(ranks));
    [Some(exact), cpus(ranks)].into_iter().flatten().collect()
}

fn by(policy: &str) -> Balance {
    Balance { policy: policy::by_name(policy).unwrap(), ..Balance::default() }
}

fn bits(heard: &Heard) -> Vec<u32> {
    heard.logprobs.concat().iter().map(|l| l.to_bits()).collect()
}

/// What all of them say at once.
fn together(engine: &Handle, requests: &[Request]) -> Vec<Heard> {
    let all: Vec<_> = requests.iter().map(|r| (engine.submit(r.clone()).unwrap(), r.n)).collect();
    all.into_iter().map(|(events, n)| heard(events, n)).collect()
}

/// Prompts of one token, of more pages than fit a small pass, and more sequences than ranks.
fn requests() -> Vec<Request> {
    [1, 33, 150, 20, 5].iter().map(|&len| greedy(&prompt(len as u32, len), 12)).collect()
}

/// A token is computed in one order wherever its experts are.
#[test]
fn texts_and_log_probabilities_have_the_bits_of_one_device() {
    let Some(one) = cpu() else { return };
    for (name, types, how) in [
        ("qwen3_moe_mixed", DType::F32.into(), [(2, "exact"), (4, "static")]),
        ("qwen3_moe_mixed", DType::Bf16.into(), [(2, "two-tier"), (4, "exact")]),
        ("olmoe_clip", DType::I8.into(), [(2, "static"), (4, "exact")]),
        ("mixtral_window", Types { weights: DType::F32, int8_cache: true }, [(2, "exact"), (3, "exact")]),
        ("llama", DType::F32.into(), [(2, "exact"), (3, "exact")]),
    ] {
        let right = together(&handle_of(&one, name, Limits::new(6, 192), types), &requests());
        for (ranks, policy) in how {
            let Some(backend) = cpus(ranks) else { return };
            let engine = handle_by(&backend, name, Limits::new(6, 192), types, by(policy));
            // The second time from the cache.
            for _ in 0..2 {
                for (found, right) in together(&engine, &requests()).iter().zip(&right) {
                    assert_eq!(found.ids, right.ids, "{name} {types:?} on {ranks} by {policy}");
                    assert_eq!(bits(found), bits(right), "{name} {types:?} on {ranks} by {policy}");
                }
            }
        }
    }
}

/// Without the CPU's kernels sums have another order on several devices: the reference is within rounding.
#[test]
fn the_reference_says_the_same_on_several_devices() {
    for name in ["qwen3_moe_mixed", "olmoe_clip"] {
        let right = together(&handle(&backend(), name, Limits::new(4, 64)), &requests()[..2]);
        let two: Arc<dyn Backend> = Arc::new(EvalBackend::new(2));
        let engine = handle_by(&two, name, Limits::new(4, 64), DType::F32, by("exact"));
        for (found, right) in together(&engine, &requests()[..2]).iter().zip(&right) {
            assert_eq!(found.ids, right.ids, "{name}");
            for (a, b) in found.logprobs.concat().iter().zip(right.logprobs.concat()) {
                assert!((a - b).abs() < 1e-5, "{name}: {a} and {b}");
            }
        }
    }
}

#[test]
fn log_probabilities_of_prompts_are_those_of_one_device() {
    let Some(one) = cpu() else { return };
    let Some(two) = cpus(2) else { return };
    let scored: Vec<Request> =
        requests().into_iter().map(|r| Request { prompt_logprobs: Some(2), ..r }).collect();
    let [right, found] =
        [one, two].map(|b| together(&handle(&b, "qwen3_moe_mixed", Limits::new(6, 192)), &scored));
    for (found, right) in found.iter().zip(&right) {
        assert_eq!(found.prompt, right.prompt);
    }
}

/// A model whose router prefers nobody, so that every token goes to the first experts.
fn without_preference(backend: &Arc<dyn Backend>, balance: Balance) -> Handle {
    let folder = folder("qwen3_moe_mixed");
    let config = ModelConfig::from_file(&folder).unwrap().0;
    let reader = SafetensorsReader::open(&folder).unwrap();
    let value = &mut |name: &str, sizes: &[usize]| {
        let value = reader.read_f32(name, sizes)?;
        Ok(if name.ends_with("mlp.gate.weight") { vec![0.0; value.len()] } else { value })
    };
    let limits = Limits::new(6, 192);
    let room = (limits.cache_pages, limits.context);
    let runner = Runner::with_balance(backend.clone(), config, DType::F32, balance, room, value).unwrap();
    Handle::start(runner, None, limits).unwrap()
}

#[test]
fn rows_that_all_pick_the_same_experts_are_shared_evenly_and_none_is_lost() {
    let Some(one) = cpu() else { return };
    let right = together(&without_preference(&one, Balance::default()), &requests());
    for ranks in [2, 4] {
        let Some(backend) = cpus(ranks) else { return };
        for policy in ["static", "exact"] {
            let engine = without_preference(&backend, by(policy));
            for (found, right) in together(&engine, &requests()).iter().zip(&right) {
                assert_eq!((&found.ids, bits(found)), (&right.ids, bits(right)), "{policy} on {ranks}");
            }
            let done = settled(&engine, 60).balanced;
            let over_mean = |fullest: u64| fullest as f64 / done.rows as f64;
            let (found, at_home) = (over_mean(done.fullest), over_mean(done.fullest_at_home));
            assert!(at_home > 1.9, "{at_home}: the first experts have one home");
            match policy {
                "static" => assert_eq!((done.fullest, done.lent), (done.fullest_at_home, 0)),
                // Within one row, which is much of the few rows of a step.
                _ => assert!(found < 1.15 && done.lent > 0, "{found}, {done:?}"),
            }
        }
    }
}

#[test]
fn sequences_that_are_sent_back_for_want_of_pages_say_the_same() {
    let all: Vec<Request> = (0..7).map(|seed| greedy(&prompt(seed, 20), 40)).collect();
    let right = together(&handle(&backend(), "mixtral", Limits::new(8, 64)), &all);
    for backend in backends(2) {
        let tight = Limits { cache_pages: 10, ..Limits::new(2, 64) };
        let engine = handle(&backend, "mixtral", tight);
        for (found, right) in together(&engine, &all).iter().zip(&right) {
            assert_eq!(found.ids, right.ids);
        }
        assert!(engine.stats().preemptions > 0, "{:?}", engine.stats());
    }
}

#[test]
fn a_caller_that_leaves_frees_its_pages_on_every_rank_and_others_go_on() {
    let Some(backend) = cpus(2) else { return };
    let engine = handle(&backend, "mixtral", Limits::new(4, 256));
    let gone: Vec<_> = (0..4).map(|seed| engine.submit(greedy(&prompt(seed, 20), 200)).unwrap()).collect();
    for mut events in gone {
        assert!(matches!(events.blocking_recv(), Some(Event::Token(_))));
    }
    let stays = heard(engine.submit(greedy(&prompt(9, 20), 30)).unwrap(), 1);
    assert_eq!(stays.ids[0].len(), 30);
    once(&engine, |stats| stats.pages_in_use == 0);
}

/// A chat goes on where its beginning is; the samples of a long prompt keep together until that would leave other ranks idle for longer than the prompt takes.
#[test]
fn beginnings_are_shared_on_the_rank_that_has_them() {
    for backend in backends(2) {
        let engine = handle(&backend, "mixtral", Limits::new(8, 256));
        // While another keeps the first rank, a chat begins on the second.
        let mut other = engine.submit(greedy(&prompt(2, 40), 200)).unwrap();
        assert!(matches!(other.blocking_recv(), Some(Event::Token(_))));
        let first = greedy(&prompt(1, 40), 8);
        let said = &together(&engine, std::slice::from_ref(&first))[0].ids[0];
        drop(other);
        let further = [&first.prompt[..], said, &[5, 6, 7]].concat();
        let found = heard(engine.submit(greedy(&further, 4)).unwrap(), 1);
        assert_eq!(
            found.usage.cached_tokens, 32,
            "two full pages of 48 tokens, of which the last is not in the cache"
        );
        let sampling = Sampling { temperature: 1.0, seed: 5, ..Sampling::default() };
        let samples = Request { n: 4, sampling, ..greedy(&prompt(3, 128), 9) };
        let spread = together(&engine, std::slice::from_ref(&samples)).remove(0);
        let alone = handle(&crate::harness::backend(), "mixtral", Limits::new(8, 256));
        assert_eq!(spread.ids, together(&alone, &[samples])[0].ids);
        // The prompt lies once on each rank, not once for each sample.
        assert!(engine.stats().pages_cached < 2 * 8 + 4 * 2 + 10, "{:?}", engine.stats());
    }
}

#[test]
fn more_devices_than_experts_are_refused() {
    let config = ModelConfig::from_file(&folder("mixtral")).unwrap().0;
    let experts = config.layers[0].feed_forward.moe().unwrap().num_experts;
    for (devices, message) in [
        (
            experts + 1,
            format!("the model has {experts} experts a layer, fewer than the {} devices", experts + 1),
        ),
        (65, "`devices` is 65; it must be at most 64".to_string()),
    ] {
        let backend: Arc<dyn Backend> = Arc::new(EvalBackend::new(devices));
        let value = &mut |_: &str, sizes: &[usize]| Ok(vec![0.0; sizes.iter().product()]);
        let name = if devices > 64 { "llama" } else { "mixtral" };
        let config = ModelConfig::from_file(&folder(name)).unwrap().0;
        let error = Runner::new(backend, config, DType::F32, (5, 64), value).err().unwrap();
        assert!(error.to_string().contains(&message), "{error}");
    }
}
