//! `collegium tokenize`.

use std::path::PathBuf;
use std::process::ExitCode;

use collegium_data::{Sources, TokenFile, Tokenizer};
use serde_json::json;

use super::{Outcome, print_json, show_tokenizing};
use crate::args::TokenizeArgs;

/// Runs the command.
pub fn run(args: &TokenizeArgs) -> Outcome {
    let sources = Sources::find(&args.data, &args.field)?;
    if let Some(size) = args.train_bpe {
        return train(args, &sources, size);
    }
    let tokenizer = match &args.tokenizer {
        Some(path) => Tokenizer::from_file(path, None)?,
        None => Tokenizer::bytes(),
    };
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("tokens"));
    let file = TokenFile::prepare(&sources, &tokenizer, &folder, &mut show_tokenizing())?;
    let (tokens, documents) = (file.num_tokens(), file.num_documents());
    if args.json {
        print_json(
            &json!({ "tokens": tokens, "documents": documents, "file": file.path(), "reused": file.was_reused() }),
        )?;
    } else {
        let how = if file.was_reused() { "unchanged, reused" } else { "written" };
        println!("{tokens} tokens in {documents} documents; {} ({how})", file.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

fn train(args: &TokenizeArgs, sources: &Sources, size: usize) -> Outcome {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("tokenizer"));
    let tokenizer = Tokenizer::train_bpe(sources.documents(), size)?;
    std::fs::create_dir_all(&out)?;
    tokenizer.save(&out)?;
    let file = out.join("tokenizer.json");
    if args.json {
        print_json(&json!({ "vocab_size": tokenizer.vocab_size(), "file": file }))?;
    } else {
        println!("{} tokens; {}", tokenizer.vocab_size(), file.display());
    }
    Ok(ExitCode::SUCCESS)
}
