//! Element types: ours and PJRT's.

use collegium_core::DType;
use collegium_pjrt_sys as sys;

use crate::PjrtError;

/// PJRT's number for an element type.
pub(crate) fn to_pjrt(dtype: DType) -> sys::PJRT_Buffer_Type {
    match dtype {
        DType::Bool => sys::PJRT_Buffer_Type_PRED,
        DType::I8 => sys::PJRT_Buffer_Type_S8,
        DType::I32 => sys::PJRT_Buffer_Type_S32,
        DType::I64 => sys::PJRT_Buffer_Type_S64,
        DType::U8 => sys::PJRT_Buffer_Type_U8,
        DType::U32 => sys::PJRT_Buffer_Type_U32,
        DType::F16 => sys::PJRT_Buffer_Type_F16,
        DType::Bf16 => sys::PJRT_Buffer_Type_BF16,
        DType::F32 => sys::PJRT_Buffer_Type_F32,
        DType::F64 => sys::PJRT_Buffer_Type_F64,
    }
}

/// Our element type for PJRT's number.
pub(crate) fn from_pjrt(kind: sys::PJRT_Buffer_Type) -> Result<DType, PjrtError> {
    Ok(match kind {
        sys::PJRT_Buffer_Type_PRED => DType::Bool,
        sys::PJRT_Buffer_Type_S8 => DType::I8,
        sys::PJRT_Buffer_Type_S32 => DType::I32,
        sys::PJRT_Buffer_Type_S64 => DType::I64,
        sys::PJRT_Buffer_Type_U8 => DType::U8,
        sys::PJRT_Buffer_Type_U32 => DType::U32,
        sys::PJRT_Buffer_Type_F16 => DType::F16,
        sys::PJRT_Buffer_Type_BF16 => DType::Bf16,
        sys::PJRT_Buffer_Type_F32 => DType::F32,
        sys::PJRT_Buffer_Type_F64 => DType::F64,
        other => return Err(PjrtError::ElementType(other)),
    })
}
