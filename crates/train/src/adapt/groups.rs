//! The expert-parallel groups of a mesh.

use collegium_balance::Topology;
use collegium_hlo::Mesh;
use collegium_model::layers::{NODE_AXIS, group_axes};

/// Which ranks of the mesh share one set of experts.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Ranks of the mesh by group and member.
    members: Vec<Vec<usize>>,
    /// Group and member of every rank of the mesh.
    places: Vec<(usize, usize)>,
    topology: Topology,
}

impl Groups {
    /// The groups along the axes that experts are spread over; every rank is a group of its own where there are none.
    pub fn of(mesh: &Mesh) -> Self {
        let members = mesh.groups(group_axes(mesh));
        let topology = Topology::new(members[0].len(), mesh.size(NODE_AXIS).unwrap_or(1));
        let topology = topology.expect("the nodes are an axis of the group");
        let mut places = vec![(0, 0); mesh.num_devices()];
        for (group, ranks) in members.iter().enumerate() {
            ranks.iter().enumerate().for_each(|(member, &rank)| places[rank] = (group, member));
        }
        Self { members, places, topology }
    }

    /// Ranks of one group.
    pub fn ranks(&self) -> usize {
        self.members[0].len()
    }

    /// The nodes of one group.
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// The ranks of the mesh in every group.
    pub fn members(&self) -> &[Vec<usize>] {
        &self.members
    }

    /// Group and member of every rank of the mesh.
    pub fn places(&self) -> &[(usize, usize)] {
        &self.places
    }
}
