//! A tensor in host memory: what is uploaded to devices, read from checkpoints and compared in tests.

use crate::DType;

/// A Rust number that can be a tensor element.
pub trait Element: bytemuck::Pod {
    /// The element type it stands for.
    const DTYPE: DType;
}

macro_rules! element {
    ($($t:ty => $d:ident),*) => { $(impl Element for $t { const DTYPE: DType = DType::$d; })* };
}
element!(i8 => I8, i32 => I32, i64 => I64, u8 => U8, u32 => U32, half::f16 => F16, half::bf16 => Bf16, f32 => F32, f64 => F64);

/// A dense row-major tensor in host memory.
#[derive(Clone, PartialEq)]
pub struct HostTensor {
    dtype: DType,
    sizes: Vec<usize>,
    bytes: Vec<u8>,
}

impl HostTensor {
    /// A tensor from its raw little-endian bytes; `None` where their number does not fit the shape.
    pub fn from_bytes(dtype: DType, sizes: &[usize], bytes: Vec<u8>) -> Option<Self> {
        let elements = sizes.iter().try_fold(1usize, |a, &b| a.checked_mul(b))?;
        (elements.checked_mul(dtype.size_bytes())? == bytes.len()).then(|| Self {
            dtype,
            sizes: sizes.to_vec(),
            bytes,
        })
    }

    /// A tensor from values in row-major order.
    ///
    /// # Panics
    /// If `values` does not hold exactly the product of `sizes`.
    pub fn new<T: Element>(sizes: &[usize], values: &[T]) -> Self {
        assert_eq!(sizes.iter().product::<usize>(), values.len(), "values do not fill the shape {sizes:?}");
        Self { dtype: T::DTYPE, sizes: sizes.to_vec(), bytes: bytemuck::cast_slice(values).to_vec() }
    }

    /// A scalar.
    pub fn scalar<T: Element>(value: T) -> Self {
        Self::new(&[], &[value])
    }

    /// All zeros.
    pub fn zeros(dtype: DType, sizes: &[usize]) -> Self {
        let len = sizes.iter().product::<usize>() * dtype.size_bytes();
        Self { dtype, sizes: sizes.to_vec(), bytes: vec![0; len] }
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Size of each dim.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Number of elements.
    pub fn num_elements(&self) -> usize {
        self.sizes.iter().product()
    }

    /// The raw bytes, row-major, native byte order.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The raw bytes, to write in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The values, copied out (bytes need not be aligned).
    ///
    /// # Panics
    /// If `T` is not the tensor's element type.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        assert_eq!(T::DTYPE, self.dtype, "tensor holds another element type");
        bytemuck::allocation::pod_collect_to_vec(&self.bytes)
    }

    /// Every element as `f64`, whatever the type: for comparisons and the reference evaluator.
    pub fn to_f64(&self) -> Vec<f64> {
        match self.dtype {
            DType::Bool | DType::U8 => self.bytes.iter().map(|&b| f64::from(b)).collect(),
            DType::I8 => self.bytes.iter().map(|&b| f64::from(b as i8)).collect(),
            DType::I32 => self.to_vec::<i32>().into_iter().map(f64::from).collect(),
            DType::I64 => self.to_vec::<i64>().into_iter().map(|v| v as f64).collect(),
            DType::U32 => self.to_vec::<u32>().into_iter().map(f64::from).collect(),
            DType::F16 => self.to_vec::<half::f16>().into_iter().map(f64::from).collect(),
            DType::Bf16 => self.to_vec::<half::bf16>().into_iter().map(f64::from).collect(),
            DType::F32 => self.to_vec::<f32>().into_iter().map(f64::from).collect(),
            DType::F64 => self.to_vec::<f64>(),
        }
    }

    /// A tensor of `dtype` from `f64` values, each rounded to that type.
    ///
    /// # Panics
    /// If `values` does not hold exactly the product of `sizes`.
    pub fn from_f64(dtype: DType, sizes: &[usize], values: &[f64]) -> Self {
        assert_eq!(sizes.iter().product::<usize>(), values.len(), "values do not fill the shape {sizes:?}");
        let mut bytes = Vec::with_capacity(values.len() * dtype.size_bytes());
        for &v in values {
            match dtype {
                DType::Bool => bytes.push(u8::from(v != 0.0)),
                DType::I8 => bytes.push(v as i8 as u8),
                DType::U8 => bytes.push(v as u8),
                DType::I32 => bytes.extend((v as i32).to_ne_bytes()),
                DType::I64 => bytes.extend((v as i64).to_ne_bytes()),
                DType::U32 => bytes.extend((v as u32).to_ne_bytes()),
                DType::F16 => bytes.extend(half::f16::from_f64(v).to_ne_bytes()),
                DType::Bf16 => bytes.extend(half::bf16::from_f64(v).to_ne_bytes()),
                DType::F32 => bytes.extend((v as f32).to_ne_bytes()),
                DType::F64 => bytes.extend(v.to_ne_bytes()),
            }
        }
        Self { dtype, sizes: sizes.to_vec(), bytes }
    }
}

impl std::fmt::Debug for HostTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostTensor {}{:?}", self.dtype, self.sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_must_fill_the_shape() {
        assert!(HostTensor::from_bytes(DType::F32, &[2, 3], vec![0; 24]).is_some());
        assert!(HostTensor::from_bytes(DType::F32, &[2, 3], vec![0; 23]).is_none());
        assert!(HostTensor::from_bytes(DType::F32, &[usize::MAX, 2], vec![]).is_none());
    }

    #[test]
    fn values_round_trip_through_every_type() {
        for dtype in [
            DType::Bool,
            DType::I8,
            DType::I32,
            DType::I64,
            DType::U8,
            DType::U32,
            DType::F16,
            DType::Bf16,
            DType::F32,
            DType::F64,
        ] {
            let t = HostTensor::from_f64(dtype, &[3], &[0.0, 1.0, 1.0]);
            assert_eq!(t.to_f64(), [0.0, 1.0, 1.0], "{dtype}");
            assert_eq!(t.bytes().len(), 3 * dtype.size_bytes());
        }
    }
}
