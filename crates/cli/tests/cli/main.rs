//! The binary as a user meets it: real arguments, a real plugin, real files. Models are as small as they can be, and one
//! trained run serves every test that only needs some checkpoint, because what takes the time is compiling.

mod bad_input;
mod balance;
mod commands;
mod harness;
mod planning;
mod serving;
mod training;
