//! Exchange between the devices of a mesh. A group spans the given mesh axes; over no axes, or axes of size one,
//! nothing is exchanged and the value is returned as it is.

use crate::op::Reduction;
use crate::{Name, Op, Value};

impl<'g> Value<'g> {
    /// Sum over the devices of a group; every device gets it.
    #[track_caller]
    pub fn all_reduce(self, axes: &[Name]) -> Self {
        self.all_reduce_by(Reduction::Sum, axes)
    }

    /// Combination over the devices of a group; every device gets it.
    #[track_caller]
    pub fn all_reduce_by(self, reduction: Reduction, axes: &[Name]) -> Self {
        match self.group_size(axes) {
            Some(1) | None => self,
            Some(_) => self.derive(Op::AllReduce { reduction, axes: axes.to_vec() }, self.shape()),
        }
    }

    /// The devices' values one after another along dim `name`.
    #[track_caller]
    pub fn all_gather(self, name: Name, axes: &[Name]) -> Self {
        let shape = self.shape();
        let (Some(size), Some(at)) = (self.group_size(axes), shape.position(name)) else {
            return self.graph.fail(format!("all_gather: no dim `{name}` in {shape}"));
        };
        let mut dims = shape.dims.clone();
        dims[at].size *= size;
        if size == 1 {
            self
        } else {
            self.derive(Op::AllGather { dim: name, axes: axes.to_vec() }, shape.with_dims(dims))
        }
    }

    /// Sum over the devices; device `d` of the group keeps the `d`-th piece of dim `name`.
    #[track_caller]
    pub fn reduce_scatter(self, name: Name, axes: &[Name]) -> Self {
        let shape = self.shape();
        let size = self.group_size(axes).unwrap_or(1);
        let Some(at) = shape.position(name).filter(|&at| shape.dims[at].size.is_multiple_of(size)) else {
            return self.graph.fail(format!(
                "reduce_scatter: dim `{name}` of {shape} must be a multiple of the group's {size} devices"
            ));
        };
        let mut dims = shape.dims.clone();
        dims[at].size /= size;
        if size == 1 {
            self
        } else {
            self.derive(Op::ReduceScatter { dim: name, axes: axes.to_vec() }, shape.with_dims(dims))
        }
    }

    /// Place `d` of dim `name` goes to device `d` of the group; the result holds at place `s` what device `s` sent.
    #[track_caller]
    pub fn all_to_all(self, name: Name, axes: &[Name]) -> Self {
        let shape = self.shape();
        let Some(size) = self.group_size(axes) else { return self };
        if shape.size(name) != Some(size) {
            return self.graph.fail(format!(
                "all_to_all: dim `{name}` of {shape} must have one place for each of {size} devices"
            ));
        }
        if size == 1 { self } else { self.derive(Op::AllToAll { dim: name, axes: axes.to_vec() }, shape) }
    }

    /// The value of the device `by` places before in the ring along `axis`.
    #[track_caller]
    pub fn ring_shift(self, axis: Name, by: usize) -> Self {
        match self.group_size(&[axis]) {
            Some(size) if !by.is_multiple_of(size) => {
                self.derive(Op::RingShift { axis, by: by % size }, self.shape())
            }
            _ => self,
        }
    }

    #[track_caller]
    fn group_size(self, axes: &[Name]) -> Option<usize> {
        let sizes: Option<Vec<usize>> = axes.iter().map(|a| self.graph.mesh().size(a)).collect();
        if sizes.is_none() {
            self.graph.fail(format!("no axes {axes:?} in the mesh {:?}", self.graph.mesh().axes()));
        }
        sizes.map(|s| s.iter().product())
    }
}
