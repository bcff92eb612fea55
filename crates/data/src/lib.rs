//! Text to token batches: sources, tokenizers, token files, the built-in corpus.
