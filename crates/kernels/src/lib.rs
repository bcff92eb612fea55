//! CPU kernels reached by custom calls, each with a plain reference.
