//! The rotary embedding's cosines and sines, made once a batch for all layers.

use collegium_core::HostTensor;
use collegium_runtime::Array;

use super::Engine;
use crate::TrainError;

impl Engine {
    /// Cosines and sines {batch, seq, half} on every rank for the positions of all its tokens.
    pub(super) fn rotation(
        &self,
        positions: &[i32],
        batch: usize,
        seq: usize,
    ) -> Result<(Array, Array), TrainError> {
        let frequencies = self.config.rope.inv_frequencies(self.config.head_dim);
        let half = frequencies.len();
        let places = positions.iter().copied().max().unwrap_or(0).max(0) as usize + 1;
        // Tokens share positions, so each angle is turned into numbers once.
        let table = |turn: fn(f64) -> f64| -> Vec<f32> {
            (0..places).flat_map(|p| frequencies.iter().map(move |f| turn(p as f64 * f) as f32)).collect()
        };
        let upload = |table: &[f32]| {
            let piece = |own: &[i32]| {
                let row = |&p: &i32| &table[p as usize * half..(p as usize + 1) * half];
                HostTensor::new(&[batch, seq, half], &own.iter().flat_map(row).copied().collect::<Vec<f32>>())
            };
            self.backend.upload(&positions.chunks(batch * seq).map(piece).collect::<Vec<_>>())
        };
        Ok((upload(&table(f64::cos))?, upload(&table(f64::sin))?))
    }
}
