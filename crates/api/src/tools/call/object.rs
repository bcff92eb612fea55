//! Calls as objects of JSON: one with a name and arguments, or a name between marks and an object of arguments behind it.

use super::{Format, MOST_HEAD, NotACall};

/// Where the reader is in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the object of arguments, with the name.
    Head,
    Start,
    Key,
    InKey,
    Colon,
    Value,
    InValue,
    Behind,
    End,
}

/// A call so far.
#[derive(Debug)]
pub struct Object {
    format: Format,
    at: At,
    key: String,
    /// The value that is read, as it is written; before one, what stands before the object of arguments.
    value: String,
    /// Brackets that are open in it.
    depth: usize,
    is_string: bool,
    is_escaped: bool,
    name: Option<String>,
    arguments: Option<String>,
}

impl Object {
    /// Before its first character.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            at: if format.has_head() { At::Head } else { At::Start },
            key: String::new(),
            value: String::new(),
            depth: 0,
            is_string: false,
            is_escaped: false,
            name: None,
            arguments: None,
        }
    }

    /// The function's name, once it is there.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What is there of the arguments, as JSON.
    pub fn arguments(&self) -> &str {
        match &self.arguments {
            Some(all) => all,
            // Arguments as a text that holds JSON are known when the text ends.
            None if self.at == At::InValue && self.is_arguments() && !self.value.starts_with('"') => {
                &self.value
            }
            None => "",
        }
    }

    /// Whether the object is complete.
    pub fn is_complete(&self) -> bool {
        self.at == At::End
    }

    /// One more character.
    ///
    /// # Errors
    /// One that no call has there.
    pub fn push(&mut self, c: char) -> Result<(), NotACall> {
        match (self.at, c) {
            (At::Head, '{') => {
                self.name = Some(self.format.name_in(&self.value).ok_or(NotACall)?.to_string());
                self.value.clear();
                self.key = "arguments".into();
                self.at = At::InValue;
                self.inside(c)?;
            }
            (At::Head, c) => {
                self.value.push(c);
                if self.value.len() > MOST_HEAD {
                    return Err(NotACall);
                }
            }
            // Of a list, whose first call stands behind its bracket.
            (At::Start, '[') if self.format.is_list() => {}
            (At::InKey, '"') if !self.is_escaped => self.at = At::Colon,
            (At::InKey, c) => {
                self.is_escaped = c == '\\' && !self.is_escaped;
                self.key.push(c);
            }
            (At::InValue, c) => self.inside(c)?,
            (_, c) if c.is_ascii_whitespace() => {}
            (At::Start, '{') => self.at = At::Key,
            (At::Key, '"') => {
                self.key.clear();
                self.at = At::InKey;
            }
            (At::Colon, ':') => self.at = At::Value,
            (At::Value, c) => {
                self.value.clear();
                self.at = At::InValue;
                self.inside(c)?;
            }
            (At::Behind, ',') => self.at = At::Key,
            (At::Key | At::Behind, '}') => self.end()?,
            _ => return Err(NotACall),
        }
        Ok(())
    }

    /// A character of a value.
    fn inside(&mut self, c: char) -> Result<(), NotACall> {
        if self.is_string {
            self.value.push(c);
            let ends = c == '"' && !self.is_escaped;
            self.is_escaped = c == '\\' && !self.is_escaped;
            self.is_string = !ends;
            return if ends && self.depth == 0 { self.complete() } else { Ok(()) };
        }
        match c {
            ',' | '}' if self.depth == 0 => {
                self.complete()?;
                if c == '}' {
                    return self.end();
                }
                self.at = At::Key;
                return Ok(());
            }
            c if self.depth == 0 && c.is_ascii_whitespace() => return self.complete(),
            '{' | '[' => self.depth += 1,
            '}' | ']' => self.depth = self.depth.checked_sub(1).ok_or(NotACall)?,
            '"' => self.is_string = true,
            _ => {}
        }
        self.value.push(c);
        if matches!(c, '}' | ']') && self.depth == 0 { self.complete() } else { Ok(()) }
    }

    fn is_arguments(&self) -> bool {
        ["arguments", "parameters"].contains(&self.key.as_str())
    }

    /// The value ends.
    fn complete(&mut self) -> Result<(), NotACall> {
        self.at = At::Behind;
        let text = || serde_json::from_str::<String>(&self.value).map_err(|_| NotACall);
        if self.key == "name" {
            self.name = Some(text()?);
        } else if self.is_arguments() {
            let is_text = self.value.starts_with('"');
            self.arguments = Some(if is_text { text()? } else { self.value.clone() });
        }
        if self.format.has_head() { self.end() } else { Ok(()) }
    }

    /// The object ends.
    fn end(&mut self) -> Result<(), NotACall> {
        self.at = At::End;
        self.arguments.get_or_insert_with(|| "{}".into());
        self.name.as_ref().map(|_| ()).ok_or(NotACall)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Call, tests};
    use super::*;

    fn read(text: &str) -> Result<Call, NotACall> {
        read_as(Format::Tagged, text)
    }

    fn read_as(format: Format, text: &str) -> Result<Call, NotACall> {
        tests::read(format, &json!({}), text)
    }

    #[test]
    fn calls_are_read_whatever_their_order_and_spelling() {
        for (text, arguments) in [
            (r#"{"name": "f", "arguments": {"a": [1, {"b": "}\"]"}]} }"#, r#"{"a": [1, {"b": "}\"]"}]}"#),
            (r#" {"parameters":{"ü":null},"name":"f"}"#, r#"{"ü":null}"#),
            (r#"{"type": "function", "n": 3, "name": "f"}"#, "{}"),
            (r#"{"name": "f", "arguments": "{\"a\": 1}"}"#, r#"{"a": 1}"#),
        ] {
            let call = read(text).unwrap();
            assert!(call.is_complete(), "{text}");
            assert_eq!((call.name(), call.arguments(), call.raw()), (Some("f"), arguments, text));
        }
        let cut = read(r#"{"name": "f", "arguments": {"a": "lo"#).unwrap();
        assert_eq!((cut.is_complete(), cut.arguments()), (false, r#"{"a": "lo"#));
    }

    #[test]
    fn names_stand_before_arguments_where_the_format_has_them_there() {
        for (format, text) in [
            (Format::Fenced, "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": \"}\"}"),
            (Format::Separated, "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": \"}\"}"),
            (Format::Marked, "f[ARGS]{\"a\": \"}\"}"),
            (Format::Marked, "f[CALL_ID]123456789[ARGS]{\"a\": \"}\"}"),
            (Format::Marked, "f{\"a\": \"}\"}"),
        ] {
            let call = read_as(format, text).unwrap();
            let found = (call.is_complete(), call.name(), call.arguments());
            assert_eq!(found, (true, Some("f"), "{\"a\": \"}\"}"), "{text}");
        }
        assert_eq!(read_as(Format::Marked, "{").err(), Some(NotACall));
        assert_eq!(read_as(Format::Fenced, &"x".repeat(500)).err(), Some(NotACall));
        let listed =
            read_as(Format::Listed, "[{\"name\": \"f\", \"arguments\": {}, \"id\": \"123456789\"}").unwrap();
        assert_eq!((listed.is_complete(), listed.name(), listed.arguments()), (true, Some("f"), "{}"));
    }

    #[test]
    fn what_is_no_call_is_told() {
        for text in [
            "[",
            "{1",
            r#"{"name" 3"#,
            r#"{"name": 3}"#,
            r#"{"arguments": {}}"#,
            r#"{"name": "f"}}"#,
            r#"{"a": ]"#,
        ] {
            assert_eq!(read(text).err(), Some(NotACall), "{text}");
        }
    }
}
