//! Token transports: how rows reach the rank of their slot, and their results come back. One file each, both sides of it: the tables that
//! the host makes of a plan, and the graph that reads them.
//!
//! What a rank sends in one pass of T tokens with k choices, over R ranks on N nodes, in rows of `hidden` elements, even routing:
//!
//! | transport | inside the node | to other nodes |
//! | --- | --- | --- |
//! | `all-to-all` | k T (1/N - 1/R) | k T (1 - 1/N) |
//! | `all-gather` | T (R/N - 1) | T (R - R/N) |
//! | `two-stage` | k T (1 - N/R) | T (N - 1) |

mod all_gather;
mod all_to_all;
mod local;
mod two_stage;

use collegium_balance::{Bucket, Plan, Tables, Topology};
use collegium_core::{DType, HostTensor};
use collegium_hlo::{Dim, Mesh, Name, Value};

use super::ExpertWeights;

pub use all_gather::AllGather;
pub use all_to_all::AllToAll;
pub use local::Local;
pub use two_stage::TwoStage;

/// Mesh axis of the nodes that an expert-parallel group is spread over; absent for one node.
pub const NODE_AXIS: Name = "node";
/// Mesh axis of the ranks of an expert-parallel group on one node.
pub const EXPERT_AXIS: Name = "expert";

/// The axes that an expert-parallel group spans; none where every rank is a group of its own.
pub fn group_axes(mesh: &Mesh) -> &'static [Name] {
    match (mesh.size(NODE_AXIS), mesh.size(EXPERT_AXIS)) {
        (Some(_), _) => &[NODE_AXIS, EXPERT_AXIS],
        (None, Some(_)) => &[EXPERT_AXIS],
        (None, None) => &[],
    }
}

/// The transports that a user can choose.
pub const TRANSPORTS: &[&dyn Transport] = &[&AllToAll, &AllGather, &TwoStage];

/// The transport of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Transport> {
    TRANSPORTS.iter().copied().find(|t| t.name() == name)
}

/// The transport of a group of `ranks`: nothing is sent where there is one.
pub fn of_group(chosen: &'static dyn Transport, ranks: usize) -> &'static dyn Transport {
    if ranks == 1 { &Local } else { chosen }
}

/// How rows reach the rank of their slot.
pub trait Transport: Sync {
    /// Name in the configuration.
    fn name(&self) -> &'static str;

    /// Whether tables made on the device ([`place`](super::place)) serve it, for plans made ahead.
    fn places_on_device(&self) -> bool {
        false
    }

    /// Ranks whose cells a rank fills, itself included.
    fn cells(&self, topology: Topology) -> usize {
        topology.num_ranks()
    }

    /// What `plan` needs, in blocks of `block` rows.
    fn need(&self, plan: &Plan, _topology: Topology, block: usize) -> Bucket {
        Tables::need(plan, block)
    }

    /// The tables that the graph reads, in the order of [`tables`](Self::tables).
    fn inputs(&self, sizes: &Sizes) -> Vec<Table>;

    /// The tables of `plan`, by rank.
    ///
    /// # Panics
    /// If the plan does not fit the bucket: pick it by [`need`](Self::need).
    fn tables(&self, plan: &Plan, sizes: &Sizes) -> Vec<Vec<HostTensor>>;

    /// Sum over a token's choices of gate times expert, {token, hidden}.
    fn experts<'g>(&self, routed: &Routed<'g>, tables: &[Value<'g>], sizes: &Sizes) -> Value<'g>;
}

impl PartialEq for dyn Transport {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Transport {}

impl std::fmt::Debug for dyn Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A group and the room of its programs.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Ranks of the group, on how many nodes.
    pub topology: Topology,
    /// Experts of the layer.
    pub experts: usize,
    /// What the programs have room for.
    pub bucket: Bucket,
    /// Rows of a block.
    pub block: usize,
}

impl Sizes {
    /// Expert rows there is room for on a rank.
    pub fn rows(&self) -> usize {
        self.bucket.blocks * self.block
    }
}

/// A table that a transport's graph reads, as an input of its program.
pub struct Table {
    /// Name of the input.
    pub name: &'static str,
    /// Element type.
    pub dtype: DType,
    /// Dims.
    pub dims: Vec<Dim>,
}

impl Table {
    fn new(name: &'static str, dtype: DType, dims: &[Dim]) -> Self {
        Self { name, dtype, dims: dims.to_vec() }
    }

    /// Slot of every block of rows, {block}; as many as slots for an unused block.
    fn block_slot(sizes: &Sizes) -> Self {
        Self::new("block_slot", DType::I32, &[collegium_hlo::dim("block", sizes.bucket.blocks)])
    }
}

/// The tokens of a rank, where they are to go, and the experts of its slots.
#[derive(Clone, Copy)]
pub struct Routed<'g> {
    /// {token, hidden}
    pub x: Value<'g>,
    /// Weight of every choice, {token, choice} f32.
    pub gates: Value<'g>,
    /// Expert of every choice, {token, choice} i32.
    pub choices: Value<'g>,
    /// The experts.
    pub weights: ExpertWeights<'g>,
    /// Element type of rows between ranks, see [`Exchange`](crate::programs::Exchange).
    pub sent_as: DType,
}
