//! Calls as Qwen3-Coder writes them: elements around bare text, which becomes an object of JSON.
//!
//! As in vLLM's `qwen3_coder` parser a line break behind a parameter's opening and one before its end are no part of the value, and where its end is missing
//! the next mark ends it, so no value holds a mark.

use std::sync::Arc;

use collegium_serve::beginning;
use serde_json::{Map, Value as Json};

use super::super::format::ELEMENT;
use super::super::parameters::{is_text, json_of, kinds};
use super::super::{Function, Tools};
use super::{MOST_HEAD, NotACall};

/// Where the reader is in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the mark of the function.
    Start,
    Name,
    /// Between parameters.
    Between,
    Key,
    Value {
        /// Whether it is a text for certain, which a client has as it comes.
        is_text: bool,
        is_first: bool,
    },
    End,
}

/// A call so far.
#[derive(Debug)]
pub struct Elements {
    tools: Arc<Tools>,
    at: At,
    /// What was read and is not decided yet.
    held: String,
    name: Option<String>,
    key: String,
    arguments: String,
}

impl Elements {
    /// Before its first character.
    pub fn new(tools: Arc<Tools>) -> Self {
        let empty = String::new;
        let (held, key, arguments) = (empty(), empty(), empty());
        Self { tools, at: At::Start, held, name: None, key, arguments }
    }

    /// The function's name, once it is there.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What is there of the arguments, as JSON.
    pub fn arguments(&self) -> &str {
        &self.arguments
    }

    /// Whether it is complete.
    pub fn is_complete(&self) -> bool {
        self.at == At::End
    }

    /// One more character.
    ///
    /// # Errors
    /// One that no call has there.
    pub fn push(&mut self, c: char) -> Result<(), NotACall> {
        match self.at {
            At::Start if self.held.is_empty() && c.is_ascii_whitespace() => {}
            At::Start => {
                self.held.push(c);
                if self.held == ELEMENT.function {
                    self.enter(At::Name);
                } else if !ELEMENT.function.starts_with(&self.held) {
                    return Err(NotACall);
                }
            }
            At::Name if c == '>' => {
                self.name = Some(self.held.trim().to_string());
                self.enter(At::Between);
            }
            At::Name if self.held.len() > MOST_HEAD || "<\n".contains(c) => return Err(NotACall),
            At::Name => self.held.push(c),
            At::Between => self.between(c),
            At::Key if c == '>' => self.begin_value(),
            At::Key => self.held.push(c),
            At::Value { is_first: true, is_text } => {
                self.at = At::Value { is_first: false, is_text };
                if c != '\n' {
                    self.inside(c, is_text);
                }
            }
            At::Value { is_text, .. } => self.inside(c, is_text),
            At::End => return Err(NotACall),
        }
        Ok(())
    }

    fn enter(&mut self, at: At) {
        self.held.clear();
        self.at = at;
    }

    /// The schema of the function's arguments.
    fn schema(&self) -> Option<&Map<String, Json>> {
        let of = |f: &&Function| Some(&f.name) == self.name.as_ref();
        self.tools.functions.iter().find(of).map(|f| &f.parameters)
    }

    /// What is no mark is skipped.
    fn between(&mut self, c: char) {
        if c == '<' {
            self.held.clear();
        }
        self.held.push(c);
        let held = self.held.as_str();
        if held == ELEMENT.parameter {
            self.enter(At::Key);
        } else if [ELEMENT.function_end, ELEMENT.call_end].contains(&held) {
            self.end();
        }
    }

    fn begin_value(&mut self) {
        self.key = std::mem::take(&mut self.held);
        self.arguments.push_str(if self.arguments.is_empty() { "{" } else { ", " });
        self.arguments += &format!("{}: ", Json::from(self.key.as_str()));
        let is_text = self.schema().is_none_or(|schema| is_text(&kinds(schema, &self.key)));
        if is_text {
            self.arguments.push('"');
        }
        self.at = At::Value { is_text, is_first: true };
    }

    /// A character of a value.
    fn inside(&mut self, c: char, is_text: bool) {
        self.held.push(c);
        let Some(end) = ELEMENT.ends().into_iter().find(|end| self.held.ends_with(end)) else {
            if is_text {
                let open = ELEMENT.ends().into_iter().map(|end| beginning(&self.held, end)).max();
                let known = &self.held[..self.held.len() - open.unwrap_or(0)];
                let known = known.strip_suffix('\n').unwrap_or(known).len();
                self.arguments += &escaped(&self.held[..known]);
                self.held.drain(..known);
            }
            return;
        };
        let value = &self.held[..self.held.len() - end.len()];
        let value = value.strip_suffix('\n').unwrap_or(value);
        let json = match self.schema() {
            Some(schema) if !is_text => json_of(value, &kinds(schema, &self.key)),
            _ => escaped(value) + "\"",
        };
        self.arguments += &json;
        match end {
            _ if end == ELEMENT.parameter => self.enter(At::Key),
            _ if end == ELEMENT.parameter_end => self.enter(At::Between),
            _ => self.end(),
        }
    }

    fn end(&mut self) {
        self.arguments.push_str(if self.arguments.is_empty() { "{}" } else { "}" });
        self.enter(At::End);
    }
}

/// Text as it stands between the quotes of JSON.
fn escaped(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted[1..quoted.len() - 1].to_string()
}

#[cfg(test)]
mod tests {
    use super::super::super::Format;
    use super::super::{Call, tests};
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Call, NotACall> {
        let parameters = json!({"properties": {"text": {"type": "string"}, "n": {"type": "integer"},
            "many": {"type": "array"}, "unit": {"enum": ["C", "F"]}}});
        tests::read(Format::Elements, &parameters, text)
    }

    #[test]
    fn bare_values_become_json() {
        let all = "<parameter=text>\n\n a \"ü\"\n1 < 2</p\n\n</parameter>\n<parameter=n>\n7\n</parameter>\n<parameter=many>\n[1,\n 2]\n</parameter>\n<parameter=unit>\nC\n</parameter>\n";
        for (inside, expected) in [
            (
                all,
                "{\"text\": \"\\n a \\\"ü\\\"\\n1 < 2</p\\n\", \"n\": 7, \"many\": [1,\n 2], \"unit\": \"C\"}",
            ),
            ("", "{}"),
            ("<parameter=text>\n\n</parameter>", "{\"text\": \"\"}"),
            (
                "<parameter=text>null</parameter><parameter=n>null</parameter>",
                "{\"text\": \"null\", \"n\": null}",
            ),
            // Values that are not what the schema says, and parameters that it does not have.
            ("<parameter=n>\nx\n</parameter><parameter=o>\n7\n</parameter>", "{\"n\": \"x\", \"o\": \"7\"}"),
            // Ends that are missing, and words between parameters.
            ("<parameter=text>\na\n<parameter=n>\n7\n", "{\"text\": \"a\", \"n\": 7}"),
            ("so <b> <parameter=n>7</parameter> and", "{\"n\": 7}"),
        ] {
            for end in ["</function>", "</tool_call>"] {
                let call = read(&format!("\n<function=f>\n{inside}{end}")).unwrap();
                assert!(call.is_complete() && call.name() == Some("f"), "{inside}");
                assert_eq!(call.arguments(), expected, "{inside}");
                assert!(serde_json::from_str::<Json>(expected).is_ok());
            }
        }
    }

    #[test]
    fn texts_come_as_they_are_written_and_other_values_whole() {
        let arguments = |text: &str| read(&format!("<function=f>{text}")).unwrap().arguments().to_string();
        assert_eq!(arguments("<parameter=text>\nab"), "{\"text\": \"ab");
        // What may be the end is held.
        assert_eq!(arguments("<parameter=text>\nab\n</para"), "{\"text\": \"ab");
        assert_eq!(arguments("<parameter=text>\nab\n</parab"), "{\"text\": \"ab\\n</parab");
        assert_eq!(arguments("<parameter=n>\n71"), "{\"n\": ");
        assert_eq!(arguments("<parameter=n>\n71</parameter>"), "{\"n\": 71");
    }

    #[test]
    fn what_is_no_call_is_told() {
        for text in
            ["{", "x<function=", "<functions", "<function=\n", "<function=<", "<function=f></function>x"]
        {
            assert_eq!(read(text).err(), Some(NotACall), "{text}");
        }
        assert_eq!(read(&("<function=".to_string() + &"x".repeat(500))).err(), Some(NotACall));
    }
}
