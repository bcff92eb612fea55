//! Typed custom calls: Rust functions that programs call by name.
//!
//! A handler is a *type*, not a closure: the C side takes a bare function pointer without user data, so each handler
//! gets its own entry function by monomorphisation. In a program:
//!
//! ```text
//! %y = stablehlo.custom_call @scale(%x) {api_version = 4 : i32, backend_config = {factor = 2.0 : f32}}
//!   : (tensor<8xf32>) -> tensor<8xf32>
//! ```
//!
//! The runtime keeps a registration until the process ends and refuses another function under the same name; we
//! remember what was registered, so registering the same handler again is harmless.

use std::any::TypeId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use collegium_pjrt_sys as sys;
use sys::ffi as c;

use crate::call_frame::{CallFrame, error};
use crate::{PjrtError, Plugin};

/// The first PJRT API whose registration struct has the layout declared in `pjrt-sys`.
const OLDEST_MINOR: i32 = 81;

/// A custom call implemented in Rust.
///
/// Handlers run on the plugin's threads, several at once when several devices or operations are ready.
pub trait Handler: 'static {
    /// The name programs call it by.
    const NAME: &'static str;

    /// Computes the results. An `Err`, or a panic, fails the execution with this text.
    fn call(frame: &mut CallFrame<'_>) -> Result<(), String>;
}

/// Whether custom calls can be registered with this plugin.
pub fn is_supported(plugin: &Plugin) -> bool {
    extension(plugin).is_ok()
}

/// Makes a handler known to a plugin, for a platform of XLA: `"Host"` for CPU. Before compiling programs that call it.
pub fn register<H: Handler>(plugin: &Plugin, platform: &'static str) -> Result<(), PjrtError> {
    let register = extension(plugin)?;
    let mut known = plugin.handlers.lock().unwrap_or_else(PoisonError::into_inner);
    match known.get(&(platform, H::NAME)) {
        Some(&id) if id == TypeId::of::<H>() => return Ok(()),
        Some(_) => {
            let problem = "another handler has this name already; choose another".into();
            return Err(PjrtError::Handler { name: H::NAME, problem });
        }
        None => {}
    }
    let mut args = c::RegisterHandlerArgs {
        struct_size: size_of::<c::RegisterHandlerArgs>() - size_of::<u32>(), // without the padding behind `traits`
        target_name: H::NAME.as_ptr().cast(),
        target_name_size: H::NAME.len(),
        handler: Some(entry::<H>),
        platform_name: platform.as_ptr().cast(),
        platform_name_size: platform.len(),
        traits: 0,
    };
    // SAFETY: the struct has the layout of this API version; names live for ever and `entry` is a static function.
    let result = unsafe { register(&mut args) };
    plugin.check("PJRT_FFI_Register_Handler", result)?;
    known.insert((platform, H::NAME), TypeId::of::<H>());
    Ok(())
}

type Register = unsafe extern "C" fn(*mut c::RegisterHandlerArgs) -> *mut sys::PJRT_Error;

fn extension(plugin: &Plugin) -> Result<Register, PjrtError> {
    let unsupported = |reason: &str| PjrtError::Unsupported {
        function: "PJRT_FFI_Register_Handler",
        reason: format!("{}: {reason}", plugin.path().display()),
    };
    let base = plugin
        .extension(sys::PJRT_Extension_Type_FFI)
        .ok_or_else(|| unsupported("it has no FFI extension, so custom calls cannot run on it"))?;
    if plugin.version().1 < OLDEST_MINOR {
        return Err(unsupported("its FFI extension is older than PJRT API 0.81"));
    }
    // SAFETY: an extension of this type is a `PjrtExtension`, of which only what its size covers is read.
    unsafe {
        if (*base).struct_size < size_of::<c::PjrtExtension>() {
            return Err(unsupported("its FFI extension has no registration"));
        }
        (*base.cast::<c::PjrtExtension>())
            .register_handler
            .ok_or_else(|| unsupported("its FFI extension has no registration"))
    }
}

/// What the runtime calls: once to ask for metadata, then at every stage of every call.
unsafe extern "C" fn entry<H: Handler>(frame: *mut c::CallFrame) -> *mut c::Error {
    // SAFETY: the runtime passes a valid frame that outlives the call.
    let frame = unsafe { &*frame };
    // SAFETY: the frame's extensions and function table are valid as long as it.
    unsafe {
        if answer_metadata(frame) || frame.stage != c::STAGE_EXECUTE {
            return std::ptr::null_mut();
        }
    }
    // Unwinding into C is undefined, hence the net. What the handler left half written is lost with the execution.
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: at the execute stage, buffers and attributes are valid until we return.
        let mut frame = unsafe { CallFrame::new(frame) }?;
        H::call(&mut frame)
    }));
    let message = match result {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(message)) => message,
        Err(panic) => format!("panicked: {}", panic_text(&*panic)),
    };
    // SAFETY: the table in the frame is the runtime's.
    unsafe { error(frame, &format!("custom call `{}`: {message}", H::NAME)) }
}

/// If the frame asks for metadata, fills it in and says so.
///
/// # Safety
/// Extensions and table of the frame are valid.
unsafe fn answer_metadata(frame: &c::CallFrame) -> bool {
    let mut next = frame.extension_start;
    while !next.is_null() {
        // SAFETY: promised by the caller; a metadata extension points to a writable struct.
        unsafe {
            if (*next).kind == c::EXTENSION_METADATA {
                let version = &mut (*(*next.cast::<c::MetadataExtension>()).metadata).api_version;
                version.major = 0;
                // A runtime refuses handlers newer than itself, and ours use nothing newer than `API_MINOR`.
                version.minor = (*frame.api).api_version.minor.min(c::API_MINOR);
                return true;
            }
            next = (*next).next;
        }
    }
    false
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
