//! The backend that computes nothing: it counts what programs would cost, for a mesh of any size. A training or serving
//! loop runs on it unchanged as long as it looks at no value, and afterwards the ledger says what one device would
//! have done.

use std::sync::{Arc, Mutex, PoisonError};

use collegium_core::{DType, HostTensor};
use collegium_hlo::{Cost, Program, Shape};

use crate::backend::check_inputs;
use crate::{Array, Backend, DeviceBuffer, Executable, MemoryUse, RuntimeError};

/// Counts instead of computing.
pub struct NullBackend {
    num_devices: usize,
    ledger: Arc<Mutex<Vec<Entry>>>,
}

/// What the ledger knows of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the program.
    pub program: String,
    /// Cost of one run on one device.
    pub cost: Cost,
    /// How often it was run.
    pub runs: u64,
}

impl NullBackend {
    /// A backend of `num_devices` devices.
    pub fn new(num_devices: usize) -> Self {
        Self { num_devices, ledger: Arc::default() }
    }

    /// Every program compiled so far, in order.
    pub fn ledger(&self) -> Vec<Entry> {
        lock(&self.ledger).clone()
    }

    /// Cost of all runs so far on one device.
    pub fn total(&self) -> Cost {
        let mut total = Cost::default();
        lock(&self.ledger).iter().for_each(|e| total.add(&e.cost, e.runs));
        total
    }

    fn expect_devices(&self, what: &str, given: usize) -> Result<(), RuntimeError> {
        if given == self.num_devices {
            return Ok(());
        }
        let (backend, devices) = (self.name().into(), self.num_devices);
        Err(RuntimeError::DeviceCount { what: what.into(), given, backend, devices })
    }
}

/// The ledger is sound after every statement, so a panic elsewhere does not spoil it.
fn lock(ledger: &Mutex<Vec<Entry>>) -> std::sync::MutexGuard<'_, Vec<Entry>> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backend for NullBackend {
    fn name(&self) -> &str {
        "null"
    }

    fn num_devices(&self) -> usize {
        self.num_devices
    }

    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError> {
        self.expect_devices(&format!("program `{}`", program.name), program.mesh.num_devices())?;
        let mut ledger = lock(&self.ledger);
        ledger.push(Entry { program: program.name.clone(), cost: program.cost(), runs: 0 });
        Ok(Arc::new(NullExecutable {
            program: program.clone(),
            place: ledger.len() - 1,
            ledger: Arc::clone(&self.ledger),
        }))
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        self.expect_devices("the array", pieces.len())?;
        let shapes = pieces.iter().map(|p| NullBuffer { dtype: p.dtype(), sizes: p.sizes().to_vec() });
        Ok(Array { pieces: shapes.map(|b| Arc::new(b) as Arc<dyn DeviceBuffer>).collect() })
    }

    fn memory(&self, _device: usize) -> Option<MemoryUse> {
        None
    }
}

/// A value of which only the shape is known.
struct NullBuffer {
    dtype: DType,
    sizes: Vec<usize>,
}

impl NullBuffer {
    fn on_all(shape: &Shape, num_devices: usize) -> Array {
        let buffer = || Arc::new(Self { dtype: shape.dtype, sizes: shape.sizes() }) as Arc<dyn DeviceBuffer>;
        Array { pieces: (0..num_devices).map(|_| buffer()).collect() }
    }
}

impl DeviceBuffer for NullBuffer {
    fn dtype(&self) -> DType {
        self.dtype
    }

    fn sizes(&self) -> Vec<usize> {
        self.sizes.clone()
    }

    fn download(&self) -> Result<HostTensor, RuntimeError> {
        Err(RuntimeError::NoValues)
    }
}

struct NullExecutable {
    program: Program,
    place: usize,
    ledger: Arc<Mutex<Vec<Entry>>>,
}

impl Executable for NullExecutable {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        let devices = self.program.mesh.num_devices();
        check_inputs(&self.program, &inputs, devices)?;
        lock(&self.ledger)[self.place].runs += 1;
        Ok(self.program.outputs().map(|(_, shape)| NullBuffer::on_all(shape, devices)).collect())
    }
}

#[cfg(test)]
mod tests {
    use collegium_hlo::{Graph, Mesh, dim};

    use super::*;

    #[test]
    fn it_counts_runs_on_a_mesh_of_any_size() {
        let g = Graph::new(Mesh::new(&[("data", 64), ("expert", 9)]));
        let x = g.parameter("x", DType::Bf16, &[dim("token", 128), dim("hidden", 64)]);
        let w = g.parameter("w", DType::Bf16, &[dim("out", 32), dim("hidden", 64)]);
        let y = x.dot(w, &["hidden"]).all_reduce(&["data"]);
        let program = g.finish("layer", &[("y", y)]).unwrap();
        let backend = NullBackend::new(576);
        let layer = backend.compile(&program).unwrap();
        let x = backend.replicate(&HostTensor::zeros(DType::Bf16, &[128, 64])).unwrap();
        let w = backend.replicate(&HostTensor::zeros(DType::Bf16, &[32, 64])).unwrap();
        let y = layer.run(vec![x.clone(), w.clone()]).unwrap();
        layer.run(vec![x, w]).unwrap();
        assert_eq!((y[0].dtype(), y[0].sizes(), y[0].pieces.len()), (DType::Bf16, vec![128, 32], 576));
        let total = backend.total();
        assert_eq!(total.matmul_flops, 2 * (2 * 128 * 64 * 32));
        assert_eq!(total.collectives[0].bytes_per_device, 2 * (2 * 8192 * 63 / 64));
        assert_eq!((backend.ledger()[0].program.as_str(), backend.ledger()[0].runs), ("layer", 2));
    }

    #[test]
    fn it_has_no_values_and_checks_shapes() {
        let g = Graph::new(Mesh::single());
        let program = g.finish("add", &[("y", g.parameter("x", DType::F32, &[]) + 1.0)]).unwrap();
        let backend = NullBackend::new(1);
        let add = backend.compile(&program).unwrap();
        let y = add.run(vec![backend.replicate(&HostTensor::scalar(1f32)).unwrap()]).unwrap();
        let refusal = y[0].first().unwrap_err().to_string();
        assert_eq!(
            refusal,
            "backend `null` counts costs and computes no values; run on `cpu` or `eval` to see them"
        );
        let wrong = backend.replicate(&HostTensor::scalar(1i32)).unwrap();
        assert!(matches!(add.run(vec![wrong]), Err(RuntimeError::InputShape { .. })));
        assert!(matches!(NullBackend::new(2).compile(&program), Err(RuntimeError::DeviceCount { .. })));
    }
}
