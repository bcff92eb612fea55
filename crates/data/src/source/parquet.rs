//! Parquet, as Hugging Face data sets come: one string column is read, page by page, the others are not touched.

use super::Reader;
use crate::DataError;
use parquet::{
    basic::Type,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, ByteArrayType},
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    schema::types::ColumnDescriptor,
};
use std::{
    collections::VecDeque,
    fs::File,
    path::{Path, PathBuf},
};

/// Rows decoded at once.
const ROWS: usize = 256;

pub(super) struct Parquet {
    path: PathBuf,
    file_bytes: u64,
    file: SerializedFileReader<File>,
    column: usize,
    next_group: usize,
    group: Option<ColumnReaderImpl<ByteArrayType>>,
    /// Decoded rows, null as empty.
    waiting: VecDeque<ByteArray>,
    /// Rows given out.
    row: u64,
}

impl Parquet {
    pub(super) fn open(path: &Path, field: &str) -> Result<Self, DataError> {
        let unreadable = |error| DataError::read(path, error);
        let file = File::open(path).map_err(unreadable)?;
        let file_bytes = file.metadata().map_err(unreadable)?.len();
        let file = SerializedFileReader::new(file).map_err(|error| bad(path, 0, &error))?;
        let columns = file.metadata().file_metadata().schema_descr_ptr();
        let is_text = |column: &ColumnDescriptor| {
            column.physical_type() == Type::BYTE_ARRAY && column.max_rep_level() == 0
        };
        let wanted =
            columns.columns().iter().position(|column| column.path().string() == field && is_text(column));
        let column = wanted.ok_or_else(|| {
            let names: Vec<String> = columns.columns().iter().map(|column| column.path().string()).collect();
            DataError::MissingColumn { path: path.into(), field: field.into(), columns: names.join(", ") }
        })?;
        let waiting = VecDeque::new();
        Ok(Self { path: path.into(), file_bytes, file, column, next_group: 0, group: None, waiting, row: 0 })
    }

    /// Decodes more rows; false at the end of the file.
    fn decode(&mut self) -> Result<bool, ParquetError> {
        loop {
            if let Some(group) = &mut self.group {
                let (mut levels, mut values) = (Vec::new(), Vec::with_capacity(ROWS));
                let (rows, _, _) = group.read_records(ROWS, Some(&mut levels), None, &mut values)?;
                if rows > 0 {
                    self.queue(rows, &levels, values);
                    return Ok(true);
                }
                self.group = None;
            }
            if self.next_group == self.file.num_row_groups() {
                return Ok(false);
            }
            let group = self.file.get_row_group(self.next_group)?;
            let ColumnReader::ByteArrayColumnReader(reader) = group.get_column_reader(self.column)? else {
                return Err(ParquetError::General("the column changes its type between row groups".into()));
            };
            self.group = Some(reader);
            self.next_group += 1;
        }
    }

    /// A column that may be null has a level per row, highest where there is a value; others have none.
    fn queue(&mut self, rows: usize, levels: &[i16], values: Vec<ByteArray>) {
        let highest = self.file.metadata().file_metadata().schema_descr().column(self.column).max_def_level();
        let mut values = values.into_iter();
        for row in 0..rows {
            let present = levels.get(row).is_none_or(|&level| level == highest);
            let value = if present { values.next() } else { None };
            self.waiting.push_back(value.unwrap_or_else(|| ByteArray::from("")));
        }
    }
}

fn bad(path: &Path, row: u64, reason: &dyn std::fmt::Display) -> DataError {
    DataError::BadParquet { path: path.into(), row, reason: reason.to_string() }
}

impl Reader for Parquet {
    fn next_document(&mut self) -> Result<Option<String>, DataError> {
        loop {
            while let Some(value) = self.waiting.pop_front() {
                let text = std::str::from_utf8(value.data())
                    .map_err(|error| bad(&self.path, self.row, &format!("invalid UTF-8, {error}")))?;
                self.row += 1;
                if !text.is_empty() {
                    return Ok(Some(text.to_owned()));
                }
            }
            if !self.decode().map_err(|error| bad(&self.path, self.row, &error))? {
                return Ok(None);
            }
        }
    }

    fn position(&self) -> u64 {
        let rows = self.file.metadata().file_metadata().num_rows().max(1) as f64;
        (self.file_bytes as f64 * (self.row as f64 / rows).min(1.0)) as u64
    }
}
