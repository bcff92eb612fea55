//! Runs programs.
pub mod platform;
