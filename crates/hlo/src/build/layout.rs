//! Operations that move or rename elements without computing.

use crate::{Dim, Name, Op, Shape, Value, dim};

impl<'g> Value<'g> {
    /// Repeats along the dims of `dims` that the value lacks; the result has exactly `dims`, in their order.
    #[track_caller]
    pub fn broadcast(self, dims: &[Dim]) -> Self {
        let shape = self.shape();
        if shape.dims == dims {
            return self;
        }
        if !shape.dims.iter().all(|d| dims.contains(d)) {
            let target = Shape::new(shape.dtype, dims);
            return self.graph.fail(format!("broadcast: {target} lacks a dim of {shape}"));
        }
        let order: Vec<Name> = dims.iter().map(|d| d.name).filter(|&n| shape.has(n)).collect();
        let source = self.transpose(&order);
        if source.shape().dims == dims {
            source
        } else {
            source.derive(Op::Broadcast, shape.with_dims(dims.to_vec()))
        }
    }

    /// The dims in another order.
    #[track_caller]
    pub fn transpose(self, order: &[Name]) -> Self {
        let shape = self.shape();
        let dims: Option<Vec<Dim>> = order.iter().map(|&n| shape.size(n).map(|size| dim(n, size))).collect();
        match dims {
            Some(dims) if dims.len() == shape.dims.len() => {
                if dims == shape.dims {
                    self
                } else {
                    self.derive(Op::Transpose, shape.with_dims(dims))
                }
            }
            _ => self.graph.fail(format!("transpose: {order:?} is not an order of the dims of {shape}")),
        }
    }

    /// The same row-major elements under other dims.
    #[track_caller]
    pub fn reshape(self, dims: &[Dim]) -> Self {
        let shape = self.shape();
        let target = shape.with_dims(dims.to_vec());
        if target.num_elements() != shape.num_elements() {
            return self
                .graph
                .fail(format!("reshape: {shape} and {target} differ in the number of elements"));
        }
        if let Some(doubled) = doubled_name(dims) {
            return self.graph.fail(format!("reshape: dim name `{doubled}` appears twice in {target}"));
        }
        if target == shape { self } else { self.derive(Op::Reshape, target) }
    }

    /// Splits one dim into several, outermost first.
    #[track_caller]
    pub fn split(self, name: Name, into: &[Dim]) -> Self {
        let shape = self.shape();
        let Some(at) = shape.position(name) else {
            return self.graph.fail(format!("split: no dim `{name}` in {shape}"));
        };
        let mut dims = shape.dims;
        dims.splice(at..=at, into.iter().copied());
        self.reshape(&dims)
    }

    /// Merges neighbouring dims (in memory order) into one.
    #[track_caller]
    pub fn merge(self, names: &[Name], into: Name) -> Self {
        let shape = self.shape();
        let at = names.first().and_then(|&n| shape.position(n));
        let Some(at) = at.filter(|&at| {
            shape.dims[at..].iter().map(|d| d.name).take(names.len()).eq(names.iter().copied())
        }) else {
            return self
                .graph
                .fail(format!("merge: {names:?} are not neighbours in {shape}; transpose first"));
        };
        let size = shape.dims[at..at + names.len()].iter().map(|d| d.size).product();
        let mut dims = shape.dims;
        dims.splice(at..at + names.len(), [dim(into, size)]);
        self.reshape(&dims)
    }

    /// Renames dims, given as pairs (old, new).
    #[track_caller]
    pub fn rename(self, names: &[(Name, Name)]) -> Self {
        let shape = self.shape();
        if let Some((old, _)) = names.iter().find(|(old, _)| !shape.has(old)) {
            return self.graph.fail(format!("rename: no dim `{old}` in {shape}"));
        }
        let new = |d: &Dim| dim(names.iter().find(|(old, _)| *old == d.name).map_or(d.name, |n| n.1), d.size);
        let dims: Vec<Dim> = shape.dims.iter().map(new).collect();
        if let Some(doubled) = doubled_name(&dims) {
            return self.graph.fail(format!("rename: dim name `{doubled}` would appear twice in {shape}"));
        }
        if dims == shape.dims { self } else { self.derive(Op::Rename, shape.with_dims(dims)) }
    }

    /// Indices `start..end` of one dim.
    #[track_caller]
    pub fn slice(self, name: Name, start: usize, end: usize) -> Self {
        let shape = self.shape();
        let Some(at) = shape.position(name).filter(|&at| start < end && end <= shape.dims[at].size) else {
            return self.graph.fail(format!("slice: no range {start}..{end} of dim `{name}` in {shape}"));
        };
        let mut dims = shape.dims.clone();
        dims[at].size = end - start;
        if dims == shape.dims {
            self
        } else {
            self.derive(Op::Slice { dim: name, start }, shape.with_dims(dims))
        }
    }

    /// Index `at` of one dim, which disappears.
    #[track_caller]
    pub fn index(self, name: Name, at: usize) -> Self {
        let piece = self.slice(name, at, at + 1);
        let dims = piece.shape().dims_without(&[name]);
        piece.reshape(&dims)
    }

    /// `low` zeros in front of a dim and `high` behind.
    #[track_caller]
    pub fn pad(self, name: Name, low: usize, high: usize) -> Self {
        let shape = self.shape();
        let Some(at) = shape.position(name) else {
            return self.graph.fail(format!("pad: no dim `{name}` in {shape}"));
        };
        let mut dims = shape.dims.clone();
        dims[at].size += low + high;
        if low + high == 0 { self } else { self.derive(Op::Pad { dim: name, low }, shape.with_dims(dims)) }
    }

    /// Values one after another along `name`; their other dims must be equal.
    #[track_caller]
    pub fn concat(parts: &[Self], name: Name) -> Self {
        let Some(&first) = parts.first() else {
            panic!("concat is given at least one value");
        };
        if parts.len() == 1 {
            return first;
        }
        let shape = first.shape();
        let rest = shape.dims_without(&[name]);
        let mut size = 0;
        for part in parts.iter().map(|p| p.shape()) {
            match part.size(name) {
                Some(s) if part.dtype == shape.dtype && part.dims_without(&[name]) == rest => size += s,
                _ => {
                    return first
                        .graph
                        .fail(format!("concat along `{name}`: {part} does not continue {shape}"));
                }
            }
        }
        let dims = shape.dims.iter().map(|d| if d.name == name { dim(name, size) } else { *d }).collect();
        let ids: Vec<_> = parts.iter().map(|p| p.id).collect();
        first.graph.push(Op::Concat { dim: name }, &ids, shape.with_dims(dims))
    }

    /// One dim backwards.
    #[track_caller]
    pub fn reverse(self, name: Name) -> Self {
        let shape = self.shape();
        if !shape.has(name) {
            return self.graph.fail(format!("reverse: no dim `{name}` in {shape}"));
        }
        self.derive(Op::Reverse { dim: name }, shape)
    }

    /// `size` indices of one dim from `start` (an i32 scalar, clamped into range).
    #[track_caller]
    pub fn dynamic_slice(self, name: Name, start: Self, size: usize) -> Self {
        let shape = self.shape();
        let Some(at) = shape.position(name).filter(|&at| size <= shape.dims[at].size) else {
            return self.graph.fail(format!("dynamic_slice: dim `{name}` of {shape} has no {size} indices"));
        };
        if !start.is_index_scalar() {
            return self
                .graph
                .fail(format!("dynamic_slice: start must be an i32 scalar, got {}", start.shape()));
        }
        let mut dims = shape.dims.clone();
        dims[at].size = size;
        self.graph.push(Op::DynamicSlice { dim: name }, &[self.id, start.id], shape.with_dims(dims))
    }

    /// The value with `update` written over it from `start` (an i32 scalar, clamped into range) on.
    #[track_caller]
    pub fn dynamic_update(self, name: Name, update: Self, start: Self) -> Self {
        let (shape, new) = (self.shape(), update.shape());
        let fits = new.dtype == shape.dtype
            && shape.has(name)
            && new.dims.len() == shape.dims.len()
            && new
                .dims
                .iter()
                .zip(&shape.dims)
                .all(|(n, s)| n == s || (n.name == name && s.name == name && n.size <= s.size));
        if !fits || !start.is_index_scalar() {
            return self
                .graph
                .fail(format!("dynamic_update along `{name}`: {new} does not fit into {shape}"));
        }
        self.graph.push(Op::DynamicUpdate { dim: name }, &[self.id, update.id, start.id], shape)
    }

    fn is_index_scalar(self) -> bool {
        let shape = self.shape();
        shape.dtype == collegium_core::DType::I32 && shape.dims.is_empty()
    }
}

/// A name that two dims share.
pub(crate) fn doubled_name(dims: &[Dim]) -> Option<Name> {
    dims.iter().enumerate().find(|(i, d)| dims[..*i].iter().any(|e| e.name == d.name)).map(|(_, d)| d.name)
}
