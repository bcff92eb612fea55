//! The real backend: programs go to a PJRT plugin as StableHLO text.

use std::any::Any;
use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::{Dialect, Program, Shape};
use collegium_pjrt::{Arg, Buffer, Client, CompileOptions, ExecutableCache, OptionValue};

use crate::backend::check_inputs;
use crate::chain::{ChainExecutable, Room};
use crate::{Array, Backend, DeviceBuffer, Executable, MemoryUse, RuntimeError};

/// Where the processor has bf16 instructions, plugin 0.0.1 leaves some bf16 products with an f32 result to a thunk that does not know the
/// pair of types ("Unsupported element type for DotThunk::Execute"), unless these fusions are off.
const YNN_FUSIONS: &str = "xla_cpu_experimental_ynn_fusion_type";

/// What a program rounds to bf16 is rounded, also where the compiler could go on in f32: so a value does not depend on what is fused with it.
const EXCESS: &str = "xla_allow_excess_precision";

/// Devices of one process behind one plugin.
pub struct PjrtBackend {
    name: String,
    client: Client,
    num_devices: usize,
    dialect: Dialect,
    cache: Option<ExecutableCache>,
    /// Of programs that run without the plugin.
    room: Room,
}

impl PjrtBackend {
    /// The first `num_devices` devices of a client; the mesh of every program has as many.
    ///
    /// # Errors
    /// A client with fewer devices.
    pub fn new(client: Client, num_devices: usize) -> Result<Self, RuntimeError> {
        let name = client.platform_name()?;
        let devices = client.devices().len();
        if devices < num_devices {
            let what = "the mesh".to_string();
            return Err(RuntimeError::DeviceCount { what, given: num_devices, backend: name, devices });
        }
        let cpu_kernels = name == "cpu" && crate::kernels::register(client.plugin(), num_devices);
        Ok(Self {
            name,
            client,
            num_devices,
            dialect: Dialect { cpu_kernels },
            cache: None,
            room: Room::default(),
        })
    }

    /// Writes portable programs even where this process has kernels for the device.
    pub fn without_kernels(mut self) -> Self {
        self.dialect.cpu_kernels = false;
        self
    }

    /// Keeps compiled programs in `folder` and takes them from there, where the plugin can write them down.
    pub fn with_program_cache(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.cache = Some(ExecutableCache::new(folder));
        self
    }

    /// The client, for what only plugins have.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// A buffer of a plugin. It is taken out once, when it is donated.
pub(crate) struct PjrtBuffer(pub(crate) Buffer);

impl DeviceBuffer for PjrtBuffer {
    fn dtype(&self) -> DType {
        self.0.dtype()
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.dims().to_vec()
    }

    fn has(&self, shape: &Shape) -> bool {
        let sizes = shape.dims.iter().map(|dim| &dim.size);
        self.0.dtype() == shape.dtype && self.0.dims().iter().eq(sizes)
    }

    fn download(&self) -> Result<HostTensor, RuntimeError> {
        Ok(self.0.download()?)
    }

    fn wait(&self) -> Result<(), RuntimeError> {
        Ok(self.0.wait()?)
    }
}

struct PjrtExecutable {
    program: Program,
    /// By input: whether it is given away.
    donated: Vec<bool>,
    devices: usize,
    inner: collegium_pjrt::Executable,
}

impl Backend for PjrtBackend {
    fn name(&self) -> &str {
        &self.name
    }

    fn num_devices(&self) -> usize {
        self.num_devices
    }

    fn block_rows(&self) -> usize {
        // The kernels join a slot's blocks again, so small ones cost nothing.
        if self.dialect.cpu_kernels { 16 } else { 128 }
    }

    fn has_cpu_kernels(&self) -> bool {
        self.dialect.cpu_kernels
    }

    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError> {
        let given = program.mesh.num_devices();
        if given != self.num_devices() {
            let what = format!("program `{}`", program.name);
            return Err(RuntimeError::DeviceCount {
                what,
                given,
                backend: self.name.clone(),
                devices: self.num_devices(),
            });
        }
        if let Some(chain) = program.as_chain().filter(|_| self.dialect.cpu_kernels) {
            return Ok(Arc::new(ChainExecutable::new(&self.client, &self.room, program, chain)));
        }
        let text = program.to_stablehlo_for(self.dialect);
        let mut options = CompileOptions::replicas(given);
        if self.name == "cpu" && program.nodes.iter().any(|n| n.shape.dtype == DType::Bf16) {
            options.flags.push((YNN_FUSIONS.into(), OptionValue::Str(String::new())));
            options.flags.push((EXCESS.into(), OptionValue::Bool(false)));
        }
        let inner = match &self.cache {
            Some(cache) => cache.get_or_compile(&self.client, &text, &options)?.0,
            None => self.client.compile(&text, &options)?,
        };
        let mut donated = vec![false; program.inputs().count()];
        program.donations.iter().for_each(|donation| donated[donation.0] = true);
        Ok(Arc::new(PjrtExecutable { program: program.clone(), donated, devices: given, inner }))
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        if pieces.len() != self.num_devices() {
            let what = "the array".to_string();
            return Err(RuntimeError::DeviceCount {
                what,
                given: pieces.len(),
                backend: self.name.clone(),
                devices: self.num_devices(),
            });
        }
        let send = |(d, piece): (usize, &HostTensor)| self.client.upload_tensor(piece, d).map(own);
        Ok(Array { pieces: pieces.iter().enumerate().map(send).collect::<Result<_, _>>()? })
    }

    fn memory(&self, device: usize) -> Option<MemoryUse> {
        if self.name == "cpu" {
            return crate::host_memory::share_of(self.num_devices);
        }
        let stats = self.client.devices().get(device)?.memory_stats().ok()?;
        Some(MemoryUse {
            bytes_in_use: stats.bytes_in_use,
            peak_bytes: stats.peak_bytes_in_use,
            limit_bytes: stats.bytes_limit,
        })
    }
}

pub(crate) fn own(buffer: Buffer) -> Arc<dyn DeviceBuffer> {
    Arc::new(PjrtBuffer(buffer))
}

/// A piece of an input of `program` that is read.
pub(crate) fn shared(
    program: &Program,
    piece: Arc<dyn DeviceBuffer>,
    input: usize,
) -> Result<Arc<PjrtBuffer>, RuntimeError> {
    let any: Arc<dyn Any + Send + Sync> = piece;
    any.downcast().map_err(|_| RuntimeError::ForeignBuffer { program: program.name.clone(), input })
}

/// A piece of an input of `program` that is given away.
pub(crate) fn taken(
    program: &Program,
    piece: Arc<dyn DeviceBuffer>,
    input: usize,
) -> Result<Buffer, RuntimeError> {
    let in_use = |_| RuntimeError::SharedDonation { program: program.name.clone(), input };
    Arc::try_unwrap(shared(program, piece, input)?).map(|b| b.0).map_err(in_use)
}

impl Executable for PjrtExecutable {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        check_inputs(&self.program, &inputs, self.devices)?;
        let donated = &self.donated;
        let mut given = Vec::new();
        let mut lent = Vec::new();
        for (index, array) in inputs.into_iter().enumerate() {
            if donated[index] {
                let pieces = array.pieces.into_iter().map(|p| taken(&self.program, p, index));
                given.push(pieces.collect::<Result<Vec<_>, _>>()?);
            } else {
                let pieces = array.pieces.into_iter().map(|p| shared(&self.program, p, index));
                lent.push(pieces.collect::<Result<Vec<_>, _>>()?);
            }
        }
        let mut given: Vec<_> = given.into_iter().map(Vec::into_iter).collect();
        let mut args: Vec<Vec<Arg<'_>>> = Vec::with_capacity(self.devices);
        for device in 0..self.devices {
            let (mut next_given, mut next_lent) = (given.iter_mut(), lent.iter());
            let arg = |&donate: &bool| {
                let missing = "inputs were sorted by donation just above";
                if donate {
                    Arg::Donate(next_given.next().and_then(Iterator::next).expect(missing))
                } else {
                    Arg::Borrow(&next_lent.next().expect(missing)[device].0)
                }
            };
            args.push(donated.iter().map(arg).collect());
        }
        let by_device = self.inner.execute(args)?;
        let count = self.program.outputs.len();
        let mut arrays: Vec<Array> =
            (0..count).map(|_| Array { pieces: Vec::with_capacity(self.devices) }).collect();
        for outputs in by_device {
            arrays.iter_mut().zip(outputs).for_each(|(array, buffer)| array.pieces.push(own(buffer)));
        }
        Ok(arrays)
    }
}
