//! Bringing the cache of a sequence back to its budget, layer by layer: what its places are worth, the choice, and the rows where they go.

use collegium_core::HostTensor;
use collegium_model::programs::{Part, StepShape};
use collegium_runtime::Array;
use collegium_train::engine::Env;

use super::{Runner, Unit};
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
        // Where each page that stays comes from among those that were made, and where it goes.
        let scalar = |at: usize| self.backend.replicate(&HostTensor::new(&[], &[at as i32]));
        let moves = region.iter().take(budget.pages()).enumerate();
        let moves: Vec<[Array; 2]> = moves
            .map(|(from, &to)| Ok([scalar(from)?, scalar(to as usize)?]))
            .collect::<Result<_, ServeError>>()?;
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
            self.keep(pass.shape, layer, (scored, &chosen), &moves)?;
            all.push(chosen);
        }
        Ok(all)
    }

    /// Writes the chosen of a region's `rows` to its first pages.
    fn keep(
        &mut self,
        shape: StepShape,
        layer: usize,
        (rows, chosen): (Env, &[i32]),
        moves: &[[Array; 2]],
    ) -> Result<(), ServeError> {
        let budget = self.budget.expect("the caller has it");
        let chosen = self.backend.replicate(&HostTensor::new(&[chosen.len()], chosen))?;
        let sizes = (budget.region(), budget.pages());
        let pages = self.call(shape, Part::Keep(layer, sizes), &rows.with("chosen", chosen))?;
        for [from, to] in moves {
            let inputs = pages.clone().with("from", from.clone()).with("to", to.clone());
            self.call(shape, Part::Put(layer, budget.pages()), &inputs)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
