//! Compile options and their wire form.
//!
//! PJRT wants a serialised `CompileOptionsProto`. Of its many fields four matter here, so a thirty-line encoder is
//! simpler than a protobuf compiler in everybody's build. Field numbers are those of `xla/pjrt/proto/compile_options.proto`
//! and `DeviceAssignmentProto` in `xla/xla_data.proto`.

use crate::{OptionValue, PjrtError};

/// How a program is compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct CompileOptions {
    /// Copies of the program that run together; replica groups of collectives count these.
    pub num_replicas: usize,
    /// Partitions of one copy; 1 for programs with explicit collectives.
    pub num_partitions: usize,
    /// Positions in [`Client::devices`](crate::Client::devices), replica by replica; within a replica, partition by
    /// partition. Empty: the first `num_replicas * num_partitions`.
    pub devices: Vec<usize>,
    /// XLA flags for this compilation only, such as `("xla_cpu_enable_fast_math", Bool(true))`.
    pub flags: Vec<(String, OptionValue)>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { num_replicas: 1, num_partitions: 1, devices: Vec::new(), flags: Vec::new() }
    }
}

impl CompileOptions {
    /// `n` replicas on the first `n` devices.
    pub fn replicas(n: usize) -> Self {
        Self { num_replicas: n, ..Self::default() }
    }

    /// One replica on one device.
    pub fn on_device(device: usize) -> Self {
        Self { devices: vec![device], ..Self::default() }
    }

    /// The devices in order, the default spelled out.
    pub(crate) fn assignment(&self) -> Result<Vec<usize>, PjrtError> {
        let required = self.num_replicas * self.num_partitions;
        if self.devices.is_empty() && required > 0 {
            return Ok((0..required).collect());
        }
        if self.devices.len() != required || required == 0 {
            let (replicas, partitions, given) = (self.num_replicas, self.num_partitions, self.devices.len());
            return Err(PjrtError::Assignment { replicas, partitions, required, given });
        }
        Ok(self.devices.clone())
    }

    /// The serialised proto; `device_ids` are the plugin's ids of [`Self::assignment`].
    pub(crate) fn encode(&self, device_ids: &[i32]) -> Vec<u8> {
        let mut build = Message::default();
        build.int(1, -1); // device_ordinal: not set, the assignment decides
        build.int(4, self.num_replicas as i64);
        build.int(5, self.num_partitions as i64);
        build.message(9, &self.encode_assignment(device_ids));
        let mut options = Message::default();
        options.message(3, &build);
        for (name, value) in &self.flags {
            let mut entry = Message::default();
            entry.bytes(1, name.as_bytes());
            entry.message(2, &flag(value));
            options.message(7, &entry);
        }
        options.0
    }

    fn encode_assignment(&self, device_ids: &[i32]) -> Message {
        let mut assignment = Message::default();
        assignment.int(1, self.num_replicas as i64);
        assignment.int(2, self.num_partitions as i64);
        for partition in 0..self.num_partitions {
            let mut computation = Message::default();
            for ids in device_ids.chunks(self.num_partitions) {
                computation.int(1, i64::from(ids[partition]));
            }
            assignment.message(3, &computation);
        }
        assignment
    }
}

/// `OptionOverrideProto`.
fn flag(value: &OptionValue) -> Message {
    let mut out = Message::default();
    match value {
        OptionValue::Bool(v) => out.int(2, i64::from(*v)),
        OptionValue::Int(v) => out.int(3, *v),
        OptionValue::Float(v) => out.double(4, f64::from(*v)),
        text @ (OptionValue::Str(_) | OptionValue::Ints(_)) => out.bytes(1, text.to_string().as_bytes()),
    }
    out
}

/// A protobuf message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(&mut self, field: u64, value: i64) {
        self.varint(field << 3);
        self.varint(value as u64);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn message(&mut self, field: u64, value: &Message) {
        self.bytes(field, &value.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_encode_as_protoc_does() {
        let mut options = CompileOptions::replicas(2);
        options.flags.push(("f".into(), OptionValue::Bool(true)));
        let minus_one = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let mut build = vec![0x08];
        build.extend(minus_one);
        build.extend([0x20, 2, 0x28, 1, 0x4a, 10, 0x08, 2, 0x10, 1, 0x1a, 4, 0x08, 0, 0x08, 0x07]);
        let mut expected = vec![0x1a, build.len() as u8];
        expected.extend(build);
        expected.extend([0x3a, 7, 0x0a, 1, b'f', 0x12, 2, 0x10, 1]);
        assert_eq!(options.encode(&[0, 7]), expected);
    }

    #[test]
    fn devices_must_fill_the_assignment() {
        let options = CompileOptions { num_replicas: 4, devices: vec![0, 1], ..CompileOptions::default() };
        let message = options.assignment().unwrap_err().to_string();
        assert_eq!(message, "compile options: 4 replicas x 1 partitions need 4 devices, 2 given");
        assert_eq!(CompileOptions::replicas(3).assignment().unwrap(), [0, 1, 2]);
    }
}
