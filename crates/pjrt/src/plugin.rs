//! A plugin: a shared library that exports `GetPjrtApi`, opened once and never closed.
//!
//! Versions are negotiated by size, not by number: the plugin's function table is copied, clamped to the
//! `struct_size` it reports, into a table of the size our header knows. An entry that does not end within that size
//! stays empty and calling it is [`PjrtError::Unsupported`]. Only versions before 0.57, where entries were rearranged,
//! are refused.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use collegium_pjrt_sys as sys;

use crate::named_value::{self, OptionValue};
use crate::{ErrorCode, PjrtError};

/// The PJRT API this room was built with, `major.minor`.
pub const API_VERSION: &str = "0.81";
const _: () = assert!(sys::PJRT_API_MAJOR == 0 && sys::PJRT_API_MINOR == 81, "keep API_VERSION in step");

/// The first minor version whose function table has today's order.
pub(crate) const OLDEST_MINOR: i32 = 57;

/// Calls one function of the plugin's table with its argument struct; a missing entry is `Unsupported`.
///
/// Safety rests on two rules that every use keeps: argument structs come from `new()`, so their sizes are right and
/// unused fields are null, and what their pointers refer to is alive until the call returns (longer only where the
/// header says so, and then that place says how).
macro_rules! call {
    ($plugin:expr, $function:ident, $args:expr) => {{
        let plugin: &$crate::plugin::Plugin = $plugin;
        match plugin.table().$function {
            // SAFETY: the entry lies within the table the plugin reported; the rules above cover the arguments.
            Some(function) => plugin.check(stringify!($function), unsafe { function($args) }),
            None => Err(plugin.missing(stringify!($function))),
        }
    }};
}
pub(crate) use call;

/// A loaded PJRT plugin.
pub struct Plugin {
    path: PathBuf,
    table: sys::PJRT_Api,
    /// Custom calls registered so far: the runtime keeps them for the life of the process.
    pub(crate) handlers: Mutex<HashMap<(&'static str, &'static str), std::any::TypeId>>,
}

// SAFETY: the table is a copy that never changes; its pointers are functions of a library that is never unloaded, and
// an extension chain the plugin keeps constant. PJRT functions may be called from any thread.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

impl Plugin {
    /// Opens the plugin at `path`, or returns the one opened before: a library is initialised once per process.
    pub fn load(path: impl AsRef<Path>) -> Result<Arc<Self>, PjrtError> {
        static LOADED: OnceLock<Mutex<HashMap<PathBuf, Arc<Plugin>>>> = OnceLock::new();
        let path = path.as_ref();
        let path = path.canonicalize().map_err(|e| load_error(path, &e))?;
        let mut loaded = LOADED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plugin) = loaded.get(&path) {
            return Ok(plugin.clone());
        }
        crate::elf::check(&path).map_err(|problem| load_error(&path, &problem))?;
        let api = open(&path)?;
        // SAFETY: the function is the plugin's `GetPjrtApi`, whose result lives as long as the library: for ever.
        let plugin = Arc::new(unsafe { Self::from_api(path.clone(), api) }?);
        loaded.insert(path, plugin.clone());
        Ok(plugin)
    }

    /// Takes over a function table and initialises the plugin.
    ///
    /// # Safety
    /// `api` is null or points to a table that is valid for `struct_size` bytes and lives as long as the process.
    pub(crate) unsafe fn from_api(path: PathBuf, api: *const sys::PJRT_Api) -> Result<Self, PjrtError> {
        if api.is_null() {
            return Err(PjrtError::NotAPlugin {
                path,
                problem: "GetPjrtApi returned no function table".into(),
            });
        }
        // SAFETY: the caller promises a valid table.
        let table = unsafe { clamped(api) };
        let version = &table.pjrt_api_version;
        let (major, minor) = (version.major_version, version.minor_version);
        if major != 0 || minor < OLDEST_MINOR {
            return Err(PjrtError::Version { path, major, minor });
        }
        let errors = (table.PJRT_Error_Message, table.PJRT_Error_GetCode, table.PJRT_Error_Destroy);
        if !matches!(errors, (Some(_), Some(_), Some(_))) {
            let problem = format!("its table of {} bytes lacks the error functions", table.struct_size);
            return Err(PjrtError::NotAPlugin { path, problem });
        }
        let plugin = Self { path, table, handlers: Mutex::default() };
        call!(&plugin, PJRT_Plugin_Initialize, &mut sys::PJRT_Plugin_Initialize_Args::new())?;
        Ok(plugin)
    }

    /// The plugin's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Major and minor version of the API the plugin was built with.
    pub fn version(&self) -> (i32, i32) {
        (self.table.pjrt_api_version.major_version, self.table.pjrt_api_version.minor_version)
    }

    /// What the plugin says about itself, such as `stablehlo_current_version`.
    pub fn attributes(&self) -> Result<BTreeMap<String, OptionValue>, PjrtError> {
        let mut args = sys::PJRT_Plugin_Attributes_Args::new();
        call!(self, PJRT_Plugin_Attributes, &mut args)?;
        // SAFETY: the plugin keeps this array for the life of the process.
        Ok(unsafe { named_value::read_all(args.attributes, args.num_attributes) })
    }

    pub(crate) fn table(&self) -> &sys::PJRT_Api {
        &self.table
    }

    /// The first extension of a type, if the plugin has it.
    pub(crate) fn extension(
        &self,
        kind: sys::PJRT_Extension_Type,
    ) -> Option<*const sys::PJRT_Extension_Base> {
        let mut next = self.table.extension_start.cast_const();
        while !next.is_null() {
            // SAFETY: the chain belongs to the plugin, which keeps it for the life of the process.
            let extension = unsafe { &*next };
            if extension.type_ == kind {
                return Some(next);
            }
            next = extension.next;
        }
        None
    }

    /// Turns the error a C function returned into ours and frees it.
    pub(crate) fn check(&self, function: &'static str, error: *mut sys::PJRT_Error) -> Result<(), PjrtError> {
        if error.is_null() {
            return Ok(());
        }
        let code = self.error_code(error);
        let message = self.error_message(error);
        let mut args = sys::PJRT_Error_Destroy_Args::new();
        args.error = error;
        if let Some(destroy) = self.table.PJRT_Error_Destroy {
            // SAFETY: we own the error and do not use it again.
            unsafe { destroy(&mut args) };
        }
        Err(match code {
            ErrorCode::Unimplemented => PjrtError::Unsupported { function, reason: message },
            code => PjrtError::Plugin { function, code, message },
        })
    }

    fn error_code(&self, error: *const sys::PJRT_Error) -> ErrorCode {
        let Some(get_code) = self.table.PJRT_Error_GetCode else { return ErrorCode::Unknown };
        let mut args = sys::PJRT_Error_GetCode_Args::new();
        args.error = error;
        // SAFETY: `error` is alive; this function returns another error only for malformed arguments.
        let failed = unsafe { get_code(&mut args) };
        if failed.is_null() { ErrorCode::from_raw(args.code) } else { ErrorCode::Unknown }
    }

    fn error_message(&self, error: *const sys::PJRT_Error) -> String {
        let Some(message) = self.table.PJRT_Error_Message else { return String::new() };
        let mut args = sys::PJRT_Error_Message_Args::new();
        args.error = error;
        // SAFETY: `error` is alive, and the text lives as long as it.
        unsafe {
            message(&mut args);
            text(args.message, args.message_size)
        }
    }

    pub(crate) fn missing(&self, function: &'static str) -> PjrtError {
        let (major, minor) = self.version();
        let reason = format!("{} (PJRT API {major}.{minor}) has no such function", self.path.display());
        PjrtError::Unsupported { function, reason }
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor) = self.version();
        write!(f, "Plugin({}, PJRT API {major}.{minor})", self.path.display())
    }
}

/// A string that C gave as pointer and length.
///
/// # Safety
/// `data` is null or valid for `size` bytes.
pub(crate) unsafe fn text(data: *const core::ffi::c_char, size: usize) -> String {
    // SAFETY: promised by the caller.
    String::from_utf8_lossy(unsafe { slice(data.cast::<u8>(), size) }).into_owned()
}

/// An array that C gave as pointer and length; null with length 0 is common there.
///
/// # Safety
/// `data` is null or valid for `len` elements, and they outlive `'a`.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: promised by the caller.
    unsafe { std::slice::from_raw_parts(data, len) }
}

fn load_error(path: &Path, reason: &dyn std::fmt::Display) -> PjrtError {
    PjrtError::Load { path: path.to_path_buf(), reason: reason.to_string() }
}

/// Opens the library and asks it for its function table.
fn open(path: &Path) -> Result<*const sys::PJRT_Api, PjrtError> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    /// Plugins start threads that outlive any client: the code must stay mapped.
    #[cfg(target_os = "linux")]
    const RTLD_NODELETE: i32 = 0x1000;
    #[cfg(not(target_os = "linux"))]
    const RTLD_NODELETE: i32 = 0x80;
    // SAFETY: loading runs the library's initialisers. That they are harmless is the user's choice of plugin; we
    // cannot check it.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) }
        .map_err(|e| load_error(path, &e))?;
    // SAFETY: every PJRT plugin exports this symbol with this type.
    let get_api = unsafe { library.get::<unsafe extern "C" fn() -> *const sys::PJRT_Api>(b"GetPjrtApi\0") }
        .map_err(|_| PjrtError::NotAPlugin {
        path: path.into(),
        problem: "the library exports no GetPjrtApi".into(),
    })?;
    // SAFETY: the function takes nothing and returns a pointer to static data.
    let api = unsafe { get_api() };
    std::mem::forget(library);
    Ok(api)
}

/// A copy of the plugin's table in which entries beyond its reported size are empty.
///
/// # Safety
/// `api` points to a table that is valid for `struct_size` bytes.
unsafe fn clamped(api: *const sys::PJRT_Api) -> sys::PJRT_Api {
    let mut table = sys::PJRT_Api::new();
    // SAFETY: `struct_size` is the first field of every version.
    let reported = unsafe { (&raw const (*api).struct_size).read() };
    // All entries are pointers and the version before them is a multiple of one, so rounding down drops partial entries.
    let whole = reported.min(size_of::<sys::PJRT_Api>()) / size_of::<usize>() * size_of::<usize>();
    // SAFETY: both sides are valid for `whole` bytes and do not overlap; any copied prefix is a valid table.
    unsafe { std::ptr::copy_nonoverlapping(api.cast::<u8>(), (&raw mut table).cast::<u8>(), whole) };
    table
}
