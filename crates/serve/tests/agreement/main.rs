//! What the engine says is what the trainer's `generate` says, whatever else runs, whatever is shared, and on as many devices.

mod budget;
mod harness;
mod lone;
mod ranks;
