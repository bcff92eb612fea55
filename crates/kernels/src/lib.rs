#![doc = include_str!("../README.md")]

pub mod adamw;
pub mod attention;
mod check;
pub mod cross_entropy;
mod element;
mod error;
pub mod gathered;
pub mod grouped;
pub mod handlers;
mod lanes;
mod matrix;
mod packed;
pub mod paged;
#[cfg(test)]
mod random;
mod simd;
pub mod slots;
pub mod squares;
pub mod swiglu;
mod threads;

pub use element::Operand;
pub use error::ArgumentError;
pub use simd::{Instructions, force_portable};
pub use threads::Threads;
