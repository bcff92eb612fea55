#![doc = include_str!("../README.md")]

mod catalog;
pub mod collective;
mod device;
mod error;
mod figure;
mod instance;
mod layout;
mod model;
pub mod programs;
mod roofline;
mod stats;
mod step;
pub mod table;
pub mod validate;
mod work;

pub use catalog::Catalog;
pub use device::{Calibration, Device, Link, Memory, Power, Topology};
pub use error::ClusterError;
pub use figure::Figure;
pub use instance::{Instance, Network, Price};
pub use layout::{Layout, Recompute, Sharding, Software};
pub use model::{Latent, PlanModel, Sizes};
pub use roofline::{Kernels, Precision, Rank, Seconds};
pub use stats::{Errors, quantile};
pub use step::{Estimate, MemoryUse, Parts, Pricer};
pub use work::{Product, Work};
