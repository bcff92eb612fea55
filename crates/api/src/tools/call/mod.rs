//! One call as it comes, read character by character, so that a client has the arguments while they are written.

mod elements;
mod object;

use std::sync::Arc;

use super::{Format, Tools};
use elements::Elements;
use object::Object;

/// Text that is not a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACall;

/// Most bytes before the arguments.
const MOST_HEAD: usize = 400;

/// A call so far.
#[derive(Debug)]
pub struct Call {
    inside: Inside,
    raw: String,
}

/// How it is written.
#[derive(Debug)]
enum Inside {
    /// As JSON.
    Object(Object),
    /// As elements around bare text.
    Elements(Elements),
}

impl Call {
    /// Before its first character.
    pub fn new(tools: &Arc<Tools>) -> Self {
        let inside = match tools.format {
            Format::Elements => Inside::Elements(Elements::new(tools.clone())),
            format => Inside::Object(Object::new(format)),
        };
        Self { inside, raw: String::new() }
    }

    /// The function's name, once it is there.
    pub fn name(&self) -> Option<&str> {
        match &self.inside {
            Inside::Object(call) => call.name(),
            Inside::Elements(call) => call.name(),
        }
    }

    /// What is there of the arguments, as JSON.
    pub fn arguments(&self) -> &str {
        match &self.inside {
            Inside::Object(call) => call.arguments(),
            Inside::Elements(call) => call.arguments(),
        }
    }

    /// All that was read.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Whether it is complete.
    pub fn is_complete(&self) -> bool {
        match &self.inside {
            Inside::Object(call) => call.is_complete(),
            Inside::Elements(call) => call.is_complete(),
        }
    }

    /// One more character.
    ///
    /// # Errors
    /// One that no call has there.
    pub fn push(&mut self, c: char) -> Result<(), NotACall> {
        self.raw.push(c);
        match &mut self.inside {
            Inside::Object(call) => call.push(c),
            Inside::Elements(call) => call.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value as Json;

    use super::super::{Format, Function, Tools};
    use super::{Call, NotACall};

    /// The call that `text` is, of a function `f` with these parameters; what a client has of its arguments is never taken back.
    pub fn read(format: Format, parameters: &Json, text: &str) -> Result<Call, NotACall> {
        let parameters = parameters.as_object().unwrap().clone();
        let functions = vec![Function { name: "f".into(), parameters, is_strict: false }];
        let tools = Tools { format, functions, most: 9, is_forced: false, marks: Vec::new() };
        let mut call = Call::new(&Arc::new(tools));
        for c in text.chars() {
            let before = call.arguments().to_string();
            call.push(c)?;
            assert!(call.arguments().starts_with(&before), "what a client has is never taken back");
        }
        assert_eq!(call.raw(), text);
        Ok(call)
    }
}
