#![doc = include_str!("../README.md")]

mod answer;
pub mod client;
mod error;
mod grammar;
mod keys;
pub mod load;
mod metrics;
mod prepare;
mod routes;
mod served;
mod server;
mod template;
mod thinking;
mod tools;
mod votes;
pub mod wire;

pub use error::ApiError;
pub use keys::Keys;
pub use metrics::Machine;
pub use routes::router;
pub use served::{Defaults, Served};
pub use server::{App, Options, serve};
pub use template::Template;
pub use thinking::{Split, Tags};
