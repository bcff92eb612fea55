#![doc = include_str!("../README.md")]

pub mod request;

pub use request::{Event, Finish, Refusal, Request, Sampling, Stop, Thinking, Token, Usage};
