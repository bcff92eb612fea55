//! Loss and gradients depend neither on the number of ranks, nor on how the mesh is cut, nor on where experts lie.

mod balance;
mod execution;
mod harness;
mod ranks;
