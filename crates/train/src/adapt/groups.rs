//! The expert-parallel groups of a mesh.

use collegium_hlo::Mesh;
use collegium_model::layers::EXPERT_AXIS;

/// Which ranks of the mesh share one set of experts.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Ranks of the mesh by group and member.
    members: Vec<Vec<usize>>,
    /// Group and member of every rank of the mesh.
    places: Vec<(usize, usize)>,
}

impl Groups {
    /// The groups along the expert axis; every rank is a group of its own where there is none.
    pub fn of(mesh: &Mesh) -> Self {
        let members: Vec<Vec<usize>> = match mesh.size(EXPERT_AXIS) {
            Some(_) => mesh.groups(&[EXPERT_AXIS]),
            None => (0..mesh.num_devices()).map(|d| vec![d]).collect(),
        };
        let mut places = vec![(0, 0); mesh.num_devices()];
        for (group, ranks) in members.iter().enumerate() {
            ranks.iter().enumerate().for_each(|(member, &rank)| places[rank] = (group, member));
        }
        Self { members, places }
    }

    /// Ranks of one group.
    pub fn ranks(&self) -> usize {
        self.members[0].len()
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
