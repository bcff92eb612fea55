//! A compiled program: what it is, what it needs, and its serialised form.

use std::sync::Arc;

use collegium_pjrt_sys as sys;

use crate::plugin::{call, slice, text};
use crate::{Client, PjrtError, TensorSpec, element};

/// A program loaded on its devices.
pub struct Executable {
    client: Client,
    loaded: *mut sys::PJRT_LoadedExecutable,
    description: *mut sys::PJRT_Executable,
    name: String,
    devices: Vec<usize>,
    outputs: Vec<Arc<TensorSpec>>,
}

// SAFETY: PJRT executables may be launched and asked from any thread, and are destroyed once.
unsafe impl Send for Executable {}
// SAFETY: as above.
unsafe impl Sync for Executable {}

impl Executable {
    /// Takes ownership of a loaded executable.
    pub(crate) fn from_raw(
        client: &Client,
        loaded: *mut sys::PJRT_LoadedExecutable,
    ) -> Result<Self, PjrtError> {
        // The value exists before the first call that may fail, so that dropping it frees what there is.
        let mut executable = Self {
            client: client.clone(),
            loaded,
            description: std::ptr::null_mut(),
            name: String::new(),
            devices: Vec::new(),
            outputs: Vec::new(),
        };
        let mut args = sys::PJRT_LoadedExecutable_GetExecutable_Args::new();
        args.loaded_executable = loaded;
        call!(client.plugin(), PJRT_LoadedExecutable_GetExecutable, &mut args)?;
        executable.description = args.executable;
        executable.name = executable.read_name()?;
        executable.devices = executable.read_devices()?;
        executable.outputs = executable.read_outputs()?;
        Ok(executable)
    }

    /// The client it is loaded on.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Name of the module.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The devices it runs on, in the order in which [`Self::execute`] takes arguments and returns outputs.
    pub fn devices(&self) -> &[usize] {
        &self.devices
    }

    /// Element type and sizes of each output.
    pub fn outputs(&self) -> &[Arc<TensorSpec>] {
        &self.outputs
    }

    /// Memory the program needs on each device, as the compiler planned it.
    pub fn memory_stats(&self) -> Result<CompiledMemoryStats, PjrtError> {
        let mut args = sys::PJRT_Executable_GetCompiledMemoryStats_Args::new();
        args.executable = self.description;
        call!(self.client.plugin(), PJRT_Executable_GetCompiledMemoryStats, &mut args)?;
        let bytes = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(CompiledMemoryStats {
            code_bytes: bytes(args.generated_code_size_in_bytes),
            argument_bytes: bytes(args.argument_size_in_bytes),
            output_bytes: bytes(args.output_size_in_bytes),
            alias_bytes: bytes(args.alias_size_in_bytes),
            temp_bytes: bytes(args.temp_size_in_bytes),
            peak_bytes: bytes(args.peak_memory_in_bytes),
        })
    }

    /// The program after the compiler's passes, in the plugin's format (a serialised HLO module on XLA), and the name
    /// of that format.
    pub fn optimized_program(&self) -> Result<(Vec<u8>, String), PjrtError> {
        let mut program = sys::PJRT_Program::new();
        let mut args = sys::PJRT_Executable_OptimizedProgram_Args::new();
        args.executable = self.description;
        args.program = &mut program;
        call!(self.client.plugin(), PJRT_Executable_OptimizedProgram, &mut args)?;
        // The first call gave the size; the second fills the buffer.
        let mut code = vec![0u8; program.code_size];
        program.code = code.as_mut_ptr().cast();
        args.program = &mut program;
        call!(self.client.plugin(), PJRT_Executable_OptimizedProgram, &mut args)?;
        // SAFETY: the format's name is a constant of the plugin.
        Ok((code, unsafe { text(program.format, program.format_size) }))
    }

    /// The compiled form, for [`Client::load_serialized`] in another process with the same plugin and kind of machine.
    pub fn serialize(&self) -> Result<Vec<u8>, PjrtError> {
        let mut args = sys::PJRT_Executable_Serialize_Args::new();
        args.executable = self.description;
        call!(self.client.plugin(), PJRT_Executable_Serialize, &mut args)?;
        // SAFETY: the bytes live until the deleter runs, which is after the copy.
        let bytes = unsafe { slice(args.serialized_bytes.cast::<u8>(), args.serialized_bytes_size) }.to_vec();
        if let Some(delete) = args.serialized_executable_deleter {
            // SAFETY: called once, with the object it was given for.
            unsafe { delete(args.serialized_executable) };
        }
        Ok(bytes)
    }

    pub(crate) fn raw(&self) -> *mut sys::PJRT_LoadedExecutable {
        self.loaded
    }

    fn read_name(&self) -> Result<String, PjrtError> {
        let mut args = sys::PJRT_Executable_Name_Args::new();
        args.executable = self.description;
        call!(self.client.plugin(), PJRT_Executable_Name, &mut args)?;
        // SAFETY: the text lives as long as the executable.
        Ok(unsafe { text(args.executable_name, args.executable_name_size) })
    }

    fn read_devices(&self) -> Result<Vec<usize>, PjrtError> {
        let mut args = sys::PJRT_LoadedExecutable_AddressableDevices_Args::new();
        args.executable = self.loaded;
        call!(self.client.plugin(), PJRT_LoadedExecutable_AddressableDevices, &mut args)?;
        // SAFETY: the executable owns the array.
        let raw = unsafe { slice(args.addressable_devices, args.num_addressable_devices) };
        let position = |device| self.client.devices().iter().position(|d| d.raw == device);
        let devices: Option<Vec<_>> = raw.iter().map(|&d| position(d)).collect();
        devices.ok_or_else(|| PjrtError::Arguments {
            program: self.name.clone(),
            problem: "it runs on a device that is not the client's".into(),
        })
    }

    fn read_outputs(&self) -> Result<Vec<Arc<TensorSpec>>, PjrtError> {
        let mut types = sys::PJRT_Executable_OutputElementTypes_Args::new();
        types.executable = self.description;
        call!(self.client.plugin(), PJRT_Executable_OutputElementTypes, &mut types)?;
        let mut shapes = sys::PJRT_Executable_OutputDimensions_Args::new();
        shapes.executable = self.description;
        call!(self.client.plugin(), PJRT_Executable_OutputDimensions, &mut shapes)?;
        // SAFETY: the executable owns all three arrays; `dims` has as many elements as `ranks` add up to.
        let (types, ranks, mut dims) = unsafe {
            let ranks = slice(shapes.dim_sizes, shapes.num_outputs);
            let dims = slice(shapes.dims, ranks.iter().sum());
            (slice(types.output_types, types.num_output_types), ranks, dims)
        };
        let mut outputs = Vec::with_capacity(ranks.len());
        for (&kind, &rank) in types.iter().zip(ranks) {
            let (own, rest) = dims.split_at(rank);
            dims = rest;
            let dims = own.iter().map(|&d| usize::try_from(d).unwrap_or(0)).collect();
            outputs.push(Arc::new(TensorSpec { dtype: element::from_pjrt(kind)?, dims }));
        }
        Ok(outputs)
    }
}

impl Drop for Executable {
    fn drop(&mut self) {
        let plugin = self.client.plugin();
        let mut description = sys::PJRT_Executable_Destroy_Args::new();
        description.executable = self.description;
        let mut loaded = sys::PJRT_LoadedExecutable_Destroy_Args::new();
        loaded.executable = self.loaded;
        // Launches under way keep what they need; a failure to free leaks it.
        if !self.description.is_null() {
            let _ = call!(plugin, PJRT_Executable_Destroy, &mut description);
        }
        let _ = call!(plugin, PJRT_LoadedExecutable_Destroy, &mut loaded);
    }
}

impl std::fmt::Debug for Executable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Executable({} on devices {:?})", self.name, self.devices)
    }
}

/// Memory of one compiled program on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompiledMemoryStats {
    /// The program itself.
    pub code_bytes: u64,
    /// All arguments.
    pub argument_bytes: u64,
    /// All outputs, including those that reuse arguments.
    pub output_bytes: u64,
    /// Outputs that reuse arguments.
    pub alias_bytes: u64,
    /// Scratch memory.
    pub temp_bytes: u64,
    /// Most memory in use at once; 0 where the plugin does not say.
    pub peak_bytes: u64,
}
