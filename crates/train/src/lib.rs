//! Step, loop, optimizer, checkpoints.
