//! Comma-separated tables of measurements: rows by the names of the head.

use std::collections::HashMap;
use std::path::Path;

use crate::ClusterError;

/// One row: its line in the file and its fields by name; empty fields are absent.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// From 1.
    pub line: usize,
    fields: HashMap<String, String>,
}

impl Row {
    /// A field that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name).and_then(|t| t.parse().ok())
    }

    /// A field that is a whole number.
    pub fn count(&self, name: &str) -> Option<usize> {
        self.number(name).filter(|n| *n >= 0.0 && n.fract() == 0.0).map(|n| n as usize)
    }
}

/// Reads a table.
///
/// # Errors
/// A file that cannot be read, a head without the fields `required`, or a row of another length than the head.
pub fn read(path: &Path, required: &[&str]) -> Result<Vec<Row>, ClusterError> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|source| ClusterError::Read { path: name.clone(), source })?;
    let mut records = records(&text).into_iter();
    let wrong = |line: usize, why: String| ClusterError::Table { path: name.clone(), line, why };
    let (_, head) = records.next().ok_or_else(|| wrong(1, "the file is empty".into()))?;
    if let Some(missing) = required.iter().find(|r| !head.iter().any(|h| h == *r)) {
        return Err(wrong(1, format!("there is no column `{missing}`; the head must name it")));
    }
    records
        .map(|(line, fields)| {
            if fields.len() != head.len() {
                let why = format!("{} fields where the head has {}", fields.len(), head.len());
                return Err(wrong(line, why));
            }
            let filled = head.iter().cloned().zip(fields).filter(|(_, v)| !v.is_empty());
            Ok(Row { line, fields: filled.collect() })
        })
        .collect()
}

/// Records of a text with quoted fields (RFC 4180), with the line that each begins on; empty lines are none.
fn records(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut out = Vec::new();
    let (mut record, mut field, mut quoted, mut line, mut begun) = (Vec::new(), String::new(), false, 1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                line += 1;
                if !record.is_empty() || !field.is_empty() {
                    record.push(std::mem::take(&mut field));
                    out.push((begun, std::mem::take(&mut record)));
                }
                begun = line;
            }
            '\r' => {}
            _ => {
                line += usize::from(c == '\n');
                field.push(c);
            }
        }
    }
    if !record.is_empty() || !field.is_empty() {
        record.push(field);
        out.push((begun, record));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::records;

    #[test]
    fn quotes_commas_and_lines() {
        let found = records("a,b\n\"x, \"\"y\"\"\",2\r\n\n,\"1\n2\"\n");
        assert_eq!(found[1], (2, vec!["x, \"y\"".to_string(), "2".to_string()]));
        assert_eq!(found[2], (4, vec![String::new(), "1\n2".to_string()]));
    }
}
