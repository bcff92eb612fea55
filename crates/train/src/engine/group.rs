//! One group of parameters on the devices: masters, moments and gradient sums in uniform shards, and the working weights.

use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::Mesh;
use collegium_model::params::{GroupKey, ParamGroup};
use collegium_model::programs::{self, GroupShape};
use collegium_runtime::{Array, Backend};

use super::program::{Compiled, Env};
use crate::TrainError;
use crate::adapt::Slots;

/// Gives a parameter's values by its checkpoint name and sizes.
pub type Values<'a> = dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, TrainError> + 'a;

/// Takes a parameter's checkpoint name, sizes and values.
pub type Sink<'a> = dyn FnMut(&str, &[usize], &[f32]) -> Result<(), TrainError> + 'a;

/// Which of the sharded vectors of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The f32 weights.
    Master,
    /// First moment of Adam.
    FirstMoment,
    /// Second moment of Adam.
    SecondMoment,
    /// Sum of the gradients since the last update.
    Gradient,
}

/// Programs of a group; groups of one shape share them.
#[derive(Clone)]
pub struct GroupPrograms {
    /// Between shards and weights, of a group that lies whole on every rank; those of experts depend on the slots.
    pub whole: Option<WeightPrograms>,
    /// AdamW.
    pub update: Arc<Compiled>,
}

/// The way from shards to working weights and back.
#[derive(Clone)]
pub struct WeightPrograms {
    /// Shards to working weights.
    pub materialise: Arc<Compiled>,
    /// Gradients onto shards.
    pub collect: Arc<Compiled>,
}

/// A group and everything it has on the devices.
pub struct Group {
    /// What it holds, with the checkpoint's names.
    pub spec: ParamGroup,
    /// The same with the programs' names.
    pub shape: GroupShape,
    /// Programs.
    pub programs: GroupPrograms,
    /// Sizes of one rank's shard.
    pub shard: Vec<usize>,
    master: Option<Array>,
    first: Option<Array>,
    second: Option<Array>,
    gradient: Option<Array>,
    /// Weights in compute precision, by the programs' names; those of experts lie in `slots`.
    pub working: Env,
    /// The slots that `working` was made for, in a group of experts.
    pub slots: Option<Arc<Slots>>,
    decay_end: Array,
}

/// What the programs call a parameter.
fn program_name(key: GroupKey, name: &str, position: usize) -> String {
    match key {
        GroupKey::Embed => "embed".into(),
        GroupKey::Head if name.contains("norm") => "norm".into(),
        GroupKey::Head => "lm_head".into(),
        GroupKey::Experts(_) => ["gate", "up", "down"][position].into(),
        GroupKey::Layer(layer) => {
            let local = name.strip_prefix(&format!("model.layers.{layer}.")).unwrap_or(name);
            if local.ends_with(".gate.weight") { "router.weight".into() } else { local.into() }
        }
    }
}

/// The group's parameters under the programs' names.
pub fn shape_of(spec: &ParamGroup) -> GroupShape {
    let named = |(i, p): (usize, &collegium_model::params::ParamSpec)| {
        (program_name(spec.key, &p.name, i), p.sizes.clone())
    };
    GroupShape { params: spec.params.iter().enumerate().map(named).collect() }
}

/// Programs for a group on a mesh.
///
/// # Errors
/// None for a checked configuration.
pub fn programs_for(
    spec: &ParamGroup,
    tied: bool,
    mesh: &Mesh,
    dtype: DType,
) -> Result<GroupPrograms, TrainError> {
    let shape = shape_of(spec);
    let shard = shard_sizes(spec, &shape, mesh.num_devices());
    let whole = match spec.experts {
        Some(_) => None,
        None => {
            let twice = (tied && spec.key == GroupKey::Embed).then_some(("embed", "lm_head"));
            Some(WeightPrograms {
                materialise: Compiled::new(programs::materialise(&shape, mesh, dtype)?),
                collect: Compiled::new(programs::collect(&shape, twice, mesh)?),
            })
        }
    };
    Ok(GroupPrograms { whole, update: Compiled::new(programs::adamw(&shard, mesh)?) })
}

/// Sizes of one rank's shard of a group.
pub fn shard_sizes(spec: &ParamGroup, shape: &GroupShape, ranks: usize) -> Vec<usize> {
    spec.experts.into_iter().chain([shape.shard_len(ranks)]).collect()
}

impl Group {
    /// A group with zero moments; `value` gives every parameter by its checkpoint name.
    pub fn new(
        spec: ParamGroup,
        programs: GroupPrograms,
        backend: &dyn Backend,
        value: &mut Values<'_>,
    ) -> Result<Self, TrainError> {
        let shape = shape_of(&spec);
        let ranks = backend.num_devices();
        let shard = shard_sizes(&spec, &shape, ranks);
        let len = *shard.last().expect("a shard has a flat dim");
        let decayed: usize =
            spec.params.iter().filter(|p| p.decay).map(|p| p.sizes.iter().product::<usize>()).sum();
        let decay_end = |rank: usize| {
            let end = if spec.experts.is_some() { len } else { decayed.saturating_sub(rank * len).min(len) };
            HostTensor::scalar(end as i32)
        };
        let decay_end = backend.upload(&(0..ranks).map(decay_end).collect::<Vec<_>>())?;
        let mut group = Self {
            spec,
            shape,
            programs,
            shard,
            master: None,
            first: None,
            second: None,
            gradient: None,
            working: Env::default(),
            slots: None,
            decay_end,
        };
        group.load(State::Master, backend, value)?;
        group.gradient = Some(backend.replicate(&HostTensor::zeros(DType::F32, &group.shard))?);
        Ok(group)
    }

    /// The working weights are of masters that are no longer.
    pub fn forget_working(&mut self) {
        self.working = Env::default();
        self.slots = None;
    }

    /// Room for the moments of the optimizer, where there is none yet.
    pub fn ensure_moments(&mut self, backend: &dyn Backend) -> Result<(), TrainError> {
        for place in [&mut self.first, &mut self.second] {
            if place.is_none() {
                *place = Some(backend.replicate(&HostTensor::zeros(DType::F32, &self.shard))?);
            }
        }
        Ok(())
    }

    fn place(&mut self, state: State) -> &mut Option<Array> {
        match state {
            State::Master => &mut self.master,
            State::FirstMoment => &mut self.first,
            State::SecondMoment => &mut self.second,
            State::Gradient => &mut self.gradient,
        }
    }

    /// One of the sharded vectors.
    pub fn array(&self, state: State) -> Option<&Array> {
        match state {
            State::Master => self.master.as_ref(),
            State::FirstMoment => self.first.as_ref(),
            State::SecondMoment => self.second.as_ref(),
            State::Gradient => self.gradient.as_ref(),
        }
    }

    /// Takes a vector out, to be donated; it must be put back by [`put`](Self::put).
    pub fn take(&mut self, state: State) -> Option<Array> {
        self.place(state).take()
    }

    /// Puts a vector in place.
    pub fn put(&mut self, state: State, array: Array) {
        *self.place(state) = Some(array);
    }

    /// Where each rank's places stop to decay.
    pub fn decay_end(&self) -> &Array {
        &self.decay_end
    }

    /// Sets a vector from values by checkpoint name.
    pub fn load(
        &mut self,
        state: State,
        backend: &dyn Backend,
        value: &mut Values<'_>,
    ) -> Result<(), TrainError> {
        let ranks = backend.num_devices();
        let len = self.shape.shard_len(ranks);
        let experts = self.spec.experts.unwrap_or(1);
        let mut shards: Vec<Vec<f32>> = vec![Vec::with_capacity(experts * len); ranks];
        for expert in 0..experts {
            let mut flat = Vec::with_capacity(len * ranks);
            for param in &self.spec.params {
                flat.extend(value(&param.name_of(expert), &param.sizes)?);
            }
            flat.resize(len * ranks, 0.0);
            shards.iter_mut().zip(flat.chunks(len)).for_each(|(shard, piece)| shard.extend_from_slice(piece));
        }
        let pieces: Vec<HostTensor> = shards.iter().map(|s| HostTensor::new(&self.shard, s)).collect();
        self.put(state, backend.upload(&pieces)?);
        Ok(())
    }

    /// Hands every parameter of a vector to `sink` by checkpoint name, one at a time.
    pub fn export(&self, state: State, sink: &mut Sink<'_>) -> Result<(), TrainError> {
        let Some(array) = self.array(state) else { return Ok(()) };
        let shards: Vec<Vec<f32>> = array.download()?.iter().map(|t| t.to_vec::<f32>()).collect();
        let len = self.shard[self.shard.len() - 1];
        for expert in 0..self.spec.experts.unwrap_or(1) {
            let flat: Vec<f32> =
                shards.iter().flat_map(|s| s[expert * len..(expert + 1) * len].iter().copied()).collect();
            let mut start = 0;
            for param in &self.spec.params {
                let count: usize = param.sizes.iter().product();
                sink(&param.name_of(expert), &param.sizes, &flat[start..start + count])?;
                start += count;
            }
        }
        Ok(())
    }
}
