//! What stays in a cache, against plain loops over the same weights and rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use collegium_checkpoint::SafetensorsReader;
use collegium_core::DType;
use collegium_model::config::ModelConfig;
use collegium_model::programs::{PAGE, Packing};
use collegium_runtime::{Backend, EvalBackend};
use collegium_train::setup;

use super::*;
use crate::Types;

/// A page of the prompt, the region's, and one of another sequence.
const PROMPT: PageId = 3;
const REGION: [PageId; 3] = [5, 1, 4];
const OTHER: PageId = 6;

const TOKENS: usize = 4 * PAGE;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/llama")
}

fn runner(backend: Arc<dyn Backend>, types: impl Into<Types>) -> Runner {
    let config = ModelConfig::from_file(&folder()).unwrap().0;
    let reader = SafetensorsReader::open(&folder()).unwrap();
    let value = &mut |name: &str, sizes: &[usize]| Ok(reader.read_f32(name, sizes)?);
    let runner = Runner::new(backend, config, types, (8, 128), value).unwrap();
    runner.with_budget(Some(Budget::new(2 * PAGE).unwrap())).unwrap()
}

/// Takes pages of two sequences through the model.
fn fill(runner: &mut Runner, tokens: &[u32]) {
    let pages = [&[PROMPT][..], &REGION].concat();
    let page = |at: usize| Unit {
        rank: 0,
        tokens: &tokens[at * PAGE..][..PAGE],
        position: at * PAGE,
        place: at * PAGE,
        pages: &pages,
    };
    let mut units: Vec<Unit<'_>> = (0..4).map(page).collect();
    units.push(Unit { rank: 0, tokens: &tokens[7..7 + PAGE], position: 0, place: 0, pages: &[OTHER] });
    let mut pass = runner.begin(&units, 8).unwrap();
    while !pass.is_through() {
        runner.advance(&mut pass).unwrap();
    }
}

/// The rows {place, kv_head} of keys (0) or values (1) of a layer.
fn rows(runner: &Runner, layer: usize, which: usize) -> Vec<Vec<f32>> {
    let name = ["keys", "values"][which];
    let tensor = runner.caches[&format!("layers.{layer}.cache.{name}")].first().unwrap();
    let all = match tensor.dtype() {
        DType::I8 => tensor.to_vec::<i8>().into_iter().map(f32::from).collect(),
        _ => tensor.to_vec::<f32>(),
    };
    let (heads, width) = (runner.config.num_kv_heads, runner.config.head_dim);
    let at = |place: usize, head: usize, d: usize| {
        let slab = (place / PAGE * heads + head) * PAGE * width;
        match (runner.packing, which) {
            (Packing::Natural, _) => (place * heads + head) * width + d,
            (_, 0) => slab + d * PAGE + place % PAGE,
            _ => slab + place % PAGE * width + d,
        }
    };
    let row = |place| {
        (0..heads).flat_map(|head| (0..width).map(move |d| (head, d))).map(move |(h, d)| at(place, h, d))
    };
    (0..8 * PAGE).map(|place| row(place).map(|at| all[at]).collect()).collect()
}

/// Queries {head, head_dim} of every token of `hidden`, by plain loops.
fn queries(runner: &Runner, layer: usize, hidden: &[f32], first: usize) -> Vec<Vec<f64>> {
    let (c, reader) = (&runner.config, SafetensorsReader::open(&folder()).unwrap());
    let read = |name: &str, sizes: &[usize]| {
        reader.read_f32(&format!("model.layers.{layer}.{name}.weight"), sizes).unwrap()
    };
    let norm = read("input_layernorm", &[c.hidden_size]);
    let weight = read("self_attn.q_proj", &[c.num_heads * c.head_dim, c.hidden_size]);
    let frequencies = c.rope.inv_frequencies(c.head_dim);
    let query = |(at, x): (usize, &[f32])| -> Vec<f64> {
        let mean = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / x.len() as f64;
        let root = (mean + c.rms_norm_eps).sqrt();
        let x: Vec<f64> = x.iter().zip(&norm).map(|(&x, &w)| f64::from(x) / root * f64::from(w)).collect();
        let out = weight.chunks(c.hidden_size);
        let flat: Vec<f64> = out.map(|w| w.iter().zip(&x).map(|(&w, x)| f64::from(w) * x).sum()).collect();
        let half = c.head_dim / 2;
        let turned = |head: &[f64], i: usize| {
            let (sin, cos) = ((first + at) as f64 * frequencies[i % half]).sin_cos();
            if i < half { head[i] * cos - head[half + i] * sin } else { head[i] * cos + head[i - half] * sin }
        };
        flat.chunks(c.head_dim).flat_map(|head| (0..c.head_dim).map(move |i| turned(head, i))).collect()
    };
    hidden.chunks(c.hidden_size).enumerate().map(query).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = x.iter().map(|x| (x - largest).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / total).collect()
}

/// The score of the source's text, place by place: `keys` {place, kv_head, head_dim}.
fn scores(
    queries: &[Vec<f64>],
    keys: &[Vec<f64>],
    (heads, kv_heads, width): (usize, usize, usize),
) -> Vec<f64> {
    let candidates = keys.len() - queries.len();
    let mut total = vec![0.0; candidates];
    for kv_head in 0..kv_heads {
        let keys: Vec<&[f64]> = keys.iter().map(|key| &key[kv_head * width..][..width]).collect();
        let mut importance = vec![0.0; candidates];
        for query in queries {
            let group = kv_head * heads / kv_heads..(kv_head + 1) * heads / kv_heads;
            let logit = |key: &[f64]| {
                let of_head = |head: usize| dot(&query[head * width..][..width], key) / (width as f64).sqrt();
                group.clone().map(of_head).fold(f64::MIN, f64::max)
            };
            let logits: Vec<f64> = keys[..candidates].iter().map(|key| logit(key)).collect();
            softmax(&logits)
                .iter()
                .zip(&mut importance)
                .for_each(|(p, sum)| *sum += p / queries.len() as f64);
        }
        let cosine = |a: &[f64], b: &[f64]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let mut repeated = vec![0.0; keys.len()];
        for (one, key) in keys.iter().enumerate() {
            let others: Vec<usize> = (0..keys.len()).filter(|&other| other != one).collect();
            let newest = others.iter().copied().rfind(|&other| cosine(key, keys[other]) > 0.5);
            for other in others.into_iter().filter(|&other| Some(other) != newest) {
                repeated[other] += cosine(key, keys[other]) / keys.len() as f64;
            }
        }
        let redundancy = softmax(&repeated);
        for place in 0..candidates {
            let near = place.saturating_sub(3)..(place + 4).min(candidates);
            let pooled = importance[near].iter().copied().fold(0.0, f64::max);
            total[place] += (0.1 * pooled - 0.9 * redundancy[place]) / kv_heads as f64;
        }
    }
    total
}

fn best(scores: &[f64], count: usize) -> Vec<i32> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut best: Vec<i32> = order[..count].iter().map(|&at| at as i32).collect();
    best.sort_unstable();
    best
}

fn backends() -> Vec<Arc<dyn Backend>> {
    let cpu = setup::open_backend("cpu", 1).inspect_err(|error| eprintln!("skipped: {error}")).ok();
    [Some(Arc::new(EvalBackend::new(1)) as Arc<dyn Backend>), cpu].into_iter().flatten().collect()
}

/// The last page of the text, as the scheduler names it.
fn newest(tokens: &[u32]) -> (&[u32], usize, [PageId; 4]) {
    (&tokens[TOKENS - PAGE..], TOKENS - PAGE, [PROMPT, REGION[0], REGION[1], REGION[2]])
}

#[test]
fn the_tokens_that_plain_loops_pick_are_kept_in_every_layer_and_nothing_else_moves() {
    let tokens: Vec<u32> = (0..TOKENS as u32).map(|i| (i * i * 7 + i * 3) % 97 + 1).collect();
    for backend in backends() {
        let mut runner = runner(backend, DType::F32);
        fill(&mut runner, &tokens);
        let c = runner.config.clone();
        let before: Vec<[Vec<Vec<f32>>; 2]> =
            (0..c.num_layers).map(|layer| [0, 1].map(|which| rows(&runner, layer, which))).collect();
        let (last, first, pages) = newest(&tokens);
        let unit = Unit { rank: 0, tokens: last, position: first, place: first, pages: &pages };
        let place = |at: usize| REGION[at / PAGE] as usize * PAGE + at % PAGE;
        // What plain loops pick, layer by layer, from the hidden states before each.
        let mut pass = runner.begin(std::slice::from_ref(&unit), 1).unwrap();
        let mut right = Vec::new();
        while !pass.is_through() {
            let hidden = pass.hidden().unwrap()[0].to_vec::<f32>();
            let keys = (0..3 * PAGE).map(|at| before[pass.layer][0][place(at)].iter().map(|&k| f64::from(k)));
            let keys: Vec<Vec<f64>> = keys.map(Iterator::collect).collect();
            let queries = queries(&runner, pass.layer, &hidden, first);
            let scores = scores(&queries, &keys, (c.num_heads, c.num_kv_heads, c.head_dim));
            right.push(best(&scores, PAGE));
            runner.advance(&mut pass).unwrap();
        }
        let chosen = runner.compact(&unit, &REGION).unwrap();
        assert_ne!(right[0], right[1], "layers pick their own");
        for (layer, (chosen, right)) in chosen.iter().zip(&right).enumerate() {
            assert_eq!(&chosen[..PAGE], right, "layer {layer}");
            assert_eq!(chosen[PAGE..], (2 * PAGE as i32..3 * PAGE as i32).collect::<Vec<_>>());
            for which in [0, 1] {
                let (before, after) = (&before[layer][which], rows(&runner, layer, which));
                for (to, &from) in chosen.iter().enumerate() {
                    assert_eq!(after[place(to)], before[place(from as usize)], "layer {layer}, row {to}");
                }
                for page in [PROMPT, OTHER, 2, 7].map(|page| page as usize) {
                    let own = page * PAGE..(page + 1) * PAGE;
                    assert_eq!(after[own.clone()], before[own], "layer {layer}, page {page}");
                }
            }
        }
    }
}

/// Cells and their scales move together: what a row stands for is the same.
#[test]
fn rows_of_int8_move_with_their_scales() {
    let tokens: Vec<u32> = (0..TOKENS as u32).map(|i| (i * i * 5 + i) % 97 + 1).collect();
    for backend in backends() {
        let mut runner = runner(backend, Types { weights: DType::F32, int8_cache: true });
        fill(&mut runner, &tokens);
        let scales = |runner: &Runner| {
            let all = runner.caches["layers.1.cache.key_scales"].first().unwrap().to_vec::<f32>();
            let heads = runner.config.num_kv_heads;
            let at = move |place: usize, head: usize| match runner.packing {
                Packing::Natural => place * heads + head,
                _ => (place / PAGE * heads + head) * PAGE + place % PAGE,
            };
            let row = |place| (0..heads).map(|head| all[at(place, head)]).collect();
            (0..8 * PAGE).map(row).collect::<Vec<Vec<f32>>>()
        };
        let before = (rows(&runner, 1, 0), scales(&runner));
        let (last, first, pages) = newest(&tokens);
        let unit = Unit { rank: 0, tokens: last, position: first, place: first, pages: &pages };
        let chosen = runner.compact(&unit, &REGION).unwrap();
        let after = (rows(&runner, 1, 0), scales(&runner));
        let place = |at: usize| REGION[at / PAGE] as usize * PAGE + at % PAGE;
        assert!(chosen[1][..PAGE].iter().enumerate().any(|(to, &from)| to as i32 != from), "something moved");
        for (to, &from) in chosen[1].iter().enumerate() {
            let (to, from) = (place(to), place(from as usize));
            assert_eq!((&after.0[to], &after.1[to]), (&before.0[from], &before.1[from]));
        }
    }
}

#[test]
fn what_a_budget_does_not_go_with_is_refused() {
    let folder = folder().with_file_name("mixtral_window");
    let config = ModelConfig::from_file(&folder).unwrap().0;
    let reader = SafetensorsReader::open(&folder).unwrap();
    let value = &mut |name: &str, sizes: &[usize]| Ok(reader.read_f32(name, sizes)?);
    let runner = Runner::new(Arc::new(EvalBackend::new(1)), config, DType::F32, (8, 128), value).unwrap();
    let Err(error) = runner.with_budget(Some(Budget::new(32).unwrap())) else { panic!("windows were taken") };
    assert!(error.to_string().contains("has a sliding window of"), "{error}");
    assert!(error.to_string().contains("leave it out"), "{error}");
}
