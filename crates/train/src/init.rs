//! Random initial weights: every parameter has a stream of its own, seeded by the run's seed and the parameter's name, so
//! that neither the number of ranks nor the order of loading changes a weight.

use collegium_model::config::ModelConfig;
use collegium_model::params::{self, Init};

use crate::TrainError;
use collegium_core::SplitMix64;

/// Gives initial values by checkpoint name.
pub struct RandomInit {
    seed: u64,
    inits: std::collections::HashMap<String, Init>,
}

impl RandomInit {
    /// Initial values of a model.
    pub fn new(config: &ModelConfig, seed: u64) -> Self {
        let named = |g: params::ParamGroup| {
            let experts = g.experts.unwrap_or(1);
            g.params
                .into_iter()
                .flat_map(move |p| (0..experts).map(move |e| (p.name_of(e), p.init)).collect::<Vec<_>>())
        };
        Self { seed, inits: params::groups(config).into_iter().flat_map(named).collect() }
    }

    /// Values of one parameter.
    ///
    /// # Errors
    /// None for a parameter of the model.
    pub fn value(&self, name: &str, sizes: &[usize]) -> Result<Vec<f32>, TrainError> {
        let count = sizes.iter().product();
        Ok(match self.inits.get(name) {
            Some(Init::Normal { std }) => {
                Normal::new(self.seed, name).take(count).map(|v| (v * std) as f32).collect()
            }
            Some(Init::Ones) => vec![1.0; count],
            Some(Init::Zeros) | None => vec![0.0; count],
        })
    }
}

/// Standard normal numbers (Box & Muller).
struct Normal {
    random: SplitMix64,
    spare: Option<f64>,
}

impl Normal {
    fn new(seed: u64, name: &str) -> Self {
        // FNV-1a of the name keeps the streams apart.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self { random: SplitMix64::new(hash ^ seed.wrapping_mul(SplitMix64::GAMMA)), spare: None }
    }
}

impl Iterator for Normal {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if let Some(spare) = self.spare.take() {
            return Some(spare);
        }
        let radius = (-2.0 * (1.0 - self.random.uniform()).ln()).sqrt();
        let angle = 2.0 * std::f64::consts::PI * self.random.uniform();
        self.spare = Some(radius * angle.sin());
        Some(radius * angle.cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_standard_normal_and_differ_by_name() {
        let draw = |name| Normal::new(1, name).take(100_000).collect::<Vec<_>>();
        let x = draw("a");
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert_ne!(x[..4], draw("b")[..4]);
        assert_eq!(x[..4], draw("a")[..4]);
    }
}
