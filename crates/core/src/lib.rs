#![doc = include_str!("../README.md")]

mod dtype;
mod ids;
mod tensor;

pub use dtype::DType;
pub use ids::{ExpertId, LayerId, RankId, SlotId};
pub use tensor::{Element, HostTensor};
