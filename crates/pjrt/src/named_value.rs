//! Options and attributes: `PJRT_NamedValue` in and out.

use std::collections::BTreeMap;

use collegium_pjrt_sys as sys;

use crate::plugin::{slice, text};

/// The value of an option given to a plugin, or of an attribute it reports.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum OptionValue {
    Str(String),
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
    Bool(bool),
}

impl std::fmt::Display for OptionValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Str(v) => f.write_str(v),
            Self::Int(v) => v.fmt(f),
            Self::Ints(v) => {
                let parts: Vec<_> = v.iter().map(i64::to_string).collect();
                f.write_str(&parts.join("."))
            }
            Self::Float(v) => v.fmt(f),
            Self::Bool(v) => v.fmt(f),
        }
    }
}

/// The C form of options; its pointers borrow from `options`.
pub(crate) fn to_c(options: &[(&str, OptionValue)]) -> Vec<sys::PJRT_NamedValue> {
    options.iter().map(|(name, value)| one_to_c(name, value)).collect()
}

fn one_to_c(name: &str, value: &OptionValue) -> sys::PJRT_NamedValue {
    let mut out = sys::PJRT_NamedValue::new();
    out.name = name.as_ptr().cast();
    out.name_size = name.len();
    out.value_size = 1;
    let slot = &mut out.__bindgen_anon_1;
    match value {
        OptionValue::Str(v) => {
            slot.string_value = v.as_ptr().cast();
            (out.type_, out.value_size) = (sys::PJRT_NamedValue_kString, v.len());
        }
        OptionValue::Int(v) => {
            slot.int64_value = *v;
            out.type_ = sys::PJRT_NamedValue_kInt64;
        }
        OptionValue::Ints(v) => {
            slot.int64_array_value = v.as_ptr();
            (out.type_, out.value_size) = (sys::PJRT_NamedValue_kInt64List, v.len());
        }
        OptionValue::Float(v) => {
            slot.float_value = *v;
            out.type_ = sys::PJRT_NamedValue_kFloat;
        }
        OptionValue::Bool(v) => {
            slot.bool_value = *v;
            out.type_ = sys::PJRT_NamedValue_kBool;
        }
    }
    out
}

/// Copies an array of named values; values of types we do not know are left out.
///
/// # Safety
/// `data` is null or valid for `len` named values whose pointers are valid.
pub(crate) unsafe fn read_all(
    data: *const sys::PJRT_NamedValue,
    len: usize,
) -> BTreeMap<String, OptionValue> {
    // SAFETY: promised by the caller; each value is read by its own tag.
    let entries = unsafe { slice(data, len) }.iter();
    entries
        // SAFETY: as above.
        .filter_map(|entry| unsafe { Some((text(entry.name, entry.name_size), read(entry)?)) })
        .collect()
}

/// # Safety
/// The union holds what its tag says and pointers in it are valid.
unsafe fn read(entry: &sys::PJRT_NamedValue) -> Option<OptionValue> {
    let value = &entry.__bindgen_anon_1;
    // SAFETY: promised by the caller.
    unsafe {
        Some(match entry.type_ {
            sys::PJRT_NamedValue_kString => OptionValue::Str(text(value.string_value, entry.value_size)),
            sys::PJRT_NamedValue_kInt64 => OptionValue::Int(value.int64_value),
            sys::PJRT_NamedValue_kInt64List => {
                OptionValue::Ints(slice(value.int64_array_value, entry.value_size).to_vec())
            }
            sys::PJRT_NamedValue_kFloat => OptionValue::Float(value.float_value),
            sys::PJRT_NamedValue_kBool => OptionValue::Bool(value.bool_value),
            _ => return None,
        })
    }
}
