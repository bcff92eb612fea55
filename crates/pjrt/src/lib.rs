//! A safe layer over the PJRT C API: plugin, client, buffer, executable, FFI handlers.
