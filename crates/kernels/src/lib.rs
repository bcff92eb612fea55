#![doc = include_str!("../README.md")]

mod check;
mod element;
mod error;
pub mod grouped;
pub mod handlers;
mod matrix;
mod packed;
mod threads;

pub use element::Operand;
pub use error::ArgumentError;
pub use packed::force_portable;
pub use threads::Threads;
