//! What the balancer did, in numbers.

use collegium_hlo::Program;
use collegium_model::layers::NODE_AXIS;

/// One layer's dispatch of one micro-batch, over all expert-parallel groups.
#[derive(Clone, Debug, Default)]
pub struct DispatchReport {
    /// Rows of every expert, over all ranks.
    pub rows_per_expert: Vec<u64>,
    /// Rows that every rank of the mesh would process if each expert ran at home only.
    pub rank_rows_at_home: Vec<u64>,
    /// Rows that every rank of the mesh processes.
    pub rank_rows: Vec<u64>,
    /// Rows of the fullest rank over the mean of its group with every expert at home; the worst group.
    pub home_max_over_mean: f64,
    /// The same as planned: 1 is perfect balance.
    pub rank_max_over_mean: f64,
    /// Clones of all ranks.
    pub clones: u64,
    /// Rows there are.
    pub rows: u64,
    /// Rows there is room for in the blocks that were computed.
    pub rows_computed: u64,
    /// Rows whose expert is on another rank than their token.
    pub rows_sent: u64,
    /// Those of them whose expert is on another node.
    pub rows_sent_far: u64,
    /// Bytes that one rank sends inside its node, to experts and back, forward and backward: what the transport moves, padding included.
    pub bytes_near: u64,
    /// The same to other nodes.
    pub bytes_far: u64,
    /// Rows that moved from a home to a clone.
    pub rows_cloned: u64,
    /// Room of a pair of ranks over the mean rows of a pair; 1 where nothing is sent.
    pub pair_factor: f64,
    /// Times that a micro-batch with a plan made ahead did not fit and was run again.
    pub reruns: u64,
    /// Host time to plan and to build tables, in microseconds.
    pub planner_us: f64,
}

impl DispatchReport {
    /// Adds the bytes that one rank sends in a run of `program`. A group along the axis of the nodes has as many members on each of them, and
    /// every member gets as much.
    pub fn add_bytes(&mut self, program: &Program) {
        for traffic in program.collectives().iter().filter(|t| t.bytes_per_device > 0) {
            let nodes =
                program.mesh.size(NODE_AXIS).filter(|_| traffic.axes.contains(&NODE_AXIS)).unwrap_or(1);
            let (size, here) = (traffic.group_size as u64, (traffic.group_size / nodes) as u64);
            let far = traffic.bytes_per_device * (size - here) / (size - 1);
            self.bytes_far += far;
            self.bytes_near += traffic.bytes_per_device - far;
        }
    }
}
