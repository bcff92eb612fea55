//! Which ranks share a node.

use collegium_core::RankId;

use crate::BalanceError;

/// Ranks of a group on the nodes of a cluster, neighbours together. Links inside a node are fast, links between nodes slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    ranks: usize,
    nodes: usize,
}

impl Topology {
    /// All ranks on one node.
    pub fn one_node(ranks: usize) -> Self {
        Self { ranks, nodes: 1 }
    }

    /// The same number of ranks on every node.
    ///
    /// # Errors
    /// Nodes that do not divide the ranks.
    pub fn new(ranks: usize, nodes: usize) -> Result<Self, BalanceError> {
        if nodes == 0 || !ranks.is_multiple_of(nodes) {
            let valid = (1..=ranks).filter(|n| ranks.is_multiple_of(*n)).collect();
            return Err(BalanceError::Nodes { ranks, nodes, valid });
        }
        Ok(Self { ranks, nodes })
    }

    /// Ranks of the group.
    pub fn num_ranks(self) -> usize {
        self.ranks
    }

    /// Nodes that the group is spread over.
    pub fn num_nodes(self) -> usize {
        self.nodes
    }

    /// Ranks of each node.
    pub fn ranks_per_node(self) -> usize {
        self.ranks / self.nodes
    }

    /// The node of a rank, from 0.
    pub fn node(self, rank: RankId) -> usize {
        rank.index() / self.ranks_per_node()
    }

    /// Whether two ranks are on one node.
    pub fn same_node(self, a: RankId, b: RankId) -> bool {
        self.nodes == 1 || self.node(a) == self.node(b)
    }
}
