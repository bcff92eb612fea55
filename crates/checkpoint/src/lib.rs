//! Safetensors in and out, streamed; atomic checkpoint folders.
