//! Tensors on a device, and the way there and back.
//!
//! A buffer is a future: it may be passed on before its value exists. Uploads copy during the call, or hold the host's
//! data by a shared reference until the device has it; downloads return at once and are waited for when the bytes are
//! needed, but where values lie in this process's memory. A buffer given away by donation is moved into the launch, so using it later does not compile.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use collegium_core::{DType, HostTensor};
use collegium_pjrt_sys as sys;

use crate::event::Event;
use crate::plugin::{call, slice};
use crate::{Client, PjrtError, element};

/// Element type and sizes of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Element type.
    pub dtype: DType,
    /// Size of each dim.
    pub dims: Vec<usize>,
}

/// A tensor on one device.
pub struct Buffer {
    client: Client,
    raw: *mut sys::PJRT_Buffer,
    spec: Arc<TensorSpec>,
    /// Completion of the launch that makes the value. Some plugins report a failed launch only there.
    origin: Option<Arc<Event>>,
    /// Where the value is in this process's memory, once somebody asked.
    address: OnceLock<usize>,
    /// Launches that may still read it, where it may be changed in place.
    readers: Mutex<Vec<Arc<Event>>>,
}

// SAFETY: PJRT buffers may be used from any thread and are immutable until they are destroyed or donated, which takes
// ownership here, or changed in place, which takes a unique reference (`host_bytes_mut`).
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Client {
    /// Copies bytes in row-major order to a device. The bytes are free when the call returns.
    pub fn upload(
        &self,
        bytes: &[u8],
        dtype: DType,
        dims: &[usize],
        device: usize,
    ) -> Result<Buffer, PjrtError> {
        let semantics = sys::PJRT_HostBufferSemantics_kImmutableOnlyDuringCall;
        // With these semantics the event is of no interest: the plugin is done with `bytes` when the call returns.
        let (buffer, _done) = self.start_upload(bytes, dtype, dims, device, semantics)?;
        Ok(buffer)
    }

    /// Copies a host tensor to a device.
    pub fn upload_tensor(&self, tensor: &HostTensor, device: usize) -> Result<Buffer, PjrtError> {
        self.upload(tensor.bytes(), tensor.dtype(), tensor.sizes(), device)
    }

    /// Starts a copy and returns; `data` stays alive until the device has read it.
    pub fn upload_shared<T>(
        &self,
        data: Arc<T>,
        dtype: DType,
        dims: &[usize],
        device: usize,
    ) -> Result<Buffer, PjrtError>
    where
        T: AsRef<[u8]> + Send + Sync + ?Sized + 'static,
    {
        let semantics = sys::PJRT_HostBufferSemantics_kImmutableUntilTransferCompletes;
        let (buffer, done) = self.start_upload((*data).as_ref(), dtype, dims, device, semantics)?;
        if let Some(done) = done {
            // Until then the shared reference keeps the bytes alive and unchanged.
            done.hold(data)?;
        }
        Ok(buffer)
    }

    fn start_upload(
        &self,
        bytes: &[u8],
        dtype: DType,
        dims: &[usize],
        device: usize,
        semantics: sys::PJRT_HostBufferSemantics,
    ) -> Result<(Buffer, Option<Event>), PjrtError> {
        let elements = dims.iter().try_fold(dtype.size_bytes(), |a, &b| a.checked_mul(b));
        if elements != Some(bytes.len()) {
            let (dims, required) = (dims.to_vec(), elements.unwrap_or(usize::MAX));
            return Err(PjrtError::DataSize { dtype, dims, required, given: bytes.len() });
        }
        let sizes: Vec<i64> = dims.iter().map(|&d| d as i64).collect();
        let mut args = sys::PJRT_Client_BufferFromHostBuffer_Args::new();
        args.client = self.raw();
        args.data = bytes.as_ptr().cast();
        args.type_ = element::to_pjrt(dtype);
        args.dims = sizes.as_ptr();
        args.num_dims = sizes.len();
        args.host_buffer_semantics = semantics;
        args.device = self.device(device)?.raw;
        call!(self.plugin(), PJRT_Client_BufferFromHostBuffer, &mut args)?;
        let done = Event::from_raw(self.plugin(), args.done_with_host_buffer);
        let spec = Arc::new(TensorSpec { dtype, dims: dims.to_vec() });
        Ok((Buffer::from_raw(self, args.buffer, spec, None), done))
    }
}

impl Buffer {
    /// Takes ownership of what a call gave, an output of a launch with its completion.
    pub(crate) fn from_raw(
        client: &Client,
        raw: *mut sys::PJRT_Buffer,
        spec: Arc<TensorSpec>,
        origin: Option<Arc<Event>>,
    ) -> Self {
        let (address, readers) = Default::default();
        Self { client: client.clone(), raw, spec, origin, address, readers }
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.spec.dtype
    }

    /// Size of each dim.
    pub fn dims(&self) -> &[usize] {
        &self.spec.dims
    }

    /// Bytes the value takes in row-major order on the host.
    pub fn size_bytes(&self) -> usize {
        self.dims().iter().product::<usize>() * self.dtype().size_bytes()
    }

    /// Bytes the value takes on the device, padding included.
    pub fn device_size_bytes(&self) -> Result<usize, PjrtError> {
        let mut args = sys::PJRT_Buffer_OnDeviceSizeInBytes_Args::new();
        args.buffer = self.raw;
        call!(self.client.plugin(), PJRT_Buffer_OnDeviceSizeInBytes, &mut args)?;
        Ok(args.on_device_size_in_bytes)
    }

    /// Whether the value exists, or its computation has failed.
    pub fn is_ready(&self) -> Result<bool, PjrtError> {
        match self.ready_event()? {
            Some(event) => event.is_ready(),
            None => Ok(true),
        }
    }

    /// Blocks until the value exists; the error, if its computation failed.
    pub fn wait(&self) -> Result<(), PjrtError> {
        if let Some(event) = self.ready_event()? {
            event.wait()?;
        }
        self.origin.as_ref().map_or(Ok(()), |origin| origin.wait())
    }

    /// Copies the value to the host and waits for it.
    pub fn download(&self) -> Result<HostTensor, PjrtError> {
        self.start_download()?.wait()
    }

    /// The value, where it lies in this process's memory; waits for it.
    ///
    /// # Errors
    /// A device with memory of its own, and what the plugin says of the value.
    pub fn host_bytes(&self) -> Result<&[u8], PjrtError> {
        let address = self.host_address()?;
        // SAFETY: the value exists, lies row-major in this process's memory, as programs for the CPU plugin have no other layouts, stays until `self` is dropped, and is changed by
        // `host_bytes_mut` alone.
        Ok(unsafe { slice(address as *const u8, self.size_bytes()) })
    }

    /// The same, to change it in place; waits also for the launches that read it.
    ///
    /// # Errors
    /// As [`host_bytes`](Self::host_bytes).
    pub fn host_bytes_mut(&mut self) -> Result<&mut [u8], PjrtError> {
        let address = self.host_address()?;
        for reader in self.readers.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Whether it succeeded is for those who hold its results.
            let _ = reader.wait();
        }
        if address == 0 {
            return Ok(&mut []);
        }
        // SAFETY: as above; the plugin handed out the value's memory as its own, nobody else has this buffer, and no launch reads it any more.
        Ok(unsafe { std::slice::from_raw_parts_mut(address as *mut u8, self.size_bytes()) })
    }

    /// Where the value is, which is never moved.
    fn host_address(&self) -> Result<usize, PjrtError> {
        if let Some(&address) = self.address.get() {
            return Ok(address);
        }
        if !self.client.is_host() {
            let reason = "the device has memory of its own; download the value".into();
            return Err(PjrtError::Unsupported { function: "PJRT_Buffer_UnsafePointer", reason });
        }
        self.wait()?;
        let mut args = sys::PJRT_Buffer_UnsafePointer_Args::new();
        args.buffer = self.raw;
        call!(self.client.plugin(), PJRT_Buffer_UnsafePointer, &mut args)?;
        Ok(*self.address.get_or_init(|| args.buffer_pointer))
    }

    /// Remembers a launch that reads the value, until it is over.
    pub(crate) fn read_by(&self, launch: &Arc<Event>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| !reader.is_ready().unwrap_or(true));
        readers.push(launch.clone());
    }

    /// Starts a copy to the host and returns. A value in this process's memory is waited for and copied at once: the plugin would do so in another thread, which takes a tenth of a
    /// millisecond to wake and to wait for.
    pub fn start_download(&self) -> Result<PendingDownload, PjrtError> {
        if self.client.is_host() {
            let bytes = self.host_bytes()?.to_vec();
            return Ok(PendingDownload { done: None, origin: None, spec: self.spec.clone(), bytes });
        }
        let mut bytes = vec![0u8; self.size_bytes()];
        let minor_to_major: Vec<i64> = (0..self.dims().len() as i64).rev().collect();
        let mut layout = row_major(&minor_to_major);
        let mut args = sys::PJRT_Buffer_ToHostBuffer_Args::new();
        args.src = self.raw;
        // Said explicitly: the default is the device's layout, which need not be row-major.
        args.host_layout = &mut layout;
        args.dst = bytes.as_mut_ptr().cast();
        args.dst_size = bytes.len();
        call!(self.client.plugin(), PJRT_Buffer_ToHostBuffer, &mut args)?;
        let done = Event::from_raw(self.client.plugin(), args.event);
        Ok(PendingDownload { done, origin: self.origin.clone(), spec: self.spec.clone(), bytes })
    }

    fn ready_event(&self) -> Result<Option<Event>, PjrtError> {
        let mut args = sys::PJRT_Buffer_ReadyEvent_Args::new();
        args.buffer = self.raw;
        call!(self.client.plugin(), PJRT_Buffer_ReadyEvent, &mut args)?;
        Ok(Event::from_raw(self.client.plugin(), args.event))
    }

    pub(crate) fn raw(&self) -> *mut sys::PJRT_Buffer {
        self.raw
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

fn row_major(minor_to_major: &[i64]) -> sys::PJRT_Buffer_MemoryLayout {
    let mut tiled = sys::PJRT_Buffer_MemoryLayout_Tiled::new();
    tiled.minor_to_major = minor_to_major.as_ptr();
    tiled.minor_to_major_size = minor_to_major.len();
    let mut layout = sys::PJRT_Buffer_MemoryLayout::new();
    layout.__bindgen_anon_1.tiled = tiled;
    layout.type_ = sys::PJRT_Buffer_MemoryLayout_Type_Tiled;
    layout
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut args = sys::PJRT_Buffer_Destroy_Args::new();
        args.buffer = self.raw;
        // Work that still reads the buffer keeps its memory; a failure to free leaks it.
        let _ = call!(self.client.plugin(), PJRT_Buffer_Destroy, &mut args);
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer {}{:?}", self.dtype(), self.dims())
    }
}

/// A copy to the host under way.
pub struct PendingDownload {
    done: Option<Event>,
    origin: Option<Arc<Event>>,
    spec: Arc<TensorSpec>,
    /// Written by the plugin until `done`; nobody looks before.
    bytes: Vec<u8>,
}

impl PendingDownload {
    /// Blocks until the bytes are here.
    pub fn wait(mut self) -> Result<HostTensor, PjrtError> {
        if let Some(done) = self.done.take() {
            done.wait()?;
        }
        if let Some(origin) = &self.origin {
            origin.wait()?;
        }
        let bytes = std::mem::take(&mut self.bytes);
        Ok(HostTensor::from_bytes(self.spec.dtype, &self.spec.dims, bytes).expect("allocated for this shape"))
    }

    /// Whether [`Self::wait`] would return at once.
    pub fn is_ready(&self) -> Result<bool, PjrtError> {
        self.done.as_ref().map_or(Ok(true), Event::is_ready)
    }
}

impl Drop for PendingDownload {
    /// The plugin may still be writing into `bytes`: they must not be freed under it.
    fn drop(&mut self) {
        if let Some(done) = &self.done {
            let _ = done.wait();
        }
    }
}
