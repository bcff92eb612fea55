//! Declarations of XLA's typed foreign function interface, as PJRT plugins offer it for custom calls.
//!
//! Layouts follow `xla/ffi/api/c_api.h` and `xla/pjrt/c/pjrt_c_api_ffi_extension.h` of the OpenXLA project
//! (Apache-2.0), FFI API 0.1 and 0.2; only what a handler touches is declared. Rust names drop the `XLA_FFI_` prefix.

use core::ffi::{c_char, c_int, c_void};

use crate::{PJRT_Error, PJRT_Extension_Base};

/// `XLA_FFI_API_MINOR` of the layouts below; the major version is 0.
pub const API_MINOR: c_int = 2;
/// The extension type with which the runtime asks a handler for its metadata.
pub const EXTENSION_METADATA: c_int = 1;
/// Execution stage "execute".
pub const STAGE_EXECUTE: c_int = 3;
/// Argument and result type "buffer", the only one.
pub const BUFFER: c_int = 1;

/// Attribute type: an array of scalars.
pub const ATTRIBUTE_ARRAY: c_int = 1;
/// Attribute type: a scalar.
pub const ATTRIBUTE_SCALAR: c_int = 3;
/// Attribute type: a string.
pub const ATTRIBUTE_STRING: c_int = 4;

/// Numbers of element types (the same as `xla::PrimitiveType`, and *not* those of `PJRT_Buffer_Type`).
#[allow(missing_docs)]
pub mod data_type {
    use core::ffi::c_int;
    pub const PRED: c_int = 1;
    pub const S8: c_int = 2;
    pub const S32: c_int = 4;
    pub const S64: c_int = 5;
    pub const U8: c_int = 6;
    pub const U32: c_int = 8;
    pub const F16: c_int = 10;
    pub const F32: c_int = 11;
    pub const F64: c_int = 12;
    pub const BF16: c_int = 16;
}

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )* };
}
opaque! {
    /// An error owned by the runtime.
    Error;
    /// What the runtime knows about one invocation.
    ExecutionContext;
}

/// Head of a chain of extensions.
#[repr(C)]
#[allow(missing_docs)]
pub struct ExtensionBase {
    pub struct_size: usize,
    pub kind: c_int,
    pub next: *mut ExtensionBase,
}

/// A version number.
#[repr(C)]
#[allow(missing_docs)]
pub struct ApiVersion {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub major: c_int,
    pub minor: c_int,
}

/// What a handler says about itself.
#[repr(C)]
#[allow(missing_docs)]
pub struct Metadata {
    pub struct_size: usize,
    pub api_version: ApiVersion,
    pub traits: u32,
}

/// The question for [`Metadata`].
#[repr(C)]
#[allow(missing_docs)]
pub struct MetadataExtension {
    pub base: ExtensionBase,
    pub metadata: *mut Metadata,
}

/// Text for a new error.
#[repr(C)]
#[allow(missing_docs)]
pub struct ErrorCreateArgs {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    /// Ends with a zero byte.
    pub message: *const c_char,
    /// A `PJRT_Error_Code`; both follow absl.
    pub code: c_int,
}

/// The beginning of the function table handed to a handler: as far as handlers here need it.
#[repr(C)]
#[allow(missing_docs)]
pub struct Api {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub api_version: ApiVersion,
    pub internal_api: *mut c_void,
    pub error_create: Option<unsafe extern "C" fn(*mut ErrorCreateArgs) -> *mut Error>,
}

/// A tensor in the runtime's memory.
#[repr(C)]
#[allow(missing_docs)]
pub struct Buffer {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub dtype: c_int,
    pub data: *mut c_void,
    pub rank: i64,
    pub dims: *mut i64,
}

/// A string that need not end with a zero byte.
#[repr(C)]
#[allow(missing_docs)]
pub struct ByteSpan {
    pub ptr: *const c_char,
    pub len: usize,
}

/// A scalar attribute.
#[repr(C)]
#[allow(missing_docs)]
pub struct Scalar {
    pub dtype: c_int,
    pub value: *mut c_void,
}

/// An array attribute.
#[repr(C)]
#[allow(missing_docs)]
pub struct Array {
    pub dtype: c_int,
    pub size: usize,
    pub data: *mut c_void,
}

/// Arguments or results of a call: both have this layout.
#[repr(C)]
#[allow(missing_docs)]
pub struct Buffers {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub size: i64,
    pub types: *mut c_int,
    pub values: *mut *mut c_void,
}

/// Attributes of a call, sorted by name.
#[repr(C)]
#[allow(missing_docs)]
pub struct Attributes {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub size: i64,
    pub types: *mut c_int,
    pub names: *mut *mut ByteSpan,
    pub values: *mut *mut c_void,
}

/// One call of a handler.
#[repr(C)]
#[allow(missing_docs)]
pub struct CallFrame {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub api: *const Api,
    pub context: *mut ExecutionContext,
    pub stage: c_int,
    pub args: Buffers,
    pub rets: Buffers,
    pub attributes: Attributes,
    pub future: *mut c_void,
}

/// A handler; null means success.
pub type Handler = unsafe extern "C" fn(*mut CallFrame) -> *mut Error;

/// `PJRT_FFI_Register_Handler_Args` as plugins of PJRT API 0.81 have it: typed handlers only. (Older ones had an
/// `api_version` field before `handler`; the safe layer refuses them.)
#[repr(C)]
#[allow(missing_docs)]
pub struct RegisterHandlerArgs {
    pub struct_size: usize,
    pub target_name: *const c_char,
    pub target_name_size: usize,
    pub handler: Option<Handler>,
    pub platform_name: *const c_char,
    pub platform_name_size: usize,
    pub traits: c_int,
}

/// `PJRT_FFI_Extension`.
#[repr(C)]
#[allow(missing_docs)]
pub struct PjrtExtension {
    pub base: PJRT_Extension_Base,
    pub type_id_register: *mut c_void,
    pub user_data_add: *mut c_void,
    pub register_handler: Option<unsafe extern "C" fn(*mut RegisterHandlerArgs) -> *mut PJRT_Error>,
}
