#![doc = include_str!("../README.md")]

mod bucket;
mod cost;
mod counts;
mod error;
mod history;
mod home_rows;
mod layout;
mod memory;
mod plan;
pub mod policy;
pub mod replay;
mod split;
mod staged;
mod tables;
mod topology;
pub mod trace;
mod verify;

pub use bucket::{Bucket, Ladder};
pub use cost::{CostModel, Prediction};
pub use counts::Counts;
pub use error::BalanceError;
pub use history::History;
pub use layout::Layout;
pub use memory::check_slot_memory;
pub use plan::{Plan, Share, max_over_mean};
pub use policy::{Limits, Policy, Setting};
pub use staged::StagedTables;
pub use tables::{ReceiverTables, SourceTables, Tables};
pub use topology::Topology;
