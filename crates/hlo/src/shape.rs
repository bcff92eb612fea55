//! Named dims and shapes. A tensor has **dims**, addressed by name; a mesh has **axes**.

use collegium_core::DType;

/// Name of a dim or of a mesh axis.
pub type Name = &'static str;

/// One dim of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dim {
    /// What the dim runs over, for example `token`.
    pub name: Name,
    /// How many.
    pub size: usize,
}

/// Shorthand for a [`Dim`].
pub const fn dim(name: Name, size: usize) -> Dim {
    Dim { name, size }
}

/// Element type and dims of a value; dims are in memory order (row-major) and their names are unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Element type.
    pub dtype: DType,
    /// Dims, outermost first.
    pub dims: Vec<Dim>,
}

impl Shape {
    /// A shape from its parts.
    pub fn new(dtype: DType, dims: &[Dim]) -> Self {
        Self { dtype, dims: dims.to_vec() }
    }

    /// Number of elements.
    pub fn num_elements(&self) -> usize {
        self.dims.iter().map(|d| d.size).product()
    }

    /// Bytes in device memory, without padding.
    pub fn num_bytes(&self) -> usize {
        self.num_elements() * self.dtype.size_bytes()
    }

    /// Position of the dim called `name`.
    pub fn position(&self, name: Name) -> Option<usize> {
        self.dims.iter().position(|d| d.name == name)
    }

    /// Size of the dim called `name`.
    pub fn size(&self, name: Name) -> Option<usize> {
        self.dims.iter().find(|d| d.name == name).map(|d| d.size)
    }

    /// Whether a dim called `name` exists.
    pub fn has(&self, name: Name) -> bool {
        self.position(name).is_some()
    }

    /// Sizes alone, outermost first.
    pub fn sizes(&self) -> Vec<usize> {
        self.dims.iter().map(|d| d.size).collect()
    }

    /// The same dims with another element type.
    pub fn with_dtype(&self, dtype: DType) -> Self {
        Self { dtype, dims: self.dims.clone() }
    }

    /// The same element type with other dims.
    pub fn with_dims(&self, dims: Vec<Dim>) -> Self {
        Self { dtype: self.dtype, dims }
    }

    /// The dims that are not in `names`.
    pub fn dims_without(&self, names: &[Name]) -> Vec<Dim> {
        self.dims.iter().copied().filter(|d| !names.contains(&d.name)).collect()
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{{", self.dtype)?;
        for (i, d) in self.dims.iter().enumerate() {
            write!(f, "{}{}={}", if i == 0 { "" } else { ", " }, d.name, d.size)?;
        }
        f.write_str("}")
    }
}
