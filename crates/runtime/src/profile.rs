//! A backend that times every program it runs: each call is waited for, so that programs do not overlap.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use collegium_core::HostTensor;
use collegium_hlo::Program;

use crate::{Array, Backend, Executable, MemoryUse, RuntimeError};

/// What the calls of all programs of one name took together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgramTime {
    /// Name of the programs.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// Wall-clock seconds of all calls, all devices together.
    pub seconds: f64,
    /// FLOPs of all calls on all devices, counted from the programs.
    pub flops: f64,
}

type Times = Arc<Mutex<BTreeMap<String, ProgramTime>>>;

/// Another backend, timed. Runs are slower than without it: nothing is computed while the host prepares the next call.
pub struct ProfiledBackend {
    inner: Arc<dyn Backend>,
    times: Times,
}

impl ProfiledBackend {
    /// Times what `inner` runs.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, times: Times::default() }
    }

    /// What was measured since the last call of this, the longest first.
    pub fn take(&self) -> Vec<ProgramTime> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<ProgramTime> = std::mem::take(&mut *times).into_values().collect();
        found.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        found
    }
}

struct Timed {
    name: String,
    flops: f64,
    inner: Arc<dyn Executable>,
    times: Times,
}

impl Executable for Timed {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        let started = Instant::now();
        let outputs = self.inner.run(inputs)?;
        outputs.iter().try_for_each(Array::wait)?;
        let seconds = started.elapsed().as_secs_f64();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = times.entry(self.name.clone()).or_default();
        entry.name.clone_from(&self.name);
        entry.calls += 1;
        entry.seconds += seconds;
        entry.flops += self.flops;
        Ok(outputs)
    }
}

impl Backend for ProfiledBackend {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn num_devices(&self) -> usize {
        self.inner.num_devices()
    }

    fn block_rows(&self) -> usize {
        self.inner.block_rows()
    }

    fn has_cpu_kernels(&self) -> bool {
        self.inner.has_cpu_kernels()
    }

    fn compile(&self, program: &Program) -> Result<Arc<dyn Executable>, RuntimeError> {
        let inner = self.inner.compile(program)?;
        let flops = program.cost().flops as f64 * program.mesh.num_devices() as f64;
        Ok(Arc::new(Timed { name: program.name.clone(), flops, inner, times: self.times.clone() }))
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        self.inner.upload(pieces)
    }

    fn memory(&self, device: usize) -> Option<MemoryUse> {
        self.inner.memory(device)
    }
}

#[cfg(test)]
mod tests {
    use collegium_core::DType;
    use collegium_hlo::{Graph, Mesh, dim};

    use super::*;
    use crate::EvalBackend;

    #[test]
    fn calls_and_flops_are_counted_by_name() {
        let backend = ProfiledBackend::new(Arc::new(EvalBackend::new(1)));
        let graph = Graph::new(Mesh::single());
        let x = graph.parameter("x", DType::F32, &[dim("n", 4)]);
        let program = graph.finish("double", &[("y", x + x)]).expect("it is sound");
        let executable = backend.compile(&program).expect("compiles");
        let x = backend.replicate(&HostTensor::new(&[4], &[1f32, 2.0, 3.0, 4.0])).expect("uploads");
        for _ in 0..3 {
            executable.run(vec![x.clone()]).expect("runs");
        }
        let times = backend.take();
        assert_eq!((times[0].name.as_str(), times[0].calls, times[0].flops), ("double", 3, 12.0));
        assert!(backend.take().is_empty(), "counted once");
    }
}
