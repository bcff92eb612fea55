//! A client: the devices of one plugin, and what is compiled for and stored on them.

use std::sync::{Arc, Mutex};

use collegium_pjrt_sys as sys;

use crate::named_value::{self, OptionValue};
use crate::plugin::{Plugin, call, slice, text};
use crate::{CompileOptions, Device, Executable, PjrtError};

/// A handle to a client; cheap to clone. Buffers and executables hold one, so the client goes last.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    plugin: Arc<Plugin>,
    raw: *mut sys::PJRT_Client,
    devices: Vec<Device>,
    /// Whether its devices' memory is that of this process.
    is_host: bool,
    /// Held while a program is given to several devices, so that all of them see launches in one order: with
    /// collectives, two launches in opposite orders on two devices would wait for each other for ever.
    launch: Mutex<()>,
}

// SAFETY: a PJRT client may be used from any thread; it is destroyed once, when the last handle goes.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Client {
    /// Creates a client. Options are the plugin's own, such as `("cpu_device_count", OptionValue::Int(4))`.
    pub fn new(plugin: &Arc<Plugin>, options: &[(&str, OptionValue)]) -> Result<Self, PjrtError> {
        let options = named_value::to_c(options);
        let mut args = sys::PJRT_Client_Create_Args::new();
        args.create_options = options.as_ptr();
        args.num_options = options.len();
        call!(plugin, PJRT_Client_Create, &mut args)?;
        // From here on the client is owned: an error below destroys it.
        let mut inner = Inner {
            plugin: plugin.clone(),
            raw: args.client,
            devices: Vec::new(),
            is_host: false,
            launch: Mutex::default(),
        };
        inner.devices = inner.addressable_devices()?;
        inner.is_host = inner.platform_name().is_ok_and(|name| name == "cpu");
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The plugin the client came from.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.inner.plugin
    }

    /// The devices this process can use, ordered by local hardware id, which follows the wiring; device *indices*
    /// everywhere in this crate are positions in this list.
    pub fn devices(&self) -> &[Device] {
        &self.inner.devices
    }

    /// Short name of the platform, such as `cpu`.
    pub fn platform_name(&self) -> Result<String, PjrtError> {
        self.inner.platform_name()
    }

    /// Version of the platform's software, in the plugin's words.
    pub fn platform_version(&self) -> Result<String, PjrtError> {
        let mut args = sys::PJRT_Client_PlatformVersion_Args::new();
        args.client = self.raw();
        call!(self.plugin(), PJRT_Client_PlatformVersion, &mut args)?;
        // SAFETY: the text lives as long as the client.
        Ok(unsafe { text(args.platform_version, args.platform_version_size) })
    }

    /// Compiles a StableHLO module in text (or bytecode) form.
    pub fn compile(&self, program: &str, options: &CompileOptions) -> Result<Executable, PjrtError> {
        const FORMAT: &str = "mlir";
        let wire = self.encode_options(options)?;
        let mut code = sys::PJRT_Program::new();
        code.code = program.as_ptr().cast_mut().cast();
        code.code_size = program.len();
        code.format = FORMAT.as_ptr().cast();
        code.format_size = FORMAT.len();
        let mut args = sys::PJRT_Client_Compile_Args::new();
        args.client = self.raw();
        args.program = &code;
        args.compile_options = wire.as_ptr().cast();
        args.compile_options_size = wire.len();
        call!(self.plugin(), PJRT_Client_Compile, &mut args)?;
        Executable::from_raw(self, args.executable)
    }

    /// Loads what [`Executable::serialize`] returned from the same plugin.
    ///
    /// The bytes must be intact: plugins trust them. [`ExecutableCache`](crate::ExecutableCache) checks.
    pub fn load_serialized(&self, bytes: &[u8]) -> Result<Executable, PjrtError> {
        let mut args = sys::PJRT_Executable_DeserializeAndLoad_Args::new();
        args.client = self.raw();
        args.serialized_executable = bytes.as_ptr().cast();
        args.serialized_executable_size = bytes.len();
        call!(self.plugin(), PJRT_Executable_DeserializeAndLoad, &mut args)?;
        Executable::from_raw(self, args.loaded_executable)
    }

    pub(crate) fn encode_options(&self, options: &CompileOptions) -> Result<Vec<u8>, PjrtError> {
        let devices = options.assignment()?;
        let ids: Result<Vec<_>, _> = devices.iter().map(|&d| Ok(self.device(d)?.id())).collect();
        Ok(options.encode(&ids?))
    }

    pub(crate) fn device(&self, index: usize) -> Result<&Device, PjrtError> {
        let available = self.devices().len();
        self.devices().get(index).ok_or(PjrtError::Device { index, available })
    }

    pub(crate) fn raw(&self) -> *mut sys::PJRT_Client {
        self.inner.raw
    }

    pub(crate) fn is_host(&self) -> bool {
        self.inner.is_host
    }

    pub(crate) fn launch_order(&self) -> &Mutex<()> {
        &self.inner.launch
    }
}

impl Inner {
    fn platform_name(&self) -> Result<String, PjrtError> {
        let mut args = sys::PJRT_Client_PlatformName_Args::new();
        args.client = self.raw;
        call!(&self.plugin, PJRT_Client_PlatformName, &mut args)?;
        // SAFETY: the text lives as long as the client.
        Ok(unsafe { text(args.platform_name, args.platform_name_size) })
    }

    fn addressable_devices(&self) -> Result<Vec<Device>, PjrtError> {
        let mut args = sys::PJRT_Client_AddressableDevices_Args::new();
        args.client = self.raw;
        call!(&self.plugin, PJRT_Client_AddressableDevices, &mut args)?;
        // SAFETY: the client owns the array and the devices.
        let raw = unsafe { slice(args.addressable_devices, args.num_addressable_devices) };
        // SAFETY: the devices are dropped with the client that holds them.
        let devices: Result<Vec<_>, _> =
            raw.iter().map(|&d| unsafe { Device::new(&self.plugin, d) }).collect();
        let mut devices = devices?;
        devices.sort_by_key(|d| (d.local_hardware_id(), d.id()));
        Ok(devices)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut args = sys::PJRT_Client_Destroy_Args::new();
        args.client = self.raw;
        // A client that cannot be destroyed is leaked; there is nobody to tell.
        let _ = call!(&self.plugin, PJRT_Client_Destroy, &mut args);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({} devices of {:?})", self.devices().len(), self.plugin())
    }
}
