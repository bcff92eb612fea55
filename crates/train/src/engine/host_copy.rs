//! Masters and moments on the host: vector by vector on their way to a file, or all of them at once, so that training can go on while they are written.

use collegium_core::HostTensor;
use collegium_model::config::ModelConfig;
use collegium_model::params::ParamSpec;

use super::group::Sink;
use super::{Engine, State};
use crate::TrainError;

/// One vector of a group, as its ranks hold it.
pub struct Shards {
    /// Parameters that lie in it, one after the other.
    pub params: Vec<ParamSpec>,
    /// How often they do: once for each expert.
    pub experts: usize,
    /// f32 elements of a rank's share of one of these, padding included.
    pub len: usize,
    /// The ranks' shares.
    pub ranks: Vec<HostTensor>,
}

impl Shards {
    /// Hands every parameter to `sink` by checkpoint name, one at a time.
    ///
    /// # Errors
    /// What `sink` says.
    pub fn export(&self, sink: &mut Sink<'_>) -> Result<(), TrainError> {
        let mut whole = vec![0f32; self.len * self.ranks.len()];
        let bytes = self.len * size_of::<f32>();
        for expert in 0..self.experts {
            for (place, shard) in whole.chunks_mut(self.len).zip(&self.ranks) {
                let own = &shard.bytes()[expert * bytes..(expert + 1) * bytes];
                bytemuck::cast_slice_mut(place).copy_from_slice(own);
            }
            let mut start = 0;
            for param in &self.params {
                let count: usize = param.sizes.iter().product();
                sink(&param.name_of(expert), &param.sizes, &whole[start..start + count])?;
                start += count;
            }
        }
        Ok(())
    }
}

/// Where a checkpoint's tensors come from.
pub trait Tensors {
    /// Whose they are.
    fn config(&self) -> &ModelConfig;

    /// Whether there are such for all parameters.
    fn has(&self, state: State) -> bool;

    /// Hands every parameter's values to `sink` by checkpoint name, one at a time.
    ///
    /// # Errors
    /// What the device or `sink` says.
    fn export(&self, state: State, sink: &mut Sink<'_>) -> Result<(), TrainError>;
}

impl Tensors for Engine {
    fn config(&self) -> &ModelConfig {
        Engine::config(self)
    }

    fn has(&self, state: State) -> bool {
        self.groups().iter().all(|g| g.has(state))
    }

    fn export(&self, state: State, sink: &mut Sink<'_>) -> Result<(), TrainError> {
        Engine::export(self, state, sink)
    }
}

/// All masters and moments of an engine as they were at one moment: 12 bytes a parameter.
pub struct HostCopy {
    config: ModelConfig,
    states: Vec<(State, Vec<Shards>)>,
}

impl HostCopy {
    /// Copies them; waits until they are computed.
    ///
    /// # Errors
    /// What the device says.
    pub fn of(engine: &Engine) -> Result<Self, TrainError> {
        let kept = [State::Master, State::FirstMoment, State::SecondMoment].into_iter();
        let copy = |state| {
            let shards = engine.groups().iter().flat_map(|g| g.shards(state));
            Ok((state, shards.collect::<Result<_, TrainError>>()?))
        };
        let states =
            kept.filter(|s| Tensors::has(engine, *s)).map(copy).collect::<Result<_, TrainError>>()?;
        Ok(Self { config: Engine::config(engine).clone(), states })
    }
}

impl Tensors for HostCopy {
    fn config(&self) -> &ModelConfig {
        &self.config
    }

    fn has(&self, state: State) -> bool {
        self.states.iter().any(|s| s.0 == state)
    }

    fn export(&self, state: State, sink: &mut Sink<'_>) -> Result<(), TrainError> {
        let all = self.states.iter().filter(|s| s.0 == state).flat_map(|s| &s.1);
        all.into_iter().try_for_each(|shards| shards.export(sink))
    }
}
