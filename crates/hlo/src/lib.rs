//! Typed graphs.
