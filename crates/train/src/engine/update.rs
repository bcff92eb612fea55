//! The optimizer step, and the working weights made from the masters.

use collegium_core::HostTensor;

use super::{Engine, Sink, State, Values};
use crate::TrainError;

/// Numbers of one AdamW step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyper {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Largest global gradient norm; larger ones are scaled down to it.
    pub max_norm: f64,
    /// Number of this step, from 1, for the bias corrections.
    pub step: u64,
}

impl Hyper {
    /// Usual numbers, for steps whose result does not matter, with a small learning rate.
    pub fn benchmark(step: u64) -> Self {
        Self {
            learning_rate: 1e-4,
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            max_norm: 1.0,
            step,
        }
    }

    fn entries(&self, norm: f64) -> [f32; collegium_model::programs::HYPER] {
        let correction = |beta: f64| 1.0 / (1.0 - beta.powf(self.step as f64));
        let scale = if norm > self.max_norm { self.max_norm / norm } else { 1.0 };
        [
            self.learning_rate,
            self.weight_decay,
            self.beta1,
            self.beta2,
            correction(self.beta1),
            correction(self.beta2),
            self.epsilon,
            scale,
        ]
        .map(|v| v as f32)
    }
}

impl Engine {
    /// Global norm of the summed gradients.
    ///
    /// # Errors
    /// What the device says.
    pub fn gradient_norm(&self) -> Result<f64, TrainError> {
        let gradient = |name: &str| {
            let at: usize = name.strip_prefix('g')?.parse().ok()?;
            self.groups.iter().flat_map(|g| &g.vectors).nth(at)?.array(State::Gradient).cloned()
        };
        let mut out = self.squared_norm.call(&*self.backend, gradient)?;
        let squares: f64 = out.take("squared_norm").download()?.iter().map(|t| t.to_f64()[0]).sum();
        Ok(squares.sqrt())
    }

    /// One AdamW step with the summed gradients of norm `norm`, which are gone then.
    ///
    /// # Errors
    /// What the device says.
    pub fn update(&mut self, hyper: &Hyper, norm: f64) -> Result<(), TrainError> {
        let entries = self
            .backend
            .replicate(&HostTensor::new(&[collegium_model::programs::HYPER], &hyper.entries(norm)))?;
        self.groups.iter_mut().try_for_each(|group| group.update(&entries, &*self.backend))
    }

    /// Makes the new working weights now and waits for them, so that the time of an update can be measured.
    ///
    /// # Errors
    /// What the device says.
    pub fn finish_update(&mut self) -> Result<(), TrainError> {
        self.refresh_working()?;
        for group in &self.groups {
            group.working.iter().try_for_each(|(_, array)| array.wait())?;
        }
        Ok(())
    }

    /// One of the sharded vectors of all groups, parameter by parameter under its checkpoint name.
    ///
    /// # Errors
    /// What the device or `sink` says.
    pub fn export(&self, state: State, sink: &mut Sink<'_>) -> Result<(), TrainError> {
        self.groups.iter().try_for_each(|g| g.export(state, sink))
    }

    /// Sets one of the sharded vectors of all groups from values by checkpoint name.
    ///
    /// # Errors
    /// What the device or `value` says.
    pub fn import(&mut self, state: State, value: &mut Values<'_>) -> Result<(), TrainError> {
        for group in &mut self.groups {
            group.load(state, &*self.backend, value)?;
            group.forget_working();
        }
        Ok(())
    }
}
