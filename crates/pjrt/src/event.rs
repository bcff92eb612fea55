//! Completion of asynchronous work.

use std::ffi::c_void;
use std::sync::Arc;

use collegium_pjrt_sys as sys;

use crate::PjrtError;
use crate::plugin::{Plugin, call};

/// An owned `PJRT_Event`.
pub(crate) struct Event {
    plugin: Arc<Plugin>,
    raw: *mut sys::PJRT_Event,
}

// SAFETY: PJRT events may be waited for, asked and destroyed from any thread; we only destroy in `drop`, when no
// other reference is left.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// Takes ownership of an event a call returned; `None` for null, which plugins return for work already done.
    pub(crate) fn from_raw(plugin: &Arc<Plugin>, raw: *mut sys::PJRT_Event) -> Option<Self> {
        (!raw.is_null()).then(|| Self { plugin: plugin.clone(), raw })
    }

    /// Blocks until the work is done; its error, if it failed.
    pub(crate) fn wait(&self) -> Result<(), PjrtError> {
        let mut args = sys::PJRT_Event_Await_Args::new();
        args.event = self.raw;
        call!(&self.plugin, PJRT_Event_Await, &mut args)
    }

    /// Whether the work is done or has failed.
    pub(crate) fn is_ready(&self) -> Result<bool, PjrtError> {
        let mut args = sys::PJRT_Event_IsReady_Args::new();
        args.event = self.raw;
        call!(&self.plugin, PJRT_Event_IsReady, &mut args)?;
        Ok(args.is_ready)
    }

    /// Keeps `value` alive until the work is done. If the plugin cannot tell us when, waits here.
    pub(crate) fn hold<T: Send + 'static>(self, value: T) -> Result<(), PjrtError> {
        let kept = Box::into_raw(Box::new(Kept { plugin: self.plugin.clone(), _value: value }));
        let mut args = sys::PJRT_Event_OnReady_Args::new();
        args.event = self.raw;
        args.callback = Some(release::<T>);
        args.user_arg = kept.cast();
        match call!(&self.plugin, PJRT_Event_OnReady, &mut args) {
            Ok(()) => Ok(()),
            Err(_) => {
                let done = self.wait();
                // SAFETY: registration failed, so the callback never runs and the box is still ours.
                drop(unsafe { Box::from_raw(kept) });
                done
            }
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let mut args = sys::PJRT_Event_Destroy_Args::new();
        args.event = self.raw;
        // A failure to free an event leaks it; there is nobody to tell.
        let _ = call!(&self.plugin, PJRT_Event_Destroy, &mut args);
    }
}

struct Kept<T> {
    plugin: Arc<Plugin>,
    _value: T,
}

/// Called by the plugin, once, when the event is ready.
extern "C" fn release<T>(error: *mut sys::PJRT_Error, kept: *mut c_void) {
    // SAFETY: `kept` is the box made in `hold`, and the plugin calls back exactly once.
    let kept = unsafe { Box::from_raw(kept.cast::<Kept<T>>()) };
    // The callback owns the error: `check` frees it. The same error reaches the user through the buffer.
    let _ = kept.plugin.check("PJRT_Event_OnReady", error);
}
