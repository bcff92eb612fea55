//! What a run learns from: the user's files, or the built-in problems.

use std::path::Path;
use std::sync::Arc;

use collegium_data::corpus::{CorpusConfig, CorpusStream, Problem, validation_batches};
use collegium_data::{
    Batch, BatchStream, Prefetch, Progress, SequentialBatches, Sources, TokenBatches, TokenFile, Tokenizer,
};

use crate::TrainError;
use crate::config::RunConfig;

/// Training batches, validation batches, and problems to solve where there are such.
pub struct Feed {
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    /// Endless training batches of one micro-batch over all ranks.
    pub train: Box<dyn BatchStream>,
    /// Always the same.
    pub validation: Vec<Batch>,
    /// Problems that training never shows.
    pub problems: Vec<Problem>,
}

/// The tokenizer a configuration names.
///
/// # Errors
/// A file that is no tokenizer.
pub fn tokenizer(config: &RunConfig) -> Result<Tokenizer, TrainError> {
    match config.data.tokenizer.as_str() {
        "bytes" => Ok(Tokenizer::bytes()),
        path => Ok(Tokenizer::from_file(Path::new(path), None)?),
    }
}

/// Rows and tokens of a micro-batch over all ranks.
fn shape(config: &RunConfig) -> [usize; 2] {
    [config.micro_batch() * config.parallel.devices, config.train.seq]
}

impl Feed {
    /// Opens the data of a configuration; token files are kept in `cache`.
    ///
    /// # Errors
    /// Data that cannot be read, is empty, or does not fit the sequence length.
    pub fn open(
        config: &RunConfig,
        cache: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, TrainError> {
        let mut feed = if config.data.paths.is_empty() {
            Self::problems(config)?
        } else {
            Self::files(config, cache, progress)?
        };
        feed.train = Prefetch::over(feed.train, config.data.prefetch * config.num_micro_batches());
        Ok(feed)
    }

    fn files(
        config: &RunConfig,
        cache: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, TrainError> {
        let (tokenizer, [rows, seq]) = (tokenizer(config)?, shape(config));
        let sources = Sources::find(&config.data.paths, &config.data.field)?;
        let file = Arc::new(TokenFile::prepare(&sources, &tokenizer, cache, progress)?);
        let split = file.split(config.data.validation, config.train.seed)?;
        let train = TokenBatches::new(split.train, config.train.seed, rows, seq)?;
        let validation = if split.validation.num_tokens() == 0 {
            Vec::new()
        } else {
            let batches = SequentialBatches::new(split.validation, rows, seq)?;
            batches.take(config.run.eval_batches).collect::<Result<_, _>>()?
        };
        Ok(Self { tokenizer, train: Box::new(train), validation, problems: Vec::new() })
    }

    fn problems(config: &RunConfig) -> Result<Self, TrainError> {
        let (tokenizer, [rows, seq]) = (tokenizer(config)?, shape(config));
        let corpus = CorpusConfig {
            max_digits: config.data.max_digits,
            kinds: config.data.kinds.clone(),
            seed: config.train.seed,
            ..CorpusConfig::default()
        };
        let validation = validation_batches(&corpus, &tokenizer, [rows, seq], config.run.eval_batches)?;
        let problems = corpus.fresh_problems(config.run.solve)?;
        let train = Box::new(CorpusStream::new(corpus, tokenizer.clone(), rows, seq)?);
        Ok(Self { tokenizer, train, validation, problems })
    }
}
