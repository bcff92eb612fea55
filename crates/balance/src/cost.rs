//! What rows, transfers and clones cost on a machine, in seconds.
//!
//! An expert with SwiGLU has `3 h f` weights (`h` hidden, `f` intermediate size). A row costs `6 h f` FLOPs forward and `18 h f` with
//! the backward pass. A clone costs `6 h f` bytes forward (bfloat16), as many again where the backward pass fetches it anew, and as many for
//! its gradient: `18 h f` bytes. So a clone pays when it takes more than `F / B` rows off the fullest rank, with `F` FLOP/s and
//! `B` bytes/s, whatever the size of the expert ([`CostModel::break_even_rows`]). A row moves four times (dispatch and combine,
//! forward and backward), `2 h` bytes each.

use collegium_core::{ExpertId, RankId};

use crate::{BalanceError, Layout, Plan, Topology};

/// A machine and the shape of an expert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostModel {
    /// FLOP/s that a rank reaches in the expert products.
    pub flops: f64,
    /// Bytes/s of a rank to ranks of its node.
    pub near_bytes: f64,
    /// Bytes/s of a rank to ranks of other nodes.
    pub far_bytes: f64,
    /// Hidden size.
    pub hidden: usize,
    /// Intermediate size of an expert.
    pub intermediate: usize,
}

/// Seconds that one layer takes under a plan, forward and backward.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Expert products of the fullest rank.
    pub compute_s: f64,
    /// Rows to the experts and back, on the rank that sends or receives longest.
    pub dispatch_s: f64,
    /// Weights of clones out and their gradients back, on the rank that takes longest.
    pub clone_s: f64,
}

impl Prediction {
    /// All of it, one after the other.
    pub fn total_s(self) -> f64 {
        self.compute_s + self.dispatch_s + self.clone_s
    }
}

/// A name, and FLOP/s (peak, bfloat16), bytes/s inside and bytes/s across nodes of one device.
type Machine = (&'static str, f64, f64, f64);

/// Published peaks; a fifth column would be the share reached, which is [`CostModel::REACHED`] for all.
const MACHINES: &[Machine] = &[
    // Trn2 chip: NeuronLink inside an instance, EFA across (AWS Neuron documentation, Trn2 architecture).
    ("trn2", 667e12, 1024e9, 25e9),
    // Trn2 UltraServer: NeuronLink across its instances.
    ("trn2-ultra", 667e12, 1024e9, 256e9),
    // H100 SXM: NVLink inside, 400 Gbit/s InfiniBand across.
    ("h100", 989e12, 450e9, 50e9),
    // Virtual devices of one host, which exchange through its memory; across, 10 Gbit/s Ethernet.
    ("cpu", 250e9, 5e9, 1.25e9),
];

impl CostModel {
    /// Share of the peak that expert products are taken to reach.
    pub const REACHED: f64 = 0.4;

    /// A machine by its name, with experts of DeepSeek-V2-Lite's shape.
    ///
    /// # Errors
    /// A name that is not in the table.
    pub fn machine(name: &str) -> Result<Self, BalanceError> {
        let Some(&(_, peak, near_bytes, far_bytes)) = MACHINES.iter().find(|m| m.0 == name) else {
            let valid = MACHINES.iter().map(|m| m.0).collect();
            return Err(BalanceError::Machine { name: name.to_owned(), valid });
        };
        Ok(Self { flops: peak * Self::REACHED, near_bytes, far_bytes, hidden: 2048, intermediate: 1408 })
    }

    /// Bytes of the working weights of one slot, in bfloat16.
    pub fn slot_bytes(&self) -> u64 {
        6 * self.hidden as u64 * self.intermediate as u64
    }

    /// Rows that a clone must take off the fullest rank to pay for itself, inside a node or across.
    pub fn break_even_rows(&self, same_node: bool) -> f64 {
        self.flops / if same_node { self.near_bytes } else { self.far_bytes }
    }

    /// What one layer takes under `plan`.
    pub fn predict(&self, plan: &Plan, topology: Topology) -> Prediction {
        let fullest = plan.loads().into_iter().max().unwrap_or(0) as f64;
        Prediction {
            compute_s: fullest * self.one_row_s(),
            dispatch_s: self.dispatch_s(plan, topology),
            clone_s: self.clone_s(plan, topology),
        }
    }

    fn dispatch_s(&self, plan: &Plan, topology: Topology) -> f64 {
        let ranks = plan.num_ranks();
        let (mut sent, mut received) = (vec![0.0f64; ranks], vec![0.0f64; ranks]);
        for (i, &rows) in plan.pairs().iter().enumerate() {
            let (source, rank) = (i / ranks, i % ranks);
            if source != rank {
                let seconds = rows as f64 * self.row_s(topology, source, rank);
                sent[source] += seconds;
                received[rank] += seconds;
            }
        }
        sent.into_iter().chain(received).fold(0.0, f64::max)
    }

    fn row_s(&self, topology: Topology, source: usize, rank: usize) -> f64 {
        let same_node = topology.same_node(RankId::from(source), RankId::from(rank));
        8.0 * self.hidden as f64 / if same_node { self.near_bytes } else { self.far_bytes }
    }

    fn clone_s(&self, plan: &Plan, topology: Topology) -> f64 {
        let ranks = (0..plan.num_ranks()).map(RankId::from);
        let seconds = |rank: RankId| -> f64 {
            plan.clones(rank).iter().map(|&e| self.one_clone_s(e, rank, plan.layout(), topology)).sum()
        };
        ranks.map(seconds).fold(0.0, f64::max)
    }

    /// Seconds for one row in the expert products, forward and backward.
    pub(crate) fn one_row_s(&self) -> f64 {
        18.0 * (self.hidden * self.intermediate) as f64 / self.flops
    }

    /// Seconds for a clone of an expert on a rank. Its weights come from its node where a home of the expert is there, else
    /// from another node.
    pub(crate) fn one_clone_s(
        &self,
        expert: ExpertId,
        rank: RankId,
        layout: &Layout,
        topology: Topology,
    ) -> f64 {
        let near = layout.homes(expert).iter().any(|&home| topology.same_node(home, rank));
        self.break_even_rows(near) * self.one_row_s()
    }
}
