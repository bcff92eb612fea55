//! Which experts lie in which slots, on the host and as the table that the weight programs read.

use std::sync::Arc;

use collegium_core::{ExpertId, HostTensor};
use collegium_runtime::{Array, Backend};

use crate::TrainError;

/// The experts in the slots of every rank of the mesh.
pub struct Slots {
    /// By rank of the mesh, in slot order; ranks may leave their last slots empty.
    assignment: Vec<Vec<ExpertId>>,
    num_slots: usize,
    /// One where a slot of a rank holds an expert, {rank, slot, expert} f32, the same on all ranks.
    table: Array,
    /// Each rank's own part of it, {slot, expert} f32.
    own: Array,
}

impl Slots {
    /// Slots of a number of experts, `num_slots` on each rank.
    ///
    /// # Errors
    /// What the device says.
    pub fn new(
        assignment: Vec<Vec<ExpertId>>,
        num_slots: usize,
        experts: usize,
        backend: &dyn Backend,
    ) -> Result<Arc<Self>, TrainError> {
        // The weight programs of a lone device rely on it: they have no table to read.
        debug_assert!(
            assignment.len() > 1
                || num_slots != experts
                || assignment[0].iter().enumerate().all(|(slot, e)| e.index() == slot),
            "the slots of a lone device are the experts in order"
        );
        let mut table = vec![0f32; assignment.len() * num_slots * experts];
        for (rank, held) in assignment.iter().enumerate() {
            for (slot, expert) in held.iter().enumerate() {
                table[(rank * num_slots + slot) * experts + expert.index()] = 1.0;
            }
        }
        let sizes = [assignment.len(), num_slots, experts];
        let own: Vec<HostTensor> =
            table.chunks(num_slots * experts).map(|t| HostTensor::new(&sizes[1..], t)).collect();
        let own = backend.upload(&own)?;
        let table = backend.replicate(&HostTensor::new(&sizes, &table))?;
        Ok(Arc::new(Self { assignment, num_slots, table, own }))
    }

    /// Whether these are the slots of that assignment.
    pub fn are(&self, assignment: &[Vec<ExpertId>], num_slots: usize) -> bool {
        self.num_slots == num_slots && self.assignment == assignment
    }

    /// The experts in the slots of every rank of the mesh, in slot order; ranks may leave their last slots empty.
    pub fn assignment(&self) -> &[Vec<ExpertId>] {
        &self.assignment
    }

    /// Slots of each rank.
    pub fn num_slots(&self) -> usize {
        self.num_slots
    }

    /// The table for the weight programs.
    pub fn table(&self) -> &Array {
        &self.table
    }

    /// Each rank's own part of the table.
    pub fn own(&self) -> &Array {
        &self.own
    }
}
