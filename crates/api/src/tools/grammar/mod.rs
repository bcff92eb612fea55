//! The grammar of answers whose calls must be right: those that are nothing but calls, and those that may have some.

mod elements;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value as Json, json};

use super::format::Written;
use super::{Format, Function, Tools};
use crate::grammar::Constraint;

impl Tools {
    /// What an answer must follow: one that is nothing but calls, or that has calls of functions whose schemas are to hold.
    pub fn constraint(&self) -> Option<Constraint> {
        if self.is_forced {
            return Some(Constraint::Grammar(self.grammar()));
        }
        let is_strict = self.functions.iter().any(|function| function.is_strict);
        is_strict.then(|| Constraint::Grammar(self.free_grammar()))
    }

    /// One call, or one and more, in the format of the template. The name comes first, so that a client hears it first; no space is free, so that
    /// a model does not go on with spaces for ever.
    fn grammar(&self) -> String {
        let written = self.format.written();
        let [begin, end] = [written.begin, written.end].map(|text| self.literal(text));
        format!("start: {begin} {} {end}\n{}", self.calls(&written), self.rules(&written))
    }

    /// Any text, and calls wherever it opens some.
    fn free_grammar(&self) -> String {
        let mut written = self.format.written();
        let opens = self.format.last_opens();
        let free = r"/(?s:.*)/";
        if self.format == Format::Bare {
            let rules = self.rules(&written);
            return format!(
                "start: TEXT | {}\nTEXT: /\\s*([^{{\\s](?s:.*))?/\n{rules}",
                self.calls(&written)
            );
        }
        // The mark is the end of the text before it.
        let is_in_begin = written.begin.starts_with(opens);
        let opening = if is_in_begin { &mut written.begin } else { &mut written.open };
        *opening = opening.split_once(opens).expect("it is in what opens calls").1;
        if !is_in_begin {
            // Others follow as texts do, each with a mark of its own.
            written.between = "";
        }
        let calls = if is_in_begin { self.calls(&written) } else { "call".into() };
        let [begin, end] = [written.begin, written.end].map(|text| self.literal(text));
        let rules = self.rules(&written);
        match self.marks.iter().find(|mark| mark.1 == opens) {
            Some((token, _)) => {
                format!("start: text (<[{token}]> {begin} {calls} {end} text)*\ntext: {free}\n{rules}")
            }
            None => {
                let mark: String = opens.chars().map(regex_escaped).collect();
                format!(
                    "start: (before {begin} {calls} {end})* text\nbefore[lazy]: /(?s:.*){mark}/\ntext: {free}\n{rules}"
                )
            }
        }
    }

    /// One call or as many as there may be.
    fn calls(&self, written: &Written) -> String {
        match self.most {
            1 => "call".into(),
            _ => format!("call ({} call)*", self.literal(written.between)),
        }
    }

    /// The rules of a call.
    fn rules(&self, written: &Written) -> String {
        let mut calls = Vec::new();
        let mut rules = String::new();
        for (index, function) in self.functions.iter().enumerate() {
            let (name, quoted) = (function.name.as_str(), Json::from(function.name.as_str()).to_string());
            let name = if written.is_quoted { &quoted } else { name };
            let begin = self.literal(&format!("{}{name}{}", written.open, written.middle));
            calls.push(format!("call_{index}"));
            rules += &format!("call_{index}: {begin} args_{index} {}\n", self.literal(written.close));
            rules += &match self.format {
                Format::Elements => self.elements(index, function),
                _ => format!("args_{index}: %json {}\n", self.arguments(function)),
            };
        }
        if self.format == Format::Elements {
            rules += &self.values();
        }
        format!("call: {}\n{rules}", calls.join(" | "))
    }

    /// The schema of arguments; of any, where they are not to hold to it.
    fn arguments(&self, function: &Function) -> Json {
        let any = || Map::from_iter([("type".to_string(), json!("object"))]);
        compact(if self.holds(function) { function.parameters.clone() } else { any() })
    }

    /// Whether arguments must follow the function's schema.
    fn holds(&self, function: &Function) -> bool {
        self.is_forced || function.is_strict
    }

    /// A text as grammars have it, where some words are tokens.
    fn literal(&self, text: &str) -> String {
        let found = self.marks.iter().filter_map(|mark| Some((text.find(mark.1)?, mark)));
        match found.min() {
            None if text.is_empty() => String::new(),
            None => Json::from(text).to_string(),
            Some((at, (token, mark))) => {
                let [before, behind] = [&text[..at], &text[at + mark.len()..]].map(|part| self.literal(part));
                format!("{before} <[{token}]> {behind}")
            }
        }
    }
}

/// A character as regular expressions between slashes have it.
fn regex_escaped(c: char) -> String {
    if r"\/.^$|?*+()[]{}".contains(c) { format!("\\{c}") } else { c.to_string() }
}

/// A schema of JSON without free space.
fn compact(mut schema: Map<String, Json>) -> Json {
    let spaces = json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "});
    schema.insert("x-guidance".into(), spaces);
    Json::Object(schema)
}
