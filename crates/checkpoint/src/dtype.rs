//! Names of element types in safetensors headers.
//!
//! Order matters: files hold wider types first, so that every tensor starts at a multiple of its element size, and
//! the order among types of one width is that of the `safetensors` package, so that files come out byte for byte equal.

use collegium_core::DType;

const NAMES: [(DType, &str); 10] = [
    (DType::I64, "I64"),
    (DType::F64, "F64"),
    (DType::F32, "F32"),
    (DType::U32, "U32"),
    (DType::I32, "I32"),
    (DType::Bf16, "BF16"),
    (DType::F16, "F16"),
    (DType::I8, "I8"),
    (DType::U8, "U8"),
    (DType::Bool, "BOOL"),
];

/// The type a header names, if this project has it.
pub fn parse(name: &str) -> Option<DType> {
    NAMES.iter().find(|(_, n)| *n == name).map(|(dtype, _)| *dtype)
}

/// Name in a header.
pub fn name(dtype: DType) -> &'static str {
    NAMES[position(dtype)].1
}

/// Where tensors of this type come in a file, earlier for smaller numbers.
pub fn position(dtype: DType) -> usize {
    NAMES.iter().position(|(d, _)| *d == dtype).expect("the table has every element type")
}

/// All names, for messages.
pub fn all_names() -> String {
    NAMES.map(|(_, name)| name).join(", ")
}
