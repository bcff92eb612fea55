//! What templates find in Python: its dates and its way to write JSON.

use std::fmt::Write;
use std::io;

use minijinja::value::Kwargs;
use minijinja::{ErrorKind, Value};
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// A time as Python's `strftime` writes it.
pub(super) fn strftime(
    time: chrono::DateTime<chrono::Local>,
    format: &str,
) -> Result<String, minijinja::Error> {
    let mut text = String::new();
    write!(text, "{}", time.format(format)).map_err(|_| {
        let message = format!("strftime_now does not know the format {format:?}");
        minijinja::Error::new(ErrorKind::InvalidOperation, message)
    })?;
    Ok(text)
}

/// JSON as `transformers` writes it for templates: Python's separators, the keys in their order, and nothing escaped for HTML.
pub(super) fn to_json(value: &Value, options: Kwargs) -> Result<Value, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    // Texts are never escaped to ASCII.
    options.get::<Option<bool>>("ensure_ascii")?;
    options.assert_all_used()?;
    let refuse = |e: serde_json::Error| minijinja::Error::new(ErrorKind::BadSerialization, e.to_string());
    let text = if let Some(width) = indent {
        let spaces = " ".repeat(width);
        written(value, PrettyFormatter::with_indent(spaces.as_bytes()))
    } else {
        let mut given = separators.unwrap_or_default().into_iter();
        let mut next = |default: &str| given.next().unwrap_or_else(|| default.into());
        written(value, Separated { item: next(", "), key: next(": ") })
    };
    Ok(Value::from_safe_string(text.map_err(refuse)?))
}

fn written(value: &impl Serialize, format: impl Formatter) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, format))?;
    Ok(String::from_utf8(text).expect("JSON is UTF-8"))
}

/// JSON as Python writes it.
pub(super) fn one_line(value: &[&Json]) -> String {
    let format = Separated { item: ", ".into(), key: ": ".into() };
    written(&value, format).expect("it is JSON already")
}

/// JSON on one line.
struct Separated {
    item: String,
    key: String,
}

impl Separated {
    fn next(&self, writer: &mut (impl io::Write + ?Sized), is_first: bool) -> io::Result<()> {
        if is_first { Ok(()) } else { writer.write_all(self.item.as_bytes()) }
    }
}

impl Formatter for Separated {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.next(writer, is_first)
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.next(writer, is_first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }
}
