//! The built-in corpus: short reasoning problems with worked steps, made on the fly.
//!
//! The text is shaped for a model of one or two million parameters that sees one or two million bytes: every line is
//! one document, each step repeats its operands so that a result is a look-up of what stands right before it, digits
//! are worked from the lowest so that a carry is known when it is needed, and steps of one kind have one length so
//! that the digits to fetch lie at fixed distances.
//!
//! ```text
//! 285+345=5+5+0=10,8+4+1=13,2+3+1=06#630     each step: carry, then digit
//! 347-285=7-5-0=02,4-8-0=16,3-2-1=00#62      each step: borrow, then digit
//! 47*8=7*8+0=56,4*8+5=37#376
//! 3,5,7>26=7*3=21,21+5=26                     every number once, the last step is the answer
//! ```
//!
//! One problem in eight, chosen by a hash of its operands whatever their order, is never shown in training; fresh
//! problems are drawn from those, so the share solved measures the method and not the memory.

mod arithmetic;
mod countdown;
mod stream;

pub use stream::{CorpusStream, validation_batches};

use crate::{DataError, rng};
use rng::Rng;
use serde::{Deserialize, Serialize};

/// One problem in this many is held out.
const HELD_OUT_ONE_IN: u64 = 8;

/// What a problem asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The sum of two numbers with equally many digits.
    Addition,
    /// The difference of two numbers with equally many digits, never negative.
    Subtraction,
    /// A number of one or two digits times one digit.
    Multiplication,
    /// Reach a target with each given number used once, by `+`, `-` and `*`.
    Countdown,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Addition, Kind::Subtraction, Kind::Multiplication, Kind::Countdown];
}

/// Which problems the corpus is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorpusConfig {
    /// The kinds, drawn equally often; repeat one to draw it more often.
    pub kinds: Vec<Kind>,
    /// Addition and subtraction have 1 to this many digits, equally often. At most 9.
    pub max_digits: u32,
    /// Countdown gives 3 to this many numbers. At most 4.
    pub max_numbers: u32,
    /// Leave the prompt out of the loss: its digits are random, nothing can be learned from them.
    pub mask_prompt: bool,
    /// Which problems come, in which order.
    pub seed: u64,
}

impl Default for CorpusConfig {
    fn default() -> Self {
        Self { kinds: Kind::ALL.to_vec(), max_digits: 3, max_numbers: 3, mask_prompt: true, seed: 0 }
    }
}

/// A problem, its worked solution and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it asks for.
    pub kind: Kind,
    /// Digits per number, or how many numbers are given.
    pub level: u32,
    /// What the model is given, up to and with `=`.
    pub prompt: String,
    /// The worked steps and the answer, as the model should continue.
    pub solution: String,
    /// The result: the number after `#`, or the target.
    pub answer: u64,
    numbers: Vec<u64>,
}

impl Problem {
    /// Whether a continuation of the prompt solves the problem. Only the result counts for arithmetic (the number after
    /// the last `#`); for Countdown every step must be right, use only numbers that are there, use all of them
    /// and end at the target. Text after the first line is ignored.
    pub fn grade(&self, continuation: &str) -> bool {
        let line = continuation.lines().next().unwrap_or_default();
        match self.kind {
            Kind::Countdown => countdown::solves(&self.numbers, self.answer, line),
            _ => arithmetic::final_number(line) == Some(self.answer),
        }
    }

    /// The chance that a well-formed guess solves it. Arithmetic: a number drawn evenly from all results that numbers of
    /// these lengths can have (two digits added: 1 in 179). Countdown: legal steps drawn evenly, results
    /// within 0..=99 (3 numbers: about 1 in 10).
    pub fn chance(&self) -> f64 {
        match self.kind {
            Kind::Countdown => countdown::chance(&self.numbers, self.answer),
            kind => 1.0 / arithmetic::num_results(kind, self.level) as f64,
        }
    }

    /// Whether training never shows this problem, whatever its seed.
    pub fn is_held_out(&self) -> bool {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        let target = if self.kind == Kind::Countdown { self.answer } else { 0 };
        let key = format!("{:?} {numbers:?} {target}", self.kind);
        rng::stable_hash(key.as_bytes()).is_multiple_of(HELD_OUT_ONE_IN)
    }
}

impl CorpusConfig {
    /// Refuses settings that no problem can be made from.
    pub fn validate(&self) -> Result<(), DataError> {
        let bad = |name, required: &str, given: String| {
            Err(DataError::BadSetting { name, required: required.into(), given })
        };
        if self.kinds.is_empty() {
            return bad(
                "corpus.kinds",
                "at least one of addition, subtraction, multiplication, countdown",
                "none".into(),
            );
        }
        if !(1..=9).contains(&self.max_digits) {
            return bad("corpus.max_digits", "1 to 9", self.max_digits.to_string());
        }
        if !(3..=4).contains(&self.max_numbers) {
            return bad("corpus.max_numbers", "3 or 4", self.max_numbers.to_string());
        }
        Ok(())
    }

    /// Up to `count` different problems that training never shows, drawn as training draws. Fewer only where the
    /// settings leave fewer.
    pub fn fresh_problems(&self, count: usize) -> Result<Vec<Problem>, DataError> {
        const DRAWS_PER_PROBLEM: usize = 64;
        self.validate()?;
        let mut rng = Rng::at(&[self.seed, u64::from_be_bytes(*b"fresh\0\0\0")]);
        let mut seen = std::collections::HashSet::new();
        let drawn = (0..count.saturating_mul(DRAWS_PER_PROBLEM)).map(|_| self.draw(&mut rng));
        Ok(drawn
            .filter(|problem| problem.is_held_out() && seen.insert(problem.prompt.clone()))
            .take(count)
            .collect())
    }

    fn draw(&self, rng: &mut Rng) -> Problem {
        match self.kinds[rng.below(self.kinds.len() as u64) as usize] {
            Kind::Countdown => countdown::draw(rng, self.max_numbers),
            kind => arithmetic::draw(rng, kind, self.max_digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, BatchStream, NO_TARGET, Tokenizer};
    use proptest::prelude::*;

    fn config(seed: u64) -> CorpusConfig {
        CorpusConfig { max_digits: 4, max_numbers: 4, seed, ..CorpusConfig::default() }
    }

    /// The documents of a stream's next batch, as text.
    fn documents(batch: &Batch) -> Vec<String> {
        let bytes = Tokenizer::bytes();
        let ids: Vec<u32> = batch.tokens.iter().map(|&token| token as u32).collect();
        let documents = ids.split(|&id| id == bytes.end_of_document());
        documents.filter(|ids| !ids.is_empty()).map(|ids| bytes.decode(ids).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn own_solutions_pass_and_corrupted_ones_fail(seed: u64) {
            for problem in config(seed).fresh_problems(20).unwrap() {
                prop_assert!(problem.grade(&problem.solution), "{:?}", problem);
                let with_more = format!("{}\nmore text", problem.solution);
                prop_assert!(problem.grade(&with_more));
                prop_assert!((0.0..0.8).contains(&problem.chance()), "{} {:?}", problem.chance(), problem);
                let mut wrong = problem.solution.clone();
                let last = wrong.pop().unwrap();
                prop_assert!(!problem.grade(&wrong), "{}", wrong);
                wrong.push(if last == '9' { '0' } else { char::from(last as u8 + 1) });
                prop_assert!(!problem.grade(&wrong), "{}", wrong);
            }
        }

        #[test]
        fn resuming_continues_exactly_whatever_the_batch_size(seed: u64, before in 0usize..3) {
            let open = |batch| CorpusStream::new(config(seed), Tokenizer::bytes(), batch, 128).unwrap();
            let mut whole = open(2);
            (0..before).for_each(|_| drop(whole.next_batch().unwrap()));
            let saved = serde_json::to_string(&whole.state()).unwrap();
            let mut resumed = open(4);
            resumed.restore(&serde_json::from_str(&saved).unwrap()).unwrap();
            let four = resumed.next_batch().unwrap();
            prop_assert_eq!(whole.next_batch().unwrap(), four.share(0, 2).unwrap());
            prop_assert_eq!(whole.next_batch().unwrap(), four.share(1, 2).unwrap());
            prop_assert_eq!(whole.state(), resumed.state());
        }
    }

    #[test]
    fn fresh_problems_are_never_trained_on() {
        let config = config(3);
        let fresh = config.fresh_problems(500).unwrap();
        assert_eq!(fresh.len(), 500);
        let mut stream = CorpusStream::new(config, Tokenizer::bytes(), 64, 256).unwrap();
        let trained: std::collections::HashSet<String> =
            (0..8).flat_map(|_| documents(&stream.next_batch().unwrap())).collect();
        assert!(trained.len() > 2000);
        assert!(
            fresh.iter().all(|problem| !trained.contains(&format!("{}{}", problem.prompt, problem.solution)))
        );
    }

    #[test]
    fn no_problem_is_longer_than_the_longest() {
        let longest = |settings: &CorpusConfig| {
            let problems = settings.fresh_problems(3000).unwrap();
            problems.iter().map(|problem| problem.prompt.len() + problem.solution.len()).max().unwrap()
        };
        let arithmetic = CorpusConfig { kinds: vec![Kind::Addition], ..CorpusConfig::default() };
        assert_eq!(longest(&arithmetic), stream::longest_problem(&arithmetic));
        let countdown =
            CorpusConfig { kinds: vec![Kind::Countdown], max_digits: 1, max_numbers: 4, ..arithmetic };
        assert!(longest(&countdown) <= stream::longest_problem(&countdown));
    }

    #[test]
    fn operands_in_another_order_are_the_same_problem() {
        let swapped = |problem: &Problem| {
            let mut other = problem.clone();
            other.numbers.reverse();
            other.prompt = String::new();
            other
        };
        let fresh = config(5).fresh_problems(100).unwrap();
        assert!(fresh.iter().all(|problem| swapped(problem).is_held_out()));
    }

    #[test]
    fn validation_is_held_out_and_fixed() {
        let first = validation_batches(&config(1), &Tokenizer::bytes(), [4, 128], 2).unwrap();
        assert_eq!(first, validation_batches(&config(1), &Tokenizer::bytes(), [4, 128], 2).unwrap());
        assert_ne!(first[0], first[1]);
    }

    #[test]
    fn rows_are_full_and_prompts_are_not_counted() {
        let mut stream = CorpusStream::new(CorpusConfig::default(), Tokenizer::bytes(), 64, 256).unwrap();
        let batch = stream.next_batch().unwrap();
        let padding =
            batch.tokens.iter().zip(&batch.positions).filter(|&(&t, &p)| t == 256 && p == 0).count();
        assert!(padding <= 64, "one padding segment per row");
        let counted = batch.num_targets() as f64 / batch.tokens.len() as f64;
        assert!((0.6..0.85).contains(&counted), "{counted}");
        let first_equals = batch.tokens.iter().position(|&token| token == i32::from(b'=')).unwrap();
        assert!(batch.targets[..first_equals].iter().all(|&target| target == NO_TARGET));
        assert_eq!(batch.targets[first_equals], batch.tokens[first_equals + 1]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let refused = |change: fn(&mut CorpusConfig)| {
            let mut config = CorpusConfig::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert_eq!(refused(|c| c.max_digits = 10), "corpus.max_digits must be 1 to 9, got 10");
        assert_eq!(refused(|c| c.max_numbers = 2), "corpus.max_numbers must be 3 or 4, got 2");
        assert!(refused(|c| c.kinds.clear()).starts_with("corpus.kinds must be at least one of addition"));
        let short = CorpusStream::new(CorpusConfig::default(), Tokenizer::bytes(), 1, 32).err().unwrap();
        assert_eq!(
            short.to_string(),
            "sequence length must be at least 40 for corpus.max_digits = 3, got 32"
        );
    }

    #[test]
    fn a_position_of_other_data_is_refused() {
        let mut stream = CorpusStream::new(config(1), Tokenizer::bytes(), 2, 128).unwrap();
        let other = CorpusStream::new(config(2), Tokenizer::bytes(), 2, 128).unwrap().state();
        let refused = stream.restore(&other).unwrap_err().to_string();
        assert!(refused.contains("belongs to other data or settings"), "{refused}");
    }
}
