//! How element types hold numbers.

use collegium_core::DType;

/// Whether floats are rounded to their element type after every operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// As on a device: each result is the nearest number of its type.
    ToElementType,
    /// Not at all: every float type computes as f64, so that finite differences are sharp.
    Never,
}

/// What a result of `dtype` keeps of the number `v`: integers wrap, floats are rounded to nearest even.
pub(super) fn store(dtype: DType, v: f64, rounding: Rounding) -> f64 {
    match dtype {
        DType::Bool => v,
        d if d.is_integer() => wrap(d, v as i128),
        _ if rounding == Rounding::Never => v,
        DType::F16 => half::f16::from_f64(v).to_f64(),
        DType::Bf16 => half::bf16::from_f64(v).to_f64(),
        DType::F32 => f64::from(v as f32),
        _ => v,
    }
}

/// An integer modulo the range of its type. (i64 is exact up to 2^53; programs use it nowhere.)
pub(super) fn wrap(dtype: DType, v: i128) -> f64 {
    match dtype {
        DType::I8 => f64::from(v as i8),
        DType::U8 => f64::from(v as u8),
        DType::I32 => f64::from(v as i32),
        DType::U32 => f64::from(v as u32),
        _ => v as i64 as f64,
    }
}

/// Conversion between element types, before the result is stored: floats become integers towards zero and stop at the
/// ends of the range, everything but zero is true.
pub(super) fn convert(to: DType, from: DType, v: f64) -> f64 {
    match to {
        DType::Bool => f64::from(v != 0.0),
        _ if !from.is_float() => v,
        DType::I8 => f64::from(v as i8),
        DType::U8 => f64::from(v as u8),
        DType::I32 => f64::from(v as i32),
        DType::U32 => f64::from(v as u32),
        DType::I64 => v as i64 as f64,
        _ => v,
    }
}

/// The number of type `to` with the bits of `v`, a number of type `from` of four bytes.
///
/// # Panics
/// For types that programs do not cast.
pub(super) fn bitcast(to: DType, from: DType, v: f64) -> f64 {
    let bits = match from {
        DType::F32 => (v as f32).to_bits(),
        DType::I32 => v as i32 as u32,
        DType::U32 => v as u32,
        other => unimplemented!("the bits of {other} as another type"),
    };
    match to {
        DType::F32 => f64::from(f32::from_bits(bits)),
        DType::I32 => f64::from(bits as i32),
        DType::U32 => f64::from(bits),
        other => unimplemented!("bits as {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_keeps_what_it_can() {
        let kept = |d, v| store(d, v, Rounding::ToElementType);
        assert_eq!(kept(DType::F32, 0.1), f64::from(0.1f32));
        assert_eq!(kept(DType::Bf16, 257.0), 256.0);
        assert_eq!(kept(DType::F16, 65_536.0), f64::INFINITY);
        assert_eq!(kept(DType::I32, 2_147_483_648.0), -2_147_483_648.0);
        assert_eq!(kept(DType::U32, -1.0), 4_294_967_295.0);
        assert_eq!(store(DType::F32, 0.1, Rounding::Never), 0.1);
    }

    #[test]
    fn conversions_go_towards_zero_and_stop_at_the_ends() {
        assert_eq!(convert(DType::I32, DType::F32, -1.9), -1.0);
        assert_eq!(convert(DType::I32, DType::F32, 1e20), 2_147_483_647.0);
        assert_eq!(convert(DType::I32, DType::F32, f64::NAN), 0.0);
        assert_eq!(convert(DType::Bool, DType::F32, -0.5), 1.0);
    }
}
