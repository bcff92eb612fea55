//! The catalogue holds every program that an engine compiles, and all of them are fit for the targets.

use std::path::Path;
use std::sync::{Arc, Mutex};

use collegium_core::{DType, HostTensor};
use collegium_data::Batch;
use collegium_hlo::lint::{Generation, Severity, Target, lint};
use collegium_hlo::{Mesh, Program, Residuals};
use collegium_model::config::ModelConfig;
use collegium_model::layers::Transport;
use collegium_model::layers::transport::{AllGather, AllToAll, TwoStage};
use collegium_model::programs::Exchange;
use collegium_runtime::{Array, Backend, EvalBackend, Executable, MemoryUse, RuntimeError};
use collegium_train::config::{PRESETS, RunConfig};
use collegium_train::engine::{Engine, Execution, Hyper, LossWeights, Settings, catalogue};
use collegium_train::{RandomInit, Sampler, feed, setup};

/// The exact reference, which writes down what it is given to compile.
struct Recorder {
    inner: EvalBackend,
    programs: Mutex<Vec<Program>>,
}

impl Backend for Recorder {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn num_devices(&self) -> usize {
        self.inner.num_devices()
    }

    fn block_rows(&self) -> usize {
        self.inner.block_rows()
    }

    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError> {
        self.programs.lock().unwrap().push(program.clone());
        self.inner.compile(program)
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        self.inner.upload(pieces)
    }

    fn memory(&self, device: usize) -> Option<MemoryUse> {
        self.inner.memory(device)
    }
}

fn fixture(name: &str) -> ModelConfig {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    ModelConfig::from_file(&root.join(name).join("config.json")).unwrap().0
}

fn fixtures() -> Vec<(String, ModelConfig)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let folders = std::fs::read_dir(root).unwrap().map(|e| e.unwrap());
    let names = folders.filter(|e| e.path().join("config.json").exists()).map(|e| e.file_name());
    names.map(|n| n.into_string().unwrap()).map(|n| (n.clone(), fixture(&n))).collect()
}

const SEQ: usize = 16;

fn settings(batch: usize) -> Settings {
    Settings::new(DType::F32, Residuals::Dots, batch, SEQ)
}

/// Trains a step, validates, verifies and generates; every program that was compiled on the way.
fn compiled(config: &ModelConfig, mesh: &Mesh, how: Settings) -> Vec<Program> {
    let ranks = mesh.num_devices();
    let backend = Arc::new(Recorder { inner: EvalBackend::new(ranks), programs: Mutex::default() });
    let init = RandomInit::new(config, 1);
    let mut engine =
        Engine::new(backend.clone(), config.clone(), mesh.clone(), how, &mut |n, s| init.value(n, s))
            .unwrap();
    engine.compile().unwrap();
    let tokens: Vec<i32> = (0..ranks * SEQ).map(|i| (i * i % 90) as i32).collect();
    let batch = Batch {
        batch: ranks,
        seq: SEQ,
        targets: tokens.clone(),
        segments: vec![0; tokens.len()],
        positions: (0..ranks).flat_map(|_| 0..SEQ as i32).collect(),
        tokens,
    };
    engine.micro_step(&batch, LossWeights { token: 0.01, aux: 0.01, z: 0.01 }).unwrap();
    let norm = engine.gradient_norm().unwrap();
    engine.update(&Hyper::benchmark(1), norm).unwrap();
    engine.loss_sum(&batch).unwrap();
    engine.logits(&batch).unwrap();
    let prompts: Vec<Vec<u32>> = vec![(1..=SEQ as u32).collect(); ranks];
    engine.generate(&prompts, 2, None, &mut Sampler::greedy(), &mut |_, _| ()).unwrap();
    let programs = backend.programs.lock().unwrap();
    programs.clone()
}

/// Whether two programs differ in nothing but sizes: buckets of an expert program.
fn same_form(a: &Program, b: &Program) -> bool {
    let ops = |p: &Program| {
        p.nodes.iter().map(|n| (n.op.name(), n.shape.dtype, n.inputs.clone())).collect::<Vec<_>>()
    };
    a.name == b.name && ops(a) == ops(b)
}

#[test]
fn every_program_that_is_compiled_is_in_the_catalogue() {
    let gathered = Exchange { transport: &AllGather, sent_as: None, shuffle: true };
    let staged = Exchange { transport: &TwoStage, sent_as: Some(DType::I8), shuffle: false };
    let plain = settings(1);
    let cases = [
        ("qwen3_moe_mixed", (1, 1, 1), plain),
        ("qwen3_moe_mixed", (1, 2, 1), Settings { execution: Execution::Fused, ..plain }),
        ("qwen3", (2, 1, 1), plain),
        ("olmoe", (2, 2, 1), plain),
        ("olmoe", (1, 2, 1), Settings { exchange: gathered, ..plain }),
        ("olmoe", (1, 4, 2), Settings { exchange: staged, ..plain }),
    ];
    for (name, (data, expert, nodes), how) in cases {
        let (config, mesh) = (fixture(name), setup::mesh(data * expert, expert, nodes));
        let known = catalogue(&config, &mesh, how).unwrap();
        let programs = compiled(&config, &mesh, how);
        assert!(programs.len() > 15, "{name}: {} programs", programs.len());
        for program in programs {
            let sized = expert > 1 && ["experts", "fused"].iter().any(|n| program.name.starts_with(n));
            let found = known.iter().any(|k| match sized {
                true => same_form(&k.program, &program),
                false => k.program == program,
            });
            assert!(found, "{name} on {data} x {expert}: `{}` is not in the catalogue", program.name);
        }
    }
}

const TRN1: Target = Target::Neuron(Generation::Trn1);

/// Errors of every program of a model on a mesh, for every policy and type, both executions and all transports.
fn errors(name: &str, config: &ModelConfig, data: usize, expert: usize, how: Settings) -> Vec<String> {
    let nodes = if expert > 4 { 2 } else { 1 };
    let mesh = setup::mesh(data * expert, expert, nodes);
    let mut found = Vec::new();
    for (policy, residuals) in Residuals::ALL {
        for dtype in [DType::F32, DType::Bf16] {
            let execution = match residuals {
                Residuals::Everything => Execution::Fused,
                _ => Execution::Layered,
            };
            let plain = execution == Execution::Fused || dtype == DType::F32;
            let (transport, sent_as): (&dyn Transport, _) = match nodes {
                _ if plain => (&AllToAll, None),
                1 => (&AllGather, Some(DType::I8)),
                _ => (&TwoStage, Some(DType::I8)),
            };
            let exchange = Exchange { transport, sent_as, ..how.exchange };
            let how = Settings { dtype, residuals, exchange, execution, ..how };
            let programs = catalogue(config, &mesh, how).unwrap();
            // trn1 cannot connect four ranks, whatever the program.
            let targets = Target::ALL.iter().filter(|t| t.1 != TRN1 || data * expert != 4);
            for (target, entry) in targets.flat_map(|t| programs.iter().map(move |e| (t, e))) {
                let errors = lint(&entry.program, target.1);
                let errors = errors.iter().filter(|f| f.severity == Severity::Error);
                found.extend(errors.map(|f| {
                    let at = format!("{name}, {data} x {expert}, {policy}, {dtype}, {}", target.0);
                    format!("{at}: `{}` of {}: {f}", entry.program.name, entry.part)
                }));
            }
        }
    }
    found
}

#[test]
fn every_program_of_the_shipped_models_passes_the_rules_of_every_target() {
    let mut models: Vec<(String, ModelConfig, Settings)> =
        fixtures().into_iter().map(|(name, config)| (name, config, settings(2))).collect();
    for preset in PRESETS {
        let config = RunConfig::assemble(Some(preset.name), None, &[]).unwrap();
        let vocab = feed::tokenizer(&config).unwrap().vocab_size();
        let (model, _) = setup::model_config(&config, vocab).unwrap();
        models.push((preset.name.into(), model, config.settings()));
    }
    assert!(models.len() >= 18);
    for (name, config, how) in &models {
        let experts = config.layers.iter().filter_map(|l| l.feed_forward.moe()).map(|m| m.num_experts);
        let fits = |ranks: usize| experts.clone().all(|e| e.is_multiple_of(ranks));
        for (data, expert) in [(1, 1), (1, 2), (1, 4), (2, 4), (1, 8), (4, 8)] {
            if fits(expert) {
                let found = errors(name, config, data, expert, *how);
                assert!(found.is_empty(), "{}", found.join("\n"));
            }
        }
    }
}
