//! Output that follows a JSON schema, a regular expression, a list of choices or a grammar. The engine asks which tokens may come; `llguidance` answers.

use std::sync::Arc;

use collegium_data::Tokenizer;
use collegium_serve::request::{MaskSource, TokenMask};
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory, token_bytes_from_tokenizer_json};

use crate::ApiError;

/// What the text of a sample must follow.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// JSON of this schema.
    Schema(serde_json::Value),
    /// The whole text matches.
    Regex(String),
    /// One of these.
    Choice(Vec<String>),
    /// A grammar as Lark writes it.
    Grammar(String),
}

/// Makes masks for one tokenizer.
pub struct Grammars(Result<ParserFactory, String>);

impl Grammars {
    /// For this tokenizer; what it lacks is said when a constraint is asked for.
    pub fn new(tokenizer: &Tokenizer) -> Self {
        Self(factory(tokenizer).map_err(|e| e.to_string()))
    }

    /// The masks of a constraint.
    ///
    /// # Errors
    /// One that cannot be, or that is too large.
    pub fn compile(&self, constraint: Constraint) -> Result<Arc<dyn MaskSource>, ApiError> {
        let refuse = |why: String| {
            let short: String = why.chars().take(400).collect();
            ApiError::field("response_format", format!("this constraint cannot be followed: {short}"))
                .coded("invalid_constraint")
        };
        let factory = self.0.as_ref().map_err(|why| refuse(why.clone()))?;
        let grammar = match constraint {
            Constraint::Schema(schema) => TopLevelGrammar::from_json_schema(schema),
            Constraint::Regex(regex) => TopLevelGrammar::from_regex(&regex),
            Constraint::Grammar(lark) => TopLevelGrammar::from_lark(lark),
            Constraint::Choice(choices) if choices.is_empty() => {
                return Err(refuse("there is no choice".into()));
            }
            Constraint::Choice(choices) => {
                let quoted: Vec<String> =
                    choices.iter().map(|c| serde_json::Value::from(c.as_str()).to_string()).collect();
                TopLevelGrammar::from_lark(format!("start: {}", quoted.join(" | ")))
            }
        };
        let mut matcher = Matcher::new(factory.create_parser(grammar));
        // What is too large is often met only by the first mask.
        match matcher.get_error() {
            Some(why) => Err(refuse(why)),
            None => {
                matcher.compute_mask().map_err(|e| refuse(e.to_string()))?;
                Ok(Arc::new(Source(matcher)))
            }
        }
    }
}

fn factory(tokenizer: &Tokenizer) -> Result<ParserFactory, Box<dyn std::error::Error>> {
    let words = token_bytes_from_tokenizer_json(&serde_json::from_str(&tokenizer.json())?)?;
    let info = TokRxInfo::new(words.len() as u32, tokenizer.end_of_document());
    let environment = Arc::new(ApproximateTokEnv::new(TokTrie::from(&info, &words)));
    let mut factory = ParserFactory::new_simple(&(environment as _))?;
    factory.quiet();
    Ok(factory)
}

struct Source(Matcher);

impl MaskSource for Source {
    fn start(&self) -> Box<dyn TokenMask> {
        Box::new(Mask(self.0.deep_clone()))
    }
}

struct Mask(Matcher);

impl TokenMask for Mask {
    fn apply(&mut self, logits: &mut [f32]) {
        // Where the grammar's own limits end it, nothing may come, and the sample ends.
        let allowed = self.0.compute_mask_or_eos().ok();
        for (token, logit) in logits.iter_mut().enumerate() {
            if !allowed.as_ref().is_some_and(|a| token < a.len() && a.is_allowed(token as u32)) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }

    fn advance(&mut self, token: u32) {
        self.0.consume_token(token).ok();
    }

    fn is_finished(&self) -> bool {
        self.0.is_stopped()
    }
}

/// A mask that holds off until a chain of thought is closed.
pub struct AfterThinking {
    /// What comes then.
    pub inner: Arc<dyn MaskSource>,
    /// The closing tokens.
    pub close: Vec<u32>,
}

impl MaskSource for AfterThinking {
    fn start(&self) -> Box<dyn TokenMask> {
        Box::new(Waiting {
            inner: self.inner.start(),
            close: self.close.clone(),
            last: Vec::new(),
            is_over: false,
        })
    }
}

struct Waiting {
    inner: Box<dyn TokenMask>,
    close: Vec<u32>,
    last: Vec<u32>,
    is_over: bool,
}

impl TokenMask for Waiting {
    fn apply(&mut self, logits: &mut [f32]) {
        if self.is_over {
            self.inner.apply(logits);
        }
    }

    fn advance(&mut self, token: u32) {
        if self.is_over {
            return self.inner.advance(token);
        }
        self.last.push(token);
        self.is_over = self.last.ends_with(&self.close);
    }

    fn is_finished(&self) -> bool {
        self.is_over && self.inner.is_finished()
    }
}

/// Adds to the logits of some tokens, as `logit_bias` asks, before another mask.
pub struct Bias {
    /// What to add to which token.
    pub bias: Arc<Vec<(u32, f32)>>,
    /// What follows.
    pub then: Option<Arc<dyn MaskSource>>,
}

impl MaskSource for Bias {
    fn start(&self) -> Box<dyn TokenMask> {
        Box::new(Biased { bias: self.bias.clone(), then: self.then.as_ref().map(|m| m.start()) })
    }
}

struct Biased {
    bias: Arc<Vec<(u32, f32)>>,
    then: Option<Box<dyn TokenMask>>,
}

impl TokenMask for Biased {
    fn apply(&mut self, logits: &mut [f32]) {
        for &(token, bias) in self.bias.iter() {
            if let Some(logit) = logits.get_mut(token as usize) {
                *logit += bias;
            }
        }
        self.then.iter_mut().for_each(|m| m.apply(logits));
    }

    fn advance(&mut self, token: u32) {
        self.then.iter_mut().for_each(|m| m.advance(token));
    }

    fn is_finished(&self) -> bool {
        self.then.as_ref().is_some_and(|m| m.is_finished())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What a model writes that wants the bytes of `wish`, then anything.
    fn written(constraint: Constraint, wish: &str) -> String {
        let mut mask = Grammars::new(&Tokenizer::bytes()).compile(constraint).unwrap().start();
        let mut text = Vec::new();
        while !mask.is_finished() && text.len() < 60 {
            let mut logits = vec![0.0; 257];
            logits[256] = 0.5;
            logits[wish.as_bytes().get(text.len()).map_or(256, |&b| b.into())] = 9.0;
            mask.apply(&mut logits);
            let best = (0..257).max_by(|&a, &b| f32::total_cmp(&logits[a], &logits[b])).unwrap();
            if best == 256 || logits[best] == f32::NEG_INFINITY {
                break;
            }
            mask.advance(best as u32);
            text.push(best as u8);
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn texts_follow_their_constraints_whatever_the_model_wants() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
        let text = written(Constraint::Schema(schema), r#"{"n": 42}"#);
        assert_eq!(text, r#"{"n": 42}"#);
        assert_eq!(written(Constraint::Choice(vec!["yes".into(), "no \"q\"".into()]), "nay"), "no \"q\"");
        let text = written(Constraint::Regex("[0-9]{3}".into()), "12");
        assert!(text.starts_with("12") && text.len() == 3 && text.parse::<u32>().is_ok(), "{text}");
    }

    #[test]
    fn hostile_constraints_are_refused() {
        let grammars = Grammars::new(&Tokenizer::bytes());
        for bad in [
            Constraint::Schema(json!({"type": "nonsense"})),
            Constraint::Regex("(".into()),
            Constraint::Grammar("start: missing".into()),
            Constraint::Choice(vec![]),
        ] {
            let error = grammars.compile(bad.clone()).err();
            assert_eq!(error.map(|e| e.status.as_u16()), Some(400), "{bad:?}");
        }
    }

    #[test]
    fn a_constraint_waits_for_the_end_of_a_chain_of_thought() {
        let inner = Grammars::new(&Tokenizer::bytes()).compile(Constraint::Regex("7".into())).unwrap();
        let mut mask = AfterThinking { inner, close: vec![b'<'.into(), b'>'.into()] }.start();
        let free = |mask: &mut Box<dyn TokenMask>| {
            let mut logits = vec![0.0; 257];
            mask.apply(&mut logits);
            logits.iter().filter(|&&l| l == 0.0).count()
        };
        assert_eq!(free(&mut mask), 257);
        "a<>".bytes().for_each(|b| mask.advance(b.into()));
        assert_eq!(free(&mut mask), 1);
    }
}
