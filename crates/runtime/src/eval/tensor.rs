//! Values on the host and the one piece of index arithmetic that every operation here uses.

use collegium_hlo::{Dim, Name, Shape};

/// A value of one device: row-major elements, each of them a number that its element type can hold.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub shape: Shape,
    pub values: Vec<f64>,
}

impl Tensor {
    /// Elements between neighbours along `name`; 0 where there is no such dim.
    pub fn stride(&self, name: Name) -> usize {
        stride(&self.shape, name)
    }

    /// The elements at `places`.
    pub fn pick(&self, places: &[usize]) -> Vec<f64> {
        places.iter().map(|&p| self.values[p]).collect()
    }
}

/// Elements of a tensor of `shape` between neighbours along `name`; 0 where there is no such dim.
pub(super) fn stride(shape: &Shape, name: Name) -> usize {
    shape.position(name).map_or(0, |at| shape.dims[at + 1..].iter().map(|d| d.size).product())
}

/// For every index over `dims`, in row-major order, the place in a tensor of shape `of`. A dim that `of` lacks does
/// not move the place; a dim of `of` that is not in `dims` stays at index 0.
pub(super) fn places(dims: &[Dim], of: &Shape) -> Vec<usize> {
    let mut places = vec![0];
    for d in dims {
        let step = stride(of, d.name);
        places = places.iter().flat_map(|&p| (0..d.size).map(move |i| p + i * step)).collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use collegium_core::DType;
    use collegium_hlo::dim;

    use super::*;

    #[test]
    fn places_are_by_name() {
        let of = Shape::new(DType::F32, &[dim("a", 2), dim("b", 3)]);
        assert_eq!(places(&[dim("a", 2), dim("b", 3)], &of), [0, 1, 2, 3, 4, 5]);
        assert_eq!(places(&[dim("b", 3), dim("a", 2)], &of), [0, 3, 1, 4, 2, 5]);
        assert_eq!(places(&[dim("new", 2), dim("a", 2)], &of), [0, 3, 0, 3]);
        assert_eq!(places(&[], &of), [0]);
    }
}
