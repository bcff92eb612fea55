//! A vector of parameters on the devices, in uniform shards: masters, moments and the sum of the gradients.

use std::ops::Range;
use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_runtime::{Array, Backend};

use super::program::Compiled;
use crate::TrainError;

/// What is kept of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The f32 weights.
    Master,
    /// First moment of Adam.
    FirstMoment,
    /// Second moment of Adam.
    SecondMoment,
    /// Sum of the gradients since the last update; there is none before the first.
    Gradient,
}

/// Parameters of a group that lie in one flat vector, or one matrix of every expert.
pub struct Vector {
    /// Which parameters of the group.
    pub params: Range<usize>,
    /// Sizes of one rank's shard.
    pub shard: Vec<usize>,
    /// AdamW.
    pub update: Arc<Compiled>,
    states: [Option<Array>; 4],
    decay_end: Array,
}

impl Vector {
    /// A vector without values; `decay_end` is, for every rank, the place along the shard's last dim from which on nothing decays.
    pub fn new(
        params: Range<usize>,
        shard: Vec<usize>,
        update: Arc<Compiled>,
        decay_end: &[HostTensor],
        backend: &dyn Backend,
    ) -> Result<Self, TrainError> {
        let decay_end = backend.upload(decay_end)?;
        Ok(Self { params, shard, update, states: Default::default(), decay_end })
    }

    /// What there is of it.
    pub fn array(&self, state: State) -> Option<&Array> {
        self.states[state as usize].as_ref()
    }

    /// Takes an array out, to be donated.
    pub fn take(&mut self, state: State) -> Option<Array> {
        self.states[state as usize].take()
    }

    /// Puts an array in place.
    pub fn put(&mut self, state: State, array: Array) {
        self.states[state as usize] = Some(array);
    }

    /// Zeros where there is nothing yet.
    ///
    /// # Errors
    /// What the device says.
    pub fn ensure(&mut self, state: State, backend: &dyn Backend) -> Result<(), TrainError> {
        if self.array(state).is_none() {
            self.put(state, backend.replicate(&HostTensor::zeros(DType::F32, &self.shard))?);
        }
        Ok(())
    }

    /// One step of AdamW with `hyper`; the gradients are gone then. The new weights in the compute type, where the program makes them.
    ///
    /// # Errors
    /// What the device says.
    pub fn step(&mut self, hyper: &Array, backend: &dyn Backend) -> Result<Option<Array>, TrainError> {
        for state in [State::FirstMoment, State::SecondMoment, State::Gradient] {
            self.ensure(state, backend)?;
        }
        let program = self.update.clone();
        let mut out = program.call(backend, |name| match name {
            "master" => self.take(State::Master),
            "m" => self.take(State::FirstMoment),
            "v" => self.take(State::SecondMoment),
            "gradient" => self.take(State::Gradient),
            "hyper" => Some(hyper.clone()),
            "decay_end" => Some(self.decay_end.clone()),
            _ => None,
        })?;
        self.put(State::Master, out.take("master_out"));
        self.put(State::FirstMoment, out.take("m_out"));
        self.put(State::SecondMoment, out.take("v_out"));
        Ok(out.get("working_out").cloned())
    }
}
