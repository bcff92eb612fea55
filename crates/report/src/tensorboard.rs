//! TensorBoard event files, scalars only.
//!
//! Two small formats, written by hand because the crates that do it bring a protobuf compiler for four messages:
//! - TFRecord framing: `u64 length | masked crc32c(length) | data | masked crc32c(data)`, little endian;
//! - protobuf `Event { 1: double wall_time, 2: int64 step, 3: string file_version, 5: Summary, 7: SessionLog }`,
//!   `Summary { 1: repeated Value { 1: string tag, 2: float simple_value } }`, `SessionLog { 1: enum status }`.
//!
//! A resumed run opens a new file whose session log says where it starts; TensorBoard then hides what the interrupted
//! run had written beyond that step.

use crate::error::{IoContext, ReportError};
use std::{
    env, fs,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const WIRE_VARINT: u8 = 0;
const WIRE_DOUBLE: u8 = 1;
const WIRE_BYTES: u8 = 2;
const WIRE_FLOAT: u8 = 5;
const SESSION_START: u64 = 1;

/// Writes one `events.out.tfevents.<time>.<host>` file.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventWriter {
    /// Opens a new event file in `dir`, for steps from `first_step` on.
    pub fn create(dir: &Path, first_step: u64) -> Result<Self, ReportError> {
        fs::create_dir_all(dir).at(dir, "create the folder")?;
        let now = since_epoch();
        // Nanoseconds tell two runs of one second apart; TensorBoard reads files in the order of their names.
        let name = format!("events.out.tfevents.{}.{}.{}", now.as_secs(), host_name(), now.subsec_nanos());
        let path = dir.join(name);
        let file = File::create_new(&path).at(&path, "create the file")?;
        let mut writer = EventWriter { path, file: BufWriter::new(file) };
        writer.write_event(&event(0, 3, b"brain.Event:2"))?;
        let mut session = Vec::new();
        put_varint_field(&mut session, 1, SESSION_START);
        writer.write_event(&event(first_step, 7, &session))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds the scalars of one step.
    pub fn scalars(&mut self, step: u64, scalars: &[(String, f64)]) -> Result<(), ReportError> {
        let mut summary = Vec::new();
        for (tag, value) in scalars {
            let mut message = Vec::with_capacity(tag.len() + 8);
            put_bytes_field(&mut message, 1, tag.as_bytes());
            put_key(&mut message, 2, WIRE_FLOAT);
            message.extend_from_slice(&(*value as f32).to_le_bytes());
            put_bytes_field(&mut summary, 1, &message);
        }
        self.write_event(&event(step, 5, &summary))
    }

    /// Hands everything written so far to the operating system.
    pub fn flush(&mut self) -> Result<(), ReportError> {
        self.file.flush().at(&self.path, "write the file")
    }

    fn write_event(&mut self, event: &[u8]) -> Result<(), ReportError> {
        self.file.write_all(&tf_record(event)).at(&self.path, "write the file")
    }
}

fn tf_record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&masked_crc(&length).to_le_bytes());
    record.extend_from_slice(data);
    record.extend_from_slice(&masked_crc(data).to_le_bytes());
    record
}

/// The checksum rotated and offset, so that the checksum of data that holds checksums stays a good one.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// An `Event` whose field `what` is the bytes `content`.
fn event(step: u64, what: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 32);
    put_key(&mut out, 1, WIRE_DOUBLE);
    out.extend_from_slice(&since_epoch().as_secs_f64().to_le_bytes());
    if step > 0 {
        put_varint_field(&mut out, 2, step);
    }
    put_bytes_field(&mut out, what, content);
    out
}

fn put_key(out: &mut Vec<u8>, field: u32, wire: u8) {
    put_varint(out, u64::from(field << 3) | u64::from(wire));
}

fn put_varint_field(out: &mut Vec<u8>, field: u32, value: u64) {
    put_key(out, field, WIRE_VARINT);
    put_varint(out, value);
}

fn put_bytes_field(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_key(out, field, WIRE_BYTES);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The host's name as far as it can be had without a system call; it only tells files apart.
fn host_name() -> String {
    let name =
        fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| env::var("HOSTNAME")).unwrap_or_default();
    let name: String =
        name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_known_vectors() {
        // RFC 3720 appendix B.4.
        assert_eq!(crc32c::crc32c(&[0u8; 32]), 0x8a91_36aa);
        // The first twelve bytes of every TensorFlow event file: length 24 and its masked checksum.
        let record = tf_record(&[0; 24]);
        assert_eq!(record[..12], [0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn a_scalar_is_encoded_as_protobuf_says() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(dir.path(), 1).unwrap();
        let before = fs::read(&writer.path).unwrap().len();
        writer.scalars(300, &[("loss".to_owned(), 1.5)]).unwrap();
        writer.flush().unwrap();
        let bytes = fs::read(&writer.path).unwrap();
        let event = &bytes[before + 12..bytes.len() - 4];
        assert_eq!(event[0], 0x09);
        assert_eq!(event[9..12], [0x10, 0xac, 0x02]);
        let summary = [0x2a, 13, 0x0a, 11, 0x0a, 4, b'l', b'o', b's', b's', 0x15, 0, 0, 0xc0, 0x3f];
        assert_eq!(event[12..], summary);
    }

    #[test]
    fn the_file_begins_with_its_version() {
        let dir = tempfile::tempdir().unwrap();
        let writer = EventWriter::create(dir.path(), 1).unwrap();
        let bytes = fs::read(&writer.path).unwrap();
        assert_eq!(bytes[12 + 9..12 + 24], *b"\x1a\x0dbrain.Event:2");
        let name = writer.path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("events.out.tfevents."), "{name}");
    }
}
