//! Chains of thought: where they are in a text, and how long they may be.

use collegium_data::Tokenizer;
use collegium_serve::{Thinking, beginning};

use crate::Template;

/// The words that a model puts around its chain of thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Before it.
    pub open: String,
    /// Behind it.
    pub close: String,
}

impl Tags {
    /// Those that the chat template mentions, or that the tokenizer has as tokens; `None` for a model that does not think apart.
    pub fn find(template: &Template, tokenizer: &Tokenizer) -> Option<Self> {
        let pairs = [("<think>", "</think>"), ("<seed:think>", "</seed:think>"), ("[THINK]", "[/THINK]")];
        let known = |tag: &str| template.mentions(tag) || tokenizer.id_of(tag).is_some();
        let (open, close) = pairs.into_iter().find(|(open, close)| known(open) || known(close))?;
        Some(Self { open: open.into(), close: close.into() })
    }

    /// Whether a prompt ends within a chain of thought that it has opened itself.
    pub fn is_open_after(&self, prompt: &str) -> bool {
        prompt.trim_end().ends_with(&self.open)
    }

    /// The limit of `budget` tokens, for a prompt that has opened the chain of thought or not. `None` where the opening word is several tokens,
    /// which the engine does not follow.
    pub fn limit(&self, tokenizer: &Tokenizer, is_open: bool, budget: usize) -> Option<Thinking> {
        let open = match (is_open, tokenizer.encode_spelled(&self.open).ok()?.as_slice()) {
            (true, _) => None,
            (false, &[one]) => Some(one),
            (false, _) => return None,
        };
        Some(Thinking { open, close: tokenizer.encode_spelled(&self.close).ok()?, budget })
    }
}

/// Tokens of a chain of thought for a `reasoning_effort`, of `max_tokens` in all: the shares that OpenRouter publishes for its API.
pub fn budget(effort: &str, max_tokens: usize) -> Option<usize> {
    let share = match effort {
        "none" | "minimal" => 0,
        "low" => 20,
        "medium" => 50,
        "high" => 80,
        "xhigh" => 95,
        _ => return None,
    };
    Some(max_tokens * share / 100)
}

/// Splits the text of one sample as it comes.
pub struct Split {
    tags: Option<Tags>,
    is_inside: bool,
    /// Whether nothing but space has come since the tag.
    is_fresh: bool,
    /// What may be the beginning of a tag.
    held: String,
}

impl Split {
    /// Of a model with these tags, whose prompt has opened a chain of thought or not.
    pub fn new(tags: Option<Tags>, is_open: bool) -> Self {
        Self { is_inside: is_open && tags.is_some(), tags, is_fresh: true, held: String::new() }
    }

    /// More text: what of it is thought and what is content.
    pub fn push(&mut self, text: &str) -> (String, String) {
        let (mut thought, mut content) = (String::new(), String::new());
        let Some(tags) = self.tags.clone() else { return (thought, text.into()) };
        self.held.push_str(text);
        loop {
            let tag = if self.is_inside { &tags.close } else { &tags.open };
            let found = self.held.find(tag.as_str());
            let until = found.unwrap_or_else(|| self.held.len() - beginning(&self.held, tag));
            let rest = self.held.split_off(until);
            let text = std::mem::replace(&mut self.held, rest);
            let text = if self.is_fresh { text.trim_start() } else { &text };
            self.is_fresh &= text.is_empty();
            if self.is_inside {
                thought.push_str(text)
            } else {
                content.push_str(text)
            }
            if found.is_none() {
                return (thought, content);
            }
            self.held.drain(..tag.len());
            self.is_inside = !self.is_inside;
            self.is_fresh = true;
        }
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> (String, String) {
        let rest = std::mem::take(&mut self.held);
        if self.is_inside { (rest, String::new()) } else { (String::new(), rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(is_open: bool, text: &str, step: usize) -> (String, String) {
        let tags = Tags { open: "<think>".into(), close: "</think>".into() };
        let mut split = Split::new(Some(tags), is_open);
        let (mut thought, mut content) = (String::new(), String::new());
        let characters: Vec<char> = text.chars().collect();
        let pieces = characters.chunks(step).map(|c| c.iter().collect::<String>());
        let told: Vec<(String, String)> = pieces.map(|p| split.push(&p)).collect();
        for (t, c) in told.into_iter().chain([split.finish()]) {
            thought += &t;
            content += &c;
        }
        (thought, content)
    }

    #[test]
    fn a_text_splits_alike_whatever_pieces_it_comes_in() {
        for step in 1..30 {
            let of = |is_open, text| split(is_open, text, step);
            assert_eq!(of(false, "<think>\nä < b\n</think>\n\n4 <th"), ("ä < b\n".into(), "4 <th".into()));
            assert_eq!(of(true, "so</think>4"), ("so".into(), "4".into()));
            assert_eq!(of(true, "never ends</thi"), ("never ends</thi".into(), String::new()));
            assert_eq!(of(false, "plain"), (String::new(), "plain".into()));
        }
    }

    #[test]
    fn an_effort_is_a_share() {
        assert_eq!(budget("medium", 1000), Some(500));
        assert_eq!((budget("none", 9), budget("huge", 9)), (Some(0), None));
    }
}
