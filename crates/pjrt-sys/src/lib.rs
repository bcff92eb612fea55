//! The PJRT C API and the part of the XLA FFI that handlers need, as plain declarations.
//!
//! `bindings.rs` is generated from the pinned header `include/pjrt_c_api.h` by `regenerate.sh` and committed, so that
//! nobody needs libclang to build. [`ffi`] is written by hand: it is small, and its structs differ between
//! versions only in ways that `struct_size` tells. Nothing here calls anything; `collegium-pjrt` does.
//!
//! Every struct that crosses the border begins with its own size. `new()` zeroes a struct and sets that size, which is
//! the only way the safe layer makes one.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the committed PJRT bindings are for 64-bit targets");

macro_rules! sized {
    ($($name:ident = $size:ident,)*) => { $(
        #[allow(clippy::new_without_default)]
        impl $name {
            /// All fields zero, `struct_size` set to what this header knows.
            pub fn new() -> Self {
                // SAFETY: these are C structs of integers, floats, booleans, raw pointers and optional functions;
                // zero bytes are a valid value of each.
                let mut value: Self = unsafe { core::mem::zeroed() };
                value.struct_size = $size as usize;
                value
            }
        }
    )* };
}

#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals, missing_docs, dead_code, clippy::all)]
mod bindings;
pub mod ffi;

pub use bindings::*;
