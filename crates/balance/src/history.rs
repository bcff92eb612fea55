//! What the experts of a layer had to do of late.

use std::collections::VecDeque;

use crate::Counts;

/// Loads of the last micro-batches of one layer: what the slow tier plans on.
#[derive(Clone, Debug)]
pub struct History {
    window: usize,
    num_experts: usize,
    loads: VecDeque<Vec<u64>>,
}

impl History {
    /// Remembers the last `window` micro-batches (at least one) of a layer with so many experts.
    pub fn new(window: usize, num_experts: usize) -> Self {
        Self { window: window.max(1), num_experts, loads: VecDeque::new() }
    }

    /// Notes one micro-batch; the oldest is forgotten where the window is full.
    ///
    /// # Panics
    /// If the counts are of another number of experts.
    pub fn observe(&mut self, counts: &Counts) {
        assert_eq!(counts.num_experts(), self.num_experts, "a history is of one layer");
        if self.loads.len() == self.window {
            self.loads.pop_front();
        }
        self.loads.push_back(counts.by_expert());
    }

    /// Micro-batches remembered.
    pub fn len(&self) -> usize {
        self.loads.len()
    }

    /// Whether nothing was observed yet.
    pub fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    /// Rows of every expert, summed over the window. Sums, not means, so that planning stays in whole numbers.
    pub fn by_expert(&self) -> Vec<u64> {
        let mut sums = vec![0; self.num_experts];
        for load in &self.loads {
            sums.iter_mut().zip(load).for_each(|(sum, &n)| *sum += n);
        }
        sums
    }
}
