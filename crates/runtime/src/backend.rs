//! The seam between programs and whatever runs them. A program runs on all devices of its mesh at once; every value it
//! takes or gives is an [`Array`]: one piece per device, all of one shape.

use std::any::Any;
use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::{Program, Shape};

use crate::RuntimeError;

/// One device's piece of an array, kept by the backend that made it.
pub trait DeviceBuffer: Any + Send + Sync {
    /// Element type.
    fn dtype(&self) -> DType;
    /// Size of each dim.
    fn sizes(&self) -> Vec<usize>;
    /// Whether these are its element type and sizes.
    fn has(&self, shape: &Shape) -> bool {
        self.dtype() == shape.dtype && self.sizes() == shape.sizes()
    }
    /// Copies the values to the host; waits for them where they are still being computed.
    ///
    /// # Errors
    /// What the device says of the computation or the copy.
    fn download(&self) -> Result<HostTensor, RuntimeError>;

    /// Waits until the values are there, as they are at once where a backend computes when it is called.
    ///
    /// # Errors
    /// What the device says of the computation.
    fn wait(&self) -> Result<(), RuntimeError> {
        Ok(())
    }
}

/// A value on all devices: one piece each. Cloning shares the pieces.
#[derive(Clone)]
pub struct Array {
    /// The pieces, in mesh order.
    pub pieces: Vec<Arc<dyn DeviceBuffer>>,
}

impl Array {
    /// Element type.
    pub fn dtype(&self) -> DType {
        self.pieces[0].dtype()
    }

    /// Size of each dim of one piece.
    pub fn sizes(&self) -> Vec<usize> {
        self.pieces[0].sizes()
    }

    /// Waits until all pieces are computed.
    ///
    /// # Errors
    /// What the device says of the computation.
    pub fn wait(&self) -> Result<(), RuntimeError> {
        self.pieces.iter().try_for_each(|p| p.wait())
    }

    /// All pieces, on the host.
    ///
    /// # Errors
    /// What the device says of the computation or the copy.
    pub fn download(&self) -> Result<Vec<HostTensor>, RuntimeError> {
        self.pieces.iter().map(|p| p.download()).collect()
    }

    /// The first device's piece, on the host: enough where all are equal.
    ///
    /// # Errors
    /// What the device says of the computation or the copy.
    pub fn first(&self) -> Result<HostTensor, RuntimeError> {
        self.pieces[0].download()
    }
}

/// A compiled program.
pub trait Executable: Send + Sync {
    /// Starts the program on all devices; the results are there at once as handles and are computed meanwhile. Inputs are in
    /// the order of [`Program::inputs`]; a donated input must not be shared with anybody.
    ///
    /// # Errors
    /// Inputs that do not fit the program, a donated input that is shared, or what the device says.
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError>;
}

/// A set of devices that runs programs.
pub trait Backend: Send + Sync {
    /// Name for messages: `cpu`, `cuda`, `neuron`, `eval`.
    fn name(&self) -> &str;

    /// Number of devices; programs for meshes of this size run here.
    fn num_devices(&self) -> usize;

    /// Rows of a block of the grouped products: fewer waste less at the end of each slot, more suit wide matrix engines.
    fn block_rows(&self) -> usize {
        128
    }

    /// Whether programs call the CPU kernels of this process, which read cache pages in place and take packed weights.
    fn has_cpu_kernels(&self) -> bool {
        false
    }

    /// Compiles a program.
    ///
    /// # Errors
    /// A mesh of another size, or what the compiler says.
    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError>;

    /// Copies one piece to each device.
    ///
    /// # Errors
    /// A number of pieces other than that of devices, or what the device says.
    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError>;

    /// Copies the same tensor to every device.
    ///
    /// # Errors
    /// What the device says.
    fn replicate(&self, tensor: &HostTensor) -> Result<Array, RuntimeError> {
        match self.num_devices() {
            1 => self.upload(std::slice::from_ref(tensor)),
            devices => self.upload(&vec![tensor.clone(); devices]),
        }
    }

    /// Bytes in use and their peak on one device, where the device tells.
    fn memory(&self, device: usize) -> Option<MemoryUse>;
}

/// Memory of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes held now.
    pub bytes_in_use: u64,
    /// The most held so far, where the device keeps count.
    pub peak_bytes: Option<u64>,
    /// Bytes there are, where the device tells.
    pub limit_bytes: Option<u64>,
}

/// Checks the inputs of a call against the program: the part that every backend shares.
///
/// # Errors
/// The first input that is missing, superfluous or of another shape.
pub(crate) fn check_inputs(
    program: &Program,
    inputs: &[Array],
    num_devices: usize,
) -> Result<(), RuntimeError> {
    let expected = program.inputs().count();
    if inputs.len() != expected {
        return Err(RuntimeError::InputCount {
            program: program.name.clone(),
            expected,
            given: inputs.len(),
        });
    }
    for ((name, shape), array) in program.inputs().zip(inputs) {
        if array.pieces.len() != num_devices || !array.pieces[0].has(shape) {
            return Err(RuntimeError::InputShape {
                program: program.name.clone(),
                input: name.to_string(),
                expected: format!("{shape} on {num_devices} devices"),
                given: format!("{}{:?} on {} devices", array.dtype(), array.sizes(), array.pieces.len()),
            });
        }
    }
    Ok(())
}
