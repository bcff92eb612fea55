//! A plugin written in Rust, for what no real plugin does on demand: chosen errors and short function tables.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collegium_pjrt_sys as sys;

use crate::{Client, CompileOptions, ErrorCode, PjrtError, Plugin, ffi};

/// What a fake `PJRT_Error*` points to.
struct Error {
    code: u32,
    message: &'static str,
}

static LIVE_ERRORS: AtomicI64 = AtomicI64::new(0);
static LIVE_CLIENTS: AtomicI64 = AtomicI64::new(0);
/// Code with which creating a client fails; 0 lets it succeed.
static CREATE_CODE: AtomicUsize = AtomicUsize::new(0);

fn fail(code: u32, message: &'static str) -> *mut sys::PJRT_Error {
    LIVE_ERRORS.fetch_add(1, SeqCst);
    Box::into_raw(Box::new(Error { code, message })).cast()
}

unsafe extern "C" fn error_destroy(args: *mut sys::PJRT_Error_Destroy_Args) {
    // SAFETY: the layer passes back an error from `fail`, once; double frees are what the counter is for.
    drop(unsafe { Box::from_raw((*args).error.cast::<Error>()) });
    LIVE_ERRORS.fetch_sub(1, SeqCst);
}

unsafe extern "C" fn error_message(args: *mut sys::PJRT_Error_Message_Args) {
    // SAFETY: as above, and the error is alive.
    unsafe {
        let error = &*(*args).error.cast::<Error>();
        (*args).message = error.message.as_ptr().cast();
        (*args).message_size = error.message.len();
    }
}

unsafe extern "C" fn error_code(args: *mut sys::PJRT_Error_GetCode_Args) -> *mut sys::PJRT_Error {
    // SAFETY: as above.
    unsafe { (*args).code = (*(*args).error.cast::<Error>()).code };
    std::ptr::null_mut()
}

unsafe extern "C" fn initialize(_: *mut sys::PJRT_Plugin_Initialize_Args) -> *mut sys::PJRT_Error {
    std::ptr::null_mut()
}

unsafe extern "C" fn client_create(args: *mut sys::PJRT_Client_Create_Args) -> *mut sys::PJRT_Error {
    // SAFETY: the layer passes a struct of this version, so it has the size this version has.
    assert_eq!(unsafe { (*args).struct_size }, sys::PJRT_Client_Create_Args_STRUCT_SIZE as usize);
    match CREATE_CODE.load(SeqCst) {
        0 => {
            LIVE_CLIENTS.fetch_add(1, SeqCst);
            // SAFETY: as above; nobody dereferences a client but us.
            unsafe { (*args).client = std::ptr::dangling_mut() };
            std::ptr::null_mut()
        }
        code => fail(code as u32, "no room at the inn"),
    }
}

unsafe extern "C" fn client_destroy(_: *mut sys::PJRT_Client_Destroy_Args) -> *mut sys::PJRT_Error {
    LIVE_CLIENTS.fetch_sub(1, SeqCst);
    std::ptr::null_mut()
}

unsafe extern "C" fn no_devices(args: *mut sys::PJRT_Client_AddressableDevices_Args) -> *mut sys::PJRT_Error {
    // SAFETY: the layer passes a struct of this version.
    unsafe { (*args).num_addressable_devices = 0 };
    std::ptr::null_mut()
}

fn table() -> sys::PJRT_Api {
    let mut api = sys::PJRT_Api::new();
    api.pjrt_api_version.minor_version = sys::PJRT_API_MINOR as i32;
    api.PJRT_Error_Destroy = Some(error_destroy);
    api.PJRT_Error_Message = Some(error_message);
    api.PJRT_Error_GetCode = Some(error_code);
    api.PJRT_Plugin_Initialize = Some(initialize);
    api.PJRT_Client_Create = Some(client_create);
    api.PJRT_Client_Destroy = Some(client_destroy);
    api.PJRT_Client_AddressableDevices = Some(no_devices);
    api
}

fn load(api: sys::PJRT_Api) -> Result<Arc<Plugin>, PjrtError> {
    // SAFETY: leaked, so it lives for ever; `struct_size` is at most its true size.
    unsafe { Plugin::from_api("fake.so".into(), Box::leak(Box::new(api))) }.map(Arc::new)
}

/// The counters are shared, so tests that use them take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn errors_keep_code_and_message_and_are_freed() {
    let _turn = turn();
    let plugin = load(table()).unwrap();
    for (number, expected) in
        [(3, ErrorCode::InvalidArgument), (8, ErrorCode::ResourceExhausted), (99, ErrorCode::Unknown)]
    {
        CREATE_CODE.store(number, SeqCst);
        let error = Client::new(&plugin, &[]).unwrap_err();
        let PjrtError::Plugin { function, code, message } = &error else { panic!("{error}") };
        assert_eq!(
            (*function, *code, message.as_str()),
            ("PJRT_Client_Create", expected, "no room at the inn")
        );
        assert!(!error.is_unsupported());
    }
    CREATE_CODE.store(12, SeqCst);
    let error = Client::new(&plugin, &[]).unwrap_err();
    assert!(error.is_unsupported(), "unimplemented is not a failure: {error}");
    CREATE_CODE.store(0, SeqCst);
    assert_eq!(LIVE_ERRORS.load(SeqCst), 0);
}

#[test]
fn a_client_is_destroyed_with_its_last_handle() {
    let _turn = turn();
    let client = Client::new(&load(table()).unwrap(), &[]).unwrap();
    let other = client.clone();
    drop(client);
    assert_eq!(LIVE_CLIENTS.load(SeqCst), 1);
    drop(other);
    assert_eq!(LIVE_CLIENTS.load(SeqCst), 0);
}

#[test]
fn entries_beyond_an_older_table_are_unsupported() {
    let _turn = turn();
    let end = std::mem::offset_of!(sys::PJRT_Api, PJRT_Client_AddressableDevices);
    // The second size ends in the middle of the entry: an entry counts only whole.
    for size in [end, end + 4] {
        let mut api = table();
        api.struct_size = size;
        let error = Client::new(&load(api).unwrap(), &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PJRT_Client_AddressableDevices: not supported by this plugin: fake.so (PJRT API 0.81) has no such function"
        );
        assert_eq!(LIVE_CLIENTS.load(SeqCst), 0, "the half made client is destroyed");
    }
}

#[test]
fn a_longer_table_and_a_null_entry_are_fine() {
    let _turn = turn();
    let mut longer = vec![0u64; size_of::<sys::PJRT_Api>() / 8 + 10];
    let mut api = table();
    api.struct_size = longer.len() * 8;
    // SAFETY: the vector is longer than the table and aligned for it.
    unsafe { longer.as_mut_ptr().cast::<sys::PJRT_Api>().write(api) };
    // SAFETY: leaked, and valid for `struct_size` bytes.
    let plugin = unsafe { Plugin::from_api("longer.so".into(), longer.leak().as_ptr().cast()) }.unwrap();
    let client = Client::new(&Arc::new(plugin), &[]).unwrap();
    assert!(client.compile("module {}", &CompileOptions::default()).is_err_and(|e| !e.is_unsupported()));
    assert!(client.load_serialized(b"").is_err_and(|e| e.is_unsupported()));
}

#[test]
fn what_is_no_plugin_is_refused() {
    // SAFETY: null is allowed.
    let error = unsafe { Plugin::from_api("none.so".into(), std::ptr::null()) }.unwrap_err();
    assert!(
        error.to_string().starts_with("plugin none.so: GetPjrtApi returned no function table"),
        "{error}"
    );

    let mut old = table();
    old.pjrt_api_version.minor_version = 40;
    let error = load(old).unwrap_err();
    assert!(error.to_string().contains("speaks PJRT API 0.40, needed is 0.57 or a later 0.x"), "{error}");

    let mut short = table();
    short.struct_size = 48;
    let error = load(short).unwrap_err();
    assert!(error.to_string().contains("lacks the error functions"), "{error}");

    let missing = Plugin::load("/nowhere/plugin.so").unwrap_err();
    assert!(missing.to_string().contains("/nowhere/plugin.so: cannot be loaded"), "{missing}");
    let text = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(text.path(), "not a library").unwrap();
    assert!(matches!(Plugin::load(text.path()).unwrap_err(), PjrtError::Load { .. }));
}

/// A handler that no plugin will call.
struct Nothing;

impl ffi::Handler for Nothing {
    const NAME: &'static str = "nothing";

    fn call(_: &mut crate::CallFrame<'_>) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn custom_calls_are_unsupported_without_the_extension() {
    let plugin = load(table()).unwrap();
    assert!(!ffi::is_supported(&plugin));
    let error = ffi::register::<Nothing>(&plugin, "Host").unwrap_err();
    assert!(error.is_unsupported(), "{error}");
}
