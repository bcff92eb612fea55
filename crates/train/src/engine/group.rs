//! One group of parameters on the devices: its vectors in uniform shards, and the working weights.

use std::sync::Arc;

use collegium_core::HostTensor;
use collegium_hlo::Mesh;
use collegium_model::params::{GroupKey, ParamGroup};
use collegium_model::programs::{self, Collect, GroupShape, Working};
use collegium_runtime::{Array, Backend};

use super::host_copy::Shards;
use super::program::{Compiled, Env};
use super::vector::{State, Vector};
use crate::TrainError;
use crate::adapt::Slots;

/// Gives a parameter's values by its checkpoint name and sizes.
pub type Values<'a> = dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, TrainError> + 'a;

/// Takes a parameter's checkpoint name, sizes and values.
pub type Sink<'a> = dyn FnMut(&str, &[usize], &[f32]) -> Result<(), TrainError> + 'a;

/// Programs of a group; groups of one shape share them.
#[derive(Clone)]
pub struct GroupPrograms {
    /// Between shards and weights, of a group that lies whole on every rank; those of experts depend on the slots.
    pub whole: Option<WeightPrograms>,
    /// AdamW, for every vector.
    pub updates: Vec<Arc<Compiled>>,
}

/// The way from shards to working weights and back.
#[derive(Clone)]
pub struct WeightPrograms {
    /// Shards to working weights.
    pub materialise: Arc<Compiled>,
    /// Gradients onto shards, the first since an update.
    pub begin: Arc<Compiled>,
    /// Gradients onto shards that have some.
    pub add: Arc<Compiled>,
}

/// A group and everything it has on the devices.
pub struct Group {
    /// What it holds, with the checkpoint's names.
    pub spec: ParamGroup,
    /// The same with the programs' names.
    pub shape: GroupShape,
    /// Between shards and weights, of a group that lies whole on every rank.
    pub whole: Option<WeightPrograms>,
    /// What it lies in: one vector, or one for each matrix of experts.
    pub vectors: Vec<Vector>,
    /// Weights in compute precision, by the programs' names; those of experts lie in `slots`.
    pub working: Env,
    /// The slots that `working` was made for, in a group of experts.
    pub slots: Option<Arc<Slots>>,
}

/// Programs for a group on a mesh.
///
/// # Errors
/// None for a checked configuration.
pub fn programs_for(
    spec: &ParamGroup,
    tied: bool,
    mesh: &Mesh,
    working: Working,
) -> Result<GroupPrograms, TrainError> {
    let shape = GroupShape::of(spec);
    let whole = match spec.experts {
        Some(_) => None,
        None => {
            let twice = (tied && spec.key == GroupKey::Embed).then_some(("embed", "lm_head"));
            let collect = |how| programs::collect(&shape, twice, how, mesh).map(Compiled::new);
            Some(WeightPrograms {
                materialise: Compiled::new(programs::materialise(&shape, mesh, working)?),
                begin: collect(Collect::Begin)?,
                add: collect(Collect::Add)?,
            })
        }
    };
    let written = programs::working_of_update(spec.experts, mesh, working);
    let mut updates: Vec<(Vec<usize>, Arc<Compiled>)> = Vec::new();
    for shard in shape.shards(spec.experts, mesh.num_devices()) {
        let update = match updates.iter().find(|known| known.0 == shard) {
            Some(known) => known.1.clone(),
            None => Compiled::new(programs::adamw(&shard, written, mesh)?),
        };
        updates.push((shard, update));
    }
    Ok(GroupPrograms { whole, updates: updates.into_iter().map(|u| u.1).collect() })
}

impl Group {
    /// A group without moments; `value` gives every parameter by its checkpoint name.
    pub fn new(
        spec: ParamGroup,
        programs: GroupPrograms,
        backend: &dyn Backend,
        value: &mut Values<'_>,
    ) -> Result<Self, TrainError> {
        let shape = GroupShape::of(&spec);
        let ranks = backend.num_devices();
        let shards = shape.shards(spec.experts, ranks);
        let last = spec.params.len();
        let mut vectors = Vec::with_capacity(shards.len());
        for (at, (shard, update)) in shards.into_iter().zip(programs.updates).enumerate() {
            let params = if spec.experts.is_some() { at..at + 1 } else { 0..last };
            let own = &spec.params[params.clone()];
            let decayed: usize =
                own.iter().filter(|p| p.decay).map(|p| p.sizes.iter().product::<usize>()).sum();
            let len = shard[shard.len() - 1];
            let decay_end = |rank: usize| match spec.experts {
                // A matrix decays whole or not at all.
                Some(_) => HostTensor::scalar(if decayed > 0 { len as i32 } else { 0 }),
                None => HostTensor::scalar(decayed.saturating_sub(rank * len).min(len) as i32),
            };
            let decay_end: Vec<HostTensor> = (0..ranks).map(decay_end).collect();
            vectors.push(Vector::new(params, shard, update, &decay_end, backend)?);
        }
        let (working, slots) = (Env::default(), None);
        let mut group = Self { spec, shape, whole: programs.whole, vectors, working, slots };
        group.load(State::Master, backend, value)?;
        Ok(group)
    }

    /// The working weights are of masters that are no longer.
    pub fn forget_working(&mut self) {
        self.working = Env::default();
        self.slots = None;
    }

    /// Whether all of it has such arrays.
    pub fn has(&self, state: State) -> bool {
        self.vectors.iter().all(|v| v.array(state).is_some())
    }

    /// Room for the moments of the optimizer, where there is none yet. Made before the first activations are, it does not end up between them.
    ///
    /// # Errors
    /// What the device says.
    pub fn ensure_moments(&mut self, backend: &dyn Backend) -> Result<(), TrainError> {
        let states = [State::FirstMoment, State::SecondMoment];
        self.vectors.iter_mut().try_for_each(|v| states.iter().try_for_each(|&s| v.ensure(s, backend)))
    }

    /// The arrays of a group of experts by the programs' names behind `prefix`.
    pub fn expert_arrays(&self, prefix: &str, state: State) -> Env {
        let arrays = self.shape.params.iter().zip(&self.vectors);
        arrays.fold(Env::default(), |env, ((name, _), vector)| match vector.array(state) {
            Some(array) => env.with(&format!("{prefix}{name}"), array.clone()),
            None => env,
        })
    }

    /// Takes the sums of the gradients of a group of experts out, to be donated as `sum.<name>`.
    pub fn take_expert_sums(&mut self) -> Env {
        let sums = self.expert_arrays("sum.", State::Gradient);
        self.vectors.iter_mut().for_each(|v| drop(v.take(State::Gradient)));
        sums
    }

    /// One step of AdamW with `hyper`.
    ///
    /// # Errors
    /// What the device says.
    pub fn update(&mut self, hyper: &Array, backend: &dyn Backend) -> Result<(), TrainError> {
        // Working weights may be the masters themselves, which are written over.
        self.forget_working();
        for vector in &mut self.vectors {
            if let Some(working) = vector.step(hyper, backend)? {
                let name = &self.shape.params[vector.params.start].0;
                self.working = std::mem::take(&mut self.working).with(name, working);
            }
        }
        Ok(())
    }

    /// Sets the vectors from values by checkpoint name.
    pub fn load(
        &mut self,
        state: State,
        backend: &dyn Backend,
        value: &mut Values<'_>,
    ) -> Result<(), TrainError> {
        let ranks = backend.num_devices();
        let experts = self.spec.experts.unwrap_or(1);
        for vector in &mut self.vectors {
            let len = shard_len(&vector.shard, &self.spec);
            let mut shards: Vec<Vec<f32>> = vec![Vec::with_capacity(experts * len); ranks];
            for expert in 0..experts {
                let mut flat = Vec::with_capacity(len * ranks);
                for param in &self.spec.params[vector.params.clone()] {
                    flat.extend(value(&param.name_of(expert), &param.sizes)?);
                }
                flat.resize(len * ranks, 0.0);
                shards
                    .iter_mut()
                    .zip(flat.chunks(len))
                    .for_each(|(shard, piece)| shard.extend_from_slice(piece));
            }
            let pieces: Vec<HostTensor> = shards.iter().map(|s| HostTensor::new(&vector.shard, s)).collect();
            vector.put(state, backend.upload(&pieces)?);
        }
        Ok(())
    }

    /// Its vectors on the host, each copied when it is asked for; none where there is no such state.
    pub fn shards(&self, state: State) -> impl Iterator<Item = Result<Shards, TrainError>> {
        let there = if self.has(state) { &self.vectors[..] } else { &[] };
        there.iter().map(move |vector| {
            Ok(Shards {
                params: self.spec.params[vector.params.clone()].to_vec(),
                experts: self.spec.experts.unwrap_or(1),
                len: shard_len(&vector.shard, &self.spec),
                ranks: vector.array(state).expect("it was looked for just above").download()?,
            })
        })
    }

    /// Hands every parameter of the vectors to `sink` by checkpoint name, one at a time.
    ///
    /// # Errors
    /// What the device or `sink` says.
    pub fn export(&self, state: State, sink: &mut Sink<'_>) -> Result<(), TrainError> {
        self.shards(state).try_for_each(|shards| shards?.export(sink))
    }
}

/// Elements of a shard, of one expert where it is of experts.
fn shard_len(shard: &[usize], spec: &ParamGroup) -> usize {
    shard[usize::from(spec.experts.is_some())..].iter().product()
}
