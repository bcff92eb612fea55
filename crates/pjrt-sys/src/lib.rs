//! Generated bindings of the PJRT C API, committed.
