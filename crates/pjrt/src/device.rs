//! One device of a client.

use std::sync::Arc;

use collegium_pjrt_sys as sys;

use crate::PjrtError;
use crate::plugin::{Plugin, call, text};

/// A device that the client can give commands to. Lives in its client.
pub struct Device {
    plugin: Arc<Plugin>,
    pub(crate) raw: *mut sys::PJRT_Device,
    id: i32,
    local_hardware_id: i32,
    kind: String,
}

// SAFETY: the device is owned by the client that holds this value, and device queries may be made from any thread.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// # Safety
    /// `raw` is a device of a client that outlives the value.
    pub(crate) unsafe fn new(plugin: &Arc<Plugin>, raw: *mut sys::PJRT_Device) -> Result<Self, PjrtError> {
        let mut description = sys::PJRT_Device_GetDescription_Args::new();
        description.device = raw;
        call!(plugin, PJRT_Device_GetDescription, &mut description)?;
        let description = description.device_description;

        let mut id = sys::PJRT_DeviceDescription_Id_Args::new();
        id.device_description = description;
        call!(plugin, PJRT_DeviceDescription_Id, &mut id)?;
        let mut kind = sys::PJRT_DeviceDescription_Kind_Args::new();
        kind.device_description = description;
        call!(plugin, PJRT_DeviceDescription_Kind, &mut kind)?;
        // SAFETY: the text lives as long as the device.
        let kind = unsafe { text(kind.device_kind, kind.device_kind_size) };
        let mut local = sys::PJRT_Device_LocalHardwareId_Args::new();
        local.device = raw;
        call!(plugin, PJRT_Device_LocalHardwareId, &mut local)?;

        let local_hardware_id = local.local_hardware_id;
        Ok(Self { plugin: plugin.clone(), raw, id: id.id, local_hardware_id, kind })
    }

    /// The plugin's id, unique over all processes.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Position in this machine's hardware; -1 where that means nothing.
    pub fn local_hardware_id(&self) -> i32 {
        self.local_hardware_id
    }

    /// The vendor's name of the hardware.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// State of the device's memory; `Unsupported` where the plugin does not count.
    pub fn memory_stats(&self) -> Result<MemoryStats, PjrtError> {
        let mut args = sys::PJRT_Device_MemoryStats_Args::new();
        args.device = self.raw;
        call!(&self.plugin, PJRT_Device_MemoryStats, &mut args)?;
        let set = |is_set: bool, value: i64| is_set.then_some(value).and_then(|v| u64::try_from(v).ok());
        Ok(MemoryStats {
            bytes_in_use: u64::try_from(args.bytes_in_use).unwrap_or(0),
            peak_bytes_in_use: set(args.peak_bytes_in_use_is_set, args.peak_bytes_in_use),
            bytes_limit: set(args.bytes_limit_is_set, args.bytes_limit),
            largest_alloc_bytes: set(args.largest_alloc_size_is_set, args.largest_alloc_size),
        })
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({}, {})", self.id, self.kind)
    }
}

/// What a device's allocator reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStats {
    /// Bytes allocated now.
    pub bytes_in_use: u64,
    /// Most bytes allocated so far.
    pub peak_bytes_in_use: Option<u64>,
    /// Bytes that can be allocated.
    pub bytes_limit: Option<u64>,
    /// Largest single allocation so far.
    pub largest_alloc_bytes: Option<u64>,
}
