//! Numbers as MLIR literals: decimal where that is exact and finite, bit patterns otherwise.

use collegium_core::DType;

use crate::op::{Bits, Reduction};
use crate::{Dim, Shape};

/// One element.
pub(super) fn number(dtype: DType, value: f64) -> String {
    match dtype {
        DType::Bool => (value != 0.0).to_string(),
        d if d.is_integer() => (value as i64).to_string(),
        DType::F32 => float(f64::from(value as f32), &format!("{:?}", value as f32), || {
            format!("0x{:08X}", (value as f32).to_bits())
        }),
        DType::F64 => float(value, &format!("{value:?}"), || format!("0x{:016X}", value.to_bits())),
        DType::Bf16 => {
            let v = half::bf16::from_f64(value);
            float(v.to_f64(), &format!("{:?}", v.to_f32()), || format!("0x{:04X}", v.to_bits()))
        }
        _ => {
            let v = half::f16::from_f64(value);
            float(v.to_f64(), &format!("{:?}", v.to_f32()), || format!("0x{:04X}", v.to_bits()))
        }
    }
}

/// MLIR wants a point before the exponent.
fn float(value: f64, shortest: &str, bits: impl Fn() -> String) -> String {
    if !value.is_finite() {
        return bits();
    }
    match shortest.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => shortest.to_string(),
    }
}

/// What a reduction starts from.
pub(super) fn identity(dtype: DType, reduction: Reduction) -> String {
    let value = reduction.identity();
    if dtype.is_float() || value.is_finite() {
        return number(dtype, value);
    }
    let (low, high) = match dtype {
        DType::I8 => (i64::from(i8::MIN), i64::from(i8::MAX)),
        DType::U8 => (0, i64::from(u8::MAX)),
        DType::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        DType::U32 => (0, i64::from(u32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    if value > 0.0 { high } else { low }.to_string()
}

/// All elements, in brackets by dim.
pub(super) fn nested(shape: &Shape, values: &[Bits]) -> String {
    fn level(shape: &Shape, dims: &[Dim], values: &[Bits]) -> String {
        match dims {
            [] => number(shape.dtype, values[0].get()),
            [first, rest @ ..] => {
                let step = values.len() / first.size.max(1);
                let parts: Vec<String> = values.chunks(step.max(1)).map(|c| level(shape, rest, c)).collect();
                format!("[{}]", parts.join(", "))
            }
        }
    }
    level(shape, &shape.dims, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_exact_and_legal() {
        assert_eq!(number(DType::F32, 1.0), "1.0");
        assert_eq!(number(DType::F32, 1e-7), "1.0e-7");
        assert_eq!(number(DType::F32, f64::NEG_INFINITY), "0xFF800000");
        assert_eq!(number(DType::Bf16, f64::NEG_INFINITY), "0xFF80");
        assert_eq!(number(DType::I32, -3.0), "-3");
        assert_eq!(identity(DType::I32, Reduction::Max), "-2147483648");
        assert_eq!(identity(DType::U32, Reduction::Max), "0");
        assert_eq!(identity(DType::U32, Reduction::Min), "4294967295");
        assert_eq!(identity(DType::I8, Reduction::Min), "127");
        assert_eq!(identity(DType::U32, Reduction::Sum), "0");
    }
}
