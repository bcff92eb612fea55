//! Reading, writing and replaying traces; one hostile file for each thing that can be wrong.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use collegium_balance::CostModel;
use collegium_balance::policy::{POLICIES, by_name};
use collegium_balance::replay::{Options, PlanOn, Scene, bars, replay};
use collegium_balance::trace::{Recording, Trace, TraceLayer, read};
use collegium_core::SplitMix64;
use safetensors::{Dtype, tensor::TensorView};
use tempfile::TempDir;

/// A tensor to write: name, type, shape, bytes.
type Tensor<'a> = (&'a str, Dtype, Vec<usize>, Vec<u8>);

/// Tensors, metadata, and what the error must say.
type Hostile<'a> = (Vec<Tensor<'a>>, &'a [(&'a str, &'a str)], &'a str);

fn file(folder: &TempDir, tensors: &[Tensor<'_>], said: &[(&str, &str)]) -> PathBuf {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let said: HashMap<String, String> = said.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let path = folder.path().join("trace.safetensors");
    fs::write(&path, safetensors::serialize(views, Some(said)).unwrap()).unwrap();
    path
}

fn bytes<const N: usize>(ids: &[i64], to: impl Fn(i64) -> [u8; N]) -> Vec<u8> {
    ids.iter().flat_map(|&id| to(id)).collect()
}

fn routing(path: &Path, experts: Option<usize>) -> Result<Trace, String> {
    match read(path, experts).map_err(|e| e.to_string())? {
        Recording::Routing(trace) => Ok(trace),
        Recording::RankLoads(_) => panic!("a safetensors file has routing"),
    }
}

#[test]
fn every_integer_type_reads_alike() {
    let folder = tempfile::tempdir().unwrap();
    let ids = [3i64, 1, 0, 2, 5, 4];
    let forms: Vec<(Dtype, Vec<u8>)> = vec![
        (Dtype::U8, bytes(&ids, |i| (i as u8).to_le_bytes())),
        (Dtype::I8, bytes(&ids, |i| (i as i8).to_le_bytes())),
        (Dtype::U16, bytes(&ids, |i| (i as u16).to_le_bytes())),
        (Dtype::I16, bytes(&ids, |i| (i as i16).to_le_bytes())),
        (Dtype::U32, bytes(&ids, |i| (i as u32).to_le_bytes())),
        (Dtype::I32, bytes(&ids, |i| (i as i32).to_le_bytes())),
        (Dtype::U64, bytes(&ids, |i| (i as u64).to_le_bytes())),
        (Dtype::I64, bytes(&ids, i64::to_le_bytes)),
    ];
    for (dtype, data) in forms {
        let gates = ("gates", Dtype::F32, vec![1, 1], vec![0; 4]);
        let path = file(&folder, &[("layer_00", dtype, vec![3, 2], data), gates], &[("num_experts", "8")]);
        let trace = routing(&path, None).unwrap();
        assert_eq!((trace.num_experts, trace.layers.len()), (8, 1), "{dtype:?}");
        assert_eq!(trace.layers[0].experts, [3, 1, 0, 2, 5, 4], "{dtype:?}");
    }
}

#[test]
fn layers_come_in_the_order_of_their_numbers_and_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let layer = |name| (name, Dtype::U8, vec![2, 1], vec![0u8, 1]);
    let path = file(
        &folder,
        &[layer("model.layers.10.ids"), layer("model.layers.9.ids"), layer("model.layers.2.ids")],
        &[],
    );
    let trace = routing(&path, None).unwrap();
    let names: Vec<&str> = trace.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["model.layers.2.ids", "model.layers.9.ids", "model.layers.10.ids"]);
    // Without a word on the number of experts it is what the ids show, or what the user says.
    assert_eq!(trace.num_experts, 2);
    assert_eq!(routing(&path, Some(16)).unwrap().num_experts, 16);
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for num_experts in [4, 256, 257, 60_000] {
        let experts = (0..12).map(|i| (i * 7919) % num_experts as u32).collect();
        let layer = |name: &str| TraceLayer { name: name.into(), top_k: 3, experts };
        let trace = Trace {
            name: "run".into(),
            num_experts,
            ranks: Some(2),
            step: Some(17),
            layers: vec![layer("layer_00")],
        };
        let path = folder.path().join("run.safetensors");
        trace.write(&path).unwrap();
        assert_eq!(routing(&path, None).unwrap(), trace);
    }
    let empty = Trace { num_experts: 2, ..Trace::default() };
    let path = folder.path().join("none.safetensors");
    assert!(empty.write(&path).unwrap_err().to_string().contains("has no layers"));
    assert!(!path.exists());
}

/// Each bad file, and what its error must say.
#[test]
fn hostile_routing_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let u8s = |name, shape: &[usize], data: &[u8]| (name, Dtype::U8, shape.to_vec(), data.to_vec());
    let experts = [("num_experts", "4")];
    let cases: Vec<Hostile<'_>> = vec![
        (
            vec![u8s("layer_00", &[2, 2], &[0, 1, 2, 9])],
            &experts,
            "layer `layer_00`, token 1: expert 9 is out of range, the layer has experts 0 to 3",
        ),
        (
            vec![("layer_00", Dtype::I32, vec![1, 2], bytes(&[1, -1], |i| (i as i32).to_le_bytes()))],
            &experts,
            "token 0: expert below 0 (padding?) is out of range",
        ),
        (
            vec![("layer_00", Dtype::I64, vec![1, 1], (1i64 << 40).to_le_bytes().to_vec())],
            &experts,
            "is out of range",
        ),
        (
            vec![("layer_00", Dtype::I64, vec![1, 1], (1i64 << 40).to_le_bytes().to_vec())],
            &[],
            "at most 65536 are believed",
        ),
        (
            vec![u8s("layer_00", &[2, 2], &[0; 4]), u8s("layer_01", &[1, 2], &[0; 2])],
            &experts,
            "layer `layer_01` has 1 tokens, layer `layer_00` has 2",
        ),
        (
            vec![u8s("layer_00", &[2, 2], &[0; 4]), u8s("layer_01", &[2, 1], &[0; 2])],
            &experts,
            "layer `layer_01` has 1 choices a token where layer `layer_00` has 2",
        ),
        (
            vec![u8s("layer_00", &[2, 2], &[0; 4])],
            &[("num_experts", "4"), ("top_k", "3")],
            "layer `layer_00` has 2 choices a token where the metadata say 3",
        ),
        (vec![u8s("layer_00", &[0, 2], &[])], &experts, "layer `layer_00` has no tokens"),
        (vec![u8s("layer_00", &[2, 0], &[])], &experts, "layer `layer_00` has no choices"),
        (
            vec![u8s("layer_00", &[4], &[0; 4])],
            &experts,
            "layer `layer_00` has shape [4]; expected [tokens, k]",
        ),
        (
            vec![("layer_00", Dtype::F32, vec![1, 1], vec![0; 4])],
            &experts,
            "layer `layer_00` is of F32; expert ids must be integers",
        ),
        (vec![("gates", Dtype::F32, vec![1, 1], vec![0; 4])], &experts, "has no layers"),
        (
            vec![u8s("layer_00", &[1, 1], &[0])],
            &[("num_experts", "many")],
            "metadata `num_experts` is `many`, no whole number",
        ),
    ];
    for (tensors, said, expected) in cases {
        let error = routing(&file(&folder, &tensors, said), None).unwrap_err();
        assert!(
            error.contains(expected) && error.contains("trace.safetensors"),
            "{error}\nexpected: {expected}"
        );
    }
    let path = folder.path().join("short.safetensors");
    fs::write(&path, b"{}").unwrap();
    assert!(routing(&path, None).unwrap_err().contains("is no safetensors file"));
    assert!(routing(&folder.path().join("none.safetensors"), None).unwrap_err().contains("cannot read it"));
    assert!(
        routing(&folder.path().join("trace.txt"), None)
            .unwrap_err()
            .contains("neither extension .safetensors")
    );
}

#[test]
fn rank_loads_read_in_any_order_and_hostile_ones_are_refused_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loads.csv");
    let load = |text: &str| {
        fs::write(&path, text).unwrap();
        match read(&path, None) {
            Ok(Recording::RankLoads(loads)) => Ok(loads),
            Ok(Recording::Routing(_)) => panic!("a csv file has rank loads"),
            Err(e) => Err(e.to_string()),
        }
    };
    let loads =
        load("token_num,iter,layer,rank,method\n5.0,0,0,1,A\n7,0,0,0,A\n1,0,0,0,B\n2,0,0,1,B\n").unwrap();
    assert_eq!((loads.len(), loads[0].num_ranks, loads[0].name.as_str()), (2, 2, "loads [A]"));
    assert_eq!(loads[0].iterations[0].rows, [7, 5]);
    for (text, expected) in [
        (
            "rank,layer,iter\n0,0,0\n",
            "has no column `token_num`; needed are rank, layer, iter and token_num, there are rank, layer, iter",
        ),
        ("rank,layer,iter,token_num\n", "has a head and no rows"),
        ("", "has no column `rank`"),
        ("rank,layer,iter,token_num\n0,0,0,5\n1,0,0\n", "line 3 has 3 columns, the head has 4"),
        ("rank,layer,iter,token_num\n0,0,0,5\n1,0,0,x\n", "line 3: `x` is no whole number"),
        ("rank,layer,iter,token_num\n0,0,0,5\n1,0,0,-4\n", "line 3: `-4` is no whole number"),
        (
            "rank,layer,iter,token_num\n0,0,0,5\n0,0,0,6\n",
            "line 3: rank 0 of layer 0, iteration 0 is there already, in line 2",
        ),
        (
            "rank,layer,iter,token_num\n0,0,0,5\n1,0,0,6\n0,1,0,6\n",
            "layer 1, iteration 0 has no line for rank 1, of 2 ranks",
        ),
    ] {
        let error = load(text).unwrap_err();
        assert!(error.contains(expected) && error.contains("loads.csv"), "{error}\nexpected: {expected}");
    }
}

/// A skewed trace of two layers.
fn skewed(name: &str, tokens: usize, seed: u64) -> Trace {
    let mut random = SplitMix64::new(seed);
    let mut layer = |name: &str| TraceLayer {
        name: name.into(),
        top_k: 2,
        experts: (0..2 * tokens).map(|_| (random.uniform() * random.uniform() * 12.0) as u32).collect(),
    };
    let layers = vec![layer("layer_00"), layer("layer_01")];
    Trace { name: name.into(), num_experts: 12, ranks: None, step: None, layers }
}

#[test]
fn every_policy_replays_every_way() {
    let cost = CostModel::machine("cpu").unwrap();
    let (one, two) = (skewed("one", 501, 1), skewed("two", 300, 2));
    for plan_on in [PlanOn::SameStep, PlanOn::PreviousHalf, PlanOn::OtherDomain] {
        for ranks in [1, 4, 5, 16] {
            for tokens_per_rank in [None, Some(10), Some(4000)] {
                let options =
                    Options { plan_on, tokens_per_rank, shuffle: true, ..Options::new(ranks, cost) };
                let scene = Scene::of_routing(&one, Some(&two), &options).unwrap();
                for policy in POLICIES {
                    let found = replay(&scene, *policy, &options).unwrap();
                    assert_eq!(found.layers.len(), 2);
                    let f = &found.all;
                    let at_least_one = [Some(f.after), Some(f.homes), f.pair_factor, f.padding];
                    assert!(at_least_one.iter().all(|s| s.unwrap().mean >= 1.0 - 1e-9), "{f:?}");
                    if ["relayout", "two-tier"].contains(&policy.name()) {
                        assert!(f.after.mean <= f.homes.mean + 1e-9, "{f:?}");
                    }
                    if policy.name() == "exact" {
                        assert!(f.spread_rows <= 1);
                    }
                }
            }
        }
    }
}

#[test]
fn the_first_half_is_what_previous_half_sees() {
    // Expert 0 is hot in the first half, expert 3 in the second: homes planned on the first half are wrong in the second.
    let half = |hot: u32| (0..100).map(move |i| if i % 4 == 0 { i / 4 % 4 } else { hot });
    let layer = TraceLayer { name: "layer_00".into(), top_k: 1, experts: half(0).chain(half(3)).collect() };
    let trace = Trace { name: "shift".into(), num_experts: 4, layers: vec![layer], ..Trace::default() };
    let cost = CostModel::machine("cpu").unwrap();
    let homes = |plan_on| {
        let options = Options { plan_on, ..Options::new(2, cost) };
        let scene = Scene::of_routing(&trace, None, &options).unwrap();
        replay(&scene, by_name("relayout").unwrap(), &options).unwrap().all
    };
    let (same, previous) = (homes(PlanOn::SameStep), homes(PlanOn::PreviousHalf));
    assert!(same.homes.mean < 1.02, "{:?}", same.homes);
    assert!(previous.homes.mean > 1.2, "{:?}", previous.homes);
    let options = Options { plan_on: PlanOn::OtherDomain, ..Options::new(2, cost) };
    let error = Scene::of_routing(&trace, None, &options).err().unwrap().to_string();
    assert_eq!(
        error,
        "planning on another domain needs a second trace with 4 experts in 1 layers; given: none"
    );
    let error = Scene::of_routing(&trace, None, &Options::new(300, cost)).err().unwrap().to_string();
    assert_eq!(error, "200 tokens to plan for 300 ranks; use at most 200 ranks, or a longer trace");
}

#[test]
fn bars_are_measured_on_whatever_is_given() {
    let cost = CostModel::machine("trn2").unwrap();
    let all =
        bars(&[Recording::Routing(skewed("one", 2000, 1)), Recording::Routing(skewed("short", 9, 2))], cost)
            .unwrap();
    assert!(all[0].what.contains("exact") && all[0].met && all[0].measured <= 1.0);
    assert!(all.len() >= 8);
}
