//! One JSON object per line, the text in one of its fields.

use super::{Reader, text::Lines};
use crate::DataError;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

pub(super) struct Jsonl {
    path: PathBuf,
    lines: Lines,
    field: String,
}

impl Jsonl {
    pub(super) fn open(path: &Path, field: &str) -> Result<Self, DataError> {
        Ok(Self { path: path.into(), lines: Lines::open(path)?, field: field.into() })
    }

    /// The text of a record; `null` counts as empty, as in data sets that leave texts out.
    fn text(&self, line: &str) -> Result<String, DataError> {
        let place = || (self.path.clone(), self.lines.number);
        let mut record: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
            let (path, line) = place();
            DataError::BadJson { path, line, reason: error.to_string() }
        })?;
        let given = match record.remove(&self.field) {
            Some(Value::String(text)) => return Ok(text),
            Some(Value::Null) => return Ok(String::new()),
            Some(Value::Bool(_)) => "it holds a truth value".into(),
            Some(Value::Number(_)) => "it holds a number".into(),
            Some(Value::Array(_)) => "it holds a list".into(),
            Some(Value::Object(_)) => "it holds an object".into(),
            None if record.is_empty() => "the object is empty".into(),
            None => {
                // Sorted here, for whether the map keeps the order of the file depends on what else is built beside.
                let mut fields: Vec<&str> = record.keys().map(String::as_str).collect();
                fields.sort_unstable();
                format!("the fields are {}", fields.join(", "))
            }
        };
        let (path, line) = place();
        Err(DataError::MissingField { path, line, field: self.field.clone(), given })
    }
}

impl Reader for Jsonl {
    fn next_document(&mut self) -> Result<Option<String>, DataError> {
        while let Some(line) = self.lines.next_line()? {
            if line.trim().is_empty() {
                continue;
            }
            let text = self.text(&line)?;
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn position(&self) -> u64 {
        self.lines.offset
    }
}
