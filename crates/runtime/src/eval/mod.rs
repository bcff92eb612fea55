//! The reference: slow, exact, on the host. Every other backend is compared with it, so it is written to be trusted
//! rather than to be fast: elements are f64, an operation is a loop over places found by dim name, and a result is rounded to
//! its element type once, after the operation. All devices of the mesh advance together, node by node; a collective
//! then is a loop over the group.
//!
//! Where devices differ (an index out of range) it refuses to compute.

mod collective;
mod elementwise;
mod layout;
mod machine;
mod number;
mod product;
mod rows;
mod tensor;

use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::Program;

pub use machine::{Pieces, evaluate};
pub use number::Rounding;

use crate::backend::check_inputs;
use crate::{Array, Backend, DeviceBuffer, Executable, MemoryUse, RuntimeError};

/// The reference backend with any number of devices.
pub struct EvalBackend {
    num_devices: usize,
}

impl EvalBackend {
    /// A backend of `num_devices` devices.
    pub fn new(num_devices: usize) -> Self {
        Self { num_devices }
    }

    fn expect_devices(&self, what: &str, given: usize) -> Result<(), RuntimeError> {
        if given == self.num_devices {
            return Ok(());
        }
        Err(RuntimeError::DeviceCount {
            what: what.into(),
            given,
            backend: self.name().into(),
            devices: self.num_devices,
        })
    }
}

impl Backend for EvalBackend {
    fn name(&self) -> &str {
        "eval"
    }

    fn num_devices(&self) -> usize {
        self.num_devices
    }

    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError> {
        self.expect_devices(&format!("program `{}`", program.name), program.mesh.num_devices())?;
        Ok(Arc::new(EvalExecutable { program: program.clone() }))
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        self.expect_devices("the array", pieces.len())?;
        Ok(Array {
            pieces: pieces.iter().map(|p| Arc::new(EvalBuffer(p.clone())) as Arc<dyn DeviceBuffer>).collect(),
        })
    }

    fn memory(&self, _device: usize) -> Option<MemoryUse> {
        None
    }
}

/// A value that is there already.
struct EvalBuffer(HostTensor);

impl DeviceBuffer for EvalBuffer {
    fn dtype(&self) -> DType {
        self.0.dtype()
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.sizes().to_vec()
    }

    fn download(&self) -> Result<HostTensor, RuntimeError> {
        Ok(self.0.clone())
    }
}

struct EvalExecutable {
    program: Program,
}

impl Executable for EvalExecutable {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        check_inputs(&self.program, &inputs, self.program.mesh.num_devices())?;
        check_donations(&self.program, &inputs)?;
        let values = inputs.iter().map(pieces).collect::<Result<Vec<_>, _>>()?;
        let results = evaluate(&self.program, &values, Rounding::ToElementType)?;
        let array = |(pieces, (_, shape)): (Pieces, (&str, &collegium_hlo::Shape))| Array {
            pieces: pieces
                .iter()
                .map(|p| {
                    Arc::new(EvalBuffer(HostTensor::from_f64(shape.dtype, &shape.sizes(), p)))
                        as Arc<dyn DeviceBuffer>
                })
                .collect(),
        };
        Ok(results.into_iter().zip(self.program.outputs()).map(array).collect())
    }
}

fn pieces(array: &Array) -> Result<Pieces, RuntimeError> {
    Ok(array.download()?.iter().map(HostTensor::to_f64).collect())
}

/// Donation does nothing here, but a program that shares what it gives away would fail elsewhere.
pub(crate) fn check_donations(program: &Program, inputs: &[Array]) -> Result<(), RuntimeError> {
    let shared = |i: usize| inputs[i].pieces.iter().any(|p| Arc::strong_count(p) > 1);
    match program.donations.iter().find(|d| shared(d.0)) {
        Some(&(input, _)) => Err(RuntimeError::SharedDonation { program: program.name.clone(), input }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
