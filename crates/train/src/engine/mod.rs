//! The model on its devices: weights, forward and backward of a micro-batch, the update. One layer after another, each kind
//! compiled once; between router and experts the host holds the counts and plans the dispatch.

mod catalogue;
mod finite;
mod fused;
mod generate;
mod group;
mod host_copy;
mod program;
mod rotation;
mod step;
mod update;
mod vector;
mod weights;

use std::collections::HashMap;
use std::sync::Arc;

use collegium_balance::Bucket;
use collegium_balance::trace::TraceLayer;
use collegium_core::{DType, HostTensor};
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::{LayerConfig, ModelConfig, MoeConfig};
use collegium_model::params::{self, GroupKey};
use collegium_model::programs::{self, Exchange, Working};
use collegium_runtime::{Array, Backend, Metered, SentBytes};

use crate::TrainError;
use crate::adapt::{Adapter, BalanceOptions};

pub use catalogue::{CatalogueEntry, catalogue};
pub use group::{Group, Sink, Values};
pub use host_copy::{HostCopy, Shards, Tensors};
pub use program::{Compiled, Env, Halves, compile_all};
pub use step::{Forward, LossWeights, StepLoss};
pub use update::Hyper;
pub use vector::{State, Vector};

use group::GroupPrograms;
use weights::SlotPrograms;

/// How much of a micro-batch is one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Execution {
    /// A few programs for each layer, cut where the host plans.
    Layered,
    /// Forward and backward at once, by plans made ahead.
    Fused,
}

impl Execution {
    /// Both with the names the configuration uses.
    pub const ALL: [(&'static str, Self); 2] = [("layered", Self::Layered), ("fused", Self::Fused)];
}

/// How the model is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Element type of activations and working weights; masters are always f32.
    pub dtype: DType,
    /// Whether working weights of another type are rounded by chance, not to the nearest.
    pub stochastic_rounding: bool,
    /// What forward halves keep.
    pub residuals: Residuals,
    /// Sequences of a micro-batch on each rank.
    pub batch: usize,
    /// Tokens of a sequence.
    pub seq: usize,
    /// How tokens travel to their experts.
    pub exchange: Exchange,
    /// How much of a training micro-batch is one program.
    pub execution: Execution,
    /// How experts are balanced.
    pub balance: BalanceOptions,
    /// Whether expert programs of several ranks are compiled before they are needed.
    pub precompile: bool,
    /// Whether [`Engine::force_routing`] says which experts tokens go to, in place of the routers.
    pub forced_routing: bool,
}

impl Settings {
    /// Layer by layer, with experts that stay at home.
    pub fn new(dtype: DType, residuals: Residuals, batch: usize, seq: usize) -> Self {
        Self {
            dtype,
            stochastic_rounding: false,
            residuals,
            batch,
            seq,
            exchange: Exchange::default(),
            execution: Execution::Layered,
            balance: BalanceOptions::default(),
            precompile: false,
            forced_routing: false,
        }
    }

    /// What working weights are.
    fn working(&self) -> Working {
        Working { dtype: self.dtype, stochastic: self.stochastic_rounding }
    }
}

/// A static shape that expert programs were compiled for, and how often it served.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BucketUse {
    /// Experts of the layers it is for.
    pub experts: usize,
    /// Slots of each rank, homes and clones.
    pub slots: usize,
    /// Room for rows of each pair of ranks.
    pub rows_per_pair: usize,
    /// Blocks of rows of each rank.
    pub blocks: usize,
    /// Rows of a block.
    pub block_rows: usize,
    /// Layers and micro-batches that ran in it.
    pub hits: u64,
    /// Most bytes that one of its programs holds on a rank, as counted from the program.
    pub bytes: u64,
}

/// A model on devices, ready to train or to be evaluated.
pub struct Engine {
    backend: Arc<dyn Backend>,
    /// The same, to be asked what was sent.
    meter: Arc<Metered>,
    config: Arc<ModelConfig>,
    mesh: Mesh,
    settings: Settings,
    groups: Vec<Group>,
    adapter: Adapter,
    /// By what an expert group looks like and the number of slots.
    slot_programs: HashMap<(programs::GroupShape, usize), SlotPrograms>,
    /// Steers the choice of experts, by MoE layer; zero unless loss-free balancing moves it.
    router_bias: Vec<Vec<f32>>,
    router_bias_arrays: Vec<Array>,
    /// Where tokens go in place of the routers' choice, by MoE layer.
    forced: Vec<Array>,
    /// Experts of every token by MoE layer and rank, while they are recorded.
    recording: Option<Vec<Vec<Vec<u32>>>>,
    embed: Halves,
    /// By layer; layers of one configuration share them.
    blocks: Vec<Halves>,
    head: Arc<Compiled>,
    sum_loss: Arc<Compiled>,
    squared_norm: Arc<Compiled>,
    experts: HashMap<(MoeKey, Bucket), Halves>,
    fused: HashMap<Bucket, Arc<Compiled>>,
}

/// What expert programs depend on besides the bucket.
type MoeKey = (usize, usize, usize);

fn moe_key(moe: &MoeConfig) -> MoeKey {
    (moe.num_experts, moe.top_k, moe.intermediate)
}

impl Engine {
    /// Puts a model on the devices of `backend`; `value` gives every parameter by its checkpoint name.
    ///
    /// # Errors
    /// Experts that do not divide over the ranks, values that cannot be had, or what the device says.
    pub fn new(
        backend: Arc<dyn Backend>,
        config: ModelConfig,
        mesh: Mesh,
        settings: Settings,
        value: &mut Values<'_>,
    ) -> Result<Self, TrainError> {
        let meter = Arc::new(Metered::new(backend));
        let backend: Arc<dyn Backend> = meter.clone();
        let shape = program_shape(&config, &mesh, settings);
        let sparse = config.layers.iter().filter_map(|l| l.feed_forward.moe());
        let router_bias: Vec<Vec<f32>> = sparse.map(|m| vec![0.0; m.num_experts]).collect();
        let transport = settings.exchange.transport;
        let adapter = Adapter::new(&*backend, &mesh, &config, transport, settings.balance)?;
        let groups = make_groups(&*backend, &config, &mesh, settings.working(), value)?;
        let shards: Vec<Vec<usize>> =
            groups.iter().flat_map(|g| &g.vectors).map(|v| v.shard.clone()).collect();
        let mut engine = Self {
            embed: Halves::new(programs::embed(&shape)?),
            blocks: layer_programs(&shape)?,
            head: Compiled::new(programs::head(&shape)?),
            sum_loss: Compiled::new(programs::sum_loss(&shape)?),
            squared_norm: Compiled::new(programs::squared_norm(&shards, &mesh)?),
            experts: HashMap::new(),
            fused: HashMap::new(),
            router_bias_arrays: Vec::new(),
            forced: Vec::new(),
            recording: None,
            backend,
            meter,
            mesh: mesh.clone(),
            settings,
            groups,
            adapter,
            slot_programs: HashMap::new(),
            router_bias,
            config: Arc::new(config),
        };
        engine.set_router_bias(engine.router_bias.clone())?;
        Ok(engine)
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// How it is run.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The balancer.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The balancer, to be told of steps and layouts.
    pub fn adapter_mut(&mut self) -> &mut Adapter {
        &mut self.adapter
    }

    /// The devices.
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Bytes that one device sent since the last call, by collective.
    pub fn take_sent(&self) -> SentBytes {
        self.meter.take_sent()
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Parameter groups, in the order of the checkpoint.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Parameter groups, to load into.
    pub fn groups_mut(&mut self) -> &mut [Group] {
        &mut self.groups
    }

    /// Router biases by MoE layer.
    pub fn router_bias(&self) -> &[Vec<f32>] {
        &self.router_bias
    }

    /// Sets the router biases.
    ///
    /// # Errors
    /// What the device says.
    pub fn set_router_bias(&mut self, bias: Vec<Vec<f32>>) -> Result<(), TrainError> {
        let upload = |b: &Vec<f32>| self.backend.replicate(&HostTensor::new(&[b.len()], b));
        self.router_bias_arrays = bias.iter().map(upload).collect::<Result<_, _>>()?;
        self.router_bias = bias;
        Ok(())
    }

    /// Sends tokens to these experts, by MoE layer: {token, choice} i32 of every rank.
    ///
    /// # Errors
    /// What the device says.
    pub fn force_routing(&mut self, choices: &[Vec<HostTensor>]) -> Result<(), TrainError> {
        self.forced = choices.iter().map(|c| self.backend.upload(c)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Notes the experts of every token from now on.
    pub fn start_recording(&mut self) {
        self.recording = Some(vec![vec![Vec::new(); self.backend.num_devices()]; self.router_bias.len()]);
    }

    /// What was noted, by MoE layer: the tokens of rank 0 first. Nothing where nothing was.
    pub fn take_recording(&mut self) -> Vec<TraceLayer> {
        let top_k: Vec<usize> =
            self.config.layers.iter().filter_map(|l| l.feed_forward.moe()).map(|m| m.top_k).collect();
        let layer = |(at, ranks): (usize, Vec<Vec<u32>>)| TraceLayer {
            name: format!("layer_{at:02}"),
            top_k: top_k[at],
            experts: ranks.concat(),
        };
        self.recording.take().unwrap_or_default().into_iter().enumerate().map(layer).collect()
    }

    /// Notes the choices {token, choice} of a MoE layer, if they are recorded.
    fn record(&mut self, moe_index: usize, choices: Option<&Array>) -> Result<(), TrainError> {
        if let (Some(recording), Some(choices)) = (&mut self.recording, choices) {
            for (rank, piece) in recording[moe_index].iter_mut().zip(choices.download()?) {
                rank.extend(piece.to_vec::<i32>().into_iter().map(|e| e as u32));
            }
        }
        Ok(())
    }

    /// What steers the routers of a MoE layer, by its name in the programs.
    fn steering(&self, moe_index: usize, name: &str) -> Option<Array> {
        match name {
            "router_bias" => self.router_bias_arrays.get(moe_index).cloned(),
            "forced" => self.forced.get(moe_index).cloned(),
            _ => None,
        }
    }

    /// Sequences of a micro-batch over all ranks.
    pub fn global_batch(&self) -> usize {
        self.settings.batch * self.backend.num_devices()
    }

    /// Compiles everything that training needs and that does not depend on the routing; seconds taken.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn compile(&mut self) -> Result<f64, TrainError> {
        let programs = self.fixed_programs()?;
        compile_all(&*self.backend, &programs)
    }

    /// Seconds to have all of that compiled once more: where the backend keeps compiled programs, the time to load them.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn compile_again(&mut self) -> Result<f64, TrainError> {
        let fresh: Vec<_> =
            self.fixed_programs()?.iter().map(|p| Compiled::new(p.program().clone())).collect();
        compile_all(&*self.backend, &fresh)
    }

    /// The programs of training that do not depend on the routing.
    fn fixed_programs(&mut self) -> Result<Vec<Arc<Compiled>>, TrainError> {
        let mut programs = vec![
            self.head.clone(),
            self.embed.forward.clone(),
            self.embed.backward.clone(),
            self.squared_norm.clone(),
        ];
        programs.extend(self.blocks.iter().flat_map(|b| [b.forward.clone(), b.backward.clone()]));
        for group in &self.groups {
            programs.extend(group.vectors.iter().map(|v| v.update.clone()));
            programs.extend(group.whole.iter().flat_map(|w| [&w.materialise, &w.begin, &w.add]).cloned());
        }
        // With one rank one bucket serves every routing; with several, what the routing needs is found out on the way.
        if self.adapter.ranks() == 1 || self.settings.precompile {
            for moe in self.config.clone().layers.iter().filter_map(|l| l.feed_forward.moe()) {
                let rows = self.settings.batch * self.settings.seq * moe.top_k;
                for bucket in self.adapter.likely_buckets(moe.num_experts, rows) {
                    let halves = self.expert_halves(moe, bucket)?;
                    programs.extend([halves.forward, halves.backward]);
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        programs.retain(|p| seen.insert(Arc::as_ptr(p)));
        Ok(programs)
    }

    /// Programs of the experts of a layer for a bucket, compiled.
    fn expert_programs(&mut self, moe: &MoeConfig, bucket: Bucket) -> Result<Halves, TrainError> {
        let halves = self.expert_halves(moe, bucket)?;
        // Both at once: the backward half will be needed in any case.
        compile_all(&*self.backend, &[halves.forward.clone(), halves.backward.clone()])?;
        Ok(halves)
    }

    fn expert_halves(&mut self, moe: &MoeConfig, bucket: Bucket) -> Result<Halves, TrainError> {
        let key = (moe_key(moe), bucket);
        if let Some(halves) = self.experts.get(&key) {
            return Ok(halves.clone());
        }
        let shape = program_shape(&self.config, &self.mesh, self.settings);
        let halves = Halves::new(programs::expert_layer(&shape, moe, bucket, self.adapter.block())?);
        self.experts.insert(key, halves.clone());
        Ok(halves)
    }

    /// Every bucket that served so far.
    pub fn buckets(&self) -> Vec<BucketUse> {
        let bytes = |experts: usize, bucket: Bucket| {
            let halves = self.experts.iter().find(|((moe, b), _)| moe.0 == experts && *b == bucket);
            let programs = match (halves, self.fused.get(&bucket)) {
                (Some((_, halves)), _) => vec![halves.forward.clone(), halves.backward.clone()],
                (None, Some(fused)) => vec![fused.clone()],
                (None, None) => Vec::new(),
            };
            programs.iter().map(|p| p.program().cost().peak_live_bytes).max().unwrap_or(0)
        };
        let row = |(experts, bucket, hits): (usize, Bucket, u64)| BucketUse {
            experts,
            slots: bucket.slots,
            rows_per_pair: bucket.places,
            blocks: bucket.blocks,
            block_rows: self.adapter.block(),
            hits,
            bytes: bytes(experts, bucket),
        };
        self.adapter.uses().into_iter().map(row).collect()
    }

    /// Position of a group.
    fn group_at(&self, key: GroupKey) -> usize {
        self.groups.iter().position(|g| g.spec.key == key).expect("every layer has its groups")
    }

    /// A working weight for a program of layer-local names.
    fn working(&self, key: GroupKey, name: &str) -> Option<Array> {
        self.groups[self.group_at(key)].working.get(name).cloned()
    }
}

pub(crate) fn program_shape<'c>(config: &'c ModelConfig, mesh: &Mesh, s: Settings) -> programs::Shape<'c> {
    programs::Shape {
        config,
        mesh: mesh.clone(),
        dtype: s.dtype,
        batch: s.batch,
        seq: s.seq,
        residuals: s.residuals,
        exchange: s.exchange,
        forced_routing: s.forced_routing,
    }
}

/// One pair of programs for every distinct layer configuration, shared by the layers that have it.
fn layer_programs(shape: &programs::Shape<'_>) -> Result<Vec<Halves>, TrainError> {
    let mut known: Vec<(&LayerConfig, Halves)> = Vec::new();
    let mut blocks = Vec::new();
    for layer in &shape.config.layers {
        let halves = match known.iter().find(|k| k.0 == layer) {
            Some(found) => found.1.clone(),
            None => {
                let halves = Halves::new(programs::block(shape, layer)?);
                known.push((layer, halves.clone()));
                halves
            }
        };
        blocks.push(halves);
    }
    Ok(blocks)
}

fn make_groups(
    backend: &dyn Backend,
    config: &ModelConfig,
    mesh: &Mesh,
    working: Working,
    value: &mut Values<'_>,
) -> Result<Vec<Group>, TrainError> {
    let mut known: HashMap<(programs::GroupShape, Option<usize>), GroupPrograms> = HashMap::new();
    let mut groups = Vec::new();
    for spec in params::groups(config) {
        let key = (programs::GroupShape::of(&spec), spec.experts);
        let programs = match known.get(&key) {
            Some(programs) => programs.clone(),
            None => {
                let programs = group::programs_for(&spec, config.tie_word_embeddings, mesh, working)?;
                known.insert(key, programs.clone());
                programs
            }
        };
        groups.push(Group::new(spec, programs, backend, value)?);
    }
    Ok(groups)
}
