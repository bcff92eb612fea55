//! What the planner says a step costs is what a step costs: a real step on the reference backend is counted program by program.

use std::sync::{Arc, Mutex};

use collegium_balance::Bucket;
use collegium_cluster::ledger::{BLOCK, step_ledger};
use collegium_core::{DType, HostTensor};
use collegium_data::Batch;
use collegium_hlo::{Cost, Mesh, Program, Residuals};
use collegium_model::config::ModelConfig;
use collegium_model::programs::Shape;
use collegium_runtime::{Array, Backend, EvalBackend, Executable, MemoryUse, RuntimeError};
use collegium_train::RandomInit;
use collegium_train::engine::{Engine, Hyper, LossWeights, Settings};

/// Runs everything on the reference backend and writes down what ran.
struct Counting {
    inner: EvalBackend,
    runs: Arc<Mutex<Vec<Program>>>,
}

struct CountingExecutable {
    inner: Arc<dyn Executable>,
    program: Program,
    runs: Arc<Mutex<Vec<Program>>>,
}

impl Backend for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn num_devices(&self) -> usize {
        self.inner.num_devices()
    }

    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError> {
        let inner = self.inner.compile(program)?;
        Ok(Arc::new(CountingExecutable { inner, program: program.clone(), runs: Arc::clone(&self.runs) }))
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        self.inner.upload(pieces)
    }

    fn memory(&self, device: usize) -> Option<MemoryUse> {
        self.inner.memory(device)
    }
}

impl Executable for CountingExecutable {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        self.runs.lock().unwrap().push(self.program.clone());
        self.inner.run(inputs)
    }
}

fn model(tied: bool) -> ModelConfig {
    let json = serde_json::json!({
        "model_type": "qwen3_moe", "vocab_size": 24, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 8, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 8,
        "intermediate_size": 16, "mlp_only_layers": [1], "norm_topk_prob": true, "initializer_range": 0.3,
        "tie_word_embeddings": tied
    });
    ModelConfig::from_json(&json, "test").unwrap().0
}

fn batch(rows: i32, seed: i32) -> Batch {
    let seq = 6;
    let tokens: Vec<i32> = (0..rows * seq).map(|i| (i * i * 7 + i * 3 + seed * 11) % 24).collect();
    Batch {
        batch: rows as usize,
        seq: seq as usize,
        targets: tokens.iter().map(|t| (t * 5 + 1) % 24).collect(),
        segments: vec![0; (rows * seq) as usize],
        positions: (0..rows * seq).map(|i| i % seq).collect(),
        tokens,
    }
}

/// The bucket that an expert program was built for.
fn bucket_of(program: &Program, ranks: usize) -> Bucket {
    let size = |name: &str| program.inputs().find(|i| i.0 == name).map(|i| i.1.dims[0].size);
    let blocks = size("block_slot").unwrap();
    let places = size("cell_target").map_or(blocks * BLOCK, |cells| cells / ranks);
    let slots = size("gate").unwrap();
    Bucket { slots, places, blocks }
}

fn counted(data: usize, expert: usize, tied: bool) -> (Cost, Cost) {
    let config = model(tied);
    let mesh = Mesh::new(&[("data", data), ("expert", expert)]);
    let ranks = data * expert;
    let settings = Settings::new(DType::Bf16, Residuals::Dots, 1, 6);
    let runs: Arc<Mutex<Vec<Program>>> = Arc::default();
    let backend = Counting { inner: EvalBackend::new(ranks), runs: Arc::clone(&runs) };
    let init = RandomInit::new(&config, 3);
    let mut engine =
        Engine::new(Arc::new(backend), config.clone(), mesh.clone(), settings, &mut |n, s| init.value(n, s))
            .unwrap();
    // The second step is one as all that follow: the first makes working weights that later an update leaves behind.
    for step in 1..=2 {
        runs.lock().unwrap().clear();
        for micro in 0..2 {
            let weights = LossWeights { token: 0.01, aux: 0.01, z: 0.0 };
            engine.micro_step(&batch(ranks as i32, micro), weights).unwrap();
        }
        let norm = engine.gradient_norm().unwrap();
        engine.update(&Hyper::benchmark(step), norm).unwrap();
    }
    let ran = runs.lock().unwrap().clone();
    let mut real = Cost::default();
    ran.iter().for_each(|p| real.add(&p.cost(), 1));
    // Sparse layers are 0 and 2; expert programs run in order of micro-batch and layer.
    let buckets: Vec<Bucket> =
        ran.iter().filter(|p| p.name == "experts.forward").map(|p| bucket_of(p, expert)).collect();
    assert_eq!(buckets.len(), 4);
    let shape = Shape {
        config: &config,
        mesh,
        dtype: settings.dtype,
        batch: settings.batch,
        seq: settings.seq,
        residuals: settings.residuals,
        exchange: settings.exchange,
        forced_routing: false,
    };
    let planned = step_ledger(&shape, 2, &mut |layer, micro| buckets[micro * 2 + layer / 2]).unwrap();
    (real, planned.total())
}

#[test]
fn the_planner_counts_what_a_step_does_on_1_2_4_and_8_ranks() {
    for (data, expert, tied) in [(1, 1, false), (1, 2, true), (2, 2, false), (2, 4, false)] {
        let (real, planned) = counted(data, expert, tied);
        let at = format!("{data} x {expert}");
        assert_eq!((real.flops, real.matmul_flops), (planned.flops, planned.matmul_flops), "FLOPs on {at}");
        assert_eq!(
            (real.bytes_read, real.bytes_written),
            (planned.bytes_read, planned.bytes_written),
            "bytes on {at}"
        );
        let sorted = |cost: &Cost| {
            let mut all: Vec<_> = cost
                .collectives
                .iter()
                .map(|t| (t.kind, t.axes.clone(), t.count, t.bytes_per_device))
                .collect();
            all.sort();
            all
        };
        assert_eq!(sorted(&real), sorted(&planned), "collectives on {at}");
        assert!(real.flops > 0 && (data * expert == 1 || !real.collectives.is_empty()));
    }
}
