//! The text of an answer that may call tools: what of it is text, and what of which call, as it comes.

use std::sync::Arc;

use collegium_serve::beginning;

use super::call::{Call, NotACall};
use super::{Format, Tools};

/// What is new of a sample's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallPiece {
    /// A call begins.
    Begin {
        /// Its name to the client.
        id: String,
        /// Of the function.
        name: String,
    },
    /// More of the arguments of the last call that began.
    Arguments(String),
}

/// Reads one sample.
pub struct Reader {
    tools: Arc<Tools>,
    state: State,
    /// What is not decided yet.
    held: String,
    /// What stood before the call that is read: space and tag.
    opening: String,
    /// Calls that have begun.
    calls: usize,
}

enum State {
    /// A call may begin here. Of bare calls: nothing but calls has come so far.
    Text,
    /// In a call, of whose arguments the client has so many bytes; `None` where it does not know of the call yet.
    Inside(Call, Option<usize>),
    /// Behind a call, where its closing tag is due.
    Behind,
    /// No more calls come: all is text, or is left out where there are as many calls as may be.
    Over,
}

impl Reader {
    /// Of a new sample.
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools, state: State::Text, held: String::new(), opening: String::new(), calls: 0 }
    }

    /// Whether anything was called.
    pub fn has_calls(&self) -> bool {
        self.calls > 0
    }

    /// The word that this token stands for, where texts leave it out.
    pub fn mark(&self, token: u32) -> &'static str {
        self.tools.mark(token)
    }

    /// More text: what of it is content and what is of calls.
    pub fn push(&mut self, text: &str) -> (String, Vec<CallPiece>) {
        self.held.push_str(text);
        let (mut content, mut pieces) = (String::new(), Vec::new());
        while !self.held.is_empty() && self.step(&mut content, &mut pieces) {}
        (content, pieces)
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        match std::mem::replace(&mut self.state, State::Over) {
            // A client that does not know of the call sees what there is.
            State::Inside(call, None) => std::mem::take(&mut self.opening) + call.raw() + &held,
            State::Text if self.calls == 0 || !held.trim().is_empty() => held,
            _ => String::new(),
        }
    }

    /// Takes some of what is held; whether there may be more to take.
    fn step(&mut self, content: &mut String, pieces: &mut Vec<CallPiece>) -> bool {
        match (&mut self.state, self.tools.format) {
            (State::Over, _) => {
                let text = std::mem::take(&mut self.held);
                if self.calls < self.tools.most {
                    content.push_str(&text);
                }
                false
            }
            (State::Text, Format::Bare) => {
                // Several are separated by semicolons or lines.
                let is_between = |c: char| c.is_whitespace() || (self.calls > 0 && c == ';');
                match self.held.trim_start_matches(is_between).chars().next() {
                    None => return false,
                    Some('{') => {
                        let at = self.held.find('{').expect("it is there");
                        self.opening = self.held.drain(..at).collect();
                        self.state = State::Inside(Call::new(&self.tools), None);
                    }
                    Some(_) => self.state = State::Over,
                }
                true
            }
            (State::Text, _) => self.until_tag(content),
            (State::Behind, _) => self.behind(),
            (State::Inside(..), _) => self.inside(content, pieces),
        }
    }

    /// Gives out text up to a tag. Space before a tag is no content, so it is held until something else follows.
    fn until_tag(&mut self, content: &mut String) -> bool {
        let format = self.tools.format;
        let tags = || format.opens().iter().copied();
        let found = tags().filter_map(|tag| Some((self.held.find(tag)?, tag))).min();
        let open = || tags().map(|tag| beginning(&self.held, tag)).max().unwrap_or(0);
        let until = found.map_or_else(|| self.held.len() - open(), |found| found.0);
        let len = self.held[..until].trim_end().len();
        content.extend(self.held.drain(..len));
        if let Some((_, tag)) = found {
            let read = until - len + if format.is_of_call(tag) { 0 } else { tag.len() };
            self.opening = self.held.drain(..read).collect();
            self.state = State::Inside(Call::new(&self.tools), None);
        }
        found.is_some()
    }

    /// Leaves closing tags out. One that is missing is not missed. Where another call may follow at once, it begins.
    fn behind(&mut self) -> bool {
        let format = self.tools.format;
        let may_go_on = self.calls < self.tools.most;
        loop {
            let rest = self.held.trim_start();
            let space = self.held.len() - rest.len();
            let again = format.again().filter(|again| may_go_on && rest.starts_with(again));
            if let Some(again) = again {
                let read = space + if format.is_of_call(again) { 0 } else { again.len() };
                self.opening = self.held.drain(..read).collect();
                self.state = State::Inside(Call::new(&self.tools), None);
                return true;
            }
            if let Some(close) = format.closes().iter().find(|close| rest.starts_with(**close)) {
                self.held.drain(..space + close.len());
                continue;
            }
            let mut known = format.closes().iter().copied().chain(format.again());
            if known.any(|tag| rest.len() < tag.len() && tag.starts_with(rest)) {
                return false;
            }
            break;
        }
        self.state = if may_go_on { State::Text } else { State::Over };
        true
    }

    /// Reads on in a call, and tells what is new of it.
    fn inside(&mut self, content: &mut String, pieces: &mut Vec<CallPiece>) -> bool {
        let State::Inside(call, sent) = &mut self.state else { return false };
        let mut read = 0;
        let mut outcome = Ok(());
        for c in self.held.chars() {
            read += c.len_utf8();
            outcome = call.push(c);
            if let (None, Some(name)) = (&sent, call.name()) {
                if self.tools.knows(name) {
                    let id = format!("call_{:016x}", crate::prepare::random());
                    pieces.push(CallPiece::Begin { id, name: name.into() });
                    *sent = Some(0);
                    self.calls += 1;
                } else {
                    outcome = Err(NotACall);
                }
            }
            if outcome.is_err() || call.is_complete() {
                break;
            }
        }
        self.held.drain(..read);
        if let Some(sent) = sent {
            let new = &call.arguments()[*sent..];
            *sent += new.len();
            if !new.is_empty() {
                pieces.push(CallPiece::Arguments(new.into()));
            }
        }
        match outcome {
            Ok(()) if call.is_complete() => self.state = State::Behind,
            Ok(()) => return false,
            Err(NotACall) => {
                // What the client knows of stays a call; anything else was text.
                let is_known = sent.is_some();
                if !is_known {
                    content.push_str(&self.opening);
                    content.push_str(call.raw());
                }
                self.state = match self.tools.format {
                    Format::Bare => State::Over,
                    _ if is_known => State::Behind,
                    _ => State::Text,
                };
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::Function;

    /// What a client has of `text` that comes in pieces of `step` characters: the content, and name and arguments of each call.
    fn told(format: Format, most: usize, text: &str, step: usize) -> (String, Vec<(String, String)>) {
        let functions =
            ["f", "g"].map(|n| Function { name: n.into(), parameters: Default::default(), is_strict: false });
        let functions = functions.into();
        let tools = Tools { format, functions, most, is_forced: false, marks: Vec::new() };
        let mut reader = Reader::new(Arc::new(tools));
        let (mut content, mut calls) = (String::new(), Vec::new());
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(step) {
            let (text, pieces) = reader.push(&piece.iter().collect::<String>());
            content += &text;
            for piece in pieces {
                match piece {
                    CallPiece::Begin { name, .. } => calls.push((name, String::new())),
                    CallPiece::Arguments(more) => calls.last_mut().unwrap().1 += &more,
                }
            }
        }
        content += &reader.finish();
        assert_eq!(reader.has_calls(), !calls.is_empty());
        (content, calls)
    }

    fn calls(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(n, a)| (n.to_string(), a.to_string())).collect()
    }

    #[test]
    fn tagged_calls_and_text_come_apart_whatever_pieces_they_come_in() {
        let f = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"ü<\"}}\n</tool_call>";
        let g = "<tool_call>{\"name\": \"g\"}</tool_call>";
        for step in 1..60 {
            let of = |text: &str| told(Format::Tagged, usize::MAX, text, step);
            let both = calls(&[("f", "{\"a\": \"ü<\"}"), ("g", "{}")]);
            assert_eq!(of(&format!("Well.\n\n{f}\n{g}\n")), ("Well.".into(), both.clone()));
            assert_eq!(of(&format!("{f} and {g}")), (" and".into(), both));
            assert_eq!(of("1 < 2 <tool"), ("1 < 2 <tool".into(), vec![]));
            // Not a call, a function that nobody named, and one that is cut off before its name.
            for plain in [
                "<tool_call>no</tool_call> x",
                "<tool_call>{\"name\": \"h\"}</tool_call>",
                "a <tool_call>{\"na",
            ] {
                assert_eq!(of(plain), (plain.into(), vec![]));
            }
            // Cut off behind it, and broken behind it.
            assert_eq!(of("<tool_call>{\"name\": \"f\", \"arguments\": {\"a").1, calls(&[("f", "{\"a")]));
            assert_eq!(of("<tool_call>{\"name\": \"f\" 3").1, calls(&[("f", "")]));
            let one = told(Format::Tagged, 1, &format!("{f}{g} text"), step);
            assert_eq!(one, (String::new(), calls(&[("f", "{\"a\": \"ü<\"}")])));
        }
    }

    /// As the published templates of DeepSeek V3 and V3.1 and of Mistral's models write them, and Phi-4-mini.
    #[test]
    fn calls_between_marks_come_apart_whatever_pieces_they_come_in() {
        let wrap = |calls: &str| format!("<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>");
        let v3 = |name: &str, arguments: &str| {
            format!(
                "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>"
            )
        };
        let v31 = |name: &str, arguments: &str| {
            format!("<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>")
        };
        let object =
            |name: &str, arguments: &str| format!("{{\"name\": \"{name}\", \"arguments\": {arguments}}}");
        let (a, b) = ("{\"a\": \"ü```\"}", "{}");
        for step in 1..60 {
            for (format, text) in [
                (Format::Fenced, wrap(&format!("{}\n{}", v3("f", a), v3("g", b)))),
                (Format::Separated, wrap(&(v31("f", a) + &v31("g", b)))),
                (Format::Listed, format!("[TOOL_CALLS] [{}, {}]", object("f", a), object("g", b))),
                (Format::Listed, format!("[TOOL_CALLS][{},{}]", object("f", a), object("g", b))),
                (
                    Format::Enclosed,
                    format!("<|tool_call|>[{}, {}]<|/tool_call|>", object("f", a), object("g", b)),
                ),
                // As llama.cpp's template for Phi-4-mini asks for them.
                (
                    Format::Enclosed,
                    format!("<|tool_call|>{}<|/tool_call|><|tool_call|>{}", object("f", a), object("g", b)),
                ),
                (Format::Prefixed, format!("functools[{}, {}]", object("f", a), object("g", b))),
                (Format::Marked, format!("[TOOL_CALLS]f[ARGS]{a}[TOOL_CALLS]g[ARGS]{b}")),
            ] {
                let both = calls(&[("f", a), ("g", b)]);
                let said = told(format, usize::MAX, &format!("Well.\n\n{text}"), step);
                assert_eq!(said, ("Well.".into(), both), "{text} by {step}");
                let one = told(format, 1, &text, step);
                assert_eq!(one, (String::new(), calls(&[("f", a)])), "{text} by {step}");
                // A function that nobody named is text.
                let other = ["g<", "g\n", "g\"", "g["]
                    .into_iter()
                    .fold(text, |text, g| text.replace(g, &g.replace('g', "h")));
                let said = told(format, usize::MAX, &other, step);
                assert_eq!(said.1, calls(&[("f", a)]), "{other} by {step}");
            }
            for (format, plain) in [
                (Format::Fenced, "1 <｜tool"),
                (Format::Listed, "see [TOOL_CALLS] above"),
                (Format::Marked, "[TOOL_CALLS]h[ARGS]{}"),
                (Format::Enclosed, "<|tool_call|>[{\"name\": \"h\"}]<|/tool_call|>"),
                (Format::Prefixed, "use functools.cache"),
            ] {
                assert_eq!(told(format, usize::MAX, plain, step), (plain.into(), vec![]));
            }
        }
    }

    /// As the published template of Qwen3-Coder writes them.
    #[test]
    fn calls_as_elements_come_apart_whatever_pieces_they_come_in() {
        let f = "<function=f>\n<parameter=a>\n1 < 2\nü\n</parameter>\n</function>";
        let g = "<function=g>\n</function>";
        let both = calls(&[("f", "{\"a\": \"1 < 2\\nü\"}"), ("g", "{}")]);
        for step in 1..60 {
            let of = |text: &str| told(Format::Elements, usize::MAX, text, step);
            let tagged = |call: &str| format!("<tool_call>\n{call}\n</tool_call>");
            let text = format!("Well.\n\n{}\n{}\n", tagged(f), tagged(g));
            assert_eq!(of(&text), ("Well.".into(), both.clone()));
            // Outer tags that are forgotten, as models do.
            assert_eq!(of(&format!("Well.\n{f}\n{g}")), ("Well.".into(), both.clone()));
            assert_eq!(of(&format!("{f}</tool_call>{}", tagged(g))), (String::new(), both.clone()));
            assert_eq!(of(&format!("{} and {g}", tagged(f))), (" and".into(), both.clone()));
            for plain in [
                "<tool_call> no",
                "a <function=h> b",
                "<tool_call>\n<function=h>\n</function>\n</tool_call>",
                "1 <fun",
            ] {
                assert_eq!(of(plain), (plain.into(), vec![]), "by {step}");
            }
            assert_eq!(of("<tool_call><function=f><parameter=a>\nlo").1, calls(&[("f", "{\"a\": \"lo")]));
            let one = told(Format::Elements, 1, &text, step);
            assert_eq!(one, ("Well.".into(), both[..1].to_vec()));
        }
    }

    #[test]
    fn bare_calls_are_the_whole_answer() {
        let f = "{\"name\": \"f\", \"parameters\": {\"a\": 1}}";
        for step in 1..50 {
            let of = |text: &str| told(Format::Bare, usize::MAX, text, step);
            assert_eq!(of(&format!("\n{f}; {f}")).1, calls(&[("f", "{\"a\": 1}"), ("f", "{\"a\": 1}")]));
            assert_eq!(of(&format!("Text {f}")), (format!("Text {f}"), vec![]));
            assert_eq!(of("{\"a\": 1}"), ("{\"a\": 1}".into(), vec![]));
            assert_eq!(of("{\"name\": \"h\"} x"), ("{\"name\": \"h\"} x".into(), vec![]));
        }
    }
}
