//! Rows picked by index.

use collegium_core::DType;

use crate::{Dim, Name, Op, Value};

impl<'g> Value<'g> {
    /// `out[i.., rest] = self[index[i..], rest]`, where `index` (i32) runs over dim `name`. Indices must be in range.
    #[track_caller]
    pub fn take(self, index: Self, name: Name) -> Self {
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
        self.graph.push(Op::Take { dim: name }, &[self.id, index.id], table.with_dims(dims))
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
