//! Element types, with the names StableHLO and safetensors give them.

/// Type of one tensor element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// Boolean, one byte in memory.
    Bool,
    /// 8-bit signed integer.
    I8,
    /// 32-bit signed integer: token ids, indices.
    I32,
    /// 64-bit signed integer (host files only; programs use `I32`).
    I64,
    /// 8-bit unsigned integer.
    U8,
    /// 32-bit unsigned integer: random bits.
    U32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    Bf16,
    /// Single precision.
    F32,
    /// Double precision: the reference evaluator only.
    F64,
}

impl DType {
    /// Bytes of one element.
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// Whether values are floating point, hence differentiable.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// Whether values are integers (booleans are not).
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::I8 | Self::I32 | Self::I64 | Self::U8 | Self::U32)
    }

    /// Name in StableHLO text.
    pub const fn stablehlo(self) -> &'static str {
        match self {
            Self::Bool => "i1",
            Self::I8 => "i8",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "ui8",
            Self::U32 => "ui32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.stablehlo())
    }
}
