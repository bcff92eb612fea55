//! A backend that also counts what its programs send between devices. What a program sends is known from its graph, so a run costs one
//! addition for each kind of collective.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use collegium_core::HostTensor;
use collegium_hlo::Program;

use crate::{Array, Backend, Executable, MemoryUse, RuntimeError};

/// Bytes that one device sent, by kind of collective.
pub type SentBytes = BTreeMap<&'static str, u64>;

/// Another backend, with a count of the bytes that its programs sent.
pub struct Metered {
    inner: Arc<dyn Backend>,
    sent: Arc<Mutex<SentBytes>>,
}

impl Metered {
    /// Counts what runs on `inner`.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, sent: Arc::default() }
    }

    /// Bytes one device sent since the last call, by collective.
    pub fn take_sent(&self) -> SentBytes {
        std::mem::take(&mut *lock(&self.sent))
    }
}

/// The count is sound after every statement, so a panic elsewhere does not spoil it.
fn lock(sent: &Mutex<SentBytes>) -> std::sync::MutexGuard<'_, SentBytes> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backend for Metered {
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
        let mut each = SentBytes::new();
        for traffic in program.collectives().iter().filter(|t| t.bytes_per_device > 0) {
            *each.entry(traffic.kind).or_default() += traffic.bytes_per_device;
        }
        let inner = self.inner.compile(program)?;
        // Most programs send nothing, and need no count.
        if each.is_empty() {
            Ok(inner)
        } else {
            Ok(Arc::new(Counted { inner, each, sent: self.sent.clone() }))
        }
    }

    fn upload(&self, pieces: &[HostTensor]) -> Result<Array, RuntimeError> {
        self.inner.upload(pieces)
    }

    fn replicate(&self, tensor: &HostTensor) -> Result<Array, RuntimeError> {
        self.inner.replicate(tensor)
    }

    fn memory(&self, device: usize) -> Option<MemoryUse> {
        self.inner.memory(device)
    }
}

struct Counted {
    inner: Arc<dyn Executable>,
    /// Bytes of one run.
    each: SentBytes,
    sent: Arc<Mutex<SentBytes>>,
}

impl Executable for Counted {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        let outputs = self.inner.run(inputs)?;
        let mut sent = lock(&self.sent);
        self.each.iter().for_each(|(kind, bytes)| *sent.entry(kind).or_default() += bytes);
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use collegium_core::DType;
    use collegium_hlo::{Graph, Mesh, dim};

    use super::*;
    use crate::NullBackend;

    #[test]
    fn it_counts_what_runs_send() {
        let g = Graph::new(Mesh::new(&[("data", 1), ("expert", 4)]));
        let x = g.parameter("x", DType::F32, &[dim("rank", 4), dim("hidden", 8)]);
        let y = x.all_to_all("rank", &["expert"]).all_reduce(&["expert"]).all_reduce(&["data"]);
        let program = g.finish("both", &[("y", y)]).unwrap();
        let metered = Metered::new(Arc::new(NullBackend::new(4)));
        let both = metered.compile(&program).unwrap();
        let x = metered.replicate(&HostTensor::zeros(DType::F32, &[4, 8])).unwrap();
        (0..3).for_each(|_| drop(both.run(vec![x.clone()]).unwrap()));
        // 128 bytes each: three quarters go out in the exchange, twice that in the sum; a group of one sends nothing.
        assert_eq!(metered.take_sent(), SentBytes::from([("all_to_all", 3 * 96), ("all_reduce", 3 * 192)]));
        assert_eq!(metered.take_sent(), SentBytes::new());
    }
}
