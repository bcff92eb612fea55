#![doc = include_str!("../README.md")]

pub mod allocator;
mod buffer;
mod cache;
mod call_frame;
mod client;
mod compile_options;
mod device;
mod element;
mod elf;
pub mod environment;
mod error;
mod event;
mod executable;
mod execute;
#[cfg(test)]
mod fake;
pub mod ffi;
mod named_value;
mod plugin;

pub use buffer::{Buffer, PendingDownload, TensorSpec};
pub use cache::{CacheOutcome, ExecutableCache};
pub use call_frame::{Attribute, CallFrame};
pub use client::Client;
pub use compile_options::CompileOptions;
pub use device::{Device, MemoryStats};
pub use error::{ErrorCode, PjrtError};
pub use executable::{CompiledMemoryStats, Executable};
pub use execute::Arg;
pub use named_value::OptionValue;
pub use plugin::{API_VERSION, Plugin};
