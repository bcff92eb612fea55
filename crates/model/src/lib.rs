//! Layers as graph functions, model families, parameters, Hugging Face names.

pub mod layers;
