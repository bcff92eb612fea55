//! Between nodes once, then inside the node: the transport for groups on several nodes, whose links are a tenth as fast between nodes as
//! inside one.
//!
//! Ranks of the same place in their nodes are peers. Stage 1 is an all-gather of tokens, choices and gates over the peers (mesh axis
//! `node`): exactly one copy of a token on every node, in static shape, whatever the routing. Stage 2 is an equal-split all-to-all of rows
//! inside the node (axis `expert`), for which the peer is the source of all rows that belong to ranks of its node. On the way back the
//! rows return to the peer, which adds up a token's choices with their gates, so that one partial sum a token and node crosses
//! back, by reduce-scatter.
//!
//! With T tokens a rank, k choices and N nodes a rank sends (N - 1) T rows to other nodes each way, against k T (N - 1) / N of the flat
//! all-to-all: k / N times fewer, so it is for N < k. (Sending a token only to nodes that need it, as DeepSeek-V3 does, 2412.19437, section
//! 3.2.2, needs counts at run time, and saves little there: of 4 nodes 3.6 need a token with 8 choices at random.) Inside the node
//! k T (1 - 1/L) rows move, L = R / N: N times what the flat one sends there, on the fast links.
//!
//! `sent_as` is the type between nodes. Inside a node int8 rows travel as bf16: they need not be made small there, and all-to-all of
//! integers is refused on Neuron.

use collegium_balance::{Bucket, Plan, StagedTables, Topology};
use collegium_core::{DType, HostTensor};
use collegium_hlo::{Value, dim};

use super::all_to_all::{order_inputs, whole};
use super::{EXPERT_AXIS, NODE_AXIS, Routed, Sizes, Table, Transport};
use crate::layers::cells::{self, Addressing, Order};
use crate::layers::sent::{returned_as, sent};

/// All-gather between nodes, all-to-all inside.
pub struct TwoStage;

impl Transport for TwoStage {
    fn name(&self) -> &'static str {
        "two-stage"
    }

    fn cells(&self, topology: Topology) -> usize {
        topology.ranks_per_node()
    }

    fn need(&self, plan: &Plan, topology: Topology, block: usize) -> Bucket {
        StagedTables::need(plan, topology, block)
    }

    fn inputs(&self, sizes: &Sizes) -> Vec<Table> {
        let (nodes, local) = (sizes.topology.num_nodes(), sizes.topology.ranks_per_node());
        let table = |ranks: usize| [dim("source", nodes), dim("expert", sizes.experts), dim("rank", ranks)];
        let mut inputs = vec![
            Table::new("first", DType::F32, &table(local + 1)),
            Table::new("offset", DType::F32, &table(local)),
            Table::block_slot(sizes),
        ];
        inputs.extend(order_inputs(sizes, local * sizes.bucket.places));
        inputs
    }

    fn tables(&self, plan: &Plan, sizes: &Sizes) -> Vec<Vec<HostTensor>> {
        let (nodes, local) = (sizes.topology.num_nodes(), sizes.topology.ranks_per_node());
        let made = StagedTables::new(plan, sizes.topology, sizes.bucket, sizes.block);
        let of_rank =
            |(sender, receiver): (&collegium_balance::SourceTables, &collegium_balance::ReceiverTables)| {
                vec![
                    HostTensor::new(&[nodes, sizes.experts, local + 1], &sender.first),
                    HostTensor::new(&[nodes, sizes.experts, local], &sender.offset),
                    whole(&receiver.block_slot),
                    whole(&receiver.row_source),
                    whole(&receiver.cell_target),
                ]
            };
        made.senders.iter().zip(&made.receivers).map(of_rank).collect()
    }

    fn experts<'g>(&self, routed: &Routed<'g>, tables: &[Value<'g>], sizes: &Sizes) -> Value<'g> {
        let [first, offset, block_slot, row_source, cell_target] = tables[..] else {
            unreachable!("as many as inputs")
        };
        let Routed { x, gates, choices, weights, sent_as } = *routed;
        let inside = returned_as(sent_as);
        let order = Order { row_source, cell_target, axes: &[EXPERT_AXIS], sent_as: inside };
        let places = sizes.bucket.places;
        let how = Addressing { first, offset, places, block_slot, skips: true, order: Some(order) };
        let choices = cells::one_source(choices.merge(&["token", "choice"], "choice_row"));
        let choices = choices.all_gather("source", &[NODE_AXIS]);
        let x_all = sent(x, sent_as, |v| v.all_gather("token", &[NODE_AXIS]));
        let gates = gates.all_gather("token", &[NODE_AXIS]);
        let sums = cells::combined(x_all, choices, gates, &weights, &how);
        sent(sums, inside, |v| v.reduce_scatter("token", &[NODE_AXIS]))
    }
}
