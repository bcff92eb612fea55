#![doc = include_str!("../README.md")]

pub mod adamw;
mod ahead;
pub mod attention;
mod check;
pub mod cross_entropy;
mod element;
mod error;
pub mod gathered;
mod grid;
pub mod grouped;
pub mod handlers;
mod lanes;
mod matrix;
pub mod norm;
mod packed;
pub mod paged;
pub mod prepacked;
#[cfg(test)]
mod random;
pub mod route;
mod simd;
pub mod slots;
pub mod squares;
pub mod swiglu;
mod threads;

pub use element::Operand;
pub use error::ArgumentError;
pub use simd::{Instructions, force_portable};
pub use threads::Threads;
