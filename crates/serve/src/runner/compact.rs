//! Bringing the cache of a sequence back to its budget, layer by layer: what its places are worth, the choice, and the rows where they go.

use collegium_core::HostTensor;
use collegium_model::programs::Part;
use collegium_runtime::Array;
use collegium_train::engine::Env;

use super::{Pass, Runner, Unit};
use crate::ServeError;
use crate::budget::Budget;
use crate::pages::PageId;

impl Runner {
    /// The same with a budget for what sequences write.
    ///
    /// # Errors
    /// A model with sliding windows, or several devices.
    pub fn with_budget(mut self, budget: Option<Budget>) -> Result<Self, ServeError> {
        if let Some(budget) = budget {
            budget.check(&self.config, self.ranks())?;
        }
        self.budget = budget;
        Ok(self)
    }

    /// What of sequences' texts stays in the cache; all where `None`.
    pub fn budget(&self) -> Option<Budget> {
        self.budget
    }

    /// Moves the rows that are worth most to the first pages of a full region, whose last page is that of `newest`. These tokens are computed once more, as
    /// they were, for their queries: so nothing must be kept of them while they are not wanted. Where in the region the rows of each layer were.
    ///
    /// # Errors
    /// What the device says; the cache is lost then.
    ///
    /// # Panics
    /// Without a budget.
    pub(crate) fn compact(
        &mut self,
        newest: &Unit<'_>,
        region: &[PageId],
    ) -> Result<Vec<Vec<i32>>, ServeError> {
        let budget = self.budget.expect("only a budget makes regions");
        let ids: Vec<i32> = region.iter().map(|&page| page as i32).collect();
        let ids = self.backend.replicate(&HostTensor::new(&[ids.len()], &ids))?;
        let mut pass = self.begin(std::slice::from_ref(newest), 1)?;
        pass.inputs = std::mem::take(&mut pass.inputs).with("region", ids);
        let mut all = Vec::new();
        while !pass.is_through() {
            let layer = pass.layer;
            let mut scored = self.call(pass.shape, Part::Scores(layer, budget.region()), &pass.inputs)?;
            let chosen = budget.choose(&scored.take("scores").first()?.to_vec::<f32>());
            self.advance(&mut pass)?;
            self.keep(&pass, layer, scored, &chosen)?;
            all.push(chosen);
        }
        Ok(all)
    }

    /// Writes the chosen of a region's `rows` to its first pages.
    fn keep(&mut self, pass: &Pass, layer: usize, rows: Env, chosen: &[i32]) -> Result<(), ServeError> {
        let budget = self.budget.expect("the caller has it");
        let region: Array = pass.inputs.get("region").expect("the caller put it there").clone();
        let chosen = self.backend.replicate(&HostTensor::new(&[chosen.len()], chosen))?;
        let inputs = rows.with("region", region).with("chosen", chosen);
        self.call(pass.shape, Part::Keep(layer, (budget.region(), budget.pages())), &inputs)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
