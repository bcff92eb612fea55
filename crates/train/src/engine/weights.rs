//! Working weights from the shards, and gradients back onto them. Weights of experts are made for the slots of a plan, when
//! the plan is known; all others once after each update.

use std::sync::Arc;

use collegium_core::DType;
use collegium_hlo::Mesh;
use collegium_model::params::GroupKey;
use collegium_model::programs::{self, Collect, GroupShape, Working};
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
            let Some(programs) = &group.whole else { continue };
            if group.working.is_empty() {
                group.working = programs.materialise.clone().call(&*self.backend, |name| match name {
                    "shard" => group.vectors[0].array(State::Master).cloned(),
                    _ => None,
                })?;
            }
        }
        Ok(())
    }

    /// The weights of a layer's experts in these slots: made by an all-to-all unless they lie there already. On a lone device in f32 they are the
    /// masters.
    pub(super) fn slot_weights(&mut self, layer: usize, slots: &Arc<Slots>) -> Result<Env, TrainError> {
        let at = self.group_at(GroupKey::Experts(layer));
        let lone = self.slots_are_experts(at, slots);
        let group = &self.groups[at];
        if lone && self.settings.dtype == DType::F32 {
            return Ok(group.expert_arrays("", State::Master));
        }
        let held = lone || group.slots.as_ref().is_some_and(|held| Arc::ptr_eq(held, slots));
        if held && !group.working.is_empty() {
            return Ok(group.working.clone());
        }
        let program = self.slot_programs(at, slots.num_slots())?.materialise;
        let group = &mut self.groups[at];
        group.forget_working();
        let shards = group.expert_arrays("shard.", State::Master);
        group.working = program.call(&*self.backend, |name| match name {
            "slots" => Some(slots.table().clone()),
            _ => shards.get(name).cloned(),
        })?;
        group.slots = Some(slots.clone());
        Ok(group.working.clone())
    }

    /// Adds gradients to a group's sums, or makes them the sums where there are none; those of experts come from `slots`.
    pub(super) fn collect(
        &mut self,
        key: GroupKey,
        gradients: &Env,
        slots: Option<&Arc<Slots>>,
    ) -> Result<(), TrainError> {
        let at = self.group_at(key);
        match slots {
            Some(slots) => self.collect_experts(at, gradients, slots),
            None => self.collect_whole(at, gradients),
        }
    }

    fn collect_whole(&mut self, at: usize, gradients: &Env) -> Result<(), TrainError> {
        let group = &mut self.groups[at];
        let programs = group.whole.as_ref().expect("only experts lie in slots");
        let program = if group.has(State::Gradient) { &programs.add } else { &programs.begin }.clone();
        let vector = &mut group.vectors[0];
        let mut out = program.call(&*self.backend, |name| match name {
            "sum" => vector.take(State::Gradient),
            _ => gradients.get(name).cloned(),
        })?;
        vector.put(State::Gradient, out.take("sum_out"));
        Ok(())
    }

    fn collect_experts(&mut self, at: usize, gradients: &Env, slots: &Arc<Slots>) -> Result<(), TrainError> {
        let begins = !self.groups[at].has(State::Gradient);
        if begins && self.slots_are_experts(at, slots) {
            let group = &mut self.groups[at];
            for ((name, _), vector) in group.shape.params.iter().zip(&mut group.vectors) {
                let own = gradients.get(&format!("d.{name}")).expect("the gradient of every weight");
                vector.put(State::Gradient, own.clone());
            }
            return Ok(());
        }
        let programs = self.slot_programs(at, slots.num_slots())?;
        let program = if begins { programs.begin } else { programs.add };
        let group = &mut self.groups[at];
        let mut sums = group.take_expert_sums();
        let mut out = program.call(&*self.backend, |name| match name {
            "slots" => Some(slots.table().clone()),
            _ => sums.remove(name).or_else(|| gradients.get(name).cloned()),
        })?;
        for ((name, _), vector) in group.shape.params.iter().zip(&mut group.vectors) {
            vector.put(State::Gradient, out.take(&format!("sum_out.{name}")));
        }
        Ok(())
    }

    /// Whether the shards of the experts of the group at `at` are what lies in the slots, but for the type.
    fn slots_are_experts(&self, at: usize, slots: &Slots) -> bool {
        let experts = self.groups[at].spec.experts.expect("a group of experts");
        programs::slots_are_experts(experts, slots.num_slots(), &self.mesh)
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
        let made = slot_programs(&group.shape, experts, slots, &self.mesh, self.settings.working())?;
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
    working: Working,
) -> Result<SlotPrograms, TrainError> {
    let collect = |how| programs::collect_experts(shape, experts, slots, how, mesh).map(Compiled::new);
    Ok(WeightPrograms {
        materialise: Compiled::new(programs::materialise_experts(shape, experts, slots, mesh, working)?),
        begin: collect(Collect::Begin)?,
        add: collect(Collect::Add)?,
    })
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
