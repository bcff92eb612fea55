//! Finds where numbers stopped being finite.

use collegium_data::Batch;

use super::Engine;
use crate::TrainError;

impl Engine {
    /// The first place of the forward pass that holds NaN or infinity for this batch: `embedding`, `layer 3`, or `head`.
    ///
    /// # Errors
    /// What the device says.
    pub fn first_non_finite(&mut self, batch: &Batch) -> Result<String, TrainError> {
        let forward = match self.forward(batch) {
            Ok(forward) => forward,
            Err(TrainError::Routing { layer, .. }) => return Ok(format!("layer {layer}")),
            Err(other) => return Err(other),
        };
        let finite = |array: &collegium_runtime::Array| -> Result<bool, TrainError> {
            Ok(array.download()?.iter().all(|t| t.to_f64().iter().all(|v| v.is_finite())))
        };
        for (index, hidden) in forward.layer_inputs().enumerate() {
            if !finite(hidden)? {
                return Ok(if index == 0 { "embedding".into() } else { format!("layer {}", index - 1) });
            }
        }
        Ok(if finite(&forward.hidden)? {
            "head".into()
        } else {
            format!("layer {}", self.config.num_layers - 1)
        })
    }
}
