//! The devices a program runs on, as a grid with named axes.

use crate::Name;

/// A grid of devices. Device `i` has the row-major coordinates of `i` over the axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mesh {
    axes: Vec<(Name, usize)>,
}

impl Mesh {
    /// A mesh from its axes, slowest first.
    pub fn new(axes: &[(Name, usize)]) -> Self {
        Self { axes: axes.to_vec() }
    }

    /// One device, no axes.
    pub fn single() -> Self {
        Self { axes: Vec::new() }
    }

    /// Axes and their sizes, slowest first.
    pub fn axes(&self) -> &[(Name, usize)] {
        &self.axes
    }

    /// Number of devices.
    pub fn num_devices(&self) -> usize {
        self.axes.iter().map(|a| a.1).product()
    }

    /// Size of one axis; `None` where the mesh has no such axis.
    pub fn size(&self, axis: Name) -> Option<usize> {
        self.axes.iter().find(|a| a.0 == axis).map(|a| a.1)
    }

    /// Coordinate of `device` along the axis at `position`.
    fn coordinate(&self, device: usize, position: usize) -> usize {
        let stride: usize = self.axes[position + 1..].iter().map(|a| a.1).product();
        device / stride % self.axes[position].1
    }

    /// Groups of devices that differ only along `axes`, each in device order; the groups are in order
    /// of their first device (one canonical order everywhere, as Neuron requires).
    pub fn groups(&self, axes: &[Name]) -> Vec<Vec<usize>> {
        let fixed = |device: usize| -> Vec<usize> {
            (0..self.axes.len())
                .filter(|&p| !axes.contains(&self.axes[p].0))
                .map(|p| self.coordinate(device, p))
                .collect()
        };
        let mut groups: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for device in 0..self.num_devices() {
            let key = fixed(device);
            match groups.iter_mut().find(|g| g.0 == key) {
                Some(group) => group.1.push(device),
                None => groups.push((key, vec![device])),
            }
        }
        groups.into_iter().map(|g| g.1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_the_axes() {
        let mesh = Mesh::new(&[("data", 2), ("expert", 3)]);
        assert_eq!(mesh.groups(&["expert"]), [vec![0, 1, 2], vec![3, 4, 5]]);
        assert_eq!(mesh.groups(&["data"]), [vec![0, 3], vec![1, 4], vec![2, 5]]);
        assert_eq!(mesh.groups(&["data", "expert"]), [vec![0, 1, 2, 3, 4, 5]]);
        assert_eq!(Mesh::single().groups(&["expert"]), [vec![0]]);
    }
}
