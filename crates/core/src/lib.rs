#![doc = include_str!("../README.md")]

mod dtype;
mod ids;
mod random;
mod tensor;

pub use dtype::DType;
pub use ids::{ExpertId, LayerId, RankId, SlotId};
pub use random::SplitMix64;
pub use tensor::{Element, HostTensor};
