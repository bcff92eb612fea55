//! Rows picked by index.

use collegium_core::DType;

use crate::{Dim, Name, Op, Value, dim};

/// Which rows of the result read each row of a table: known beforehand where rows are permuted or repeated, it turns the
/// gradient of a [`take`](Value::take_with_inverse) into another take, without a scatter.
#[derive(Clone, Copy)]
pub struct Inverse<'g> {
    /// Indices into the result's rows: over the table's dim and `fan` (i32).
    pub readers: Value<'g>,
    /// Which of them count: the same dims, boolean.
    pub mask: Value<'g>,
    /// The dim that lists the readers of one table row.
    pub fan: Name,
}

impl<'g> Value<'g> {
    /// `out[i.., rest] = self[index[i..], rest]`, where `index` (i32) runs over dim `name`. Indices must be in range.
    #[track_caller]
    pub fn take(self, index: Self, name: Name) -> Self {
        self.take_inner(index, name, None)
    }

    /// [`take`](Self::take) of rows whose readers are known; `index` must have exactly one dim.
    #[track_caller]
    pub fn take_with_inverse(self, index: Self, name: Name, inverse: Inverse<'g>) -> Self {
        let wanted =
            [self.shape().size(name).map(|s| dim(name, s)), inverse.readers.shape().dims.get(1).copied()];
        let readers = inverse.readers.shape();
        let sound = index.shape().dims.len() == 1
            && readers.dtype == DType::I32
            && readers.dims.iter().map(|&d| Some(d)).eq(wanted)
            && readers.dims.get(1).is_some_and(|d| d.name == inverse.fan)
            && inverse.mask.shape() == readers.with_dtype(DType::Bool);
        if !sound {
            return self.graph.fail(format!(
                "take_with_inverse along `{name}`: readers {readers} and mask {} must run over that dim and `{}`",
                inverse.mask.shape(),
                inverse.fan
            ));
        }
        self.take_inner(index, name, Some(inverse))
    }

    #[track_caller]
    fn take_inner(self, index: Self, name: Name, inverse: Option<Inverse<'g>>) -> Self {
        let (table, places) = (self.shape(), index.shape());
        if !table.has(name) || places.dtype != DType::I32 {
            return self
                .graph
                .fail(format!("take along `{name}`: no such dim in {table}, or index {places} is not i32"));
        }
        let mut dims = places.dims;
        dims.extend(table.dims_without(&[name]));
        if let Some(doubled) = super::layout::doubled_name(&dims) {
            return self.graph.fail(format!(
                "take along `{name}`: dim `{doubled}` would appear twice; rename the index's"
            ));
        }
        let op = Op::Take { dim: name, fan: inverse.map(|i| i.fan) };
        let mut inputs = vec![self.id, index.id];
        inputs.extend(inverse.iter().flat_map(|i| [i.readers.id, i.mask.id]));
        self.graph.push(op, &inputs, table.with_dims(dims))
    }

    /// `out[v, rest] = sum of self[i.., rest] where index[i..] = v`, for `v` in the new leading dim `into`.
    #[track_caller]
    pub fn scatter_add(self, index: Self, into: Dim) -> Self {
        let (rows, places) = (self.shape(), index.shape());
        let fits = places.dtype == DType::I32 && rows.dims.starts_with(&places.dims) && rows.dtype.is_float();
        let rest = &rows.dims[places.dims.len().min(rows.dims.len())..];
        if !fits || rest.iter().any(|d| d.name == into.name) {
            return self.graph.fail(format!(
                "scatter_add into `{}`: rows {rows} must be floats, start with the dims of {places} and have no other dim of that name",
                into.name
            ));
        }
        let mut dims = vec![into];
        dims.extend_from_slice(rest);
        self.graph.push(Op::ScatterAdd { dim: into.name }, &[index.id, self.id], rows.with_dims(dims))
    }
}
