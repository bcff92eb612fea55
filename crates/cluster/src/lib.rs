#![doc = include_str!("../README.md")]

mod catalog;
pub mod collective;
mod device;
mod error;
mod figure;
mod instance;
mod stats;
pub mod table;

pub use catalog::Catalog;
pub use device::{Calibration, Device, Link, Memory, Power, Topology};
pub use error::ClusterError;
pub use figure::Figure;
pub use instance::{Instance, Network, Price};
pub use stats::{Errors, quantile};
