//! Batches of the corpus, made on the fly.
//!
//! A row is a pure function of (settings, seed, row number), so the whole state of the stream is the number of the
//! next row, and resuming costs nothing.

use super::{CorpusConfig, Problem, arithmetic};
use crate::{Batch, BatchStream, DataError, StreamState, Tokenizer, batch::BatchBuilder, rng::Rng};

/// A row is complete when this many problems in a row did not fit into the rest of it.
const MISFITS: usize = 8;

/// The most bytes that prompt and solution of a problem take. Arithmetic with d digits: a prompt of 2d + 2, d steps
/// of 8 with commas between, `#` and d + 1. Countdown with n numbers below 10: a prompt of 2n + 3, n - 1 steps of 8
/// with commas between, more than any reaches since its first step has operands of one digit.
pub(super) fn longest_problem(config: &CorpusConfig) -> usize {
    let digits = config.max_digits.max(arithmetic::MAX_FACTOR_DIGITS) as usize;
    let numbers = config.max_numbers as usize;
    (12 * digits + 3).max(2 * numbers + 3 + 9 * (numbers - 1) - 1)
}

/// Endless training batches of problems, held-out ones left out.
pub struct CorpusStream {
    config: CorpusConfig,
    tokenizer: Tokenizer,
    shape: [usize; 2],
    state: StreamState,
}

impl CorpusStream {
    /// `batch` rows of `seq` tokens per batch. Fails where the settings are wrong or a problem does not fit in a row.
    pub fn new(
        config: CorpusConfig,
        tokenizer: Tokenizer,
        batch: usize,
        seq: usize,
    ) -> Result<Self, DataError> {
        config.validate()?;
        let longest = longest_problem(&config) + 1;
        if seq < longest {
            return Err(DataError::BadSetting {
                name: "sequence length",
                required: format!("at least {longest} for corpus.max_digits = {}", config.max_digits),
                given: seq.to_string(),
            });
        }
        let state = StreamState {
            fingerprint: fingerprint(&config, &tokenizer, seq),
            seed: config.seed,
            epoch: 0,
            row: 0,
        };
        Ok(Self { config, tokenizer, shape: [batch, seq], state })
    }

    fn rows(&self, first: u64, held_out: bool) -> Result<Batch, DataError> {
        let [rows, seq] = self.shape;
        let mut builder = BatchBuilder::new(rows, seq, self.tokenizer.end_of_document());
        for row in first..first + rows as u64 {
            let mut rng = Rng::at(&[self.config.seed, u64::from(held_out), row]);
            self.fill_row(&mut builder, &mut rng, held_out)?;
        }
        Ok(builder.finish())
    }

    fn fill_row(&self, builder: &mut BatchBuilder, rng: &mut Rng, held_out: bool) -> Result<(), DataError> {
        let mut misfits = 0;
        while misfits < MISFITS {
            let problem = self.config.draw(rng);
            if problem.is_held_out() != held_out {
                continue;
            }
            let (prompt_len, document) = self.encode(&problem)?;
            if document.len() > builder.free() {
                misfits += 1;
                continue;
            }
            let first_target = if self.config.mask_prompt { prompt_len } else { 0 };
            builder.append(&document, document.len(), first_target);
        }
        builder.end_row();
        Ok(())
    }

    /// The prompt is encoded alone, as it will be when the model is asked.
    fn encode(&self, problem: &Problem) -> Result<(usize, Vec<u32>), DataError> {
        let mut document = self.tokenizer.encode(&problem.prompt)?;
        let prompt_len = document.len();
        document.extend(self.tokenizer.encode(&problem.solution)?);
        document.push(self.tokenizer.end_of_document());
        Ok((prompt_len, document))
    }
}

impl BatchStream for CorpusStream {
    fn next_batch(&mut self) -> Result<Batch, DataError> {
        let batch = self.rows(self.state.row, false)?;
        self.state.row += self.shape[0] as u64;
        Ok(batch)
    }

    fn state(&self) -> StreamState {
        self.state.clone()
    }

    fn restore(&mut self, state: &StreamState) -> Result<(), DataError> {
        state.check(&self.state)?;
        self.state = state.clone();
        Ok(())
    }
}

/// The first `count` batches of held-out problems: always the same for the same settings.
pub fn validation_batches(
    config: &CorpusConfig,
    tokenizer: &Tokenizer,
    [batch, seq]: [usize; 2],
    count: usize,
) -> Result<Vec<Batch>, DataError> {
    let stream = CorpusStream::new(config.clone(), tokenizer.clone(), batch, seq)?;
    (0..count as u64).map(|i| stream.rows(i * batch as u64, true)).collect()
}

fn fingerprint(config: &CorpusConfig, tokenizer: &Tokenizer, seq: usize) -> String {
    let CorpusConfig { kinds, max_digits, max_numbers, mask_prompt, seed: _ } = config;
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
    format!(
        "built-in corpus v1 of {} up to {max_digits} digits and {max_numbers} numbers, {}, tokenizer {}, rows of {seq}",
        kinds.join("+"),
        if *mask_prompt { "prompts masked" } else { "prompts counted" },
        tokenizer.fingerprint()
    )
}
