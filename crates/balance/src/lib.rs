//! Loads, layouts and plans: which rows of which expert go to which rank, and the tables that tell the programs. Knows
//! neither graphs nor devices.
//!
//! Three types to know: [`Counts`] (what the routers chose), [`Plan`] (which slots hold which experts, and how many rows of
//! each go there), [`Tables`] (the plan as the index arrays that the dispatch program reads).

mod bucket;
mod counts;
mod error;
mod layout;
mod plan;
mod tables;

pub use bucket::{Bucket, Ladder};
pub use counts::Counts;
pub use error::BalanceError;
pub use layout::Layout;
pub use plan::Plan;
pub use tables::{ReceiverTables, SourceTables, Tables};
