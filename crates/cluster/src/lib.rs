#![doc = include_str!("../README.md")]

mod catalog;
pub mod collective;
mod device;
mod error;
mod figure;
mod goodput;
mod instance;
mod layout;
pub mod ledger;
mod model;
mod plan;
pub mod programs;
mod roofline;
mod schedule;
mod search;
mod stats;
mod step;
pub mod stragglers;
pub mod table;
pub mod validate;
mod work;

pub use catalog::Catalog;
pub use device::{Calibration, Device, Link, Memory, Power, Topology};
pub use error::ClusterError;
pub use figure::Figure;
pub use goodput::Checkpoints;
pub use instance::{Host, Instance, Network, Price};
pub use layout::{Feed, Layout, Recompute, Sharding, Software};
pub use model::{Latent, PlanModel, Sizes};
pub use plan::{Answer, Choice, Request};
pub use roofline::{Kernels, Precision, Rank, Seconds};
pub use schedule::{Schedule, Turn};
pub use search::{Candidate, Found, Space, divisors};
pub use stats::{Errors, quantile};
pub use step::{
    Estimate, Kind, Lane, MemoryFit, MemoryUse, Op, Parts, Pricer, ProgramPoint, Roofline, Span, Timeline,
};
pub use work::{Product, Work};
