//! Working weights from the shards, and gradients back onto them. Weights of experts are made for the slots of a plan, when
//! the plan is known; all others once after each update.

use std::sync::Arc;

use collegium_core::DType;
use collegium_hlo::Mesh;
use collegium_model::params::GroupKey;
use collegium_model::programs::{self, GroupShape};
use collegium_runtime::MemoryUse;

use super::group::WeightPrograms;
use super::{Compiled, Engine, Env, State};
use crate::TrainError;
use crate::adapt::Slots;

/// Programs between the shards of experts and a number of slots.
pub(super) type SlotPrograms = WeightPrograms;

impl Engine {
    /// Makes the working weights that an update or a load made stale, but for the experts'.
    pub(super) fn refresh_working(&mut self) -> Result<(), TrainError> {
        for group in &mut self.groups {
            let Some(programs) = &group.programs.whole else { continue };
            if group.working.iter().next().is_none() {
                group.working = programs.materialise.clone().call(&*self.backend, |name| match name {
                    "shard" => group.array(State::Master).cloned(),
                    _ => None,
                })?;
            }
        }
        Ok(())
    }

    /// The weights of a layer's experts in these slots; made by one all-to-all unless they lie there already.
    pub(super) fn slot_weights(&mut self, layer: usize, slots: &Arc<Slots>) -> Result<Env, TrainError> {
        let at = self.group_at(GroupKey::Experts(layer));
        if self.groups[at].slots.as_ref().is_some_and(|held| Arc::ptr_eq(held, slots)) {
            return Ok(self.groups[at].working.clone());
        }
        let program = self.slot_programs(at, slots.num_slots())?.materialise;
        let group = &mut self.groups[at];
        group.forget_working();
        group.working = program.call(&*self.backend, |name| match name {
            "shard" => group.array(State::Master).cloned(),
            "slots" => Some(slots.table().clone()),
            _ => None,
        })?;
        group.slots = Some(slots.clone());
        Ok(group.working.clone())
    }

    /// Adds gradients to a group's sum; those of experts come from `slots`.
    pub(super) fn collect(
        &mut self,
        key: GroupKey,
        gradients: &Env,
        slots: Option<&Arc<Slots>>,
    ) -> Result<(), TrainError> {
        let at = self.group_at(key);
        let program = match slots {
            Some(slots) => self.slot_programs(at, slots.num_slots())?.collect,
            None => self.groups[at].programs.whole.clone().expect("only experts lie in slots").collect,
        };
        let group = &mut self.groups[at];
        let mut out = program.call(&*self.backend, |name| match name {
            "sum" => group.take(State::Gradient),
            "slots" => slots.map(|s| s.table().clone()),
            _ => gradients.get(name).cloned(),
        })?;
        group.put(State::Gradient, out.take("sum_out"));
        Ok(())
    }

    /// Programs of the expert group at `at` for a number of slots.
    pub(super) fn slot_programs(&mut self, at: usize, slots: usize) -> Result<SlotPrograms, TrainError> {
        let group = &self.groups[at];
        let key = (group.shape.clone(), slots);
        if let Some(programs) = self.slot_programs.get(&key) {
            return Ok(programs.clone());
        }
        let experts = group.spec.experts.expect("a group of experts");
        let bytes = (slots * group.shape.len() * self.settings.dtype.size_bytes()) as u64;
        let layers = self.groups.iter().filter(|g| g.spec.experts.is_some()).count() as u64;
        check_room(slots, layers * bytes, self.backend.memory(0))?;
        let made = slot_programs(&group.shape, experts, slots, &self.mesh, self.settings.dtype)?;
        self.slot_programs.insert(key, made.clone());
        Ok(made)
    }
}

/// Programs between the shards of experts that look like `shape` and a number of slots.
pub(super) fn slot_programs(
    shape: &GroupShape,
    experts: usize,
    slots: usize,
    mesh: &Mesh,
    dtype: DType,
) -> Result<SlotPrograms, TrainError> {
    let materialise = programs::materialise_experts(shape, experts, slots, mesh, dtype)?;
    let collect = programs::collect_experts(shape, experts, slots, mesh)?;
    Ok(WeightPrograms { materialise: Compiled::new(materialise), collect: Compiled::new(collect) })
}

/// Weights of `bytes` in all layers' slots fit beside what the device holds, where it tells.
fn check_room(slots: usize, bytes: u64, memory: Option<MemoryUse>) -> Result<(), TrainError> {
    let Some(MemoryUse { bytes_in_use, limit_bytes: Some(limit), .. }) = memory else { return Ok(()) };
    let missing = bytes.saturating_sub(limit.saturating_sub(bytes_in_use));
    if missing == 0 {
        return Ok(());
    }
    let megabytes = |n: u64| n.div_ceil(1_000_000);
    Err(TrainError::SlotMemory { slots, needed: megabytes(bytes), missing: megabytes(missing) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_that_do_not_fit_say_how_much_is_missing() {
        let memory = MemoryUse { bytes_in_use: 6_000_000, peak_bytes: None, limit_bytes: Some(10_000_000) };
        assert!(check_room(4, 4_000_000, Some(memory)).is_ok() && check_room(4, u64::MAX, None).is_ok());
        assert_eq!(
            check_room(12, 9_000_000, Some(memory)).unwrap_err().to_string(),
            "12 expert slots on each rank need 9 MB for the weights of all layers, 5 MB more than are free; lower parallel.clones, \
             or spread the experts over more ranks (parallel.expert)"
        );
    }
}
