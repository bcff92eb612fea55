//! Layers as graph functions, model families, parameters, Hugging Face names.

pub mod config;
pub mod family;
pub mod layers;
pub mod params;
pub mod programs;
