//! The text of an answer that may call tools: what of it is text, and what of which call, as it comes.

#[cfg(test)]
mod tests;

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
