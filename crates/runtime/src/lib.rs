//! Runs programs: the PJRT backend, the exact host reference, and discovery of the platforms' plugins.

mod backend;
mod chain;
pub mod energy;
mod error;
pub mod eval;
mod host_memory;
mod kernels;
pub mod metered;
mod null;
mod pjrt;
pub mod platform;
mod profile;

pub use backend::{Array, Backend, DeviceBuffer, Executable, MemoryUse};
pub use error::RuntimeError;
pub use eval::EvalBackend;
pub use metered::{Metered, SentBytes};
pub use null::NullBackend;
pub use pjrt::PjrtBackend;
pub use profile::{ProfiledBackend, ProgramTime};
