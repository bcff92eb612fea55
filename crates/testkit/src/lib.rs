//! One table of operation cases, four suites over it: agreement of a backend with the reference evaluator, finite
//! differences, golden StableHLO text, and support per target.
//!
//! A case is one operation at one interesting shape and element type. Its program computes the operation *and* the
//! gradient of every float input, so that each suite covers both: a device is compared on the gradient's operations too,
//! and a golden file shows when a gradient rule changes.
//!
//! An operation that the table lacks fails a test; a backend that wants to know whether it is right calls
//! [`agreement::check`].

pub mod agreement;
mod case;
mod error;
pub mod finite_difference;
mod random;
mod table;

pub use case::{Fill, Gradient, Input, OpCase};
pub use error::TestkitError;
pub use table::table;
